"""What comes next without an operator: offers as published are agreed to, agreements that keep to what was asked for are verified.

Nothing else is decided here. What was judged otherwise ends, with the reason; the rules are those of `rules/policy`.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import trio

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.directory.dspace.connector import Asked, Connector, Refused, Unknown
from hutong.relay.services.directory.dspace.door import Agreed, AgreementDoor, RecordRefused, RecordUnavailable
from hutong.relay.services.directory.dspace.process import OPEN, HeldAgreement, Process
from hutong.relay.services.directory.dspace.store import ConnectorStore, Rows
from hutong.relay.services.directory.rules.dspace.vocabulary import Kind, Role, State
from hutong.relay.services.directory.rules.policy.deciding import Request, request_is_permitted
from hutong.relay.services.directory.rules.policy.reading import policy_of
from hutong.relay.telemetry import get_logger

LOOK_AGAIN_S: Final = 5.0
RECORD_AGAIN_S: Final = 1.0
_STEPS: Final = {
    (Role.PROVIDER, State.REQUESTED): Kind.AGREEMENT,
    (Role.PROVIDER, State.ACCEPTED): Kind.AGREEMENT,
    (Role.PROVIDER, State.VERIFIED): Kind.FINALIZED,
    (Role.CONSUMER, State.OFFERED): Kind.ACCEPTED,
    (Role.CONSUMER, State.AGREED): Kind.VERIFICATION,
}


def next_step(process: Process) -> tuple[Kind, Asked] | None:
    """The step of ours in a negotiation, by the rules alone; None where it is the counterparty's turn, or a person's."""
    kind = _STEPS.get((process.role, process.state))
    if process.is_transfer or kind is None or process.their_pid is None:
        return None
    if kind is Kind.FINALIZED:
        return (kind, Asked()) if process.recorded else None
    if process.judged is not None:
        return Kind.TERMINATION, Asked(code="policy", reasons=(process.judged,))
    return kind, Asked()


def use_is_permitted(held: HeldAgreement, facts: Request) -> None:
    """A transfer is started under an agreement that permits it for what is known; see `rules/policy`.

    Raises:
        Refused: it does not, or is not of the profile.
    """
    try:
        request_is_permitted(policy_of(held.policy), facts, {})
    except (PredicateFailed, MalformedInput) as error:
        raise Refused("request_is_permitted", str(error)) from None


def facts_of(held: HeldAgreement, assignee: str) -> Request:
    """What a connector knows by itself: the party, the target and the time. Everything else is unknown, and permits nothing."""
    return Request(party=assignee, action="use", target=str(held.policy.get("target")), time_ns=time.time_ns())


class Decider:
    """Puts agreements on record, and takes the steps that `next_step` says where decisions are automatic."""

    def __init__(
        self,
        store: ConnectorStore,
        connector: Connector,
        door: AgreementDoor,
        wake_courier: Callable[[], None],
        *,
        is_automatic: bool,
    ) -> None:
        self._store = store
        self._connector = connector
        self._door = door
        self._wake_courier = wake_courier
        self._is_automatic = is_automatic
        self._recording: set[str] = set()
        self._wake = trio.Event()
        self._log = get_logger("connector")

    def wake(self) -> None:
        """A process has changed."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled; what a killed process left is found in the store."""
        async with trio.open_nursery() as nursery:
            while True:
                self._wake = trio.Event()
                for process in await self._store.run(lambda rows: rows.in_states(OPEN)):
                    if self._is_to_record(process):
                        self._recording.add(process.pid)
                        nursery.start_soon(self._record, process)
                    elif self._is_automatic:
                        await self._decide(process)
                with trio.move_on_after(LOOK_AGAIN_S):
                    await self._wake.wait()

    def _is_to_record(self, process: Process) -> bool:
        has_agreed = process.role is Role.PROVIDER and process.state in (State.AGREED, State.VERIFIED)
        return has_agreed and not process.recorded and process.pid not in self._recording

    async def _decide(self, process: Process) -> None:
        found = next_step(process)
        if found is None:
            return
        kind, asked = found
        await self._take(process, kind, asked)

    async def _take(self, process: Process, kind: Kind, asked: Asked) -> None:
        try:
            await self._store.run(lambda rows: self._connector.step(rows, process.pid, kind, asked))
        except (Refused, Unknown) as error:
            # The counterparty moved first; the next look sees where it stands. Or our offer is gone, and so is the negotiation.
            self._log.info("a step was not taken", kind=kind.value, reason=str(error))
            if isinstance(error, Unknown) and kind is not Kind.TERMINATION:
                await self._take(process, Kind.TERMINATION, Asked(code="offer", reasons=(str(error),)))
            return
        self._wake_courier()
        self._wake.set()

    async def _record(self, process: Process) -> None:
        """In parallel with the counterparty's verification; a door that does not answer is asked again."""
        try:
            agreement, offer = policy_of(process.agreement or {}), policy_of(process.offer or {})
            while True:
                try:
                    record = await self._door.record(Agreed(agreement, offer, process.pid))
                    break
                except RecordUnavailable as error:
                    self._log.warning("an agreement is not on record yet", reason=str(error))
                    await trio.sleep(RECORD_AGAIN_S)
                except RecordRefused as error:
                    await self._take(process, Kind.TERMINATION, Asked(code="record", reasons=(str(error),)))
                    return

            def recorded(rows: Rows) -> None:
                now = rows.process(process.pid)
                if now is not None:
                    rows.put(replace(now, recorded=True, record=record))

            await self._store.run(recorded)
        finally:
            self._recording.discard(process.pid)
            self._wake.set()
