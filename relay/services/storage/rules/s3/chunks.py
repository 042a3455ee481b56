"""Bodies in chunks of `aws-chunked`: each signed or none, with a checksum after the last where one was announced (docs/spec/storage-s3.md).

    size in hex [;chunk-signature=64 digits] CRLF  bytes CRLF  …  0[;chunk-signature=…] CRLF  [name:value CRLF]  [x-amz-trailer-signature:… CRLF]  CRLF

The danger: a server that lets bytes through before it compared them. Here they are handed on while a chunk comes, so whoever stores
them waits for the end, which is told after the last signature was compared.
"""

import hmac
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule

SPEC: Final = "docs/spec/storage-s3.md"
LEAST_CHUNK_BYTES: Final = 8_192
"""Of every chunk but the last that has bytes, as S3 has it."""
MAX_LINE_BYTES: Final = 512
MAX_TRAILERS: Final = 8
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?")
_TRAILER: Final = re.compile(rb"([a-z0-9-]{1,64}) ?: ?([!-~]{0,256})")
_TRAILER_SIGNATURE: Final = "x-amz-trailer-signature"
_NOTHING: Final = sha256(b"").hexdigest()


class ChunkTooSmall(Exception):
    """A chunk that others follow has fewer bytes than `LEAST_CHUNK_BYTES`. One sentence."""


@dataclass(frozen=True, slots=True)
class ChunkSeed:
    """What chunks are signed with: the key of the request's day, its moment, scope and signature."""

    key: bytes
    moment: str
    scope: str
    signature: str


@rule(SPEC)
def chunk_is_signed(seed: ChunkSeed, before: str, chunk_sha256: str, claimed: str) -> None:
    """The chunk was signed by who signed the request, after the chunk before it.

    Raises:
        PredicateFailed: it was not, or bytes or the order were changed.
    """
    said = f"AWS4-HMAC-SHA256-PAYLOAD\n{seed.moment}\n{seed.scope}\n{before}\n{_NOTHING}\n{chunk_sha256}"
    if not hmac.compare_digest(hmac.digest(seed.key, said.encode(), "sha256").hex(), claimed):
        raise PredicateFailed("chunk_is_signed", "another key signed the chunk, or something was changed")


@rule(SPEC)
def trailer_is_signed(seed: ChunkSeed, before: str, trailers: tuple[tuple[str, str], ...], claimed: str) -> None:
    """What stands after the last chunk was signed by who signed the request.

    Raises:
        PredicateFailed: it was not, or was changed.
    """
    lines = "".join(f"{name}:{value}\n" for name, value in trailers)
    digest = sha256(lines.encode()).hexdigest()
    said = f"AWS4-HMAC-SHA256-TRAILER\n{seed.moment}\n{seed.scope}\n{before}\n{digest}"
    if not hmac.compare_digest(hmac.digest(seed.key, said.encode(), "sha256").hex(), claimed):
        raise PredicateFailed("trailer_is_signed", "another key signed the trailer, or it was changed")


class ChunkedBody:
    """Takes the body as it comes, and gives its content. `trailers` are there once `is_ended`."""

    def __init__(self, seed: ChunkSeed | None, *, has_trailer: bool) -> None:
        """`seed` where chunks are signed; `has_trailer` where a trailer's signature is to follow."""
        self._seed = seed
        self._has_trailer = has_trailer
        self._line = bytearray()
        self._left = 0
        self._state = "size"
        self._before = "" if seed is None else seed.signature
        self._claimed = ""
        self._hashing = sha256()
        self._was_small = False
        self.trailers: tuple[tuple[str, str], ...] = ()
        self.is_ended = False

    def take(self, octets: bytes) -> list[memoryview]:
        """Content out of the next bytes.

        Raises:
            MalformedInput: not in this form, or something after its end.
            ChunkTooSmall: see there.
            PredicateFailed: chunk_is_signed or trailer_is_signed does not hold.
        """
        view = memoryview(octets)
        content = []
        while view:
            if self.is_ended:
                raise MalformedInput("body", "goes on after its last chunk")
            if self._state == "bytes":
                some, view = view[: self._left], view[self._left :]
                self._left -= len(some)
                if self._seed is not None:
                    self._hashing.update(some)
                content.append(some)
                if self._left == 0:
                    self._state = "after bytes"
                continue
            view = self._read_line(view)
        return content

    def _read_line(self, view: memoryview) -> memoryview:
        end = bytes(view[: MAX_LINE_BYTES + 2]).find(b"\n")
        taken = view if end < 0 else view[: end + 1]
        self._line += taken
        if len(self._line) > MAX_LINE_BYTES:
            raise MalformedInput("body", f"has a line of more than {MAX_LINE_BYTES} bytes between chunks")
        if end >= 0:
            line = bytes(self._line)
            self._line.clear()
            if not line.endswith(b"\r\n"):
                raise MalformedInput("body", "has a line between chunks that does not end by CRLF")
            self._take_line(line[:-2])
        return view[len(taken) :]

    def _take_line(self, line: bytes) -> None:
        if self._state == "after bytes":
            if line:
                raise MalformedInput("body", "has a chunk that is longer than it says")
            self._check_chunk()
            self._state = "size"
        elif self._state == "size":
            self._begin_chunk(line)
        elif line:
            self._take_trailer(line)
        else:
            self._end()

    def _begin_chunk(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line)
        if match is None or (match[2] is None) != (self._seed is None):
            raise MalformedInput("body", "has a chunk without its size, or without its signature")
        size = int(match[1], 16)
        self._claimed = (match[2] or b"").decode()
        if size and self._was_small:
            raise ChunkTooSmall(f"a chunk that is not the last has fewer than {LEAST_CHUNK_BYTES} bytes")
        self._was_small = size < LEAST_CHUNK_BYTES
        self._left = size
        self._state = "bytes" if size else "trailers"
        if not size:
            self._check_chunk()

    def _check_chunk(self) -> None:
        if self._seed is not None:
            chunk_is_signed(self._seed, self._before, self._hashing.hexdigest(), self._claimed)
            self._before = self._claimed
            self._hashing = sha256()

    def _take_trailer(self, line: bytes) -> None:
        match = _TRAILER.fullmatch(line)
        if match is None or len(self.trailers) == MAX_TRAILERS:
            raise MalformedInput("body.trailer", "has no name and value, or there are too many")
        name, value = match[1].decode(), match[2].decode()
        if any(name == one for one, _ in self.trailers):
            raise MalformedInput("body.trailer", "stands twice")
        self.trailers = (*self.trailers, (name, value))

    def _end(self) -> None:
        signatures = [value for name, value in self.trailers if name == _TRAILER_SIGNATURE]
        self.trailers = tuple(one for one in self.trailers if one[0] != _TRAILER_SIGNATURE)
        needs_one = self._seed is not None and self._has_trailer
        if bool(signatures) != needs_one:
            # Without any trailer it is that which is missed; with one, something of its lines was cut.
            field = "body" if self.trailers or signatures else "body.trailer"
            raise MalformedInput(field, "has no signature of its trailer, or one that was not announced")
        if self._seed is not None and needs_one:
            trailer_is_signed(self._seed, self._before, self.trailers, signatures[0])
        self.is_ended = True
