"""Solidity's `Error(string)`: revert data that every wallet shows as a sentence."""

from eth_abi.abi import encode

ERROR_STRING_SELECTOR = bytes.fromhex("08c379a0")


def error_string(text: str) -> bytes:
    """The whole revert data: the 4-byte selector and the ABI encoding of `text`, whose length is not bounded here."""
    return ERROR_STRING_SELECTOR + encode(["string"], [text])
