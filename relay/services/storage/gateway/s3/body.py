"""The body of an S3 request as a stream: out of its chunks, and judged to its end before the end is told."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import trio

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.base.http import Receive
from hutong.relay.services.storage.gateway.s3.checksums import Algorithm, Checksum, Hash, announced, octets_of
from hutong.relay.services.storage.gateway.s3.errors import S3Refused
from hutong.relay.services.storage.rules.s3.chunks import ChunkedBody, ChunkSeed, ChunkTooSmall
from hutong.relay.services.storage.rules.s3.sigv4 import (
    CHUNKED,
    SIGNED_CHUNKS_TRAILER,
    UNSIGNED,
    UNSIGNED_CHUNKS,
    Authorization,
    body_is_the_signed_one,
)

CHUNK_LIMIT_S: Final = 60.0
"""For the next bytes of a body: a client that sends none holds memory of the pipeline."""
DECODED_LENGTH: Final = "x-amz-decoded-content-length"
_RULES: Final = frozenset(("chunk_is_signed", "trailer_is_signed"))


class CheckedBody:
    """Hands the body on as it comes. At its end length, signatures, Content-MD5 and checksum are judged; only then the end is told."""

    def __init__(
        self,
        receive: Receive,
        authorization: Authorization,
        headers: Mapping[str, str],
        most: int,
        seed: ChunkSeed | None,
        kept: Algorithm | None = None,
    ) -> None:
        """`seed`: what chunks are signed with, where they are. `kept`: the checksum to keep, where another may be announced.

        Raises:
            S3Refused: no length, more than `most` bytes, or a checksum that is not supported.
        """
        payload = authorization.payload
        has_trailer = payload in (UNSIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER)
        self._receive = receive
        self._authorization = authorization
        self._chunks = ChunkedBody(seed, has_trailer=has_trailer) if payload in CHUNKED else None
        length = headers.get("content-length" if self._chunks is None else DECODED_LENGTH)
        if length is None or not length.isascii() or not length.isdecimal():
            raise S3Refused("MissingContentLength", "")
        self.length = int(length)
        if self.length > most:
            raise S3Refused("EntityTooLarge", "")
        self._came = 0
        self._ended = False
        self._signed = hashlib.sha256() if self._chunks is None and payload != UNSIGNED else None
        self._md5 = _md5_of(headers)
        self._md5_hashing = hashlib.md5(usedforsecurity=False)
        self.announced = announced(headers, has_trailer=has_trailer)
        if kept is not None and not self.announced.is_asked:
            self.announced = replace(self.announced, algorithm=kept)
        self._hashing: Hash = self.announced.algorithm.begin()
        self._kept = self.announced.algorithm if kept is None else kept
        self._kept_hashing = self._hashing if self._kept is self.announced.algorithm else self._kept.begin()

    @property
    def checksum(self) -> Checksum:
        """Of all bytes; after the end."""
        return Checksum(self.announced.algorithm, b64encode(self._hashing.digest()).decode())

    @property
    def kept(self) -> Checksum:
        """Of all bytes, by the algorithm that is kept; after the end."""
        return Checksum(self._kept, b64encode(self._kept_hashing.digest()).decode())

    async def read(self) -> bytes:
        """The next bytes; none at the end, once all is judged.

        Raises:
            S3Refused: the client left or is too slow, or the body is not the one that was announced.
        """
        while not self._ended:
            message: Any = None
            with trio.move_on_after(CHUNK_LIMIT_S):
                message = await self._receive()
            if message is None or message["type"] != "http.request":
                raise S3Refused("IncompleteBody", "")
            octets = self._content(message.get("body", b""))
            self._ended = not message.get("more_body", False)
            if octets:
                self._take(octets)
            if self._ended:
                self._judge()
            if octets:
                return octets
        return b""

    async def whole(self) -> bytes:
        """All of a body that fits in memory.

        Raises:
            S3Refused: see `read`.
        """
        octets = bytearray()
        while some := await self.read():
            octets += some
        return bytes(octets)

    def _content(self, octets: bytes) -> bytes:
        if self._chunks is None:
            return octets
        try:
            return b"".join(self._chunks.take(octets))
        except ChunkTooSmall:
            raise S3Refused("InvalidChunkSizeError", "") from None
        except PredicateFailed as error:
            if error.predicate not in _RULES:
                raise
            raise S3Refused("SignatureDoesNotMatch", "") from None
        except MalformedInput as error:
            raise S3Refused(
                "MalformedTrailerError" if error.field == "body.trailer" else "IncompleteBody", ""
            ) from None

    def _take(self, octets: bytes) -> None:
        self._came += len(octets)
        if self._came > self.length:
            raise _another_length()
        if self._signed is not None:
            self._signed.update(octets)
        if self._md5 is not None:
            self._md5_hashing.update(octets)
        self._hashing.update(octets)
        if self._kept_hashing is not self._hashing:
            self._kept_hashing.update(octets)

    def _judge(self) -> None:
        if self._chunks is not None and not self._chunks.is_ended:
            raise S3Refused("IncompleteBody", "")
        if self._came != self.length:
            raise _another_length()
        if self._signed is not None:
            try:
                body_is_the_signed_one(self._authorization, self._signed.digest())
            except PredicateFailed:
                raise S3Refused("XAmzContentSHA256Mismatch", "") from None
        if self._md5 is not None and self._md5_hashing.digest() != self._md5:
            raise S3Refused("BadDigest", "The Content-MD5 you specified did not match what we received.")
        expected = self._expected()
        if expected is not None and self._hashing.digest() != expected:
            name = self.announced.algorithm.name.upper()
            raise S3Refused("BadDigest", f"The {name} you specified did not match the calculated checksum.")

    def _expected(self) -> bytes | None:
        trailers = () if self._chunks is None else self._chunks.trailers
        algorithm = self.announced.algorithm
        if not self.announced.is_in_trailer:
            if trailers:
                raise S3Refused("MalformedTrailerError", "")
            return self.announced.value
        if [name for name, _ in trailers] != [algorithm.header]:
            raise S3Refused("MalformedTrailerError", "")
        wrong = S3Refused("InvalidRequest", f"Value for {algorithm.header} trailing header is invalid.")
        return algorithm.value(trailers[0][1], wrong)


def _another_length() -> S3Refused:
    return S3Refused(
        "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header"
    )


def _md5_of(headers: Mapping[str, str]) -> bytes | None:
    said = headers.get("content-md5")
    if said is None:
        return None
    octets = octets_of(said, 16)
    if octets is None:
        raise S3Refused("InvalidDigest", "", fields=(("Content-MD5", said),))
    return octets
