"""Checksums of S3 objects and parts: which one a request has, what a part's and a whole object's are, and how they are told."""

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from hutong.relay.services.storage.gateway.s3.crc import CRC32, CRC32C, CRC64NVME, Crc, CrcKind, joined_crc
from hutong.relay.services.storage.gateway.s3.errors import S3Refused

PREFIX: Final = "x-amz-checksum-"
DEFAULT: Final = "crc64nvme"
"""Of an object whose client sent none, as S3 has it."""
_NOT_NAMES: Final = frozenset(("algorithm", "type", "mode"))


class Hash(Protocol):
    """As hashlib's."""

    def update(self, octets: bytes | memoryview, /) -> None:
        """More bytes."""

    def digest(self) -> bytes:
        """Of all of them."""
        ...


class ChecksumType(StrEnum):
    """Whether an object's checksum is over its bytes, or over the checksums of its parts."""

    FULL_OBJECT = "FULL_OBJECT"
    COMPOSITE = "COMPOSITE"


@dataclass(frozen=True, slots=True)
class Algorithm:
    """`crc` where those of parts can be put together."""

    name: str
    size: int
    begin: Callable[[], Hash]
    crc: CrcKind | None = None

    @property
    def header(self) -> str:
        """By which it is sent."""
        return PREFIX + self.name

    @property
    def element(self) -> str:
        """In S3's documents."""
        return f"Checksum{self.name.upper()}"

    def value(self, said: str, refused: S3Refused) -> bytes:
        """The bytes of a value in base64.

        Raises:
            S3Refused: `refused`, where it is none.
        """
        octets = octets_of(said, self.size)
        if octets is None:
            raise refused
        return octets


def octets_of(said: str, size: int) -> bytes | None:
    """Base64 of so many bytes, in its one form; None for anything else."""
    try:
        octets = b64decode(said, validate=True)
    except ValueError:
        return None
    return octets if len(octets) == size and b64encode(octets).decode() == said else None


