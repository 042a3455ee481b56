"""The pipeline of a gateway: slots lent one at a time, and worker processes that make packs of them.

A slot is lent from the first byte that comes in until the last shard has left, so memory is bounded whatever objects are stored, and
who brings bytes faster than operators take them waits.
"""

import os
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import trio

from hutong.relay.base.child_processes import WorkersDied, worker_pool
from hutong.relay.services.storage.pipeline.pieces import MAX_IN_FLIGHT, Piece, largest_shape
from hutong.relay.services.storage.pipeline.slots import SharedSlots
from hutong.relay.services.storage.pipeline.work import MadePack, is_awake, make_pack_of_slot, start_worker
from hutong.relay.services.storage.rules.packs.shape import PackShape

DEFAULT_WORKERS = 2


class PipelineBroken(Exception):
    """The system ended a worker process; the gateway has to be started again. One sentence."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One slot while it is lent."""

    number: int
    view: memoryview


class Pipeline:
    """Slots and workers. `shape` is the largest pack that it makes."""

    def __init__(self, pool: Executor, slots: SharedSlots, repair_root: bytes, workers: int) -> None:
        """See `open_pipeline`."""
        self.shape: PackShape = slots.largest
        self._pool = pool
        self._slots = slots
        self._repair_root = repair_root
        self._free = list(range(slots.count))
        self._lent = trio.CapacityLimiter(slots.count)
        self._waiting = trio.CapacityLimiter(workers + slots.count)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Lease]:
        """Lend a slot, as soon as one is free."""
        token = object()
        await self._lent.acquire_on_behalf_of(token)
        number = self._free.pop()
        try:
            with self._slots.view(number) as view:
                yield Lease(number, view)
        finally:
            self._free.append(number)
            self._lent.release_on_behalf_of(token)

    async def make(self, lease: Lease, pieces: tuple[Piece, ...]) -> MadePack:
        """Make a pack of what stands in a lent slot. It is not abandoned when the caller is cancelled.

        Raises:
            MalformedInput: sections that no pack of this code holds.
            PipelineBroken: a worker died.
        """
        try:
            future = self._pool.submit(make_pack_of_slot, lease.number, pieces, self._repair_root)
            return await trio.to_thread.run_sync(future.result, limiter=self._waiting)
        except WorkersDied as error:
            raise PipelineBroken("a worker process of the pipeline was ended by the system: start again") from error


@contextmanager
def open_pipeline(
    repair_root: bytes,
    code: tuple[int, int] = (10, 4),
    *,
    workers: int = DEFAULT_WORKERS,
    in_flight: int = MAX_IN_FLIGHT,
) -> Iterator[Pipeline]:
    """Start the workers of a pipeline, and end them with the block.

    Args:
        repair_root: 32 secret bytes of the tenant.
        code: data and parity shards.
        workers: processes.
        in_flight: slots.

    Raises:
        MalformedInput: no such code.
        OSError: no memory, or no processes.
    """
    with SharedSlots(in_flight, largest_shape(*code)) as slots:
        arguments = (slots.path, slots.count, slots.largest, os.getpid())
        with worker_pool(workers, start_worker, arguments) as pool:
            for awake in [pool.submit(is_awake) for _ in range(workers)]:
                awake.result()
            yield Pipeline(pool, slots, repair_root, workers)
