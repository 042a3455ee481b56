"""Bytes of one pack out of its operators: any `data` of them do, and nothing is decoded that was not judged.

A range of the body lies in one data shard, or in some that follow one another. Each run of a shard is asked of its operator; where that
fails, or is slower than it should be, the same spans of the others are read and the run is rebuilt out of them, whichever is sooner.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import trio

from hutong.light_clients.crypto.erasure import CauchyCode
from hutong.relay.services.storage.gateway.operators import OperatorFailed, OperatorLink
from hutong.relay.services.storage.rules.operator_api.spans import SpanRange, span_range
from hutong.relay.services.storage.rules.packs.mask import pack_mask_key, shard_mask_key, unmask_run
from hutong.relay.services.storage.rules.packs.shape import PackShape

RUN_BYTES: Final = 4 * 2**20
"""Of one request: 64 spans. What a request costs beside its bytes is as much as 1 MiB of them."""
FIRST_RUN_BYTES: Final = 2**18
"""Of the first run that a reader is answered with. Where its operator is gone it comes out of ten others: ten whole runs beside those asked
for ahead would be 80 MiB before the first byte."""
HEDGE_S: Final = 1.0
"""Before so long of a run the others are not asked."""
SLOW: Final = 4.0
"""An operator is slow where a run takes so many times as long as usual."""
SLOW_RUNS: Final = 2
"""After so many slow runs an operator is not waited for any more in this pack."""
PACE_OF: Final = 16
"""Runs, about, that say what is usual."""
KEPT_RUNS: Final = 28
"""Runs that are kept of a pack of which an operator failed: what one is rebuilt of is most of what is read next."""

MOST_OTHERS: Final = 16
"""Of a shard that its operator does not show, so many are asked who may have it by a repair, whoever had most of them before first."""


class Unreadable(Exception):
    """Fewer than `data` operators have their shards; one sentence that names why."""


@dataclass(frozen=True, slots=True)
class PackSource:
    """A pack, and the operator of each shard."""

    name: bytes
    shape: PackShape
    roots: tuple[bytes, ...]
    operators: tuple[bytes, ...]


@dataclass(slots=True)
class _Asking:
    """A run on its way: who else waits for it, and what became of it."""

    ended: trio.Event = field(default_factory=trio.Event)
    waiting: int = 0
    failed: str | None = None


class Pace:
    """How long runs take of late, over all operators of a gateway: one is slow where it is slower than that, not where all are.

    The danger of a fixed time: where machine or line is busy all runs pass it, each is then rebuilt out of ten others, and all is
    ten times as busy.
    """

    def __init__(self, least_s: float) -> None:
        """`least_s`: below it no operator is slow."""
        self._least_s = least_s
        self._usual_s = 0.0

    @property
    def hedge_s(self) -> float:
        """After so long of a run the others are asked as well."""
        return max(self._least_s, SLOW * self._usual_s)

    def took(self, seconds: float) -> None:
        """A run came after so long."""
        self._usual_s += (seconds - self._usual_s) / PACE_OF


class PackReader:
    """Reads one pack, for one reader at a time."""

    def __init__(self, source: PackSource, links: Mapping[bytes, OperatorLink], repair_root: bytes, pace: Pace) -> None:
        self._source = source
        self._links = links
        self._key = pack_mask_key(repair_root, source.name)
        self._pace = pace
        self._outboards: dict[int, list[bytes]] = {}
        self._failed: dict[int, str] = {}
        self._moved: dict[int, OperatorLink] = {}
        """Shards that another operator has now."""
        self._slow: dict[int, int] = {}
        self._kept: OrderedDict[tuple[int, int, int], bytes] = OrderedDict()
        self._asking: dict[tuple[int, int, int], _Asking] = {}

    @property
    def source(self) -> PackSource:
        """Which pack."""
        return self._source

    def runs(self, start: int, end: int, *, is_first: bool = False) -> list[tuple[int, int, int]]:
        """(shard, first byte, last byte and 1) that cover bytes `start` to `end` - 1 of the body.

        Args:
            is_first: a reader waits for its first byte, so the first run is short. The others are cut at the same place of their shards, for
                what it is rebuilt of is read next.
        """
        size = self._source.shape.shard_bytes
        short = start % size // FIRST_RUN_BYTES * FIRST_RUN_BYTES + FIRST_RUN_BYTES if is_first else size
        found = []
        while start < end:
            shard, within = divmod(start, size)
            step = min(end - start, size - within, RUN_BYTES - within % RUN_BYTES)
            if within < short < within + step:
                step = short - within
            found.append((shard, within, within + step))
            start += step
        return found

    async def run(self, shard: int, start: int, end: int) -> bytes:
        """Bytes of a data shard, without its mask.

        Raises:
            Unreadable: see there.
        """
        asked = span_range(self._source.shape.height, start, end)
        octets = await self._span_run(shard, asked.first, asked.count)
        return octets[start - asked.start : end - asked.start]

    async def is_agreed(self, offset: int) -> bool:
        """Whether all shards that are shown at a byte of the body are of one codeword, and more of them than make it.

        Then it is right, but where at least as many operators lie together as there are shards to spare, and one more.
        """
        shape = self._source.shape
        within = offset % shape.shard_bytes
        asked = span_range(shape.height, within, within + 1)
        have: dict[int, bytes] = {}

        async def ask(number: int) -> None:
            try:
                have[number] = await self._asked(number, asked.first, asked.count)
            except OperatorFailed as error:
                self._failed[number] = str(error)

        async with trio.open_nursery() as nursery:
            for number in range(shape.shards):
                nursery.start_soon(ask, number)
        shown = sorted(have)
        base, rest = shown[: shape.data], shown[shape.data :]
        if not rest:
            return False
        made = CauchyCode(shape.data, shape.parity).rebuild({number: have[number] for number in base}, rest)
        return all(bytes(octets) == have[number] for number, octets in zip(rest, made, strict=True))

    async def _span_run(self, shard: int, first: int, count: int) -> bytes:
        kept = self._kept.get((shard, first, count))
        if kept is not None:
            return kept
        if shard in self._failed:
            return await self._rebuilt(shard, first, count)
        found: list[bytes] = []
        unreadable: list[Unreadable] = []
        give_up = trio.Event()

        async def direct(nursery: trio.Nursery) -> None:
            try:
                octets = await self._asked(shard, first, count)
            except OperatorFailed as error:
                self._failed[shard] = str(error)
                give_up.set()
                return
            found.append(octets)
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(direct, nursery)
            with trio.move_on_after(0.0 if self._is_late(shard) else self._pace.hedge_s):
                await give_up.wait()
            try:
                octets = await self._rebuilt(shard, first, count)
            except Unreadable as error:
                unreadable.append(error)  # the shard's own operator may answer yet
            else:
                if shard not in self._failed:
                    self._was_late(shard)
                self._slow[shard] = self._slow.get(shard, 0) + 1
                if self._slow[shard] == SLOW_RUNS:
                    self._failed.setdefault(shard, "too slow")
                found.append(octets)
                nursery.cancel_scope.cancel()
        if not found:
            raise unreadable[0]
        return found[0]

    def _link(self, shard: int) -> OperatorLink | None:
        return self._moved.get(shard) or self._links.get(self._source.operators[shard])

    def _is_late(self, shard: int) -> bool:
        link = self._link(shard)
        return link is not None and link.is_late

    def _was_late(self, shard: int) -> None:
        link = self._link(shard)
        if link is not None:
            link.was_late()

    async def _asked(self, shard: int, first: int, count: int) -> bytes:
        """The run of a shard from its operator: judged, and without its mask. Asked for once, however many wait for it.

        Raises:
            OperatorFailed: it has it not, or another one.
        """
        run = (shard, first, count)
        while run not in self._kept:
            asking = self._asking.get(run)
            if asking is None:
                return await self._fetched(run)
            asking.waiting += 1
            await asking.ended.wait()
            if asking.failed is not None:
                raise OperatorFailed(asking.failed)
        return self._kept[run]

    async def _fetched(self, run: tuple[int, int, int]) -> bytes:
        asking = self._asking[run] = _Asking()
        try:
            octets = await self._spans(*run)
        except OperatorFailed as error:
            asking.failed = str(error)
            raise
        finally:
            del self._asking[run]
            asking.ended.set()
        if self._failed or asking.waiting:
            self._kept[run] = octets
            while len(self._kept) > KEPT_RUNS:
                self._kept.popitem(last=False)
        return octets

    async def _spans(self, shard: int, first: int, count: int) -> bytes:
        known = self._outboards.get(shard)
        asked = SpanRange(self._source.shape.height, first, count, known is None)
        began_s = trio.current_time()
        hashes, masked = await self._shown(shard, asked, known)
        self._pace.took(trio.current_time() - began_s)
        self._outboards[shard] = hashes
        return unmask_run(shard_mask_key(self._key, shard), asked.start, masked)

    async def _shown(self, shard: int, asked: SpanRange, known: list[bytes] | None) -> tuple[list[bytes], memoryview]:
        """Spans of a shard from who was given it; where that fails from another that may have it by a repair: the root says."""
        source = self._source
        link = self._link(shard)
        try:
            if link is None:
                name = source.operators[shard].hex()[:16]
                raise OperatorFailed(f"operator {name} has no address in the configuration")
            return await link.spans(source.name, shard, asked, source.roots[shard], known)
        except OperatorFailed:
            others = [one for operator, one in self._links.items() if operator not in source.operators]
            for other in sorted(others, key=lambda one: -one.taken_over)[:MOST_OTHERS]:
                try:
                    found = await other.spans(source.name, shard, asked, source.roots[shard], known)
                except OperatorFailed:
                    continue
                self._moved[shard] = other
                other.taken_over += 1
                return found
            raise

    async def _rebuilt(self, shard: int, first: int, count: int) -> bytes:
        shape = self._source.shape
        have: dict[int, bytes] = {}
        left = [number for number in range(shape.shards) if number != shard and number not in self._failed]
        waiting = sorted(left, key=self._is_late)
        asked: set[int] = set()

        def ask(nursery: trio.Nursery) -> None:
            number = waiting.pop(0)
            asked.add(number)
            nursery.start_soon(fetch, number, nursery)

        async def fetch(number: int, nursery: trio.Nursery) -> None:
            try:
                have[number] = await self._asked(number, first, count)
            except OperatorFailed as error:
                self._failed[number] = str(error)
                if waiting:
                    ask(nursery)
            asked.discard(number)
            if len(have) == shape.data or not asked:
                nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            for _ in range(min(shape.data, len(waiting))):
                ask(nursery)
            await trio.sleep(self._pace.hedge_s if asked else 0.0)
            for number in asked:
                self._was_late(number)
            while waiting:  # whoever is silent is not waited for where others are left
                ask(nursery)
        if len(have) < shape.data:
            why = next(iter(self._failed.values()), "nobody said why")
            raise Unreadable(
                f"pack {self._source.name.hex()[:16]}: {len(have)} of {shape.shards} shards can be read,"
                f" {shape.data} are needed; the first: {why}"
            )
        (octets,) = CauchyCode(shape.data, shape.parity).rebuild(have, [shard])
        return bytes(octets)
