"""The key-value store on disk: one LMDB environment, one write transaction a batch."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import lmdb

from hutong.relay.evm.store.database import Entry, KeyValueWriter, WriteBatch, check_key

DEFAULT_MAP_BYTES = 64 * 1024**3
"""Address space, not disk space: the file grows as it fills."""


LEAST_FREE_BYTES = 16 * 1024 * 1024
"""With less a write that fails is taken to fail for want of space: a block's batch can take so much."""


MAX_READERS = 256
_READER_BYTES = 128
"""Twice a reader's place in the table, which has a head too."""


class StoreFull(Exception):
    """The batch is not stored, and the store is as it was before: its bound or the disk under it is used up."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(f"{path}: {reason}")


def _reserve_lock_file(path: Path) -> None:
    """LMDB maps its table of readers into memory: on a full disk the process would die of a bus error. Raises
    OSError."""
    descriptor = os.open(path / "lock.mdb", os.O_RDWR | os.O_CREAT, 0o664)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, MAX_READERS * _READER_BYTES)
    finally:
        os.close(descriptor)


class LmdbStore:
    """Durable when `batch` has ended: LMDB syncs before it answers, and a crash leaves the last whole batch."""

    def __init__(
        self, path: Path, *, map_bytes: int = DEFAULT_MAP_BYTES, sync: bool = True, read_only: bool = False
    ) -> None:
        """`path` is a directory, made where absent. One process may hold it, others read it beside that one with
        `read_only`. `sync` False is for tests only."""
        if not read_only:
            path.mkdir(parents=True, exist_ok=True)
            _reserve_lock_file(path)
        self._environment = lmdb.open(
            str(path),
            map_size=map_bytes,
            sync=sync,
            metasync=sync,
            max_readers=MAX_READERS,
            readahead=False,
            readonly=read_only,
        )
        self.path = path
        self.map_bytes = map_bytes
        self._writing = Lock()

    def get(self, key: bytes) -> bytes | None:
        """The value under `key` in the last whole batch; None where there is none.

        Raises:
            ValueError: the key is not 1 to MAX_KEY_BYTES long.
        """
        check_key(key)
        with self._environment.begin() as transaction:
            value: bytes | None = transaction.get(key)
            return value

    def next(self, key: bytes) -> Entry | None:
        """As `KeyValueReader.next`, in the last whole batch. Each call opens a view of its own."""
        with self._environment.begin() as transaction, transaction.cursor() as cursor:
            if not key:
                found = cursor.first()
            else:
                found = cursor.set_range(key)
                if found and cursor.key() == key:
                    found = cursor.next()
            return (bytes(cursor.key()), bytes(cursor.value())) if found else None

    def previous(self, key: bytes) -> Entry | None:
        """As `KeyValueReader.previous`, in the last whole batch. Each call opens a view of its own."""
        if not key:
            return None
        with self._environment.begin() as transaction, transaction.cursor() as cursor:
            found = cursor.prev() if cursor.set_range(key) else cursor.last()
            return (bytes(cursor.key()), bytes(cursor.value())) if found else None

    def items(self, start: bytes = b"", end: bytes | None = None) -> Iterator[Entry]:
        """As `KeyValueReader.items`, in a consistent view: later batches are not seen.

        End the iteration (or close the generator): an open one keeps the file's old pages from being used again.
        """
        with self._environment.begin() as transaction, transaction.cursor() as cursor:
            found = cursor.set_range(start) if start else cursor.first()
            while found and (end is None or cursor.key() < end):
                yield bytes(cursor.key()), bytes(cursor.value())
                found = cursor.next()

    @contextmanager
    def batch(self) -> Iterator[KeyValueWriter]:
        """As `KeyValueStore.batch`. When it has ended well, the writes are on the disk.

        Raises:
            StoreFull: at its end: `map_bytes` or the disk is used up, and nothing was stored.
            lmdb.Error: at its end: any other failure of the file.
        """
        with self._writing:
            batch = WriteBatch(self)
            yield batch
            # A reader of another process that was killed would keep its pages, and all that come after, for ever.
            self._environment.reader_check()
            with self._transaction() as transaction:
                for key, value in batch.pending():
                    if value is None:
                        transaction.delete(key)
                    else:
                        transaction.put(key, value)

    @contextmanager
    def _transaction(self) -> Iterator[lmdb.Transaction]:
        try:
            with self._environment.begin(write=True) as transaction:
                yield transaction
        except lmdb.MapFullError as error:
            raise StoreFull(self.path, f"the database has its most of {self.map_bytes // 1024**2} MiB") from error
        except lmdb.Error as error:
            if self._disk_is_full(error):
                raise StoreFull(self.path, "no space is left on the disk") from error
            raise

    def _disk_is_full(self, error: lmdb.Error) -> bool:
        """LMDB calls a write that was cut short an I/O error, which the last page on a full disk is."""
        if os.strerror(errno.ENOSPC) in str(error):
            return True
        return os.strerror(errno.EIO) in str(error) and shutil.disk_usage(self.path).free < LEAST_FREE_BYTES

    def used_bytes(self) -> int:
        """Bytes of pages that hold rows; the file also has free ones, which are used again."""
        pages = self._environment.stat()
        return int(pages["psize"] * (pages["branch_pages"] + pages["leaf_pages"] + pages["overflow_pages"]))

    def clear(self) -> None:
        """Take everything out in one transaction; waits for an open batch. The file keeps its size.

        Raises:
            StoreFull, lmdb.Error: as `batch`.
        """
        with self._writing, self._transaction() as transaction:
            transaction.drop(self._environment.open_db(None, transaction), delete=False)

    def close(self) -> None:
        """Close the environment; nothing may read or write afterwards."""
        self._environment.close()
