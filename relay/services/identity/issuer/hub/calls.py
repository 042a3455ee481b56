"""Calls of the hub's identity module that an issuer's log account sends (docs/spec/identity-records.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hutong.adapters.ics26.abi import Function

WRITER: Final = "(bytes32,bytes32)"
"""DID, and thumbprint of the log key whose account calls."""
OPEN_LIST: Final = Function("openList", (WRITER, "bytes32", "bytes32", "bytes32", "uint8", "uint64"), ("uint64",))
UPDATE_LIST: Final = Function("updateList", (WRITER, "uint64", "bytes", "bytes32"), ("bytes32",))
SEAL_LIST: Final = Function("sealList", (WRITER, "uint64"))
APPEND_LOG: Final = Function("appendLog", (WRITER, "uint64", "bytes32", "bytes32[]"))


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: the issuer's DID and the thumbprint of its log key, 32 bytes each."""

    did: bytes
    thumbprint: bytes

    def open_list(self, key: bytes, seal_key: bytes, schema: bytes, size: int) -> bytes:
        """A list of one bit an entry, bound to the key that signs credentials, and to that of seals or zeros."""
        return OPEN_LIST.encode((self.did, self.thumbprint), key, seal_key, schema, 1, size)

    def update_list(self, number: int, update: bytes, token_hash: bytes) -> bytes:
        """Bits raised, and the SHA-256 of the Status List Token that is served from now on."""
        return UPDATE_LIST.encode((self.did, self.thumbprint), number, update, token_hash)

    def seal_list(self, number: int) -> bytes:
        """Nothing is issued over a list any more; its bits still rise."""
        return SEAL_LIST.encode((self.did, self.thumbprint), number)

    def append_log(self, size: int, root: bytes, nodes: Sequence[bytes]) -> bytes:
        """A longer log, with its consistency proof."""
        return APPEND_LOG.encode((self.did, self.thumbprint), size, root, list(nodes))
