"""What the issuer decided, brought to the hub: lists opened, the log appended, bits raised and list tokens named. In that order.

Each step begins with what stands on the hub now, so that a pass heals whatever an earlier one left undone, such as a
transaction whose receipt nobody saw.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import trio

from hutong.adapters.interface import AdapterError, RefusedByChain
from hutong.relay.services.identity.issuer.hub.calls import Writer
from hutong.relay.services.identity.issuer.hub.door import HubDoor
from hutong.relay.services.identity.issuer.ledger import IssuerLedger
from hutong.relay.services.identity.rules.records.did_record import decode_did_record
from hutong.relay.services.identity.rules.records.keys import did_key, list_key, log_key
from hutong.relay.services.identity.rules.records.list_record import ListRecord, decode_list_record
from hutong.relay.services.identity.rules.records.log_record import decode_log_record
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape, list_root
from hutong.relay.services.identity.rules.status.chunk_update import changed_chunks, encode_update, prove_update
from hutong.relay.services.identity.store import issuances
from hutong.relay.services.identity.store.issuances import ListRow
from hutong.relay.telemetry import get_logger

MAX_CHUNKS_OF_AN_UPDATE = 256
"""Of one transaction: about 120 KiB with its siblings at most."""
NO_TOKEN = bytes(32)
CHUNK_BITS = 256


@dataclass(frozen=True, slots=True)
class Binding:
    """What new lists are bound to: thumbprints of 32 bytes, `seal_key` zeros for none, `schema` zeros for all."""

    key: bytes
    seal_key: bytes
    schema: bytes
    size: int


@dataclass(slots=True)
class Told:
    """What the hub knows of a list: bits, the last decision in them, the last that it may know, and those that wait."""

    number: int
    octets: bytes
    told: int
    sending: int
    waiting: list[tuple[int, int]] = field(default_factory=list)
    root: bytes = b""
    """Of `octets`, where it was computed."""


@dataclass(slots=True)
class HubSync:
    """One issuer's. `token_hash_of` is the SHA-256 of the list token that is to be served next, None where there is none."""

    door: HubDoor
    writer: Writer
    binding: Binding
    ledger: IssuerLedger
    token_hash_of: Callable[[int], Awaitable[bytes | None]]
    on_told: Callable[[int, bytes], None]
    """List, and the hash of the token that the hub has from now on."""
    told: dict[int, Told] = field(default_factory=dict)
    found: str | None = None
    """What this pass has found against issuing."""

    async def pass_once(self) -> None:
        """Everything that differs, once.

        Raises:
            AdapterError: the hub does not answer, or refuses.
            StoreUnavailable: the database does.
        """
        self.found = None
        await self.open_lists()
        await self.append_log()
        for number, list_number, index in await self.ledger.read_revocations():
            self.note(list_number, number, index)
        for state in tuple(self.ledger.book):
            await self.update_list(state.number)
        self.ledger.hub_refusal = self.found

    async def open_lists(self) -> None:
        """Lists that the hub has are taken up, and the next one is opened before it is needed. A full one is closed."""
        await self._take_up_lists()
        async with self.ledger.lock:  # so that what was drawn from it is in the log that this pass appends
            for state in tuple(self.ledger.book):
                if state.is_open and not state.has_room:
                    await self.ledger.close_list(state.number)
        while self.ledger.book.needs_another():
            before = len(self.ledger.book)
            binding = self.binding
            await self.door.send(self.writer.open_list(binding.key, binding.seal_key, binding.schema, binding.size))
            await self._take_up_lists()
            if len(self.ledger.book) == before:
                return

    async def _take_up_lists(self) -> None:
        raw = await self.door.record(did_key(self.writer.did))
        if raw is None:
            self.found = "the issuer's DID is not registered on the hub: register it first"
            return
        count = decode_did_record(raw).counts.lists
        for number in range(len(self.ledger.book), count):
            record = await self._record(number)
            is_ours = record is not None and not record.is_sealed and self._is_bound(record)
            size = self.binding.size if record is None else record.shape.size
            await self.ledger.add_list(ListRow(number, self.binding.key.hex(), size, is_open=is_ours))

    def _is_bound(self, record: ListRecord) -> bool:
        """Whether this issuer issues over it: one bit, of its keys and schema."""
        bound = record.bound
        expected = (self.binding.key, self.binding.seal_key, self.binding.schema)
        found = (bound.key_thumbprint, bound.seal_thumbprint, bound.schema)
        return record.shape.bits == 1 and found == expected

    async def append_log(self) -> None:
        """The hub's log grows to what was issued. A hub that has another log stops all issuing."""
        log = self.ledger.log
        raw = await self.door.record(log_key(self.writer.did))
        standing = None if raw is None else decode_log_record(raw)
        size = 0 if standing is None else standing.size
        if size > log.size or (standing is not None and log.root(size) != standing.root):
            self.found = (
                f"the hub's log has {size} entries that are not the first of the {log.size} in this database;"
                " issue nothing until the database that they came from is restored"
            )
            return
        if size < log.size:
            target = log.size
            await self.door.send(self.writer.append_log(target, log.root(), log.consistency(size)))

    async def update_list(self, number: int) -> None:
        """Bits that rose, and the token that is served; of a list as many transactions as the change needs."""
        while True:
            record = await self._record(number)
            if record is None or record.shape.bits != 1:
                return
            if record.is_sealed and self.ledger.book.is_open(number):
                await self.ledger.close_list(number)
            if not record.is_sealed and not self.ledger.book.is_open(number) and self._is_bound(record):
                # a full one: the hub lets few lists be open under a key, whose end has to seal them all
                await self.door.send(self.writer.seal_list(number))
            told = self.told.get(number) or await self._load_told(number, record.shape.size)
            if not await self._agrees(told, record.root):
                self.found = f"list {number} on the hub has other bits than this database says it was told of"
                return
            batch = self._batch(told)
            token = await self.token_hash_of(number) or NO_TOKEN
            if not batch and token == record.token_hash:
                self.on_told(number, token)
                return
            after = _risen(told.octets, batch)
            update = b""
            if after != told.octets:
                shape = TreeShape(1, record.shape.size)
                update = encode_update(prove_update(shape, bytes(told.octets), changed_chunks(told.octets, after)))
            if batch:
                told.sending = batch[-1][0]
                await self._keep(told)
            await self.door.send(self.writer.update_list(number, update, token))
            await self._settle(told, after)
            self.on_told(number, token)
            if not told.waiting:
                return

    def note(self, number: int, decision: int, index: int) -> None:
        """A decision that is new, of a list whose state was read before."""
        if number in self.told:
            self.told[number].waiting.append((decision, index))

    async def _load_told(self, number: int, size: int) -> "Told":
        (rows, decisions) = await self.ledger.database.run(
            lambda connection: (issuances.lists_of(connection), issuances.decisions_of(connection, number))
        )
        row = next(one for one in rows if one.number == number)
        told = Told(number, bytes(size // 8), row.told, row.sending)
        told.octets = _risen(told.octets, [one for one in decisions if one[0] <= row.told])
        told.waiting = [one for one in decisions if row.told < one[0] <= self.ledger.last_revocation]
        self.told[number] = told
        return told

    async def _agrees(self, told: "Told", root: bytes) -> bool:
        """Whether the hub's bits are those that it was told of: as of the last transaction, or with the one under way."""
        if told.root == root:
            return True
        shape = TreeShape(1, len(told.octets) * 8)
        if list_root(shape, told.octets) == root:
            told.root = root
            return True
        after = _risen(told.octets, [one for one in told.waiting if one[0] <= told.sending])
        if list_root(shape, after) != root:
            return False
        await self._settle(told, after)
        told.root = root
        return True

    def _batch(self, told: "Told") -> list[tuple[int, int]]:
        """The first decisions that wait, of at most MAX_CHUNKS_OF_AN_UPDATE chunks."""
        batch: list[tuple[int, int]] = []
        chunks: set[int] = set()
        for decision, index in told.waiting:
            chunks.add(index // CHUNK_BITS)
            if len(chunks) > MAX_CHUNKS_OF_AN_UPDATE:
                break
            batch.append((decision, index))
        return batch

    async def _settle(self, told: "Told", after: bytes) -> None:
        """The hub has everything up to what was under way."""
        told.octets, told.root, told.told = after, b"", max(told.told, told.sending)
        told.waiting = [one for one in told.waiting if one[0] > told.told]
        await self._keep(told)

    async def _keep(self, told: "Told") -> None:
        number, done, sending = told.number, told.told, told.sending
        await self.ledger.database.run(lambda connection: issuances.set_told(connection, number, done, sending))

    async def _record(self, number: int) -> ListRecord | None:
        raw = await self.door.record(list_key(self.writer.did, number))
        return None if raw is None else decode_list_record(raw)


def _risen(octets: bytes, decisions: Iterable[tuple[int, int]]) -> bytes:
    found = bytearray(octets)
    for _, index in decisions:
        found[index >> 3] |= 1 << (index & 7)
    return bytes(found)


async def keep_hub_told(sync: HubSync, interval_s: float) -> None:
    """Passes for ever: after each change, and at least every `interval_s`. What the hub refuses is logged and tried again."""
    log = get_logger("identity")
    while True:
        changed = sync.ledger.changed
        try:
            await sync.pass_once()
        except (AdapterError, RefusedByChain) as error:
            log.warning("the hub was not told", reason=str(error))
        with trio.move_on_after(interval_s):
            await changed.wait()
