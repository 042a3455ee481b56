"""py-evm's and trie's view of a key-value reader or batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eth.db.backends.base import BaseAtomicDB

from hutong.relay.evm.store.database import KeyValueReader, KeyValueWriter

MAX_KEPT_READS = 1_024
MAX_KEPT_VALUE_BYTES = 24 * 1024
"""The longest code there is (EIP-170)."""


class TrieDatabase(BaseAtomicDB):
    """Bare hashes as keys. Writing through a mere reader raises TypeError: such a state is scratch.

    What was read is kept: a key is its value's hash, and every call of a batch asks for the same contract's code.
    """

    def __init__(self, database: KeyValueReader) -> None:
        self._database = database
        self._kept: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        value = self._kept.get(key)
        if value is not None:
            return value
        value = self._database.get(key)
        if value is None:
            raise KeyError(key)
        if len(self._kept) < MAX_KEPT_READS and len(value) <= MAX_KEPT_VALUE_BYTES:
            self._kept[key] = value
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._writer().put(key, value)

    def __delitem__(self, key: bytes) -> None:
        self._writer().delete(key)
        self._kept.pop(key, None)

    def _exists(self, key: bytes) -> bool:
        return self._database.get(key) is not None

    @contextmanager
    def atomic_batch(self) -> Iterator[Any]:
        """Give py-evm this database itself: the block's own batch is the atom, so py-evm's smaller ones need not be."""
        yield self

    def _writer(self) -> KeyValueWriter:
        if not isinstance(self._database, KeyValueWriter):
            raise TypeError("this state was opened on a reader and cannot be persisted")
        return self._database
