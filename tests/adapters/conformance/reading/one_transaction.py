"""Several calls in one transaction, from the init code of a contract whose code is then what the last call returned."""

from collections.abc import Sequence

Call = tuple[bytes, bytes]
"""(address of 20 bytes, calldata)."""

_PUSH0, _PUSH2, _PUSH20 = b"\x5f", b"\x61", b"\x73"
_CODECOPY, _GAS, _CALL, _JUMPDEST = b"\x39", b"\x5a", b"\xf1", b"\x5b"
_ISZERO, _JUMPI, _RETURNDATASIZE, _RETURNDATACOPY = b"\x15", b"\x57", b"\x3d", b"\x3e"
_RETURN, _REVERT = b"\xf3", b"\xfd"
_TAKE_RETURNED = _RETURNDATASIZE + _PUSH0 + _PUSH0 + _RETURNDATACOPY + _RETURNDATASIZE + _PUSH0
"""Leaves size and place of what the last call returned, which is copied to the start of memory."""
_STEP_BYTES = 43


def init_code(calls: Sequence[Call]) -> bytes:
    """One after the other; where one reverts, all of it reverts with what that one said."""
    fail = _STEP_BYTES * len(calls) + len(_TAKE_RETURNED + _RETURN)
    place = fail + len(_JUMPDEST + _TAKE_RETURNED + _REVERT)
    code = b""
    for to, data in calls:
        code += _step(to, len(data), place, fail)
        place += len(data)
    code += _TAKE_RETURNED + _RETURN + _JUMPDEST + _TAKE_RETURNED + _REVERT
    return code + b"".join(data for _, data in calls)


def _step(to: bytes, size: int, place: int, fail: int) -> bytes:
    copied = _push2(size) + _push2(place) + _PUSH0 + _CODECOPY
    called = _PUSH0 + _PUSH0 + _push2(size) + _PUSH0 + _PUSH0 + _PUSH20 + to + _GAS + _CALL
    step = copied + called + _ISZERO + _push2(fail) + _JUMPI
    assert len(step) == _STEP_BYTES, len(step)
    return step


def _push2(number: int) -> bytes:
    return _PUSH2 + number.to_bytes(2, "big")
