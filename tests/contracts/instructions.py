"""The instructions that contracts mostly are made of, run in one loop; py-evm's own functions run all others.

For tests alone, whose time this is: no chain of ours executes by it.

py-evm spends some 3 µs on an instruction, nearly all of it on calls around a few machine words. Here the stack, the
memory and the gas are at hand, which takes a sixth of that. An instruction that would fail, or needs more memory, is
left to py-evm before anything of it is done: every halt is py-evm's, with its gas and its words.
"""

import operator
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from eth.vm.code_stream import CodeStream

STOP, ISZERO, NOT, CALLDATALOAD = 0x00, 0x15, 0x19, 0x35
POP, MLOAD, MSTORE, JUMP, JUMPI, JUMPDEST = 0x50, 0x51, 0x52, 0x56, 0x57, 0x5B
PUSH1, PUSH32, DUP1, DUP16, SWAP1, SWAP16 = 0x60, 0x7F, 0x80, 0x8F, 0x90, 0x9F

STACK_LIMIT = 1024
WORD = 2**256 - 1
SIGN = 2**255
SHARED_CODE_BYTES = 24_576
"""EIP-170. Init code may be longer, and is rarely seen twice."""
SHARED_CODES = 128

Binary = Callable[[int, int], int]
BINARY: dict[int, tuple[int, Binary]] = {
    0x01: (3, lambda a, b: (a + b) & WORD),
    0x02: (5, lambda a, b: (a * b) & WORD),
    0x03: (3, lambda a, b: (a - b) & WORD),
    0x04: (5, lambda a, b: a // b if b else 0),
    0x06: (5, lambda a, b: a % b if b else 0),
    0x10: (3, lambda a, b: 1 if a < b else 0),
    0x11: (3, lambda a, b: 1 if a > b else 0),
    0x12: (3, lambda a, b: 1 if a ^ SIGN < b ^ SIGN else 0),
    0x13: (3, lambda a, b: 1 if a ^ SIGN > b ^ SIGN else 0),
    0x14: (3, lambda a, b: 1 if a == b else 0),
    0x16: (3, operator.and_),
    0x17: (3, operator.or_),
    0x18: (3, operator.xor),
    0x1A: (3, lambda a, b: b >> 8 * (31 - a) & 0xFF if a < 32 else 0),
    0x1B: (3, lambda a, b: b << a & WORD if a < 256 else 0),
    0x1C: (3, lambda a, b: b >> a if a < 256 else 0),
}
"""Gas and result, the top of the stack first: ADD, MUL, SUB, DIV, MOD, LT, GT, SLT, SGT, EQ, AND, OR, XOR, BYTE, SHL, SHR."""
GAS: dict[int, int] = {
    **{opcode: gas for opcode, (gas, _) in BINARY.items()},
    **dict.fromkeys((ISZERO, NOT, CALLDATALOAD, MLOAD, MSTORE, *range(PUSH1, SWAP16 + 1)), 3),
    POP: 2,
    JUMP: 8,
    JUMPI: 10,
    JUMPDEST: 1,
}
"""What each instruction of this loop costs; a test holds it against py-evm's table of every fork."""

_COSTS = tuple(BINARY[opcode][0] if opcode in BINARY else 0 for opcode in range(PUSH1))
_RESULTS: tuple[Binary | None, ...] = tuple(BINARY[opcode][1] if opcode in BINARY else None for opcode in range(PUSH1))


@lru_cache(SHARED_CODES)
def _shared_targets(code: bytes) -> bytearray:
    """One byte for each of the code: 1 where a jump was found to be allowed. Threads may share it: a byte only turns 1."""
    return bytearray(len(code))


class Instructions(CodeStream):
    """py-evm's executor iterates over this and runs the opcodes that it yields.

    Between two of them the other instructions are done. Every item on the stack is an `int` then.
    """

    def __init__(self, computation: Any) -> None:
        super().__init__(computation.msg.code)
        # Not the computation itself: a cycle would keep its memory until the next collection.
        self._message = computation.msg
        self._values = computation._stack.values
        self._memory = computation._memory
        self._meter = computation._gas_meter

    def __iter__(self) -> Iterator[int]:
        code, size = self._raw_code_bytes, self._length_cache
        targets = _shared_targets(code) if size <= SHARED_CODE_BYTES else bytearray(size)
        values, meter = self._values, self._meter
        push, pop = values.append, values.pop
        word_of, costs, results = int.from_bytes, _COSTS, _RESULTS
        data: bytes | None = None
        while True:
            memory = self._memory._bytes
            gas, at = meter.gas_remaining, self.program_counter
            if values and values[-1].__class__ is bytes:
                values[-1] = word_of(values[-1], "big")
            while at < size:
                opcode = code[at]
                if opcode >= PUSH1:
                    if opcode <= PUSH32:
                        end = at + opcode - PUSH1 + 2
                        if gas < 3 or len(values) >= STACK_LIMIT or end > size:
                            break
                        push(code[at + 1] if opcode == PUSH1 else word_of(code[at + 1 : end], "big"))
                        at = end
                    elif opcode <= DUP16:
                        if gas < 3 or not opcode - DUP1 < len(values) < STACK_LIMIT:
                            break
                        push(values[DUP1 - 1 - opcode])
                        at += 1
                    elif opcode <= SWAP16:
                        if gas < 3 or len(values) < opcode - SWAP1 + 2:
                            break
                        other = SWAP1 - 2 - opcode
                        values[-1], values[other] = values[other], values[-1]
                        at += 1
                    else:
                        break
                    gas -= 3
                    continue
                result = results[opcode]
                if result is not None:
                    if gas < costs[opcode] or len(values) < 2:
                        break
                    gas -= costs[opcode]
                    first = pop()
                    values[-1] = result(first, values[-1])
                elif opcode == JUMPDEST:
                    if gas < 1:
                        break
                    gas -= 1
                elif opcode == JUMPI:
                    if gas < 10 or len(values) < 2:
                        break
                    if values[-2]:
                        target = values[-1]
                        if target >= size or not (targets[target] or self._allows(target, targets)):
                            break
                        at = target - 1
                    gas -= 10
                    del values[-2:]
                elif opcode == JUMP:
                    if gas < 8 or not values:
                        break
                    target = values[-1]
                    if target >= size or not (targets[target] or self._allows(target, targets)):
                        break
                    gas -= 8
                    pop()
                    at = target - 1
                elif opcode == POP:
                    if gas < 2 or not values:
                        break
                    gas -= 2
                    pop()
                elif opcode == MLOAD:
                    if gas < 3 or not values or values[-1] + 32 > len(memory):
                        break
                    gas -= 3
                    values[-1] = word_of(memory[values[-1] : values[-1] + 32], "big")
                elif opcode == MSTORE:
                    if gas < 3 or len(values) < 2 or values[-1] + 32 > len(memory):
                        break
                    gas -= 3
                    start = pop()
                    memory[start : start + 32] = pop().to_bytes(32, "big")
                elif opcode == ISZERO:
                    if gas < 3 or not values:
                        break
                    gas -= 3
                    values[-1] = 0 if values[-1] else 1
                elif opcode == NOT:
                    if gas < 3 or not values:
                        break
                    gas -= 3
                    values[-1] ^= WORD
                elif opcode == CALLDATALOAD:
                    if data is None:
                        data = self._message.data_as_bytes
                    if gas < 3 or not values or values[-1] + 32 > len(data):
                        break
                    gas -= 3
                    values[-1] = word_of(data[values[-1] : values[-1] + 32], "big")
                else:
                    break
                at += 1
            else:
                opcode = STOP
            meter.gas_remaining = gas
            self.program_counter = at + 1
            yield opcode

    def _allows(self, target: int, targets: bytearray) -> bool:
        """Whether a jump may go there: to a JUMPDEST that is no part of a PUSH."""
        allowed = self._raw_code_bytes[target] == JUMPDEST and self.is_valid_opcode(target)
        if allowed:
            targets[target] = 1
        return allowed


class QuickInstructions:
    """Mixed into a fork's computation."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.code = Instructions(self)
