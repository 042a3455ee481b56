"""What persons asked, brought to the hub: registrations and changes in batches, everything else one by one.

A pass begins with the hub's blocks, so that it heals whatever an earlier one left undone, such as a transaction whose
receipt nobody saw. Where a batch of registrations is sent to is on the disk before it is sent; until the hub's count has
passed that place the same batch is sent again, word for word, so that nobody is registered twice.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import trio

from hutong.adapters.interface import AdapterError, RefusedByChain
from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from hutong.relay.services.identity.registrar import operations
from hutong.relay.services.identity.registrar.desk import AS_REGISTRAR, NobodyThere, PersonsDesk
from hutong.relay.services.identity.registrar.door import RegistrarDoor
from hutong.relay.services.identity.registrar.invitations import forget_invitations, give_back_invitations
from hutong.relay.services.identity.registrar.operations import Kind, Operation, OperationState, Outcome
from hutong.relay.services.identity.registrar.shards import NotOfTheseShards
from hutong.relay.services.identity.rules.persons import calls
from hutong.relay.services.identity.rules.persons.changing import changed, decode_change, encode_changes
from hutong.relay.services.identity.rules.persons.person import encode_opening, leaf_of
from hutong.relay.services.identity.rules.persons.person_recovery_record import (
    PersonRecoveryRecord,
    decode_person_recovery_record,
)
from hutong.relay.services.identity.rules.persons.registering import decode_registrations, encode_registrations
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES
from hutong.relay.telemetry import get_logger

BATCH: Final = 760
"""Registrations that fit a transaction of 128 KiB beside the edge."""
CHANGES: Final = 150
"""Changes that fit one with their siblings, wherever they stand in a full shard."""
SINGLE: Final = 16
"""Of recoveries, cancellations and completions, in one pass each."""
DAY_S: Final = 86_400
_WORD: Final = re.compile(r"[A-Za-z_]{3,64}")


@dataclass(slots=True)
class PersonsWriting:
    """`writer` is the registrar's DID and the thumbprint of its log key."""

    desk: PersonsDesk
    door: RegistrarDoor
    writer: tuple[bytes, bytes]
    refused: str | None = None
    """What the hub said to the last batch of this pass that it refused."""

    async def pass_once(self) -> None:
        """Everything that waits and is due, once.

        Raises:
            NotOfTheseShards: the node's blocks do not give the hub's roots.
            AdapterError: the hub does not answer. StoreUnavailable: the database does not.
        """
        desk, self.refused = self.desk, None
        await self.follow()
        sent = [await self._registrations(), await self._changes()]
        for kind, send in (
            (Kind.RECOVERY, self._recover),
            (Kind.CANCELLATION, self._cancel),
            (Kind.COMPLETION, self._complete),
        ):
            sent += [await self._single(operation, send) for operation in await self._waiting(kind, SINGLE)]
        if any(sent):
            await self.follow()
            await self._registrations(send=False)
            await self._changes(send=False)
        now_s = desk.common.now_s()
        await desk.database.run(lambda connection: operations.forget_settled(connection, now_s))
        await desk.database.run(lambda connection: forget_invitations(connection, now_s))
        desk.waiting = await desk.database.run(operations.count_waiting)
        desk.refusal = None if self.refused is None else f"the hub refuses what the registrar sends: {self.refused}"

    async def follow(self) -> None:
        """The shards as of the hub's newest block; where that fails, as they were.

        Raises:
            As `RegistrarDoor.follow`.
        """
        desk = self.desk
        async with desk.lock:
            try:
                await self.door.follow(desk.shards)
            except NotOfTheseShards:
                desk.is_followed = False
                desk.shards.back_to_mark()
                raise
            except BaseException:
                desk.shards.back_to_mark()
                raise
            desk.is_followed = True

    async def _waiting(self, kind: Kind, most: int) -> list[Operation]:
        return await self.desk.database.run(lambda connection: operations.waiting_operations(connection, kind, most))

    async def _settle(self, outcomes: Sequence[Outcome]) -> None:
        ends_s = self.desk.common.now_s() + self.desk.config.kept_days * DAY_S
        if outcomes:
            await self.desk.database.run(lambda connection: operations.settle(connection, outcomes, ends_s))

    async def _send(self, call: bytes) -> bool:
        """Whether the hub took it."""
        try:
            await self.door.send(call)
        except RefusedByChain as error:
            self.refused = bare_reason(error)
            return False
        return True

    def _is_due(self, waiting: Sequence[Operation], whole: int) -> bool:
        oldest_s = min(one.accepted_s for one in waiting)
        return len(waiting) >= whole or oldest_s + self.desk.config.collect_s <= self.desk.common.now_s()

    # --- registrations

    async def _registrations(self, *, send: bool = True) -> bool:
        waiting = await self._waiting(Kind.REGISTRATION, BATCH)
        waiting = await self._landed(waiting)
        number, shard = self.desk.shards.last()
        await self._too_late([one for one in waiting if one.shard < number])
        waiting = [one for one in waiting if one.shard == number]
        batch = [one for one in waiting if one.index is not None]
        if not send or not (batch or (waiting and self._is_due(waiting, BATCH))):
            return False
        if not batch:
            batch = distinct(waiting)[: MAX_LEAVES - shard.count]
            places = {one.receipt: shard.count + at for at, one in enumerate(batch)}
            await self.desk.database.run(lambda connection: operations.send_to(connection, places))
        entries = [decode_registrations(one.parts()[0])[0] for one in batch]
        data = encode_registrations(entries)
        return await self._send(calls.REGISTER_PERSONS.encode(self.writer, number, shard.edge(), data))

    async def _landed(self, waiting: Sequence[Operation]) -> list[Operation]:
        """Those that do not stand on the hub yet; where others took the place of a batch, it is sent nowhere any more."""
        landed = [one for one in waiting if self._stands(one)]
        rest = [one for one in waiting if not self._stands(one)]
        await self._settle([Outcome(one.receipt, OperationState.DONE, one.index) for one in landed])
        sent = [one for one in rest if one.index is not None]
        if not sent or not self._is_overtaken(sent):
            return rest
        await self.desk.database.run(
            lambda connection: operations.send_to(connection, dict.fromkeys((one.receipt for one in sent), None))
        )
        return await self._waiting(Kind.REGISTRATION, BATCH)

    def _stands(self, one: Operation) -> bool:
        if one.index is None or one.shard >= len(self.desk.shards.files):
            return False
        (entry,), shard = decode_registrations(one.parts()[0]), self.desk.shards.files[one.shard]
        return one.index < shard.count and encode_opening(shard.person(one.index)) == encode_opening(entry.person)

    def _is_overtaken(self, sent: Sequence[Operation]) -> bool:
        """Whether somebody else has written where the batch was to stand: its edge leads to no root any more."""
        files = self.desk.shards.files
        first = sent[0]
        count = files[first.shard].count if first.shard < len(files) else 0
        return [one.index for one in sent] != [count + at for at in range(len(sent))]

    async def _too_late(self, late: Sequence[Operation]) -> None:
        """Registrations for a shard that is full: their persons sign again, by the same invitation."""
        if not late:
            return
        receipts = [one.receipt for one in late]
        said = "the shard that was signed for is full: sign for the next one"
        await self._settle([Outcome(receipt, OperationState.REFUSED, reason=said) for receipt in receipts])
        await self.desk.database.run(lambda connection: give_back_invitations(connection, receipts))

    # --- changes

    async def _changes(self, *, send: bool = True) -> bool:
        waiting = await self._waiting(Kind.CHANGE, CHANGES)
        outcomes = [outcome for one in waiting if (outcome := self._changed(one)) is not None]
        await self._settle(outcomes)
        settled = {one.receipt for one in outcomes}
        waiting = [one for one in waiting if one.receipt not in settled]
        if not send or not waiting or not self._is_due(waiting, CHANGES):
            return False
        number = waiting[0].shard
        entries = [decode_change(one.parts()[0]) for one in waiting if one.shard == number]
        entries.sort(key=lambda entry: entry.index)
        siblings = self.desk.shards.shard(number).siblings([entry.index for entry in entries])
        return await self._send(calls.CHANGE_PERSONS.encode(self.writer, number, siblings, encode_changes(entries)))

    def _changed(self, one: Operation) -> Outcome | None:
        """What came of a change; None while it can still be sent."""
        entry = decode_change(one.parts()[0])
        now = encode_opening(self.desk.person(one.shard, entry.index))
        if now == encode_opening(changed(entry.before, entry.following)):
            return Outcome(one.receipt, OperationState.DONE)
        if now != encode_opening(entry.before):
            return Outcome(one.receipt, OperationState.REFUSED, reason="the person has changed by something else")
        return None

    # --- one by one

    async def _single(
        self, operation: Operation, send: "Callable[[Operation, PersonRecoveryRecord | None], bytes | Outcome]"
    ) -> bool:
        """Whether something was sent. What the rules or the hub refuse is settled so; it may be asked again."""
        desk, index = self.desk, operation.index or 0
        refused: str | None = None
        sent = False
        for last in (False, True):
            raw = await self.door.record(desk.recovery_key(operation.shard, index))
            try:
                found = send(operation, None if raw is None else decode_person_recovery_record(raw))
            except (MalformedInput, PredicateFailed, NobodyThere) as error:
                found = Outcome(operation.receipt, OperationState.REFUSED, reason=rule_of(error))
            if isinstance(found, Outcome):
                await self._settle([found])
                return sent
            if last:
                break
            try:
                await self.door.send(found)
            except RefusedByChain as error:
                refused = bare_reason(error)
                break
            sent = True
            await self.follow()
        if refused is not None:
            await self._settle([Outcome(operation.receipt, OperationState.REFUSED, reason=refused)])
        return sent

    def _recover(self, one: Operation, standing: PersonRecoveryRecord | None) -> bytes | Outcome:
        desk, index = self.desk, one.index or 0
        by, following, policy, *approval = one.parts()
        person = desk.person(one.shard, index)
        if standing is not None and not standing.is_cancelled and standing.leaf == leaf_of(person):
            said = standing.following
            if following == said.account + said.next_key + said.recovery:
                return Outcome(one.receipt, OperationState.DONE, effective_s=standing.effective_s)
        desk.judged_recovery(one, standing)
        shown = encode_opening(person), desk.shards.shard(one.shard).path(index)
        if by == AS_REGISTRAR:
            return calls.START_RECOVERY_AS_REGISTRAR.encode(self.writer, one.shard, index, *shown, following, policy)
        place, expires_s = (desk.registrar, one.shard, index), int.from_bytes(approval[0], "big")
        return calls.START_RECOVERY.encode(place, *shown, following, policy, expires_s, approval[1:])

    def _cancel(self, one: Operation, standing: PersonRecoveryRecord | None) -> bytes | Outcome:
        if standing is None:
            return Outcome(one.receipt, OperationState.REFUSED, reason="no recovery stands there")
        if standing.is_cancelled:
            return Outcome(one.receipt, OperationState.DONE)
        place = (self.desk.registrar, one.shard, one.index or 0)
        return calls.CANCEL_RECOVERY.encode(place, one.parts()[0])

    def _complete(self, one: Operation, standing: PersonRecoveryRecord | None) -> bytes | Outcome:
        desk, index = self.desk, one.index or 0
        person = desk.person(one.shard, index)
        if leaf_of(person) != one.parts()[0]:
            return Outcome(one.receipt, OperationState.DONE)
        if standing is None:
            return Outcome(one.receipt, OperationState.REFUSED, reason="no recovery stands there")
        place = (desk.registrar, one.shard, index)
        return calls.COMPLETE_RECOVERY.encode(place, encode_opening(person), desk.shards.shard(one.shard).path(index))


