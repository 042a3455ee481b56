"""A few-line assembler for contracts that tests build from raw bytecode."""

OPCODES = {
    "STOP": 0x00, "ADD": 0x01, "ISZERO": 0x15, "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36, "CALLDATACOPY": 0x37,
    "CALLER": 0x33, "CODECOPY": 0x39, "RETURNDATASIZE": 0x3D, "RETURNDATACOPY": 0x3E, "BLOCKHASH": 0x40, "NUMBER": 0x43,
    "TIMESTAMP": 0x42, "COINBASE": 0x41, "PREVRANDAO": 0x44, "GASLIMIT": 0x45, "CHAINID": 0x46, "BASEFEE": 0x48,
    "ADDRESS": 0x30, "ORIGIN": 0x32, "POP": 0x50, "MLOAD": 0x51, "MSTORE": 0x52, "SLOAD": 0x54, "SSTORE": 0x55,
    "GAS": 0x5A, "LOG0": 0xA0, "LOG1": 0xA1, "CREATE": 0xF0, "CALL": 0xF1, "CALLCODE": 0xF2, "RETURN": 0xF3,
    "DELEGATECALL": 0xF4, "STATICCALL": 0xFA, "REVERT": 0xFD, "INVALID": 0xFE, "SELFDESTRUCT": 0xFF,
}  # fmt: skip


def push(value: int | bytes) -> bytes:
    raw = value if isinstance(value, bytes) else value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
    return bytes([0x5F + len(raw)]) + raw


def assemble(*parts: str | int | bytes) -> bytes:
    """Names are opcodes; integers and bytes are pushed."""
    return b"".join(bytes([OPCODES[part]]) if isinstance(part, str) else push(part) for part in parts)


def deploy_code(runtime: bytes) -> bytes:
    """Init code that returns `runtime`."""
    head = assemble(push_width(len(runtime)), push_width(15), 0, "CODECOPY", push_width(len(runtime)), 0, "RETURN")
    assert len(head) == 15
    return head + runtime


def push_width(value: int) -> bytes:
    return value.to_bytes(2, "big")


def call(kind: str, target: bytes, gas: int, *, input_size: int = 0, value: int = 0) -> bytes:
    """Call with memory[0:input_size]; leaves the success flag on the stack."""
    if kind in ("CALL", "CALLCODE"):
        return assemble(0, 0, input_size, 0, value, target, gas, kind)
    return assemble(0, 0, input_size, 0, target, gas, kind)


def with_data(code_of_offset, data: bytes) -> bytes:
    """Append `data` to code; `code_of_offset(offset)` must have the same length for every offset."""
    length = len(code_of_offset(0))
    return code_of_offset(length) + data
