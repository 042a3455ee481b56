"""Batches that a kill cut off: the hub has one and the catalogue does not, or operators signed for one that never came to the hub.

Nobody was answered that anything of them is stored, so nothing is lost by letting them go; and nothing else would ever do that.
The danger: what was answered is taken for such a batch. So sequences count from where this very catalogue began to give them: one that was
lost, restored or made again counts from the hub's last, and what lies before is never looked at.
"""

from collections.abc import Mapping
from typing import Any, Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.catalogue import objects, packs
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase, Statements
from hutong.relay.services.storage.catalogue.rows import PackRow
from hutong.relay.services.storage.gateway.committing import Committer
from hutong.relay.services.storage.gateway.hub_door import RemovalDoor
from hutong.relay.services.storage.gateway.operators import OperatorFailed, OperatorLink
from hutong.relay.services.storage.gateway.upkeep.removing import NOBODY
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.rules.commitments.entries import (
    LogEntry,
    ShardEntry,
    decode_log_entry,
    decode_shard_entry,
)
from hutong.relay.services.storage.rules.packs.shape import PackShape
from hutong.relay.services.storage.rules.records.batches import decode_batch_record
from hutong.relay.services.storage.rules.records.keys import batch_key, sequence_key

CLOSED: Final = "closed"
"""Counter: every sequence up to it is on the hub and in the catalogue, or was let go."""
MOST: Final = 1_000


def begin_sequences(statements: Statements, first_free: int) -> None:
    """At a start: the next sequence is at least `first_free`, which is the hub's word."""
    last = objects.counter(statements, "sequence")
    is_new = statements.row("SELECT value FROM storage_counters WHERE name = ?", (CLOSED,)) is None
    if is_new or first_free - 1 > last:
        objects.raise_counter(statements, CLOSED, first_free - 1)
    objects.raise_counter(statements, "sequence", first_free - 1)


class Sequences:
    """Of one gateway."""

    def __init__(
        self,
        catalogue: CatalogueDatabase,
        committer: Committer,
        door: RemovalDoor,
        links: Mapping[bytes, OperatorLink],
        writer: bytes,
        code: tuple[int, int],
    ) -> None:
        """`code`: data and parity shards."""
        self._catalogue = catalogue
        self._committer = committer
        self._door = door
        self._links = links
        self._writer = writer
        self._code = code

    async def close(self, now_s: int) -> list[str]:
        """Let go what was cut off. Returns a sentence for each batch of which that has to be tried again.

        Raises:
            HubSilent: the hub does not answer.
            Unavailable: a batch of nothing is not stored.
            CatalogueUnavailable: the database refuses.
        """
        closed = await self._catalogue.run(lambda one: objects.counter(one, CLOSED))
        waiting: list[str] = []
        for sequence in await self._committer.ended_sequences(closed, MOST):
            reason = await self._closed(sequence, now_s)
            if reason is not None:
                waiting.append(f"batch {sequence}: {reason}")
            elif not waiting:
                await self._catalogue.run(lambda one, sequence=sequence: objects.raise_counter(one, CLOSED, sequence))  # type: ignore[misc]
        return waiting

    async def _closed(self, sequence: int, now_s: int) -> str | None:
        if await self._catalogue.run(lambda one: packs.has_batch(one, sequence)):
            return None
        number = await self._door.record(sequence_key(self._writer, sequence))
        if number is None:
            await self._committer.fill(sequence)
            return None
        try:
            found = await self._packs_of(int.from_bytes(number, "big"))
        except OperatorFailed as error:
            return str(error)

        def remove(statements: Statements) -> None:
            for pack in found:
                if packs.number_named(statements, pack.name) is None:
                    packs.add_removal(statements, pack, now_s)

        await self._catalogue.run(remove)
        return None

    async def _packs_of(self, batch: int) -> list[PackRow]:
        """Packs of a batch on the hub, as its operators' logs have them.

        Raises:
            OperatorFailed: one that signed its part does not answer.
        """
        value = await self._door.record(batch_key(batch))
        try:
            signed = 0 if value is None else decode_batch_record(value).signed.bit_count()
        except MalformedInput as error:
            raise HubSilent(f"the hub's record of a batch cannot be read: {error}") from None
        held: dict[bytes, dict[int, tuple[bytes, ShardEntry]]] = {}
        having = 0
        last = OperatorFailed("not all operators that signed for it have it in their logs yet")
        for operator, link in self._links.items():
            try:
                entries = await entries_of_batch(link, batch)
            except OperatorFailed as error:
                last = error
                continue
            having += bool(entries)
            for entry in entries:
                held.setdefault(entry.pack, {})[entry.shard] = (operator, entry)
        if having < signed:
            raise last
        return [self._row(name, shards) for name, shards in held.items()]

    def _row(self, name: bytes, shards: Mapping[int, tuple[bytes, ShardEntry]]) -> PackRow:
        shape = PackShape(*self._code, next(iter(shards.values()))[1].height)
        numbers = range(shape.shards)
        roots = tuple(shards[number][1].root if number in shards else NOBODY for number in numbers)
        return PackRow(
            name, shape, roots, tuple(shards[number][0] if number in shards else NOBODY for number in numbers)
        )


async def entries_of_batch(link: OperatorLink, batch: int) -> list[ShardEntry]:
    """An operator's shard entries of a batch, none where its log does not have it. Logs ascend by batch.

    Raises:
        OperatorFailed: it does not answer, or says nonsense.
    """
    low, high = 0, int((await _log(link, 0))["size"])
    while low < high:
        middle = (low + high) // 2
        entry, shards = _decoded(link, await _log(link, middle))
        if entry.batch == batch:
            return shards
        low, high = (middle + 1, high) if entry.batch < batch else (low, middle)
    return []


async def _log(link: OperatorLink, first: int) -> dict[str, Any]:
    document = await link.document(f"/v1/log?first={first}&count=1")
    if not isinstance(document, dict) or type(document.get("size")) is not int:
        raise OperatorFailed(f"operator {link.name} says nonsense of its log")
    return document


def _decoded(link: OperatorLink, document: Mapping[str, Any]) -> tuple[LogEntry, list[ShardEntry]]:
    try:
        (one,) = document["entries"]
        entry = decode_log_entry(bytes.fromhex(one["log"]))
        return entry, [decode_shard_entry(bytes.fromhex(text)) for text in one["shards"]]
    except (KeyError, TypeError, ValueError, MalformedInput):
        raise OperatorFailed(f"operator {link.name} says nonsense of its log") from None
