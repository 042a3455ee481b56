"""What a registrar's service takes on: each request is judged by the hub's own rules before a row of it is kept.

A request that the hub would refuse stands in nobody's way, then: a batch is refused as a whole.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256

import trio
from sqlalchemy import Connection

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.daemon.role import Common
from hutong.relay.services.identity.registrar.operations import Kind, Operation, OperationState, add_operation
from hutong.relay.services.identity.registrar.settings import RegistrarConfig
from hutong.relay.services.identity.registrar.shards import NotOfTheseShards, Shards
from hutong.relay.services.identity.rules.persons.changing import decode_change, decode_control, judge_changes
from hutong.relay.services.identity.rules.persons.person import Person, Place, encode_opening
from hutong.relay.services.identity.rules.persons.person_recovery_record import (
    PersonRecoveryRecord,
    decode_person_recovery_record,
)
from hutong.relay.services.identity.rules.persons.recovering import (
    Demand,
    Shown,
    judge_cancel,
    judge_completion,
    judge_start,
)
from hutong.relay.services.identity.rules.persons.registering import decode_registrations, judge_registrations
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.shard_record import ShardRecord
from hutong.relay.services.identity.store.transactions import Database

RECEIPT_DOMAIN = b"hutong/identity/receipt/1"
LONGEST_WAIT_S = 5.0
"""For which a request waits while blocks are read."""
AS_REGISTRAR = b"\x01"
BY_GUARDIANS = b"\x00"
Also = Callable[[Connection, Sequence[Operation]], None]


class NotFollowed(Exception):
    """The hub's blocks have not been read yet, or do not give the hub's roots; one sentence."""


class NobodyThere(Exception):
    """The shard has nobody at the index."""


class AnotherShard(Exception):
    """The number of the shard that is filled now, which is not the one that was signed for."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


