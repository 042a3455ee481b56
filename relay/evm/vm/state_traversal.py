"""The whole EVM state below a root as one sequence: every trie node and code, each verified against what came before.

Order: the account trie from the root, a node before its children and children by nibble; after an account's leaf first
its storage trie in the same order, then its code. A code is in the sequence once, where it is first met. Tries are
written out for each account: two with equal storage appear twice.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import rlp
from eth_hash.auto import keccak
from rlp.exceptions import RLPException

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.evm.vm.accounts import EMPTY_CODE_HASH, EMPTY_STATE_ROOT

MAX_TRIE_NODE_BYTES = 1024
"""A branch has 17 items of at most 33 bytes; the longest leaf, an account's, less than 200."""
MAX_CODE_BYTES = 24_576
"""EIP-170."""
_LEAF_FLAG = 0x20
_BRANCH_CHILDREN = 16


class StateItem(Enum):
    """What a record of the sequence is."""

    ACCOUNT_NODE = "account trie node"
    STORAGE_NODE = "storage trie node"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Expected:
    """The next record: what it is and what it hashes to."""

    item: StateItem
    hash: bytes


class StateTraversal:
    """Who writes the sequence looks `expected` up and feeds it; who reads it feeds what came. Both go the same way.

    Memory: one path of the tries, and 32 bytes for each distinct code.
    """

    def __init__(self, state_root: bytes) -> None:
        self._stack: list[Expected] = []
        self._codes: set[bytes] = set()
        if state_root != EMPTY_STATE_ROOT:
            self._stack.append(Expected(StateItem.ACCOUNT_NODE, state_root))

    @property
    def expected(self) -> Expected | None:
        """The record that `feed` takes next; None at the end."""
        return self._stack[-1] if self._stack else None

    def feed(self, record: bytes) -> bytes:
        """Take the next record and return its 32-byte hash.

        Args:
            record: an RLP trie node or a code; its length is checked before anything else.

        Raises:
            PredicateFailed: `evm_nothing_extra`, `evm_record_is_expected`.
            MalformedInput: over the bounds, or no trie node (then no state has this root).
        """
        if not self._stack:
            raise PredicateFailed("evm_nothing_extra", "a record after the whole EVM state")
        expected = self._stack[-1]
        bound = MAX_CODE_BYTES if expected.item is StateItem.CODE else MAX_TRIE_NODE_BYTES
        if len(record) > bound:
            raise MalformedInput(expected.item.value, f"more than {bound} bytes", got=len(record))
        record_hash: bytes = keccak(record)
        if record_hash != expected.hash:
            raise PredicateFailed(
                "evm_record_is_expected", f"is not the {expected.item.value}", record_hash, expected.hash
            )
        self._stack.pop()
        if expected.item is not StateItem.CODE:
            below: list[Expected] = []
            try:
                self._collect(rlp.decode(record), expected.item, below)
            except (RLPException, ValueError, IndexError, TypeError) as error:
                raise MalformedInput(expected.item.value, f"is no trie node ({error})", got=record) from error
            self._stack += reversed(below)
        return record_hash

    def _collect(self, node: Any, item: StateItem, below: list[Expected]) -> None:
        """What `node`, decoded, points to; nodes below 32 bytes are inside their parent."""
        if not isinstance(node, list):
            raise TypeError("not a list")
        if len(node) == _BRANCH_CHILDREN + 1:
            for child in node[:_BRANCH_CHILDREN]:
                if child:
                    self._point(child, item, below)
            return
        path, target = node
        if not path[0] & _LEAF_FLAG:
            self._point(target, item, below)
        elif item is StateItem.ACCOUNT_NODE:
            _, _, storage_root, code_hash = rlp.decode(target)
            if storage_root != EMPTY_STATE_ROOT:
                below.append(Expected(StateItem.STORAGE_NODE, storage_root))
            if code_hash != EMPTY_CODE_HASH and code_hash not in self._codes:
                self._codes.add(code_hash)
                below.append(Expected(StateItem.CODE, code_hash))

    def _point(self, child: Any, item: StateItem, below: list[Expected]) -> None:
        if isinstance(child, list):
            self._collect(child, item, below)
        elif len(child) != HASH_BYTES:
            raise ValueError(f"a child of {len(child)} bytes")
        else:
            below.append(Expected(item, child))