def _crc(name: str, kind: CrcKind) -> Algorithm:
    return Algorithm(name, kind.bits // 8, lambda: Crc(kind), kind)


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        one.name: one
        for one in (
            _crc("crc32", CRC32),
            _crc("crc32c", CRC32C),
            _crc("crc64nvme", CRC64NVME),
            Algorithm("sha1", 20, lambda: hashlib.sha1(usedforsecurity=False)),
            Algorithm("sha256", 32, hashlib.sha256),
            Algorithm("sha512", 64, hashlib.sha512),
            Algorithm("md5", 16, lambda: hashlib.md5(usedforsecurity=False)),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Checksum:
    """A value, and over what it is."""

    algorithm: Algorithm
    value: str
    """Base64; of a composite one a hyphen and the number of parts after it."""
    kind: ChecksumType = ChecksumType.FULL_OBJECT

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """As an answer has them."""
        return (self.algorithm.header, self.value), (f"{PREFIX}type", self.kind.value)


@dataclass(frozen=True, slots=True)
class AnnouncedChecksum:
    """Of a body that is still to come. `value` is what it must be, None where a trailer says it, or nobody does."""

    algorithm: Algorithm
    value: bytes | None
    is_in_trailer: bool
    is_asked: bool = True


def invalid(header: str) -> S3Refused:
    """A header that is no value of its kind."""
    return S3Refused("InvalidRequest", f"Value for {header} header is invalid.")


def algorithm_named(said: str) -> Algorithm:
    """Of `x-amz-checksum-algorithm`.

    Raises:
        S3Refused: there is none of this name, or it is not supported.
    """
    found = ALGORITHMS.get(said.lower())
    if found is None:
        if said.lower().startswith("xxhash"):
            raise S3Refused("NotImplemented", f"{said} is not supported; send one of {', '.join(ALGORITHMS)}")
        raise S3Refused(
            "InvalidRequest",
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types:"
            " [CRC32, CRC32C, SHA1, SHA256, CRC64NVME, SHA512, MD5]",
        )
    return found


def announced(headers: Mapping[str, str], *, has_trailer: bool) -> AnnouncedChecksum:
    """The one checksum that a request announces; the default where it has none.

    Args:
        has_trailer: whether the body's kind has one.

    Raises:
        S3Refused: more than one, one that is not supported, or no value of its kind.
    """
    named = [name.removeprefix(PREFIX) for name in headers if name.startswith(PREFIX)]
    found = [name for name in named if name not in _NOT_NAMES]
    trailer = headers.get("x-amz-trailer")
    if trailer is not None:
        if not has_trailer or not trailer.startswith(PREFIX):
            raise S3Refused("MalformedTrailerError", "")
        found.append(trailer.removeprefix(PREFIX))
    if len(found) > 1:
        raise _more_than_one()
    said = headers.get("x-amz-sdk-checksum-algorithm")
    if not found:
        return AnnouncedChecksum(ALGORITHMS[DEFAULT] if said is None else algorithm_named(said), None, False, False)
    algorithm = ALGORITHMS.get(found[0])
    if algorithm is None:
        raise S3Refused("NotImplemented", f"{PREFIX}{found[0]} is not supported; send one of {', '.join(ALGORITHMS)}")
    if said is not None and said.lower() != algorithm.name:
        raise invalid("x-amz-sdk-checksum-algorithm")
    if trailer is not None:
        return AnnouncedChecksum(algorithm, None, True)
    value = algorithm.value(headers[algorithm.header], invalid(algorithm.header))
    return AnnouncedChecksum(algorithm, value, False)


def said_of_whole(headers: Mapping[str, str]) -> tuple[Algorithm, str] | None:
    """What the end of an upload says of the whole object: base64, of a composite one perhaps with the number of parts after it.

    Raises:
        S3Refused: more than one, or no value of its kind.
    """
    found = [one for one in ALGORITHMS.values() if one.header in headers]
    if len(found) > 1:
        raise _more_than_one()
    if not found:
        return None
    said = headers[found[0].header]
    if octets_of(re.sub(r"-[0-9]{1,5}\Z", "", said), found[0].size) is None:
        raise invalid(found[0].header)
    return found[0], said


def _more_than_one() -> S3Refused:
    return S3Refused(
        "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
    )


def of_parts(algorithm: Algorithm, kind: ChecksumType, parts: Sequence[tuple[bytes, int]]) -> Checksum:
    """An object's checksum out of its parts' (value, length).

    Raises:
        S3Refused: values of this kind cannot be put together.
    """
    if kind is ChecksumType.COMPOSITE:
        hashing = algorithm.begin()
        for value, _ in parts:
            hashing.update(value)
        return Checksum(algorithm, f"{b64encode(hashing.digest()).decode()}-{len(parts)}", kind)
    if algorithm.crc is None:
        raise S3Refused("InvalidRequest", _no_such_type(algorithm, kind))
    whole = parts[0][0]
    for value, length in parts[1:]:
        whole = joined_crc(algorithm.crc, whole, value, length)
    return Checksum(algorithm, b64encode(whole).decode(), kind)


def type_of_upload(algorithm: Algorithm, said: str | None) -> ChecksumType:
    """What the object of an upload will have: as asked, else over all bytes for crc64nvme and over the parts for the others.

    Raises:
        S3Refused: no such type, or not with this algorithm.
    """
    if said is None:
        return ChecksumType.FULL_OBJECT if algorithm.name == DEFAULT else ChecksumType.COMPOSITE
    try:
        kind = ChecksumType(said.upper())
    except ValueError:
        raise invalid(f"{PREFIX}type") from None
    is_whole = kind is ChecksumType.FULL_OBJECT
    if (is_whole and algorithm.crc is None) or (not is_whole and algorithm.name == DEFAULT):
        raise S3Refused("InvalidRequest", _no_such_type(algorithm, kind))
    return kind


def _no_such_type(algorithm: Algorithm, kind: ChecksumType) -> str:
    return f"The {kind.value} checksum type cannot be used with the {algorithm.name} checksum algorithm."
