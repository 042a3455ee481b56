"""Where canonical ABI data has its parts, checked before anything is decoded.

A decoder follows offsets, and many offsets may name the same bytes: 400 kB of call data can unfold to gigabytes. Canonical
data has each dynamic part exactly once and in order, so one walk over the offsets keeps decoding linear in the input.
"""

from collections.abc import Iterable
from functools import cache
from itertools import repeat

from eth_abi.grammar import ABIType, TupleType, parse

from hutong.light_clients.interface import MalformedInput

WORD = 32


@cache
def _parsed(types: tuple[str, ...]) -> tuple[ABIType, ...]:
    return tuple(map(parse, types))


def _static_size(abi_type: ABIType) -> int:
    """Bytes of a type that has no dynamic part."""
    if abi_type.is_array:
        return int(abi_type.arrlist[-1][0]) * _static_size(abi_type.item_type)
    if isinstance(abi_type, TupleType):
        return sum(map(_static_size, abi_type.components))
    return WORD


class _Layout:
    def __init__(self, data: bytes, field: str) -> None:
        self._data = data
        self._field = field

    def _word(self, position: int) -> int:
        if position + WORD > len(self._data):
            raise MalformedInput(self._field, "ABI data ends inside a word", got=len(self._data))
        return int.from_bytes(self._data[position : position + WORD], "big")

    def _within(self, end: int) -> int:
        if end > len(self._data):
            raise MalformedInput(self._field, "ABI data is shorter than it says", got=len(self._data))
        return end

    def sequence_end(self, types: Iterable[ABIType], head_size: int, base: int) -> int:
        """The end of a head of `head_size` bytes at `base` with its tails after it, packed and in order."""
        position, tail = base, self._within(base + head_size)
        for abi_type in types:
            if not abi_type.is_dynamic:
                position += _static_size(abi_type)
                continue
            if self._word(position) != tail - base:
                raise MalformedInput(
                    self._field, "is not in canonical ABI encoding: an offset skips, repeats or overlaps"
                )
            position += WORD
            tail = self._end(abi_type, tail)
        return tail

    def _end(self, abi_type: ABIType, start: int) -> int:
        """The end of a dynamic value that begins at `start`."""
        if abi_type.is_array:
            dimension = abi_type.arrlist[-1]
            count, base = (int(dimension[0]), start) if dimension else (self._word(start), start + WORD)
            item = abi_type.item_type
            item_size = WORD if item.is_dynamic else _static_size(item)
            # The head must fit before `count` is believed.
            self._within(base + count * item_size)
            return self.sequence_end(repeat(item, count), count * item_size, base)
        if isinstance(abi_type, TupleType):
            return self.sequence_end(abi_type.components, _head_size(abi_type.components), start)
        length = self._word(start)
        return self._within(start + WORD + -(-length // WORD) * WORD)


def _head_size(types: Iterable[ABIType]) -> int:
    return sum(WORD if abi_type.is_dynamic else _static_size(abi_type) for abi_type in types)


def check_canonical_layout(types: tuple[str, ...], data: bytes, field: str) -> None:
    """Every part of `data` lies where the canonical encoding of `types` has it. Values and padding are not read.

    Raises:
        MalformedInput: a part lies elsewhere, is cut off, or bytes follow.
    """
    parsed = _parsed(types)
    end = _Layout(data, field).sequence_end(parsed, _head_size(parsed), 0)
    if end != len(data):
        raise MalformedInput(field, "bytes after the ABI data", got=len(data) - end)
