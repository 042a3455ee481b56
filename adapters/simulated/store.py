"""The simulated router's storage: a real Merkle-Patricia trie under a real account, provable at every block."""

from functools import lru_cache
from typing import Any

import rlp
from trie.hexary import HexaryTrie

from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.proofs.mpt import EMPTY_TRIE_ROOT, commitment_slot

CODE_HASH = keccak256(b"simulated router")
REMEMBERED = 1 << 14
"""Words, and states of a router, that a store remembers. Whoever waits for something reads the same ones of each block again."""


class ProvableStore:
    """Words by ICS-24 key. Nodes are never removed, so every earlier root stays provable."""

    def __init__(self, router: bytes) -> None:
        self._nodes: dict[bytes, bytes] = {}
        self._router = router
        self._word = lru_cache(REMEMBERED)(self._read)
        self._state_root = lru_cache(REMEMBERED)(self._hashed)

    def _trie(self, root: bytes) -> Any:
        return HexaryTrie(self._nodes, root)

    def put(self, storage_root: bytes, key: bytes, word: bytes | None) -> bytes:
        """The storage root after storing a 32-byte word (None: after removal) under an ICS-24 key."""
        trie = self._trie(storage_root)
        trie_key = keccak256(commitment_slot(key))
        if word is None:
            trie.delete(trie_key)
        else:
            trie.set(trie_key, rlp.encode(word.lstrip(b"\0")))
        return bytes(trie.root_hash)

    def get(self, storage_root: bytes, key: bytes) -> bytes | None:
        """The 32-byte word under an ICS-24 key in the state of a storage root; None if nothing is stored."""
        return self._word(storage_root, key)

    def prove(self, storage_root: bytes, key: bytes) -> tuple[bytes, ...]:
        """RLP nodes that prove the word under an ICS-24 key, or its absence, root first; none for an empty trie."""
        return self._proof(storage_root, keccak256(commitment_slot(key)))

    def state_root(self, storage_root: bytes) -> bytes:
        """The 32-byte state root of a chain whose one account is the router with this storage root."""
        return self._state_root(storage_root)

    def account_proof(self, state_root: bytes) -> tuple[bytes, ...]:
        """RLP nodes that prove the router's account under a state root, root first."""
        return self._proof(state_root, keccak256(self._router))

    def _read(self, storage_root: bytes, key: bytes) -> bytes | None:
        value = self._trie(storage_root).get(keccak256(commitment_slot(key)))
        return bytes(rlp.decode(value)).rjust(32, b"\0") if value else None

    def _hashed(self, storage_root: bytes) -> bytes:
        trie = self._trie(EMPTY_TRIE_ROOT)
        trie.set(keccak256(self._router), rlp.encode([1, 0, storage_root, CODE_HASH]))
        return bytes(trie.root_hash)

    def _proof(self, root: bytes, trie_key: bytes) -> tuple[bytes, ...]:
        if root == EMPTY_TRIE_ROOT:
            return ()
        return tuple(rlp.encode(node) for node in self._trie(root).get_proof(trie_key))
