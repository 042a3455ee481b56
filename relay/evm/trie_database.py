"""py-evm's and trie's view of a key-value reader or batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eth.db.backends.base import BaseAtomicDB

from relay.evm.database import KeyValueReader, KeyValueWriter


class TrieDatabase(BaseAtomicDB):
    """Bare hashes as keys. Writing through a mere reader raises TypeError: such a state is scratch."""

    def __init__(self, database: KeyValueReader) -> None:
        self._database = database

    def __getitem__(self, key: bytes) -> bytes:
        value = self._database.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._writer().put(key, value)

    def __delitem__(self, key: bytes) -> None:
        self._writer().delete(key)

    def _exists(self, key: bytes) -> bool:
        return self._database.get(key) is not None

    @contextmanager
    def atomic_batch(self) -> Iterator[Any]:
        """The block's own batch is the atom, so py-evm's smaller ones need not be."""
        yield self

    def _writer(self) -> KeyValueWriter:
        if not isinstance(self._database, KeyValueWriter):
            raise TypeError("this state was opened on a reader and cannot be persisted")
        return self._database
