"""Which nodes and codes a state has more and less often than another: a count of places, by hash.

The same node can stand in several storage tries, and a code belongs to many accounts, so only a node whose places are
all gone is gone. Equal subtrees are passed over; the cost follows what differs.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

import rlp

from hutong.relay.evm.vm.accounts import EMPTY_CODE_HASH, EMPTY_STATE_ROOT

NodeSource: TypeAlias = Callable[[bytes], bytes]
"""The stored record of a hash; raises where it is missing."""

_BRANCH = 16
_LEAF_FLAG = 2
_NOTHING = b""
# A place in a trie: a hash, an embedded node, nothing, or the rest of a short node below its first nibbles.
_Short: TypeAlias = tuple[str, Any, bool]
_Place: TypeAlias = bytes | list[Any] | _Short


def places_between(old_root: bytes, new_root: bytes, node_of: NodeSource) -> Counter[bytes]:
    """Places in the new state less places in the old one, by hash of a trie node or code.

    Args:
        old_root, new_root: 32 bytes each; EMPTY_STATE_ROOT counts nothing.
        node_of: asked for trie nodes alone, never for a code.

    Returns:
        Hash → change; hashes without a change may be left in with 0.

    Raises:
        Whatever `node_of` raises for a node that it does not have.
    """
    walk = _Walk(node_of, accounts=True, net=Counter())
    walk.compare(_root(old_root), _root(new_root))
    return walk.net


def _root(state_root: bytes) -> bytes:
    return _NOTHING if state_root == EMPTY_STATE_ROOT else state_root


class _Walk:
    def __init__(self, node_of: NodeSource, *, accounts: bool, net: Counter[bytes]) -> None:
        self._node_of = node_of
        self._accounts = accounts
        self.net = net

    def compare(self, old: _Place, new: _Place) -> None:
        if old == new:
            return
        before, after = self._open(old, -1), self._open(new, 1)
        if before is None or after is None:
            self._all_below(before, -1)
            self._all_below(after, 1)
        elif isinstance(before, tuple) and isinstance(after, tuple):
            self._compare_short(before, after)
        else:
            for digit in range(_BRANCH):
                self.compare(_child(before, digit), _child(after, digit))

    def _compare_short(self, before: _Short, after: _Short) -> None:
        shared = 0
        while shared < min(len(before[0]), len(after[0])) and before[0][shared] == after[0][shared]:
            shared += 1
        if before[2] and after[2] and before[0] == after[0]:
            self._compare_values(before[1], after[1])
        elif _ends(before, shared) or _ends(after, shared):
            self.compare(_rest(before, shared), _rest(after, shared))
        else:
            self._all_below(before, -1)
            self._all_below(after, 1)

    def _compare_values(self, before: bytes, after: bytes) -> None:
        if not self._accounts:
            return
        old, new = rlp.decode(before), rlp.decode(after)
        if old[2] != new[2]:
            _Walk(self._node_of, accounts=False, net=self.net).compare(_root(old[2]), _root(new[2]))
        if old[3] != new[3]:
            self._count_code(old[3], -1)
            self._count_code(new[3], 1)

    def _all_below(self, opened: list[Any] | _Short | None, sign: int) -> None:
        """Of a node that is counted already."""
        if opened is None:
            return
        if isinstance(opened, list):
            for digit in range(_BRANCH):
                self._all_below(self._open(opened[digit], sign), sign)
        elif not opened[2]:
            self._all_below(self._open(opened[1], sign), sign)
        elif self._accounts:
            account = rlp.decode(opened[1])
            storage = _Walk(self._node_of, accounts=False, net=self.net)
            storage._all_below(storage._open(_root(account[2]), sign), sign)
            self._count_code(account[3], sign)

    def _count_code(self, code_hash: bytes, sign: int) -> None:
        if code_hash != EMPTY_CODE_HASH:
            self.net[code_hash] += sign

    def _open(self, place: _Place, sign: int) -> list[Any] | _Short | None:
        """A branch or a short node; a hash is counted."""
        if isinstance(place, tuple):
            return place
        if place == _NOTHING:
            return None
        node: list[Any]
        if isinstance(place, bytes):
            self.net[place] += sign
            node = rlp.decode(self._node_of(place))
        else:
            node = place
        if len(node) == _BRANCH + 1:
            return node
        nibbles = node[0].hex()
        flag = int(nibbles[0], 16)
        return nibbles[1 if flag & 1 else 2 :], node[1], flag >= _LEAF_FLAG


def _child(opened: list[Any] | _Short, digit: int) -> _Place:
    if isinstance(opened, list):
        child: _Place = opened[digit]
        return child
    return _rest(opened, 1) if int(opened[0][0], 16) == digit else _NOTHING


def _ends(short: _Short, shared: int) -> bool:
    """An extension whose whole path the other side has too."""
    return not short[2] and shared == len(short[0])


def _rest(short: _Short, cut: int) -> _Place:
    if not short[2] and cut == len(short[0]):
        target: _Place = short[1]
        return target
    return short[0][cut:], short[1], short[2]
