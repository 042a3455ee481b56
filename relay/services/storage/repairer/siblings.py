"""The columns of a batch that are left: what their operators' logs list, judged by the roots that the hub has."""

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.interface.document import Document
from hutong.relay.services.storage.gateway.operators import OperatorFailed, OperatorLink
from hutong.relay.services.storage.repairer.plan import BatchState, Column
from hutong.relay.services.storage.rules.commitments.entries import (
    LOG_ENTRY_BYTES,
    MAX_BATCH_ENTRIES,
    SHARD_ENTRY_BYTES,
    ShardEntry,
    batch_part,
    decode_shard_entry,
)
from hutong.relay.services.storage.rules.commitments.fields import HASH_BYTES
from hutong.relay.services.storage.rules.operator_api.documents import MAX_ANSWER_JSON_BYTES

MAX_NUMBER = 2**64 - 1


class NotMended(Exception):
    """Why a batch's lost shards cannot be rebuilt now; one sentence."""


@dataclass(frozen=True, slots=True)
class Sibling:
    """A column that can be read: of which operator, and its entries, pack after pack."""

    shard: int
    link: OperatorLink
    entries: tuple[ShardEntry, ...]


async def listed_part(link: OperatorLink, position: int, column: Column) -> tuple[ShardEntry, ...]:
    """The entries of a part, out of its operator's log. They have the root that the hub has.

    Raises:
        OperatorFailed: it does not say them, or others.
    """
    octets = await link.octets(f"/v1/log?first={position}&count=1")
    try:
        with Document.parse(octets, "log", MAX_ANSWER_JSON_BYTES).members() as fields:
            fields["size"].integer(0, MAX_NUMBER)
            (one,) = fields["entries"].items(1, least=1)
            with one.members() as entry:
                entry["log"].hex(LOG_ENTRY_BYTES), entry["writer"].hex(HASH_BYTES)
                entry["sequence"].integer(0, MAX_NUMBER)
                shards = entry["shards"].items(MAX_BATCH_ENTRIES, least=1)
                entries = tuple(decode_shard_entry(shard.hex(SHARD_ENTRY_BYTES)) for shard in shards)
        if batch_part(entries) != column.part.part:
            raise OperatorFailed(f"operator {link.name} lists another part at {position} of its log than the hub has")
    except (MalformedInput, PredicateFailed) as error:
        raise OperatorFailed(f"operator {link.name}: its log cannot be read: {error}") from None
    return entries


async def siblings_of(state: BatchState, links: Mapping[bytes, OperatorLink]) -> list[Sibling]:
    """Every column that can be read, those of trusted operators first and data shards before parity.

    Raises:
        NotMended: fewer than the code needs, or they list other packs.
    """
    found: dict[int, Sibling] = {}
    failed: list[str] = []

    async def read(column: Column) -> None:
        for copy in column.copies:
            link = links.get(copy.operator)
            if link is None:
                failed.append(f"operator {copy.operator.hex()[:16]} has no address in the configuration")
                continue
            try:
                entries = await listed_part(link, copy.position, column)
            except OperatorFailed as error:
                failed.append(str(error))
                continue
            found[column.shard] = Sibling(column.shard, link, entries)
            return

    async with trio.open_nursery() as nursery:
        for column in state.columns:
            nursery.start_soon(read, column)
    if len(found) < state.shape.data:
        why = f"; the first: {failed[0]}" if failed else ""
        raise NotMended(f"{len(found)} of {len(state.columns)} shards are listed, {state.shape.data} are needed{why}")
    trusted = {column.shard for column in state.columns if column.is_held}
    ordered = sorted(found.values(), key=lambda one: (one.shard not in trusted, one.shard))
    first = _packs(ordered[0].entries)
    if any(_packs(one.entries) != first for one in ordered):
        raise NotMended("its parts do not list the same packs in one order: its writer made it so")
    return ordered


def _packs(entries: tuple[ShardEntry, ...]) -> list[tuple[bytes, int, int]]:
    return [(entry.pack, entry.height, entry.retain_until_s) for entry in entries]
