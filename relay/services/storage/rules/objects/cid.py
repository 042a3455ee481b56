"""Content ids (multiformats CID): the hash of what they name, with the codec in which that is to be read.

Reading is strict: varints are minimal, nothing follows the digest. What a CID claims is compared by whoever has the bytes.
"""

from base64 import b32decode, b32encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.dids.base58 import decode_base58, encode_base58

RAW: Final = 0x55
DAG_PB: Final = 0x70
DAG_CBOR: Final = 0x71
SHA2_256: Final = 0x12
SHA2_256_BYTES: Final = 32
MAX_DIGEST_BYTES: Final = 128
MAX_CID_BYTES: Final = 160
_MAX_VARINT_BYTES: Final = 9
_V0_BYTES: Final = bytes([SHA2_256, SHA2_256_BYTES])


@dataclass(frozen=True, slots=True)
class Cid:
    """`hash_code` and `digest` are the multihash; version 0 has codec DAG_PB and SHA2_256."""

    version: int
    codec: int
    hash_code: int
    digest: bytes

    def __post_init__(self) -> None:
        if self.version not in (0, 1):
            raise MalformedInput("cid.version", "is not 0 or 1", got=self.version)
        if self.version == 0 and (self.codec, self.hash_code, len(self.digest)) != (DAG_PB, SHA2_256, SHA2_256_BYTES):
            raise MalformedInput("cid", "version 0 is of dag-pb and sha2-256", got=self.digest)
        if len(self.digest) > MAX_DIGEST_BYTES:
            raise MalformedInput("cid.digest", f"more than {MAX_DIGEST_BYTES} bytes", got=len(self.digest))
        if self.hash_code == SHA2_256 and len(self.digest) != SHA2_256_BYTES:
            raise MalformedInput("cid.digest", "is not 32 bytes", got=len(self.digest))

    @classmethod
    def of(cls, octets: bytes, codec: int = DAG_CBOR) -> Self:
        """Version 1, sha2-256."""
        return cls(1, codec, SHA2_256, sha256(octets).digest())

    def names(self, octets: bytes) -> bool:
        """Whether the bytes have this hash; False for a hash function other than sha2-256, which is not offered."""
        return self.hash_code == SHA2_256 and sha256(octets).digest() == self.digest

    def to_bytes(self) -> bytes:
        """The binary form."""
        if self.version == 0:
            return _V0_BYTES + self.digest
        parts = (self.version, self.codec, self.hash_code, len(self.digest))
        return b"".join(map(encode_varint, parts)) + self.digest

    def __str__(self) -> str:
        if self.version == 0:
            return encode_base58(self.to_bytes())
        return "b" + b32encode(self.to_bytes()).decode().lower().rstrip("=")


def encode_varint(number: int) -> bytes:
    """An unsigned varint (multiformats), minimal."""
    octets = bytearray()
    while number >= 0x80:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def read_varint(octets: bytes, at: int, field: str) -> tuple[int, int]:
    """A varint and where it ends.

    Raises:
        MalformedInput: it ends too early, is longer than nine bytes, or is not minimal.
    """
    number = 0
    for length in range(_MAX_VARINT_BYTES):
        if at + length >= len(octets):
            raise MalformedInput(field, "ends within a varint")
        octet = octets[at + length]
        number |= (octet & 0x7F) << 7 * length
        if octet < 0x80:
            if octet == 0 and length:
                raise MalformedInput(field, "a varint that is not minimal", got=octets[at : at + length + 1])
            return number, at + length + 1
    raise MalformedInput(field, "a varint of more than nine bytes", got=octets[at : at + _MAX_VARINT_BYTES])


def read_cid(octets: bytes, at: int = 0) -> tuple[Cid, int]:
    """A binary CID that begins at `at`, and where it ends.

    Raises:
        MalformedInput: it is none, or is longer than its bounds.
    """
    if octets[at : at + 2] == _V0_BYTES:
        digest = octets[at + 2 : at + 2 + SHA2_256_BYTES]
        if len(digest) != SHA2_256_BYTES:
            raise MalformedInput("cid.digest", "ends too early", got=len(digest), expected=SHA2_256_BYTES)
        return Cid(0, DAG_PB, SHA2_256, digest), at + 2 + SHA2_256_BYTES
    version, at = read_varint(octets, at, "cid.version")
    if version != 1:
        raise MalformedInput("cid.version", "is not 1", got=version)
    codec, at = read_varint(octets, at, "cid.codec")
    hash_code, at = read_varint(octets, at, "cid.hash")
    size, at = read_varint(octets, at, "cid.size")
    if size > MAX_DIGEST_BYTES or at + size > len(octets):
        raise MalformedInput("cid.digest", "ends too early, or is too long", got=size)
    return Cid(1, codec, hash_code, octets[at : at + size]), at + size


def decode_cid(octets: bytes) -> Cid:
    """Inverse of `Cid.to_bytes`.

    Raises:
        MalformedInput: see `read_cid`, or bytes after the end.
    """
    cid, end = read_cid(octets)
    if end != len(octets):
        raise MalformedInput("cid", "bytes after the digest", got=len(octets) - end)
    return cid


def parse_cid(text: str) -> Cid:
    """A CID in base32 with lower case letters (version 1), or in base58btc (version 0). Inverse of `str`.

    Raises:
        MalformedInput: another base, letters that are none of it, or bytes that are no CID.
    """
    if len(text) > 2 * MAX_CID_BYTES:
        raise MalformedInput("cid", "is too long", got=len(text))
    if text.startswith("Qm"):
        cid = decode_cid(decode_base58(text, "cid"))
    elif text.startswith("b") and text == text.lower():
        body = text[1:].upper()
        try:
            cid = decode_cid(b32decode(body + "=" * (-len(body) % 8)))
        except ValueError as error:
            raise MalformedInput("cid", "is not base32", got=text) from error
    else:
        raise MalformedInput("cid", "is neither base32 nor of version 0", got=text)
    if str(cid) != text:
        raise MalformedInput("cid", "another spelling of a CID", got=text, expected=str(cid))
    return cid
