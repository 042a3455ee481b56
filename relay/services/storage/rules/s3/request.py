"""A request of the S3 protocol as it came, and its canonical form: what Signature Version 4 is over (docs/spec/storage-s3.md).

S3 differs from the other services: a path is neither normalised nor encoded twice, since keys of objects may hold `//` and `/../`.
The danger: a server that decodes otherwise than it judged serves another object than was signed for. So the path is decoded once,
here, and `key_path` is what a gateway looks up.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from hutong.light_clients.interface import MalformedInput

MAX_TARGET_BYTES: Final = 8_192
MAX_HEADERS: Final = 128
MAX_HEADER_BYTES: Final = 8_192
MAX_PARAMETERS: Final = 128
_METHODS: Final = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE"})
_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,2200}")
"""User metadata is up to 2 KiB, its names among it."""
_UNRESERVED: Final = "-._~"


@dataclass(frozen=True, slots=True)
class S3Request:
    """`path` and `query` as they stood in the request line, still encoded; header names in lower case, in the order in which they came."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if self.method not in _METHODS:
            raise MalformedInput("request.method", "is not one of S3", got=self.method)
        if not self.path.startswith("/") or len(self.path) + len(self.query) > MAX_TARGET_BYTES:
            raise MalformedInput("request.target", f"a path from /, at most {MAX_TARGET_BYTES} bytes", got=self.path)
        for field, text in (("path", self.path), ("query", self.query)):
            if not text.isascii() or not text.isprintable() or " " in text or _PERCENT.search(text):
                raise MalformedInput(f"request.{field}", "is not percent-encoded", got=text)
        if len(self.headers) > MAX_HEADERS:
            raise MalformedInput("request.headers", f"more than {MAX_HEADERS}", got=len(self.headers))
        for name, value in self.headers:
            if not _NAME.fullmatch(name) or len(value) > MAX_HEADER_BYTES:
                raise MalformedInput(
                    f"request.headers.{name}", "has no name of a header, or is too long", got=len(value)
                )

    @property
    def key_path(self) -> bytes:
        """The path, decoded once: bucket and key."""
        return unquote_to_bytes(self.path)

    def header(self, name: str) -> str | None:
        """The value of a header that may stand once.

        Raises:
            MalformedInput: it stands twice.
        """
        values = [value for one, value in self.headers if one == name]
        if len(values) > 1:
            raise MalformedInput(f"request.headers.{name}", "stands twice")
        return values[0].strip() if values else None

    def parameters(self) -> tuple[tuple[bytes, bytes], ...]:
        """Names and values of the query, decoded once; a name without `=` has the empty value.

        Raises:
            MalformedInput: more than `MAX_PARAMETERS`.
        """
        parts = [part for part in self.query.split("&") if part]
        if len(parts) > MAX_PARAMETERS:
            raise MalformedInput("request.query", f"more than {MAX_PARAMETERS} parameters", got=len(parts))
        cut = (part.partition("=") for part in parts)
        return tuple((unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in cut)

    def parameter(self, name: str) -> str | None:
        """The value of a parameter that may stand once.

        Raises:
            MalformedInput: it stands twice, or is not ASCII.
        """
        values = [value for one, value in self.parameters() if one == name.encode()]
        if len(values) > 1 or any(not value.isascii() for value in values):
            raise MalformedInput(f"request.query.{name}", "stands twice, or is not ASCII")
        return values[0].decode() if values else None


def canonical_request(request: S3Request, signed: Sequence[str], payload: str, without: str | None) -> bytes:
    """What is hashed into the string to sign.

    Args:
        signed: names of the signed headers, ascending.
        payload: the hash that the request claims of its body, or what stands for it.
        without: a parameter that is left out: the signature itself.

    Raises:
        MalformedInput: too many parameters.
    """
    path = quote_from_bytes(request.key_path, safe="/" + _UNRESERVED)
    pairs = [
        (quote_from_bytes(name, safe=_UNRESERVED), quote_from_bytes(value, safe=_UNRESERVED))
        for name, value in request.parameters()
        if without is None or name != without.encode()
    ]
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs))
    lines = [f"{name}:{_joined(request, name)}\n" for name in signed]
    return "\n".join((request.method, path, query, "".join(lines), ";".join(signed), payload)).encode()


def _joined(request: S3Request, name: str) -> str:
    """All values of a header, each trimmed, with runs of spaces as one."""
    return ",".join(" ".join(value.split()) for one, value in request.headers if one == name)
