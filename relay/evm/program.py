"""Code as it is executed: padded, and with the jump targets that were asked for, kept from one frame to the next."""

import re
from functools import lru_cache

from eth.vm.code_stream import CodeStream

JUMPDEST = 0x5B
PUSH1, PUSH32 = 0x60, 0x7F
PADDING_BYTES = 33
"""STOP, and the zeros that a PUSH at the end reads."""
SHARED_CODE_BYTES = 24_576
"""EIP-170. Init code may be longer, and is rarely seen twice."""
SHARED_PROGRAMS = 512
"""At three bytes for each of code (itself padded, its verdicts), 37 MiB at most."""
STRIDE_BYTES = 256

_INSTRUCTIONS = re.compile(
    rb"(?s:(?:[^\x60-\x7f]++|"
    + b"|".join(re.escape(bytes([PUSH1 - 1 + size])) + b".{%d}" % size for size in range(1, 33))
    + rb")*+)"
)
"""As many whole instructions as there are, in one call; the possessive quantifiers never try again."""
_UNKNOWN, ALLOWED, _REFUSED = 0, 1, 2


class Program:
    """One contract's code. Threads may share it: what is written is the same whoever writes it."""

    __slots__ = ("_starts", "code", "padded", "size", "verdicts")

    def __init__(self, code: bytes) -> None:
        self.code = code
        self.padded = code + bytes(PADDING_BYTES)
        self.size = len(code)
        self.verdicts = bytearray(self.size)
        """One byte for each of the code: ALLOWED where a jump was found to be."""
        self._starts: list[int] | None = None

    def allows(self, target: int) -> bool:
        """Whether a jump may go there: to a JUMPDEST that is no part of a PUSH. Linear in the code once, then in a stride."""
        if target >= self.size or self.padded[target] != JUMPDEST:
            return False
        verdict = self.verdicts[target]
        if verdict == _UNKNOWN:
            if self._starts is None:
                self._starts = self._strides()
            start = self._starts[target // STRIDE_BYTES]
            # A PUSH may hold the whole of what is between: then the stride starts after it.
            is_start = start <= target and _INSTRUCTIONS.fullmatch(self.code, start, target) is not None
            verdict = self.verdicts[target] = ALLOWED if is_start else _REFUSED
        return verdict == ALLOWED

    def _strides(self) -> list[int]:
        """The first instruction at or after each multiple of the stride."""
        starts, at = [0], 0
        for end in range(STRIDE_BYTES, self.size, STRIDE_BYTES):
            found = _INSTRUCTIONS.match(self.code, at, end)
            at = found.end() if found is not None else at
            if at < end:
                at += self.code[at] - PUSH1 + 2
            starts.append(at)
        return starts


shared_program = lru_cache(SHARED_PROGRAMS)(Program)


def program_of(code: bytes) -> Program:
    """The program of this code; kept for the next frame if it may be a contract's."""
    return shared_program(code) if len(code) <= SHARED_CODE_BYTES else Program(code)


class Code(CodeStream):
    """One frame's place in a program, as py-evm's instructions see it."""

    __slots__ = ("program",)

    def __init__(self, code: bytes) -> None:
        self.program = program_of(code)
        self._raw_code_bytes = code
        self._length_cache = len(code)
        self.program_counter = 0

    def is_valid_opcode(self, position: int) -> bool:
        """py-evm asks after it has seen a JUMPDEST there."""
        return self.program.allows(position)