@dataclass(slots=True)
class PersonsDesk:
    """One registrar's. `refusal` says what keeps the service from its work; nothing of a person is in it."""

    hub: str
    config: RegistrarConfig
    common: Common
    database: Database
    shards: Shards
    lock: trio.Lock = field(default_factory=trio.Lock)
    """Held while blocks are applied: until a root was compared, nothing of the shards is told."""
    is_followed: bool = False
    refusal: str | None = "the hub's blocks are being read"
    waiting: int = 0
    """As of the last pass."""

    @property
    def registrar(self) -> bytes:
        """The 32 bytes of its DID."""
        return self.shards.registrar

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[Shards]:
        """The shards as of a block of the hub.

        Raises:
            NotFollowed: see there.
        """
        with trio.move_on_after(LONGEST_WAIT_S) as waiting:
            await self.lock.acquire()
        if waiting.cancelled_caught:
            raise NotFollowed(self.refusal or "the hub's blocks are being read")
        try:
            if not self.is_followed:
                raise NotFollowed(self.refusal or "the hub's blocks are being read")
            yield self.shards
        finally:
            self.lock.release()

    def place(self, shard: int, index: int) -> Place:
        """Of this registrar."""
        return Place(self.registrar, shard, index)

    def person(self, shard: int, index: int) -> Person:
        """Who stands there, as of the block that was followed last.

        Raises:
            NobodyThere: see there.
        """
        try:
            return self.shards.shard(shard).person(index)
        except (IndexError, NotOfTheseShards):
            raise NobodyThere from None

    def record(self, shard: int) -> ShardRecord:
        """What the hub's record says of a shard that has begun, but for its version and moment."""
        file = self.shards.shard(shard)
        return ShardRecord(file.root, file.count, 0, Moment(0, 0))

    # --- what is asked, judged; the caller is in `followed`

    def registrations(self, shard: int, data: Sequence[bytes]) -> list[Operation]:
        """Registrations, each signed for `shard`.

        Raises:
            AnotherShard, MalformedInput, PredicateFailed: the first that the hub would refuse.
        """
        number, file = self.shards.last()
        if shard != number:
            raise AnotherShard(number)
        edge, record = file.edge(), self.record(shard)
        found = []
        for one in data:
            judge_registrations(VERIFY, self.hub, (self.registrar, shard), record, (edge, one))
            (entry,) = decode_registrations(one)
            found.append(self._operation(Kind.REGISTRATION, entry.control.account.hex(), (shard, None), (one,)))
        return found

    def change(self, shard: int, data: bytes) -> Operation:
        """A change that the deciding key signed, of the person as it stands.

        Raises:
            NobodyThere, MalformedInput, PredicateFailed: the hub would refuse it.
        """
        entry = decode_change(data)
        person = self.person(shard, entry.index)
        if encode_opening(entry.before) != encode_opening(person):
            raise PredicateFailed("changes_lead_from_root", "the person has changed since, or is another one")
        batch = (self.shards.shard(shard).path(entry.index), (entry,))
        judge_changes(VERIFY, self.hub, (self.registrar, shard), self.record(shard), batch)
        return self._of_place(Kind.CHANGE, (shard, entry.index), (data,))

    def recovery(
        self, place: tuple[int, int], following: bytes, policy: bytes, approval: tuple[int, Sequence[bytes]] | None
    ) -> Operation:
        """A recovery that guardians approve until a time in Unix seconds; `approval` None where the registrar begins it itself.

        What stands of an earlier one is asked when it is sent.

        Raises:
            NobodyThere, MalformedInput, PredicateFailed: the hub would refuse it.
        """
        if approval is None:
            body = [AS_REGISTRAR, following, policy]
        else:
            expires_s, signatures = approval
            body = [BY_GUARDIANS, following, policy, expires_s.to_bytes(8, "big"), *signatures]
        operation = self._of_place(Kind.RECOVERY, place, body)
        self.judged_recovery(operation, None)
        return operation

    def judged_recovery(self, operation: Operation, standing: PersonRecoveryRecord | None) -> PersonRecoveryRecord:
        """The record that a recovery would make now, beside what stands of an earlier one.

        Raises:
            NobodyThere, MalformedInput, PredicateFailed: the hub would refuse it.
        """
        by, following, policy, *approval = operation.parts()
        now_s, index = self.common.now_s(), operation.index or 0
        expires_s = int.from_bytes(approval[0], "big") if approval else now_s
        person, path = self.person(operation.shard, index), self.shards.shard(operation.shard).path(index)
        said = (Shown(person, path), Demand(decode_control(following), policy, expires_s))
        signatures = None if by == AS_REGISTRAR else tuple(approval[1:])
        place, states = self.place(operation.shard, index), (self.record(operation.shard), standing)
        return judge_start(VERIFY, self.hub, place, states, said, (signatures, Moment(0, now_s)))

    def cancellation(self, place: tuple[int, int], signature: bytes, standing: bytes) -> Operation:
        """The end of the recovery whose record `standing` is, signed by the present key.

        Raises:
            MalformedInput, PredicateFailed: the hub would refuse it.
        """
        record = decode_person_recovery_record(standing)
        judge_cancel(VERIFY, self.hub, self.place(*place), record, signature, self.common.now_s())
        return self._of_place(Kind.CANCELLATION, place, (signature,))

    def completion(self, place: tuple[int, int], standing: bytes) -> Operation:
        """The recovery whose record `standing` is takes effect.

        Raises:
            NobodyThere, MalformedInput, PredicateFailed: the hub would refuse it.
        """
        record = decode_person_recovery_record(standing)
        shard, index = place
        shown = Shown(self.person(shard, index), self.shards.shard(shard).path(index))
        judge_completion(VERIFY, self.place(*place), (self.record(shard), record), shown, self.common.now_s())
        return self._of_place(Kind.COMPLETION, place, (record.leaf,))

    def recovery_key(self, shard: int, index: int) -> bytes:
        """Of the hub's record of a recovery."""
        return keys.person_recovery_key(self.registrar, shard, index)

    def _of_place(self, kind: Kind, place: tuple[int, int], parts: Sequence[bytes]) -> Operation:
        return self._operation(kind, f"{place[0]}/{place[1]}", place, parts)

    def _operation(self, kind: Kind, subject: str, place: tuple[int, int | None], parts: Sequence[bytes]) -> Operation:
        body = " ".join(part.hex() for part in parts)
        said = f"{kind} {place[0]} {place[1]} {body}".encode()
        receipt = sha256(RECEIPT_DOMAIN + self.registrar + said).hexdigest()
        return Operation(receipt, kind, subject, *place, body, self.common.now_s())

    async def take(
        self, operations: Sequence[Operation], also: Also = lambda _connection, _taken: None
    ) -> list[OperationState]:
        """Keep what was judged, all or nothing; how each stands.

        Args:
            also: in the same transaction; what it raises undoes all.

        Raises:
            TooManyWaiting, PersonIsWaiting: see there. StoreUnavailable: the database refuses.
        """
        most = self.config.max_waiting

        def write(connection: Connection) -> list[OperationState]:
            also(connection, operations)
            return [add_operation(connection, one, most) for one in operations]

        return await self.database.run(write)
