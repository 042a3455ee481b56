"""Code as it is executed: padded, and with what is known of its jumps, kept from one frame to the next."""

import re
from array import array
from collections import OrderedDict
from functools import cached_property
from threading import Lock

from eth.vm.code_stream import CodeStream

JUMPDEST = 0x5B
PUSH1, PUSH32 = 0x60, 0x7F
PADDING_BYTES = 33
"""STOP, and the zeros that a PUSH at the end reads."""
MOST_CODES = 512
"""At three bytes for each of code (itself, padded, its verdicts), 37 MiB at most."""
MOST_STRIDES = 16_384
"""Of 0.4 KiB at most. More codes than one block can call, at 2 600 gas for the first time: or a block could go round so
many that each is read anew for 300 gas."""
STRIDE_BYTES = 256

_INSTRUCTIONS = re.compile(
    rb"(?s:(?:[^\x60-\x7f]++|"
    + b"|".join(re.escape(bytes([PUSH1 - 1 + size])) + b".{%d}" % size for size in range(1, 33))
    + rb")*+)"
)
"""As many whole instructions as there are, in one call; the possessive quantifiers never try again."""
_UNKNOWN, ALLOWED, _REFUSED = 0, 1, 2


class Strides:
    """The first instruction at or after each multiple of the stride; found when the first jump asks."""

    __slots__ = ("_starts", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._starts: array[int] | None = None

    def start_before(self, code: bytes, target: int) -> int:
        """An instruction from which it is at most a stride to `target`, or one that lies after it.

        The first call reads the whole code.

        Args:
            code: padded or not, but always the same.
            target: an offset below the code's size.
        """
        if self._starts is None:
            self._starts = _starts_of(code, self.size)
        return self._starts[target // STRIDE_BYTES]


def _starts_of(code: bytes, size: int) -> "array[int]":
    starts, at = array("I", [0]), 0
    for end in range(STRIDE_BYTES, size, STRIDE_BYTES):
        found = _INSTRUCTIONS.match(code, at, end)
        at = found.end() if found is not None else at
        if at < end:
            at += code[at] - PUSH1 + 2
        starts.append(at)
    return starts


class Program:
    """One contract's code. Threads may share it: what is written is the same whoever writes it."""

    __slots__ = ("_strides", "padded", "size", "verdicts")

    def __init__(self, code: bytes, strides: Strides | None = None) -> None:
        self.padded = code + bytes(PADDING_BYTES)
        self.size = len(code)
        self.verdicts = bytearray(self.size)
        """One byte for each of the code: ALLOWED where a jump was found to be."""
        self._strides = Strides(self.size) if strides is None else strides

    def allows(self, target: int) -> bool:
        """Whether a jump may go there: to a JUMPDEST that is no part of a PUSH (yellow paper 9.4.3).

        Linear in the code once, then in a stride. Any `target` of 0 or more may be asked for.
        """
        if target >= self.size or self.padded[target] != JUMPDEST:
            return False
        verdict = self.verdicts[target]
        if verdict == _UNKNOWN:
            start = self._strides.start_before(self.padded, target)
            # A PUSH may hold the whole of what is between: then the stride starts after it.
            is_start = start <= target and _INSTRUCTIONS.fullmatch(self.padded, start, target) is not None
            verdict = self.verdicts[target] = ALLOWED if is_start else _REFUSED
        return verdict == ALLOWED


class KnownCode(bytes):
    """A contract's code as the state gives it, with its program once it is executed."""

    strides: Strides

    @cached_property
    def program(self) -> Program:
        """Made when the code is first executed, and kept as long as the code is."""
        return Program(self, self.strides)


class KnownCodes:
    """The codes that were asked for last, by their hash; the strides of many more."""

    def __init__(self) -> None:
        self._codes: OrderedDict[bytes, KnownCode] = OrderedDict()
        self._strides: OrderedDict[bytes, Strides] = OrderedDict()
        self._changing = Lock()

    def get(self, code_hash: bytes) -> KnownCode | None:
        """The code of a 32-byte hash; None where it must be read from the state."""
        return self._codes.get(code_hash)

    def size(self, code_hash: bytes) -> int | None:
        """The length in bytes of the code of a 32-byte hash; None where it must be read from the state.

        It is known of many more codes than `get` still has.
        """
        strides = self._strides.get(code_hash)
        return None if strides is None else strides.size

    def add(self, code_hash: bytes, code: bytes) -> KnownCode:
        """Keep the code whose Keccak-256 this is, which is not checked.

        Above MOST_CODES the code that was added first is forgotten, above MOST_STRIDES the strides that were.
        """
        known = KnownCode(code)
        with self._changing:
            known.strides = self._strides.setdefault(code_hash, Strides(len(code)))
            self._codes[code_hash] = known
            if len(self._codes) > MOST_CODES:
                self._codes.popitem(last=False)
            if len(self._strides) > MOST_STRIDES:
                self._strides.popitem(last=False)
        return known


KNOWN_CODES = KnownCodes()
"""Of this process: a hash has one code on every chain."""


class Code(CodeStream):
    """One frame's place in a program, as py-evm's instructions see it."""

    __slots__ = ("program",)

    def __init__(self, code: bytes) -> None:
        self.program = code.program if isinstance(code, KnownCode) else Program(code)
        self._raw_code_bytes = code
        self._length_cache = len(code)
        self.program_counter = 0

    def is_valid_opcode(self, position: int) -> bool:
        """Whether a jump may go to `position`. py-evm asks after it has seen a JUMPDEST there."""
        return self.program.allows(position)
