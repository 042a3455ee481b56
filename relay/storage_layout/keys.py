"""Keys of mappings: from the text in a path to the bytes that the compiler hashes with the mapping's slot."""

import re

from hutong.light_clients.crypto.hashes import keccak256
from hutong.relay.storage_layout.errors import UnusablePath
from hutong.relay.storage_layout.path import KeyStep
from hutong.relay.storage_layout.types import WORD_BYTES, BytesType, Kind, ValueType

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,77})")
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*+")
_EXPECTED = {
    Kind.UNSIGNED: "a number, decimal or 0x",
    Kind.SIGNED: "a decimal number",
    Kind.BOOL: "true or false",
    Kind.ADDRESS: "0x and 40 hex digits",
    Kind.ENUM: "the number of the member: a layout does not have the members' names",
}


def key_bytes(kind: ValueType | BytesType, step: KeyStep, before: str) -> bytes:
    """What stands before the slot in the hash: text and `bytes` as they are, other keys as a word of 32 bytes.

    Args:
        before: the path up to the key, for a refusal.

    Raises:
        UnusablePath: the key is not of that type, or out of its range; or an address with capitals has a wrong checksum.
    """
    if isinstance(kind, BytesType):
        return _long_key(kind, step, before)
    if kind.kind is Kind.FIXED_BYTES:
        return _hex_key(kind.label, kind.size_bytes, step, before).ljust(WORD_BYTES, b"\0")
    if kind.kind is Kind.ADDRESS:
        address = _hex_key(kind.label, kind.size_bytes, step, before)
        check_checksum(step.key, address, before)
        return address.rjust(WORD_BYTES, b"\0")
    if kind.kind is Kind.BOOL:
        if step.is_quoted or step.key not in ("true", "false"):
            raise _refused(kind, step, before)
        return int(step.key == "true").to_bytes(WORD_BYTES, "big")
    return (_number(kind, step, before) % 2**256).to_bytes(WORD_BYTES, "big")


def array_index(step: KeyStep, before: str, most: int) -> int:
    """An index of an array, 0 to `most`.

    Raises:
        UnusablePath: it is not a decimal number, or out of bounds.
    """
    if step.is_quoted or _DECIMAL.fullmatch(step.key) is None or not 0 <= int(step.key) <= most:
        raise UnusablePath(before, "no such element", got=step.key, expected=f"a decimal index from 0 to {most}")
    return int(step.key)


def _refused(kind: ValueType, step: KeyStep, before: str) -> UnusablePath:
    return UnusablePath(before, f"the key is not of type {kind.label}", got=step.key, expected=_EXPECTED[kind.kind])


def _number(kind: ValueType, step: KeyStep, before: str) -> int:
    text = step.key
    if step.is_quoted:
        raise _refused(kind, step, before)
    if _DECIMAL.fullmatch(text) is not None:
        number = int(text)
    elif kind.kind is Kind.UNSIGNED and _QUANTITY.fullmatch(text) is not None:
        number = int(text, 16)
    else:
        raise _refused(kind, step, before)
    bits = 8 * kind.size_bytes
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if kind.kind is Kind.SIGNED else (0, 2**bits - 1)
    if not least <= number <= most:
        raise UnusablePath(
            before, f"the key is out of the range of {kind.label}", got=text, expected=f"{least} to {most}"
        )
    return number


def _hex_key(label: str, size_bytes: int, step: KeyStep, before: str) -> bytes:
    if step.is_quoted or _HEX.fullmatch(step.key) is None or len(step.key) != 2 + 2 * size_bytes:
        raise UnusablePath(
            before, f"the key is not of type {label}", got=step.key, expected=f"0x and {2 * size_bytes} hex digits"
        )
    return bytes.fromhex(step.key[2:])


def _long_key(kind: BytesType, step: KeyStep, before: str) -> bytes:
    if kind.is_text:
        if not step.is_quoted:
            raise UnusablePath(before, "the key is text", got=step.key, expected='quotes around it, ["text"]')
        return step.key.encode()
    if step.is_quoted or _HEX.fullmatch(step.key) is None:
        raise UnusablePath(before, "the key is bytes", got=step.key, expected="0x and pairs of hex digits")
    return bytes.fromhex(step.key[2:])


def check_checksum(text: str, address: bytes, before: str) -> None:
    """EIP-55, as far as the address has letters in both cases."""
    digits = text[2:]
    if digits in (digits.lower(), digits.upper()):
        return
    marks = keccak256(address.hex().encode()).hex()
    written = "".join(
        digit.upper() if int(mark, 16) >= 8 else digit for digit, mark in zip(address.hex(), marks, strict=False)
    )
    if digits != written:  # the right checksum is not shown: of a mistyped address it would bless the mistake
        raise UnusablePath(before, "the address has a wrong EIP-55 checksum: look where you have it from", got=text)
