"""Keys from elsewhere: hex or a BIP-39 mnemonic, read from a private file or from standard input, never from arguments."""

import os
import re
import unicodedata

MAX_IMPORT_BYTES = 1024
MNEMONIC_WORDS = (12, 15, 18, 21, 24)
DEFAULT_PATH = "m/44'/60'/0'/0/0"
"""The first account of the usual Ethereum wallets."""
CURVE_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141

_PATH = re.compile(r"m(/[0-9]{1,10}'?){1,10}", re.ASCII)
_HEX = re.compile(r"(0x)?[0-9a-fA-F]{64}", re.ASCII)


class KeyRefused(Exception):
    """What was given is not a key; `reason` never repeats any of it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def new_key() -> bytes:
    """32 random bytes of the system's source, which are a key of secp256k1."""
    while True:  # a number outside the curve's order comes once in 2^128
        key = os.urandom(32)
        if 0 < int.from_bytes(key, "big") < CURVE_ORDER:
            return key


def key_from_hex(content: bytes) -> bytes:
    """32 bytes from 64 hex digits, with or without 0x and a line break.

    Raises:
        KeyRefused: anything else, or a number that is no key of secp256k1.
    """
    text = _text(content)
    if _HEX.fullmatch(text) is None:
        raise KeyRefused("is not a key of 32 bytes in hex")
    key = bytes.fromhex(text.removeprefix("0x"))
    if not 0 < int.from_bytes(key, "big") < CURVE_ORDER:
        raise KeyRefused("is not between 1 and the order of secp256k1")
    return key


def key_from_mnemonic(content: bytes, path: str = DEFAULT_PATH) -> bytes:
    """The key of a BIP-39 phrase (English words, no passphrase) at a BIP-32 path.

    Raises:
        KeyRefused: a wrong number of words, an unknown word, a wrong checksum, or no such path.
    """
    if _PATH.fullmatch(path) is None or any(int(part.rstrip("'")) >= 2**31 for part in path.split("/")[1:]):
        raise KeyRefused("the path is not of the form m/44'/60'/0'/0/0")
    # Late, here and below in this package: eth-account and eth-keyfile cost every command 0.4 s that needs no key.
    from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
    from eth_account.hdaccount.mnemonic import Mnemonic
    from eth_account.types import Language

    words = unicodedata.normalize("NFKD", _text(content)).lower().split()
    if len(words) not in MNEMONIC_WORDS:
        raise KeyRefused(f"a mnemonic has 12, 15, 18, 21 or 24 words, this one has {len(words)}")
    phrase = " ".join(words)
    if not Mnemonic(Language.ENGLISH).is_mnemonic_valid(phrase):
        raise KeyRefused("is not a valid English mnemonic: a word is unknown, or its checksum is wrong")
    return bytes(key_from_seed(seed_from_mnemonic(phrase, ""), path))


def _text(content: bytes) -> str:
    if len(content) > MAX_IMPORT_BYTES:
        raise KeyRefused(f"has more than {MAX_IMPORT_BYTES} bytes")
    try:
        return content.decode().strip()
    except UnicodeDecodeError:
        raise KeyRefused("is not text") from None
