"""The root over a block's transactions or receipts."""

from collections.abc import Iterable

import rlp
from eth.constants import BLANK_ROOT_HASH
from trie.hexary import HexaryTrie

EMPTY_LIST_ROOT: bytes = BLANK_ROOT_HASH


def list_root(encoded: Iterable[bytes]) -> bytes:
    """Root of the trie of RLP index → item (yellow paper 4.3.2); of no items it is EMPTY_LIST_ROOT."""
    trie = HexaryTrie({})
    for index, item in enumerate(encoded):
        trie[rlp.encode(index)] = item
    root: bytes = trie.root_hash
    return root
