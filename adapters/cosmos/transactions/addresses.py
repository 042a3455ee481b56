"""Bech32 addresses of accounts (BIP-173): a chain's prefix and 20 or 32 bytes."""

from bech32 import bech32_decode, bech32_encode, convertbits

from hutong.light_clients.crypto.addresses import secp256k1_address
from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.interface import MalformedInput

MAX_ADDRESS_CHARS = 128
"""The longest prefix of BIP-173 with 32 bytes stays below."""
ADDRESS_SIZES = (20, 32)
"""Accounts of keys and modules, and accounts that modules derive."""


def encode_address(prefix: str, raw: bytes) -> str:
    """The bech32 text of an address.

    Raises:
        MalformedInput: `raw` has neither 20 nor 32 bytes.
    """
    if len(raw) not in ADDRESS_SIZES:
        raise MalformedInput("address", "is not 20 or 32 bytes", got=len(raw))
    return bech32_encode(prefix, convertbits(raw, 8, 5) or ())


def decode_address(text: str, prefix: str) -> bytes:
    """The bytes of an address in lower case; every address of a chain has one text only.

    Raises:
        MalformedInput: upper or mixed case, a wrong checksum, another prefix, another length.
    """
    if len(text) > MAX_ADDRESS_CHARS or text != text.lower():
        raise MalformedInput("address", "is too long or not in lower case", got=text)
    found, groups = bech32_decode(text)
    if found is None or groups is None:
        raise MalformedInput("address", "is not a bech32 text, or mistyped: its checksum is wrong", got=text)
    if found != prefix:
        raise MalformedInput("address", "is of another chain", got=found, expected=prefix)
    raw = convertbits(groups, 5, 8, False)
    if raw is None or len(raw) not in ADDRESS_SIZES:
        raise MalformedInput("address", "does not hold 20 or 32 bytes", got=text)
    return bytes(raw)


def account_address(prefix: str, public_key: bytes) -> str:
    """The account of a compressed secp256k1 key: RIPEMD-160 of its SHA-256."""
    return encode_address(prefix, secp256k1_address(public_key))


def module_address(prefix: str, module: str) -> str:
    """The account of a module of the SDK, such as `gov`: the first 20 bytes of the SHA-256 of its name."""
    return encode_address(prefix, sha256(module.encode())[:20])
