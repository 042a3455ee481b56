"""The instructions that cost little, in one loop; py-evm's own functions run all others.

py-evm spends 1 to 4 µs on an instruction, nearly all of it on calls around a few machine words, and a block full of the
cheapest took 9 s. Here the stack, the memory and the gas are at hand, which takes a tenth of that. An instruction that
fails is left to py-evm before anything of it is done: every halt is py-evm's, with its gas and its words.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eth.exceptions import Halt
from eth.vm.logic.invalid import InvalidOpcode

from hutong.light_clients.crypto import keccak256
from hutong.relay.evm.vm.program import ALLOWED, JUMPDEST, PUSH1, PUSH32

ADDMOD, MULMOD, EXP, ISZERO, NOT, KECCAK256 = 0x08, 0x09, 0x0A, 0x15, 0x19, 0x20
CALLDATALOAD, CALLDATACOPY, CODECOPY, RETURNDATASIZE, RETURNDATACOPY = 0x35, 0x37, 0x39, 0x3D, 0x3E
POP, MLOAD, MSTORE, MSTORE8, JUMP, JUMPI, PC, MSIZE, GAS = 0x50, 0x51, 0x52, 0x53, 0x56, 0x57, 0x58, 0x59, 0x5A
MCOPY, PUSH0, DUP1, DUP16, SWAP1, SWAP16 = 0x5E, 0x5F, 0x80, 0x8F, 0x90, 0x9F

STACK_LIMIT = 1024
WORD = 2**256 - 1
SIGN = 2**255
GAS_COPY_WORD = 3
GAS_KECCAK_WORD = 6
GAS_EXP_BYTE = 50
GAS_MEMORY_WORD = 3
MEMORY_QUADRATIC_DIVISOR = 512
NOT_IN_LOOP = 2**64
"""More gas than there is."""


def _signed(word: int) -> int:
    return word - 2 * SIGN if word & SIGN else word


def _sdiv(first: int, second: int) -> int:
    a, b = _signed(first), _signed(second)
    if b == 0:
        return 0
    size = abs(a) // abs(b)
    return (-size if (a < 0) != (b < 0) else size) & WORD


def _smod(first: int, second: int) -> int:
    a, b = _signed(first), _signed(second)
    if b == 0:
        return 0
    size = abs(a) % abs(b)
    return (-size if a < 0 else size) & WORD


def _signextend(size: int, value: int) -> int:
    if size > 31:
        return value
    sign = 1 << 8 * size + 7
    return value | 2**256 - sign if value & sign else value & sign - 1


Binary = Callable[[int, int], int]
BINARY: Mapping[int, Binary] = {
    0x01: lambda a, b: (a + b) & WORD,
    0x02: lambda a, b: (a * b) & WORD,
    0x03: lambda a, b: (a - b) & WORD,
    0x04: lambda a, b: a // b if b else 0,
    0x05: _sdiv,
    0x06: lambda a, b: a % b if b else 0,
    0x07: _smod,
    0x0B: _signextend,
    0x10: lambda a, b: 1 if a < b else 0,
    0x11: lambda a, b: 1 if a > b else 0,
    0x12: lambda a, b: 1 if a ^ SIGN < b ^ SIGN else 0,
    0x13: lambda a, b: 1 if a ^ SIGN > b ^ SIGN else 0,
    0x14: lambda a, b: 1 if a == b else 0,
    0x16: operator.and_,
    0x17: operator.or_,
    0x18: operator.xor,
    0x1A: lambda a, b: b >> 8 * (31 - a) & 0xFF if a < 32 else 0,
    0x1B: lambda a, b: b << a & WORD if a < 256 else 0,
    0x1C: lambda a, b: b >> a if a < 256 else 0,
    0x1D: lambda a, b: _signed(b) >> (min(256, a)) & WORD,
}
"""The top of the stack first: ADD, MUL, SUB, DIV, SDIV, MOD, SMOD, SIGNEXTEND, LT, GT, SLT, SGT, EQ, AND, OR, XOR,
BYTE, SHL, SHR, SAR."""
CONSTANT = (0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3A, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x48, 0x4A)
"""The same in a whole frame: ADDRESS, ORIGIN, CALLER, CALLVALUE, CALLDATASIZE, CODESIZE, GASPRICE, COINBASE, TIMESTAMP,
NUMBER, PREVRANDAO, GASLIMIT, CHAINID, BASEFEE, BLOBBASEFEE. py-evm says it once."""
COPIES = (CALLDATACOPY, CODECOPY, RETURNDATACOPY, MCOPY)
IN_LOOP = frozenset((
    *BINARY, *CONSTANT, *COPIES, ADDMOD, MULMOD, EXP, ISZERO, NOT, KECCAK256, CALLDATALOAD, RETURNDATASIZE, POP, MLOAD,
    MSTORE, MSTORE8, JUMP, JUMPI, PC, MSIZE, GAS, PUSH0, JUMPDEST,
))  # fmt: skip
"""Below PUSH1; PUSH1 to SWAP16 are there too, at 3 gas."""

_RESULTS: Sequence[Binary | None] = [BINARY.get(opcode) for opcode in range(PUSH1)]


def loop_costs(opcodes: Mapping[int, Any]) -> tuple[int, ...]:
    """What each instruction below PUSH1 costs before it is known what it works on, from py-evm's table of a fork.

    Returns:
        By opcode, 0x00 to 0x5f; NOT_IN_LOOP for an instruction that py-evm runs, or that the fork does not have.
    """
    return tuple(
        opcodes[opcode].gas_cost if opcode in IN_LOOP and opcode in opcodes else NOT_IN_LOOP for opcode in range(PUSH1)
    )


def growth_gas(size_bytes: int, end: int) -> int:
    """For memory of `size_bytes`, a multiple of 32, to hold `end` bytes (yellow paper, appendix H: C_mem).

    `end` must be above `size_bytes`, else the answer is zero or below.
    """
    before, after = size_bytes // 32, (end + 31) // 32
    quadratic = after * after // MEMORY_QUADRATIC_DIVISOR - before * before // MEMORY_QUADRATIC_DIVISOR
    return GAS_MEMORY_WORD * (after - before) + quadratic


def run_instructions(computation: Any, costs: Sequence[int]) -> None:
    """Run a frame to its end, which is `Halt` or an error. Called by `BoundedFrames.apply_computation` alone.

    Longer than functions are elsewhere: a call for an instruction would cost what the loop is there to save.

    Args:
        computation: py-evm's, with a `Code` and a `OneCopyMemory`.
        costs: as `loop_costs` gives them for the same fork.

    Raises:
        eth.exceptions.VMError: as py-evm does, with its gas and its words.
    """
    stream, meter, opcodes = computation.code, computation._gas_meter, computation.opcodes
    program = stream.program
    code, size, verdicts, allows = program.padded, program.size, program.verdicts, program.allows
    values, data = computation._stack.values, computation.msg.data
    push, pop, word_of, results = values.append, values.pop, int.from_bytes, _RESULTS
    known: dict[int, int] = {}
    while True:
        memory, returned = computation._memory._bytes, computation.return_data
        gas, at = meter.gas_remaining, stream.program_counter
        if values and values[-1].__class__ is bytes:
            values[-1] = word_of(values[-1], "big")
        while True:
            opcode = code[at]
            if opcode >= PUSH1:
                if opcode <= PUSH32:
                    if gas < 3 or len(values) >= STACK_LIMIT:
                        break
                    if opcode == PUSH1:
                        push(code[at + 1])
                        at += 2
                    else:
                        end = at + opcode - PUSH1 + 2
                        push(word_of(code[at + 1 : end], "big"))
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
            left = gas - costs[opcode]
            if left < 0:
                break
            if opcode == JUMPDEST:
                pass
            elif (result := results[opcode]) is not None:
                if len(values) < 2:
                    break
                first = pop()
                values[-1] = result(first, values[-1])
            elif opcode == JUMPI:
                if len(values) < 2:
                    break
                if values[-2]:
                    target = values[-1]
                    if target >= size or (verdicts[target] != ALLOWED and not allows(target)):
                        break
                    at = target - 1
                del values[-2:]
            elif opcode == JUMP:
                if not values:
                    break
                target = values[-1]
                if target >= size or (verdicts[target] != ALLOWED and not allows(target)):
                    break
                pop()
                at = target - 1
            elif opcode == POP:
                if not values:
                    break
                pop()
            elif opcode == MLOAD:
                if not values:
                    break
                start = values[-1]
                if start + 32 > len(memory):
                    left -= growth_gas(len(memory), start + 32)
                    if left < 0:
                        break
                    _grow(memory, start + 32)
                values[-1] = word_of(memory[start : start + 32], "big")
            elif opcode == MSTORE:
                if len(values) < 2:
                    break
                start = values[-1]
                if start + 32 > len(memory):
                    left -= growth_gas(len(memory), start + 32)
                    if left < 0:
                        break
                    _grow(memory, start + 32)
                pop()
                memory[start : start + 32] = pop().to_bytes(32, "big")
            elif opcode == ISZERO:
                if not values:
                    break
                values[-1] = 0 if values[-1] else 1
            elif opcode == NOT:
                if not values:
                    break
                values[-1] ^= WORD
            elif opcode == CALLDATALOAD:
                if not values:
                    break
                word = data[values[-1] : values[-1] + 32]
                values[-1] = word_of(word, "big") << 8 * (32 - len(word))
            elif opcode in _PUSHES:
                if len(values) >= STACK_LIMIT:
                    break
                if opcode == PUSH0:
                    push(0)
                elif opcode == GAS:
                    push(left)
                elif opcode == RETURNDATASIZE:
                    push(len(returned))
                elif opcode == MSIZE:
                    push(len(memory))
                elif opcode == PC:
                    push(at)
                elif opcode in known:
                    push(known[opcode])
                else:
                    stream.program_counter, meter.gas_remaining = at + 1, gas
                    opcodes[opcode](computation=computation)
                    word = values[-1]
                    known[opcode] = values[-1] = word_of(word, "big") if word.__class__ is bytes else word
            else:
                left = _SLOW[opcode](computation, values, left)
                if left < 0:
                    break
            gas = left
            at += 1
        stream.program_counter, meter.gas_remaining = at + 1, gas
        try:
            (opcodes.get(opcode) or InvalidOpcode(opcode))(computation=computation)
        except Halt:
            return


_PUSHES = frozenset((*CONSTANT, PUSH0, GAS, RETURNDATASIZE, MSIZE, PC))


def _grow(memory: bytearray, end: int) -> None:
    memory.extend(bytes((end + 31) // 32 * 32 - len(memory)))


# Each takes the operands off the stack and returns the gas that is left, or does nothing and returns less than zero.


def _store_byte(computation: Any, values: list[int], gas: int) -> int:
    if len(values) < 2:
        return -1
    memory, start = computation._memory._bytes, values[-1]
    if start >= len(memory):
        gas -= growth_gas(len(memory), start + 1)
        if gas < 0:
            return -1
        _grow(memory, start + 1)
    values.pop()
    memory[start] = values.pop() & 0xFF
    return gas


def _keccak(computation: Any, values: list[int], gas: int) -> int:
    if len(values) < 2:
        return -1
    memory, start, size = computation._memory._bytes, values[-1], values[-2]
    gas -= GAS_KECCAK_WORD * ((size + 31) // 32)
    if size and start + size > len(memory):
        gas -= growth_gas(len(memory), start + size)
    if gas < 0:
        return -1
    if size and start + size > len(memory):
        _grow(memory, start + size)
    values.pop()
    values[-1] = int.from_bytes(keccak256(memory[start : start + size]), "big")
    return gas


def _copied(source_of: Callable[[Any], bytes]) -> Callable[[Any, list[int], int], int]:
    """CALLDATACOPY and CODECOPY: what lies after the source's end is zero."""

    def copy(computation: Any, values: list[int], gas: int) -> int:
        if len(values) < 3:
            return -1
        memory, start, size = computation._memory._bytes, values[-1], values[-3]
        gas -= GAS_COPY_WORD * ((size + 31) // 32)
        if size and start + size > len(memory):
            gas -= growth_gas(len(memory), start + size)
        if gas < 0:
            return -1
        if size:
            if start + size > len(memory):
                _grow(memory, start + size)
            source = values[-2]
            memory[start : start + size] = source_of(computation)[source : source + size].ljust(size, b"\0")
        del values[-3:]
        return gas

    return copy


def _copy_returned(computation: Any, values: list[int], gas: int) -> int:
    if len(values) < 3 or values[-2] + values[-3] > len(computation.return_data):
        return -1
    return _copy_of_returned(computation, values, gas)


def _copy_memory(computation: Any, values: list[int], gas: int) -> int:
    if len(values) < 3:
        return -1
    memory, start, source, size = computation._memory._bytes, values[-1], values[-2], values[-3]
    end = max(start, source) + size
    gas -= GAS_COPY_WORD * ((size + 31) // 32)
    if size and end > len(memory):
        gas -= growth_gas(len(memory), end)
    if gas < 0:
        return -1
    if size:
        if end > len(memory):
            _grow(memory, end)
        memory[start : start + size] = memory[source : source + size]
    del values[-3:]
    return gas


def _exp(_: Any, values: list[int], gas: int) -> int:
    if len(values) < 2:
        return -1
    gas -= GAS_EXP_BYTE * ((values[-2].bit_length() + 7) // 8)
    if gas < 0:
        return -1
    base = values.pop()
    values[-1] = pow(base, values[-1], 2**256)
    return gas


def _addmod(_: Any, values: list[int], gas: int) -> int:
    if len(values) < 3:
        return -1
    first, second = values.pop(), values.pop()
    values[-1] = (first + second) % values[-1] if values[-1] else 0
    return gas


def _mulmod(_: Any, values: list[int], gas: int) -> int:
    if len(values) < 3:
        return -1
    first, second = values.pop(), values.pop()
    values[-1] = first * second % values[-1] if values[-1] else 0
    return gas


def _call_data(computation: Any) -> bytes:
    return bytes(computation.msg.data)


def _code(computation: Any) -> bytes:
    code: bytes = computation.msg.code
    return code


def _return_data(computation: Any) -> bytes:
    data: bytes = computation.return_data
    return data


_copy_of_returned = _copied(_return_data)
_SLOW: Mapping[int, Callable[[Any, list[int], int], int]] = {
    MSTORE8: _store_byte,
    KECCAK256: _keccak,
    CALLDATACOPY: _copied(_call_data),
    CODECOPY: _copied(_code),
    RETURNDATACOPY: _copy_returned,
    MCOPY: _copy_memory,
    EXP: _exp,
    ADDMOD: _addmod,
    MULMOD: _mulmod,
}
