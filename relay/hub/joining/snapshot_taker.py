"""Taking snapshots beside block production: in a thread, through committed versions only, at a small share of the processor."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import trio

from hutong.light_clients.interface import VerificationError
from hutong.light_clients.tendermint.codec import decode_header
from hutong.light_clients.tendermint.types import Header
from hutong.relay.evm.store.database import KeyValueReader
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.snapshot.making import HeaderSource, SnapshotMaker, SnapshotTooLarge
from hutong.relay.hub.application.snapshot.restoring import restored_header
from hutong.relay.hub.chain.block_records import BlockRecords
from hutong.relay.hub.joining.snapshot_files import SNAPSHOTS_DIRECTORY, SnapshotFiles
from hutong.relay.hub.state import StateDamaged

WORK_S = 0.005
"""Work this long (processor time), then rest `REST_SHARE` times as long: blocks keep most of the interpreter."""
REST_SHARE = 3

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SnapshotSchedule:
    """A snapshot of every height that `interval` divides, 0 for none; the newest `keep` stay."""

    interval: int = 1_000
    keep: int = 2


NO_SNAPSHOTS = SnapshotSchedule(interval=0)


class HeaderUnavailable(Exception):
    """The consensus engine does not serve a header that a snapshot needs."""


class Stopped(Exception):
    """The node ends."""


def headers_of_node(store: KeyValueReader, engine: HeaderSource) -> HeaderSource:
    """Headers from the snapshot that this node was restored from, and all others from its consensus engine.

    The source that is returned raises MalformedInput for a stored header that is damaged, and what `engine` raises.
    """

    def header_of(height: int) -> Header:
        stored = restored_header(store, height)
        return engine(height) if stored is None else decode_header(stored)

    return header_of


def headers_of_records(records: BlockRecords) -> HeaderSource:
    """Headers of the embedded engine's own records. The source raises HeaderUnavailable for any other block."""

    def header_of(height: int) -> Header:
        stored = records.header(height)
        if stored is None:
            raise HeaderUnavailable(f"block {height} is not stored")
        return stored.header

    return header_of


class Pace:
    """Called between records: rests so that others get the interpreter, and ends the work when told to. For one thread."""

    def __init__(self, stop: Event, rest_share: float = REST_SHARE) -> None:
        self._stop = stop
        self._rest_share = rest_share
        self._began = time.thread_time()

    def __call__(self) -> None:
        worked = time.thread_time() - self._began
        if worked < WORK_S:
            return
        if self._stop.wait(worked * self._rest_share):
            raise Stopped
        self._began = time.thread_time()


class SnapshotTaker:
    """Makes snapshots as scheduled, each once the block after it is committed.

    One at a time: a height that comes while another is being made replaces the one that waits.
    """

    def __init__(
        self,
        home: Path,
        store: KeyValueReader,
        genesis: Genesis,
        header_of: HeaderSource,
        schedule: SnapshotSchedule,
    ) -> None:
        self.files = SnapshotFiles(home / SNAPSHOTS_DIRECTORY)
        self._store = store
        self._genesis = genesis
        self._header_of = headers_of_node(store, header_of)
        self._schedule = schedule
        self._wanted: int | None = None
        self._woken = trio.Event()
        self._stop = Event()

    def committed(self, height: int) -> None:
        """Tell that block `height` is on disk; from the trio thread, and never waits."""
        interval = self._schedule.interval
        if interval and height > 1 and (height - 1) % interval == 0:
            self._wanted = height - 1
            self._woken.set()

    async def run(self) -> None:
        """Make snapshots as they come due, until cancelled; then the thread has ended, so that the store may be closed.

        A snapshot that cannot be made is logged and left out.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._stop_when_cancelled)
            while True:
                await self._woken.wait()
                self._woken = trio.Event()
                height, self._wanted = self._wanted, None
                if height is not None:
                    await trio.to_thread.run_sync(self.take, height)

    async def _stop_when_cancelled(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self._stop.set()

    def take(self, height: int) -> bool:
        """Make the snapshot of `height` now, in this thread, and prune older ones.

        Returns:
            False where it could not be made; the reason is logged.
        """
        began = time.monotonic()
        try:
            maker = SnapshotMaker(self._store, self._genesis, height, self._header_of, Pace(self._stop))
            manifest = self.files.write(height, maker)
            self.files.prune(self._schedule.keep)
        except Stopped:
            return False
        except (HeaderUnavailable, VerificationError, StateDamaged, SnapshotTooLarge, OSError) as error:
            _LOGGER.warning("no snapshot of height %d: %s", height, error)
            return False
        seconds = time.monotonic() - began
        _LOGGER.info("snapshot of height %d: %d chunks, %.1f s", height, len(manifest.chunk_hashes), seconds)
        return True