def distinct(waiting: Sequence[Operation]) -> list[Operation]:
    """No two of one salt or key, which would be refused together; who is left out comes with the next batch."""
    salts: set[bytes] = set()
    accounts: set[bytes] = set()
    found = []
    for one in waiting:
        (entry,) = decode_registrations(one.parts()[0])
        if entry.salt not in salts and entry.control.account not in accounts:
            salts.add(entry.salt)
            accounts.add(entry.control.account)
            found.append(one)
    return found


def bare_reason(error: RefusedByChain) -> str:
    """The name of the error or rule by which the hub refused; what was compared may name a person."""
    found = _WORD.match(error.reason)
    return found[0] if found is not None else error.name


def rule_of(error: VerificationError | NobodyThere) -> str:
    """The rule that does not hold, without what was compared."""
    if isinstance(error, PredicateFailed):
        return f"{error.predicate}: {error.reason}"
    return f"{error.field}: {error.reason}" if isinstance(error, MalformedInput) else "nobody stands there"


async def keep_writing(writing: PersonsWriting) -> None:
    """Passes for ever. What fails is logged without what it was about, and tried again."""
    log, desk = get_logger("identity"), writing.desk
    while True:
        try:
            await writing.pass_once()
        except NotOfTheseShards:
            desk.refusal = "the node's blocks do not give the hub's roots: follow them anew, into an empty folder"
            log.warning("the node's blocks do not give the hub's roots of this registrar")
        except (AdapterError, VerificationError) as error:
            desk.refusal = "the hub does not answer"
            log.warning("the hub was not told", error=type(error).__name__)
        await trio.sleep(desk.config.hub.interval_s)
