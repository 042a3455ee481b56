"""SM2 signatures and the SM3 hash (GB/T 32918 and 32905) by GmSSL, from the optional extra `gm`.

The library is looked for when a function is called: everything else works without it, and what needs it fails with
`GmNotInstalled`. The verifying functions are total: bad input gives False.
"""

from functools import cache
from types import ModuleType

NOT_INSTALLED = "SM2 and SM3 without the extra `gm` (pip install 'hutong[gm]')"
DIGEST_BYTES = 32
PUBLIC_KEY_BYTES = 64
SIGNATURE_BYTES = 64

FIELD_PRIME = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93


class GmNotInstalled(ImportError):
    """The extra `gm` is not installed."""

    def __init__(self) -> None:
        super().__init__(NOT_INSTALLED)


@cache
def _library() -> ModuleType | None:
    try:
        import gmssl_pyx
    except ImportError:
        return None
    module: ModuleType = gmssl_pyx
    return module


def is_installed() -> bool:
    """Whether the functions of this module can be called."""
    return _library() is not None


def _required() -> ModuleType:
    library = _library()
    if library is None:
        raise GmNotInstalled
    return library


def sm3(data: bytes) -> bytes:
    """The digest, 32 bytes.

    Raises:
        GmNotInstalled: the extra is not there.
    """
    digest: bytes = _required().sm3_hash(bytes(data))
    return digest


def is_public_key(public_key: bytes) -> bool:
    """Whether 64 bytes x ‖ y, big-endian, are a point of sm2p256v1. Needs no library."""
    if len(public_key) != PUBLIC_KEY_BYTES:
        return False
    x, y = int.from_bytes(public_key[:32], "big"), int.from_bytes(public_key[32:], "big")
    return x < FIELD_PRIME and y < FIELD_PRIME and (y * y - x * x * x + 3 * x - _B) % FIELD_PRIME == 0


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """`signature` is r ‖ s (64 bytes) over `message` with the standard's own identifier, `1234567812345678`.

    False for any other input, wrong lengths included. SM2 signatures have no twin.

    Raises:
        GmNotInstalled: the extra is not there.
    """
    library = _required()
    if not _can_be_judged(public_key, signature):
        return False
    return _ask(library, library.sm2_verify, public_key, message, signature)


def verify_digest(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    """As `verify`, over a final digest e of 32 bytes: neither key nor identifier is hashed into it.

    Raises:
        GmNotInstalled: the extra is not there.
    """
    library = _required()
    if len(digest) != DIGEST_BYTES or not _can_be_judged(public_key, signature):
        return False
    return _ask(library, library.sm2_verify_sm3_digest, public_key, digest, signature)


def _can_be_judged(public_key: bytes, signature: bytes) -> bool:
    if len(signature) != SIGNATURE_BYTES or not is_public_key(public_key):
        return False
    return all(0 < int.from_bytes(half, "big") < ORDER for half in (signature[:32], signature[32:]))


def _ask(library: ModuleType, function: object, public_key: bytes, message: bytes, signature: bytes) -> bool:
    assert callable(function)
    try:
        return bool(function(bytes(public_key), bytes(message), _to_der(signature)))
    except library.GmsslInnerError:
        return False


def _to_der(signature: bytes) -> bytes:
    """The library speaks ASN.1 (SEQUENCE of two INTEGERs); halves are at most 33 bytes, so lengths are one byte."""
    body = b"".join(_der_integer(half) for half in (signature[:32], signature[32:]))
    return bytes([0x30, len(body)]) + body


def _der_integer(half: bytes) -> bytes:
    digits = half.lstrip(b"\0") or b"\0"
    if digits[0] & 0x80:
        digits = b"\0" + digits
    return bytes([0x02, len(digits)]) + digits
