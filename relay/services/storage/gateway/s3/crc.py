"""Cyclic checksums of S3: zlib's CRC32, ISA-L's CRC32C and CRC64NVME; and those of parts put together without their bytes.

They find what a line or a disk changed, never what a person did: nothing here rests on them, clients do.
"""

import ctypes
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from hutong.light_clients.crypto.erasure import PACKAGE, loaded


@dataclass(frozen=True, slots=True)
class CrcKind:
    """`bits` of the value; `polynomial` with the lowest power first. All of them begin with ones and are inverted at the end."""

    bits: int
    polynomial: int


CRC32: Final = CrcKind(32, 0xEDB88320)
CRC32C: Final = CrcKind(32, 0x82F63B78)
CRC64NVME: Final = CrcKind(64, 0x9A6C9329AC4BC9B5)


class Crc:
    """As hashlib's, of one kind."""

    def __init__(self, kind: CrcKind) -> None:
        self._kind = kind
        self._value = 0

    def update(self, octets: bytes | memoryview, /) -> None:
        """More bytes."""
        self._value = _updated(self._kind, self._value, bytes(octets))

    def digest(self) -> bytes:
        """Of all of them, big-endian."""
        return self._value.to_bytes(self._kind.bits // 8, "big")


def _updated(kind: CrcKind, value: int, octets: bytes) -> int:
    if kind is CRC32:
        return zlib.crc32(octets, value)
    if kind is CRC32C:
        return int(_library().crc32_iscsi(octets, len(octets), value ^ 0xFFFFFFFF)) ^ 0xFFFFFFFF
    return int(_library().crc64_rocksoft_refl(value, octets, len(octets)))


@cache
def _library() -> Any:
    """ISA-L, which is compared with the values of the standard text `123456789` first.

    Raises:
        ErasureNotInstalled: the extra `storage` is not there.
        RuntimeError: it computes wrongly.
    """
    library = loaded(PACKAGE)
    library.crc32_iscsi.argtypes = (ctypes.c_char_p, ctypes.c_int, ctypes.c_uint32)
    library.crc32_iscsi.restype = ctypes.c_uint32
    library.crc64_rocksoft_refl.argtypes = (ctypes.c_uint64, ctypes.c_char_p, ctypes.c_uint64)
    library.crc64_rocksoft_refl.restype = ctypes.c_uint64
    text = b"123456789"
    found = (
        library.crc32_iscsi(text, 9, 0xFFFFFFFF) ^ 0xFFFFFFFF,
        library.crc64_rocksoft_refl(0, text, 9),
    )
    if found != (0xE3069283, 0xAE8B14860A799888):
        raise RuntimeError(f"ISA-L's checksums are wrong: {found}")
    return library


def joined_crc(kind: CrcKind, first: bytes, second: bytes, second_length: int) -> bytes:
    """The checksum of two runs of bytes, out of theirs and the length of the second: the first is moved on by so many zeros.

    As zlib's `crc32_combine`: a product of polynomials modulo the kind's.
    """
    moved = _product(kind, _power(kind, 8 * second_length), int.from_bytes(first, "big"))
    return (moved ^ int.from_bytes(second, "big")).to_bytes(kind.bits // 8, "big")


def _product(kind: CrcKind, left: int, right: int) -> int:
    """Of two polynomials; the highest bit of a value is the power 0."""
    top, found = 1 << kind.bits - 1, 0
    while left:
        if left & top:
            found ^= right
        left = left << 1 & 2 * top - 1
        right = right >> 1 ^ (kind.polynomial if right & 1 else 0)
    return found


def _power(kind: CrcKind, exponent: int) -> int:
    """x to this power, modulo the polynomial."""
    found, square = 1 << kind.bits - 1, 1 << kind.bits - 2
    while exponent:
        if exponent & 1:
            found = _product(kind, square, found)
        square = _product(kind, square, square)
        exponent >>= 1
    return found
