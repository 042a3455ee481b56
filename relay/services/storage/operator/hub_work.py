"""What an operator does for the hub: follows its log, answers the epoch's probes, and looks at its own record."""

from dataclasses import dataclass
from typing import Final

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.engines.engine import EngineUnavailable
from hutong.relay.services.storage.hub.refusals import HubRefused, HubSilent
from hutong.relay.services.storage.operator.answering import Answering, NoSuchAudit, ProbeLost, answers_struct
from hutong.relay.services.storage.operator.desk import OperatorDesk
from hutong.relay.services.storage.operator.hub_door import HubDoor
from hutong.relay.services.storage.operator.index import PartUnknown
from hutong.relay.services.storage.rules.audits.answers import encode_answers
from hutong.relay.services.storage.rules.calls import SUBMIT_ANSWERS
from hutong.relay.services.storage.rules.commitments.entries import LogEntry
from hutong.relay.services.storage.rules.operator_api.refusals import RequestRefused
from hutong.relay.services.storage.rules.records.batches import decode_batch_record
from hutong.relay.services.storage.rules.records.keys import (
    CLOCK_KEY,
    answered_key,
    batch_key,
    operator_key,
    verdict_key,
)
from hutong.relay.services.storage.rules.records.members import OperatorRecord, decode_operator_record
from hutong.relay.services.storage.rules.records.rounds import Phase, decode_answered_record, decode_clock_record
from hutong.relay.services.storage.rules.records.values import decode_verdict_record
from hutong.relay.telemetry import get_logger

ANSWERS_AT_ONCE: Final = 32
"""Of one transaction, which has at most 128 KiB: an answer takes up to 2 681 bytes."""
FOLLOWED: Final = "followed_height"


class NotThisHub(Exception):
    """The index is of another hub, or the hub says what cannot follow on what it said. One sentence, for the operator."""


_EXPECTED: Final = (
    *(HubSilent, HubRefused, NotThisHub, NoSuchAudit, ProbeLost, MalformedInput),
    *(EngineUnavailable, RequestRefused),
)


@dataclass(frozen=True, slots=True)
class Audited:
    """How far the answers of an epoch are. `verdict` is its outcome's name; None while it is open."""

    epoch: int
    answered: int
    verdict: str | None = None


class HubWork:
    """Of one operator. What it raises of the hub is tried again by whoever calls it."""

    def __init__(self, desk: OperatorDesk, answering: Answering, hub: HubDoor) -> None:
        self._desk = desk
        self._answering = answering
        self._hub = hub
        self._log = get_logger("storage_operator")

    async def follow(self) -> None:
        """Take up every entry of the log that the hub has now.

        Raises:
            NotThisHub: entries that do not follow on the log here, or parts that were never signed here.
            HubSilent: see there.
        """
        index = self._desk.parts.index
        while True:
            after = int(await trio.to_thread.run_sync(index.fact, FOLLOWED) or 0)
            found = await self._hub.logged(after)
            for logged in found.entries:
                await self._take_up(logged.position, logged.entry)
            if found.height == after:
                return
            await trio.to_thread.run_sync(index.put_fact, FOLLOWED, str(found.height))

    async def _take_up(self, position: int, entry: LogEntry) -> None:
        log, index = self._desk.parts.log, self._desk.parts.index
        if position < log.size:
            if log.entries(position, 1)[0] != entry:
                raise NotThisHub(f"entry {position} of the log is another on the hub: the index is of another hub")
            return
        if position != log.size or entry.first != log.end:
            raise NotThisHub(f"the hub tells of entry {position} of the log, and {log.size} is the next here")
        value = await self._hub.record(batch_key(entry.batch))
        if value is None:
            raise HubSilent(f"the node tells of batch {entry.batch} and has no record of it")
        record = decode_batch_record(value)
        try:
            await trio.to_thread.run_sync(index.append_log, entry, position, record.writer, record.sequence)
        except PartUnknown as error:
            raise NotThisHub(f"{error}: the index was lost, or another process signs with this key") from None
        log.append(entry)

    async def answer(self) -> Audited | None:
        """Send the answers that the present epoch still waits for. None where nothing is asked now.

        Raises:
            ProbeLost: a probe cannot be answered; those before it were sent.
            NoSuchAudit: the log here is behind, or another.
            HubRefused, HubSilent: see there.
        """
        value = await self._hub.record(CLOCK_KEY)
        clock = None if value is None else decode_clock_record(value)
        if clock is None or clock.phase is not Phase.ANSWERING:
            return None
        operator = self._desk.parts.identity.operator
        audit = await self._answering.audit(self._hub, clock.epoch)
        while True:
            first = await self._answered(clock.epoch)
            verdict = await self._hub.record(verdict_key(operator, clock.epoch))
            if verdict is not None:
                return Audited(clock.epoch, first, decode_verdict_record(verdict).outcome.name.lower())
            count = min(ANSWERS_AT_ONCE, audit.challenge.probes - first)
            if count <= 0:
                return Audited(clock.epoch, first)
            removals = await self._answering.removals(self._hub, audit.challenge, range(first, first + count))
            answers = await trio.to_thread.run_sync(self._answering.answers, audit.challenge, first, count, removals)
            octets = encode_answers(answers)
            struct = answers_struct(self._desk.parts.identity.hub, audit, first, count, octets)
            signature = await self._desk.sign(struct)
            await self._hub.send(SUBMIT_ANSWERS.encode(operator, clock.epoch, first, count, octets, signature))

    async def _answered(self, epoch: int) -> int:
        value = await self._hub.record(answered_key(self._desk.parts.identity.operator))
        if value is None:
            return 0
        record = decode_answered_record(value)
        return record.held + record.removed if record.epoch == epoch else 0

    async def keep_working(self, interval_s: float) -> None:
        """Follow and answer until cancelled; what fails is said and tried again."""
        said: str | None = None
        while True:
            try:
                await self.follow()
                audited = await self.answer()
                reason = (
                    None
                    if audited is None
                    else f"epoch {audited.epoch}: {audited.answered} answered, {audited.verdict}"
                )
                if reason != said and reason is not None:
                    self._log.info("audited", reason=reason)
            except _EXPECTED as error:
                reason = f"{type(error).__name__}: {error}"
                if reason != said:
                    self._log.error("the hub is not answered", reason=reason)
            except Exception:
                reason = "unexpected"
                self._log.exception("the hub is not answered, for a reason that nobody foresaw")
            said = reason
            await trio.sleep(interval_s)


async def standing_of(hub: HubDoor, operator: bytes) -> OperatorRecord | None:
    """What the hub says of an operator; None where it is not registered.

    Raises:
        HubSilent: see there.
    """
    value = await hub.record(operator_key(operator))
    try:
        return None if value is None else decode_operator_record(value)
    except MalformedInput as error:
        raise HubSilent(str(error)) from None
