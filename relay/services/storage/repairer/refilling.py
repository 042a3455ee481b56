"""A shard that a trusted operator says is damaged: rebuilt, judged by the root of its own entry, and put again in its place.

Nothing changes on the hub: the operator's set is what it was, and its next audit shows it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hutong.relay.services.storage.gateway.operators import OperatorFailed, OperatorLink
from hutong.relay.services.storage.repairer.plan import BatchState, Column
from hutong.relay.services.storage.repairer.rebuilding import ReadBytes, rebuilt_pack
from hutong.relay.services.storage.repairer.siblings import NotMended, siblings_of
from hutong.relay.services.storage.rules.operator_api.documents import ShardState
from hutong.relay.services.storage.rules.operator_api.refusals import RefusalCode


@dataclass(frozen=True, slots=True)
class Damaged:
    """A shard of an owner that an operator found damaged."""

    operator: bytes
    pack: bytes
    shard: int


async def damaged_at(link: OperatorLink) -> list[Damaged]:
    """What an operator says of the owner's shards.

    Raises:
        OperatorFailed: it does not answer, or not as the API says.
    """
    status = await link.document("/v1/operator")
    found: list[Damaged] = []
    try:
        if not status["damaged"]:
            return []
        after: bytes | None = None
        while True:
            page = await link.listed(after)
            found += [_damaged(link, one) for one in page["shards"] if one["state"] == ShardState.DAMAGED.value]
            if page["next"] is None:
                return found
            following = bytes.fromhex(page["next"])
            if after is not None and following <= after:
                raise ValueError("pages do not ascend")
            after = following
    except (KeyError, TypeError, ValueError) as error:
        raise OperatorFailed(f"operator {link.name} does not answer as the API says: {error}") from None


def _damaged(link: OperatorLink, said: Any) -> Damaged:
    return Damaged(link.known.operator, bytes.fromhex(said["pack"]), int(said["shard"]))


@dataclass(frozen=True, slots=True)
class _Place:
    state: BatchState
    column: Column


async def refill(
    states: Sequence[BatchState],
    damaged: Sequence[Damaged],
    links: Mapping[bytes, OperatorLink],
    repair_root: bytes,
    read: ReadBytes,
) -> tuple[int, list[str]]:
    """Put these shards again. Returns how many were, and a sentence for each that was not.

    Args:
        states: the batches of the owner.
        damaged: of operators that have a link.
    """
    places = {
        (copy.operator, copy.position): _Place(state, column)
        for state in states
        for column in state.columns
        for copy in column.copies
    }
    done, whys = 0, list[str]()
    for one in damaged:
        try:
            link = links[one.operator]
            position = await _position(link, one)
            place = None if position is None else places.get((one.operator, position))
            if place is not None:
                await _refill(place, one, links, repair_root, read)
                done += 1
        except (NotMended, OperatorFailed) as error:
            whys.append(f"shard {one.shard} of pack {one.pack.hex()}: {error}")
    return done, whys


async def _position(link: OperatorLink, one: Damaged) -> int | None:
    """Of the shard's part in the operator's log; None where no batch has it, and its writer puts it again or does not."""
    try:
        placed = await link.octets(f"/v1/shards/{one.pack.hex()}/{one.shard}/placed", is_owned=True)
    except OperatorFailed as refused:
        if refused.code is RefusalCode.NOT_PLACED:
            return None
        raise
    return int.from_bytes(placed[2:6], "big")


async def _refill(
    place: _Place, one: Damaged, links: Mapping[bytes, OperatorLink], repair_root: bytes, read: ReadBytes
) -> None:
    siblings = await siblings_of(place.state, links)
    own = next((sibling for sibling in siblings if sibling.shard == place.column.shard), None)
    numbers = [] if own is None else [at for at, entry in enumerate(own.entries) if entry.pack == one.pack]
    if own is None or not numbers or own.shard != one.shard:
        raise NotMended("the operator's own part does not list it")
    others = [sibling for sibling in siblings if sibling.shard != one.shard]
    (made,) = await rebuilt_pack(others, numbers[0], place.state.shape, [one.shard], repair_root, read)
    committed = own.entries[numbers[0]]
    if made.root != committed.root:
        raise NotMended("its writer committed to another shard than the code gives")
    await links[one.operator].put_shard(committed, memoryview(made.octets))
