"""Short ways through the commonest opcodes: the regular case in one Python call instead of four to eight.

py-evm stays the only judge of what an opcode means: where anything is out of the ordinary (too little gas, a short or
full stack, memory to be grown, a bad jump) nothing is touched and py-evm's own opcode runs, with its own error. A test
runs random code both ways. Contract code is nine tenths of these opcodes, and runs in about half the time.
"""

from collections.abc import Callable
from functools import partial
from operator import and_, or_, xor
from typing import Any, TypeAlias

from eth.vm.opcode import _FastOpcode

UINT_256_MAX = 2**256 - 1
MAX_STACK = 1024
JUMPDEST = 0x5B
WORD_BYTES = 32

Opcode: TypeAlias = Callable[..., None]
Binary: TypeAlias = Callable[[int, int], int]

_BINARY: dict[int, tuple[str, Binary]] = {
    0x01: ("ADD", lambda left, right: (left + right) & UINT_256_MAX),
    0x02: ("MUL", lambda left, right: (left * right) & UINT_256_MAX),
    0x03: ("SUB", lambda left, right: (left - right) & UINT_256_MAX),
    0x10: ("LT", lambda left, right: 1 if left < right else 0),
    0x11: ("GT", lambda left, right: 1 if left > right else 0),
    0x14: ("EQ", lambda left, right: 1 if left == right else 0),
    0x16: ("AND", and_),
    0x17: ("OR", or_),
    0x18: ("XOR", xor),
    0x1B: ("SHL", lambda shift, value: (value << shift) & UINT_256_MAX if shift < 256 else 0),
    0x1C: ("SHR", lambda shift, value: value >> shift if shift < 256 else 0),
}


def with_fast_opcodes(opcodes: dict[int, Any]) -> dict[int, Any]:
    """The same table with short ways in front of those opcodes that a fork leaves as every fork has them."""
    fast: dict[int, Any] = dict(opcodes)
    for value, (mnemonic, operate) in _BINARY.items():
        _replace(fast, value, mnemonic, partial(_binary, operate))
    for size in range(WORD_BYTES + 1):
        _replace(fast, 0x5F + size, f"PUSH{size}", partial(_push, size))
    for position in range(1, 17):
        _replace(fast, 0x7F + position, f"DUP{position}", partial(_dup, position))
        _replace(fast, 0x8F + position, f"SWAP{position}", partial(_swap, position))
    for value, mnemonic, make in (
        (0x15, "ISZERO", _is_zero),
        (0x50, "POP", _pop),
        (0x51, "MLOAD", _mload),
        (0x52, "MSTORE", _mstore),
        (0x56, "JUMP", _jump),
        (0x57, "JUMPI", _jumpi),
        (0x5B, "JUMPDEST", _jumpdest),
    ):
        _replace(fast, value, mnemonic, make)
    return fast


def _replace(opcodes: dict[int, Any], value: int, mnemonic: str, make: Callable[[Any], Opcode]) -> None:
    original = opcodes.get(value)
    if type(original) is _FastOpcode and original.mnemonic == mnemonic:
        opcodes[value] = make(original)


def _binary(operate: Binary, original: Any) -> Opcode:
    cost: int = original.gas_cost

    def run(computation: Any) -> None:
        meter, values = computation._gas_meter, computation._stack.values
        if meter.gas_remaining < cost or len(values) < 2:
            original(computation)
            return
        meter.gas_remaining -= cost
        left = values.pop()
        right = values[-1]
        if type(left) is bytes:
            left = int.from_bytes(left, "big")
        if type(right) is bytes:
            right = int.from_bytes(right, "big")
        values[-1] = operate(left, right)

    return run


def _is_zero(original: Any) -> Opcode:
    cost: int = original.gas_cost

    def run(computation: Any) -> None:
        meter, values = computation._gas_meter, computation._stack.values
        if meter.gas_remaining < cost or not values:
            original(computation)
            return
        meter.gas_remaining -= cost
        value = values[-1]
        if type(value) is bytes:
            value = int.from_bytes(value, "big")
        values[-1] = 1 if value == 0 else 0

    return run


