"""A storage trie of many slots, built bottom-up from sorted keys: py-evm takes minutes for a million."""

from collections.abc import Callable

import rlp
from eth_hash.auto import keccak

WORD = 32
_STRING = 0x80


def storage_root(slots: int, value_of: Callable[[int], int], store: Callable[[bytes, bytes], None]) -> bytes:
    """Root of the trie in which slot n has `value_of(n)`, at least 2**248 so that no node is embedded; nodes go to `store`."""
    rows = sorted((keccak(slot.to_bytes(WORD, "big")).hex(), slot) for slot in range(slots))

    def put(node: bytes) -> bytes:
        node_hash: bytes = keccak(node)
        store(node_hash, node)
        return node_hash

    def build(low: int, high: int, depth: int) -> bytes:
        first = rows[low][0]
        if high - low == 1:
            value = rlp.encode(value_of(rows[low][1]).to_bytes(WORD, "big"))
            return put(_list(rlp.encode(_path(first[depth:], leaf=True)) + rlp.encode(value)))
        last = rows[high - 1][0]
        end = depth
        while first[end] == last[end]:
            end += 1
        body, at = b"", low
        for digit in "0123456789abcdef":
            after = at
            while after < high and rows[after][0][end] == digit:
                after += 1
            body += b"\x80" if after == at else bytes([_STRING + WORD]) + build(at, after, end + 1)
            at = after
        branch = put(_list(body + b"\x80"))
        if end == depth:
            return branch
        return put(_list(rlp.encode(_path(first[depth:end], leaf=False)) + bytes([_STRING + WORD]) + branch))

    return build(0, slots, 0)


def _path(nibbles: str, *, leaf: bool) -> bytes:
    """Hex-prefix encoding."""
    flag = 2 * leaf + len(nibbles) % 2
    return bytes.fromhex(f"{flag:x}{'' if len(nibbles) % 2 else '0'}{nibbles}")


def _list(body: bytes) -> bytes:
    if len(body) < 56:
        return bytes([0xC0 + len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([0xF7 + len(size)]) + size + body
