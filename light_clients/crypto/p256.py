"""ECDSA on P-256 over SHA-256, for tokens of others' making: read and verified, never signed (pycryptodome).

Of a signature both values of s are accepted, as RFC 7518 §3.4 has it. The functions are total: bad input gives False or None.
"""

from typing import Any

from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS
from Crypto.Util.asn1 import DerSequence

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
COMPRESSED_KEY_BYTES = 33
COORDINATES_BYTES = 64
SIGNATURE_BYTES = 64
_CURVE = "P-256"
_SCALAR_BYTES = 32


def coordinates_of(public_key: bytes) -> bytes | None:
    """64 bytes x ‖ y of a compressed key of 33 bytes; None where it is none, or no point has this x."""
    if len(public_key) != COMPRESSED_KEY_BYTES or public_key[0] not in (2, 3):
        return None
    try:
        point = ECC.import_key(bytes(public_key), curve_name=_CURVE).pointQ
    except ValueError:
        return None
    return b"".join(int(number).to_bytes(_SCALAR_BYTES, "big") for number in (point.x, point.y))


def compress(coordinates: bytes) -> bytes | None:
    """The 33 bytes of x ‖ y; None where that is not 64 bytes of a point of the curve."""
    if len(coordinates) != COORDINATES_BYTES:
        return None
    compressed = bytes([2 + coordinates[-1] % 2]) + coordinates[:_SCALAR_BYTES]
    return compressed if coordinates_of(compressed) == coordinates else None


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether r ‖ s (64 bytes) is by a compressed key over SHA-256 of `message`."""
    if len(signature) != SIGNATURE_BYTES or coordinates_of(public_key) is None:
        return False
    key = ECC.import_key(bytes(public_key), curve_name=_CURVE)
    try:
        DSS.new(key, "fips-186-3").verify(SHA256.new(message), bytes(signature))
    except ValueError:
        return False
    return True


def signature_of_der(der: bytes) -> bytes | None:
    """64 bytes r ‖ s of a signature in strict DER (SEC 1, C.5). None for any other bytes."""
    sequence = DerSequence()
    try:
        sequence.decode(bytes(der), strict=True, nr_elements=2, only_ints_expected=True)
    except (ValueError, IndexError):
        return None
    found: list[Any] = [sequence[0], sequence[1]]  # the library says None of what it reads
    numbers = [one for one in found if isinstance(one, int) and 0 < one < ORDER]
    if len(numbers) != 2 or DerSequence([*numbers]).encode() != bytes(der):
        return None
    return b"".join(number.to_bytes(_SCALAR_BYTES, "big") for number in numbers)