def _push(size: int, original: Any) -> Opcode:
    cost: int = original.gas_cost

    def run(computation: Any) -> None:
        meter, values, code = computation._gas_meter, computation._stack.values, computation.code
        at = code.program_counter
        after = at + size
        if meter.gas_remaining < cost or len(values) >= MAX_STACK or after > len(code._raw_code_bytes):
            original(computation)
            return
        meter.gas_remaining -= cost
        code.program_counter = after
        values.append(int.from_bytes(code._raw_code_bytes[at:after], "big"))

    return run


def _dup(position: int, original: Any) -> Opcode:
    cost: int = original.gas_cost

    def run(computation: Any) -> None:
        meter, values = computation._gas_meter, computation._stack.values
        if meter.gas_remaining < cost or not position <= len(values) < MAX_STACK:
            original(computation)
            return
        meter.gas_remaining -= cost
        values.append(values[-position])

    return run


def _swap(position: int, original: Any) -> Opcode:
    cost: int = original.gas_cost

    def run(computation: Any) -> None:
        meter, values = computation._gas_meter, computation._stack.values
        if meter.gas_remaining < cost or len(values) <= position:
            original(computation)
            return
        meter.gas_remaining -= cost
        values[-1], values[-1 - position] = values[-1 - position], values[-1]

    return run


def _pop(original: Any) -> Opcode:
    cost: int = original.gas_cost

    def run(computation: Any) -> None:
        meter, values = computation._gas_meter, computation._stack.values
        if meter.gas_remaining < cost or not values:
            original(computation)
            return
        meter.gas_remaining -= cost
        values.pop()

    return run


def _mload(original: Any) -> Opcode:
    cost: int = original.gas_cost

    def run(computation: Any) -> None:
        meter, values, memory = computation._gas_meter, computation._stack.values, computation._memory._bytes
        if meter.gas_remaining < cost or not values:
            original(computation)
            return
        start = values[-1]
        if type(start) is bytes:
            start = int.from_bytes(start, "big")
        if start + WORD_BYTES > len(memory):
            original(computation)
            return
        meter.gas_remaining -= cost
        values[-1] = int.from_bytes(memory[start : start + WORD_BYTES], "big")

    return run


def _mstore(original: Any) -> Opcode:
    cost: int = original.gas_cost

    def run(computation: Any) -> None:
        meter, values, memory = computation._gas_meter, computation._stack.values, computation._memory._bytes
        if meter.gas_remaining < cost or len(values) < 2:
            original(computation)
            return
        start, value = values[-1], values[-2]
        if type(start) is bytes:
            start = int.from_bytes(start, "big")
        if start + WORD_BYTES > len(memory):
            original(computation)
            return
        meter.gas_remaining -= cost
        del values[-2:]
        word = value.rjust(WORD_BYTES, b"\0") if type(value) is bytes else value.to_bytes(WORD_BYTES, "big")
        memory[start : start + WORD_BYTES] = word

    return run


def _is_destination(code: Any, position: int) -> bool:
    raw = code._raw_code_bytes
    return position < len(raw) and raw[position] == JUMPDEST and code.is_valid_opcode(position)


def _jump(original: Any) -> Opcode:
    cost: int = original.gas_cost

    def run(computation: Any) -> None:
        meter, values, code = computation._gas_meter, computation._stack.values, computation.code
        if meter.gas_remaining < cost or not values:
            original(computation)
            return
        target = values[-1]
        if type(target) is bytes:
            target = int.from_bytes(target, "big")
        if not _is_destination(code, target):
            original(computation)
            return
        meter.gas_remaining -= cost
        values.pop()
        code.program_counter = target

    return run


def _jumpi(original: Any) -> Opcode:
    cost: int = original.gas_cost

    def run(computation: Any) -> None:
        meter, values, code = computation._gas_meter, computation._stack.values, computation.code
        if meter.gas_remaining < cost or len(values) < 2:
            original(computation)
            return
        target, condition = values[-1], values[-2]
        if type(condition) is bytes:
            condition = int.from_bytes(condition, "big")
        if condition:
            if type(target) is bytes:
                target = int.from_bytes(target, "big")
            if not _is_destination(code, target):
                original(computation)
                return
            code.program_counter = target
        meter.gas_remaining -= cost
        del values[-2:]

    return run


def _jumpdest(original: Any) -> Opcode:
    cost: int = original.gas_cost

    def run(computation: Any) -> None:
        meter = computation._gas_meter
        if meter.gas_remaining < cost:
            original(computation)
            return
        meter.gas_remaining -= cost

    return run
