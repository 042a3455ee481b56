"""Shards as they are read: an outboard and spans of 64 KiB, each judged before anything is decoded (docs/spec/storage-operator-api.md)."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.light_clients.proofs.merkle import root_of_leaves
from hutong.relay.services.storage.rules.operator_api.access import SPEC
from hutong.relay.services.storage.rules.packs.leaf_tree import (
    SPAN_BYTES,
    SPAN_HEIGHT,
    leaf_hashes,
    root_of_outboard,
    span_roots,
)
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES


def spans_of(height: int) -> int:
    """How many spans a shard of this height has: 1 to 128."""
    return 1 << max(0, height - SPAN_HEIGHT)


def span_bytes(height: int) -> int:
    """Of each span: 64 KiB, of a smaller shard all of it."""
    return min(SPAN_BYTES, LEAF_BYTES << height)


@dataclass(frozen=True, slots=True)
class SpanRange:
    """Spans `first` to `first` + `count` - 1 of a shard of `height`, with its outboard before them or without."""

    height: int
    first: int
    count: int
    with_outboard: bool = True

    def __post_init__(self) -> None:
        if self.first < 0 or self.count < 1 or self.first + self.count > spans_of(self.height):
            raise MalformedInput(
                "spans",
                f"of {spans_of(self.height)} spans",
                got=(self.first, self.count),
                expected=spans_of(self.height),
            )

    @property
    def outboard_bytes(self) -> int:
        """Before the spans."""
        return 32 * spans_of(self.height) if self.with_outboard else 0

    @property
    def body_bytes(self) -> int:
        """Of the whole answer."""
        return self.outboard_bytes + self.count * span_bytes(self.height)

    @property
    def start(self) -> int:
        """Where the spans begin in the shard."""
        return self.first * span_bytes(self.height)


def span_range(height: int, start: int, end: int, *, with_outboard: bool = True) -> SpanRange:
    """The spans that cover bytes `start` to `end` - 1 of a shard.

    Raises:
        MalformedInput: the shard does not have these bytes, or there are none.
    """
    if not 0 <= start < end <= LEAF_BYTES << height:
        raise MalformedInput(
            "range", "bytes that the shard does not have", got=(start, end), expected=LEAF_BYTES << height
        )
    first = start // span_bytes(height)
    return SpanRange(height, first, -(-end // span_bytes(height)) - first, with_outboard)


@rule(SPEC)
def outboard_has_the_root(height: int, outboard: bytes, root: bytes) -> list[bytes]:
    """The outboard leads to the shard's root. Returns its hashes, one for each span.

    Raises:
        PredicateFailed: to another root. MalformedInput: another number of hashes.
    """
    found = root_of_outboard(height, outboard)
    if found != root:
        raise PredicateFailed("outboard_has_the_root", "leads to another root", got=found, expected=root)
    return span_roots(height, outboard)


@rule(SPEC)
def span_has_its_hash(number: int, span: bytes | memoryview, hashed: bytes) -> None:
    """The span of a shard is the one that its outboard names.

    Raises:
        PredicateFailed: other bytes. MalformedInput: not a whole number of leaves.
    """
    found = root_of_leaves(leaf_hashes(span))
    if found != hashed:
        raise PredicateFailed("span_has_its_hash", f"span {number} has other bytes", got=found, expected=hashed)


def judged_spans(
    judge: Judge, asked: SpanRange, body: bytes | memoryview, root: bytes, known: Sequence[bytes] | None = None
) -> tuple[list[bytes], memoryview]:
    """An answer of `spans`, judged by the root that manifest or entry name.

    Args:
        known: hashes of an outboard that was judged before, where it was left out of the answer.

    Returns:
        The outboard's hashes, to be kept, and the bytes of the spans.

    Raises:
        MalformedInput: another number of bytes than was asked for.
        PredicateFailed: the first rule that does not hold.
    """
    view = memoryview(body)
    if len(view) != asked.body_bytes:
        raise MalformedInput("spans", "another number of bytes", got=len(view), expected=asked.body_bytes)
    outboard, octets = view[: asked.outboard_bytes], view[asked.outboard_bytes :]
    hashes = known if known is not None else judge(outboard_has_the_root, asked.height, bytes(outboard), root)
    size = span_bytes(asked.height)
    for at in range(asked.count):
        number = asked.first + at
        judge.tacitly(span_has_its_hash, number, octets[at * size : (at + 1) * size], hashes[number])
    return list(hashes), octets
