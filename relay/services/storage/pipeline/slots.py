"""Memory that this process and its workers share: one slot for each pack in flight.

A file without a name, so that nothing is left when the process is killed, and no limit of a mounted /dev/shm is met.
"""

import mmap
import os
from types import TracebackType
from typing import Self

from hutong.relay.services.storage.rules.objects.sizes import RECORD_BYTES, SEALED_RECORD_BYTES
from hutong.relay.services.storage.rules.packs.shape import PackShape


class SharedSlots:
    """`count` slots, each of the bytes of all shards of the largest pack. Pages are taken when they are first written."""

    def __init__(self, count: int, largest: PackShape, path: str | None = None) -> None:
        """`path`: of the slots of another process; None makes new ones.

        Raises:
            OSError: the system has no such memory.
        """
        self.count = count
        self.largest = largest
        self._slot_bytes = largest.shards * largest.shard_bytes
        self._file = os.memfd_create("hutong-packs") if path is None else os.open(path, os.O_RDWR)
        try:
            if path is None:
                os.ftruncate(self._file, count * self._slot_bytes)
            self._map = mmap.mmap(self._file, count * self._slot_bytes)
        except BaseException:
            os.close(self._file)
            raise

    @property
    def path(self) -> str:
        """By which a child process opens them, while this one lives."""
        return f"/proc/{os.getpid()}/fd/{self._file}"

    def view(self, slot: int) -> memoryview:
        """The bytes of one slot."""
        at = slot * self._slot_bytes
        return memoryview(self._map)[at : at + self._slot_bytes]

    def close(self) -> None:
        """Give the memory back; views that are still held keep it."""
        os.close(self._file)
        try:
            self._map.close()
        except BufferError:
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def write_plain(slot: memoryview, begin: int, done: int, octets: bytes | bytearray | memoryview) -> None:
    """Put plain bytes of a run where its records will be sealed in place.

    Args:
        begin: where the run's section begins in the slot.
        done: plain bytes of the run that stand there already.
    """
    with memoryview(octets) as view:
        at = 0
        while at < len(view):
            record, within = divmod(done + at, RECORD_BYTES)
            step = min(RECORD_BYTES - within, len(view) - at)
            to = begin + record * SEALED_RECORD_BYTES + within
            slot[to : to + step] = view[at : at + step]
            at += step
