"""One S3 request, judged: whose it is, which bucket and key, and its body as a stream that is checked to its end."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.base.http import Receive
from hutong.relay.services.storage.catalogue.rows import MAX_KEY_BYTES
from hutong.relay.services.storage.gateway.s3.body import CheckedBody
from hutong.relay.services.storage.gateway.s3.checksums import PREFIX, Algorithm
from hutong.relay.services.storage.gateway.s3.errors import S3Refused, argument_refused
from hutong.relay.services.storage.rules.s3.chunks import ChunkSeed
from hutong.relay.services.storage.rules.s3.request import S3Request
from hutong.relay.services.storage.rules.s3.sigv4 import Authorization

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class S3Call:
    """A request whose signature was judged. `parameters` by name, decoded."""

    request: S3Request
    authorization: Authorization
    headers: Mapping[str, str]
    parameters: Mapping[str, str]
    bucket: str
    key: bytes
    receive: Receive
    seed: ChunkSeed | None = None
    """What chunks of the body are signed with, where they are."""
    scheme: str = "http"

    def number(self, name: str, default: int, most: int) -> int:
        """A parameter's number, 0 to `most`; above it, `most`.

        Raises:
            S3Refused: not a number.
        """
        value = self.parameters.get(name)
        if not value:
            return default
        if not re.fullmatch(r"-?[0-9]{1,19}", value) or int(value) >= 2**31:
            raise argument_refused(f"Provided {value} not an integer or within integer range", name, value)
        if int(value) < 0:
            raise argument_refused(f"Argument {value} must be an integer between 0 and 2147483647", name, value)
        return min(int(value), most)

    def body(self, most: int, kept: Algorithm | None = None, *, ignores_checksums: bool = False) -> CheckedBody:
        """The body as a stream.

        Args:
            kept: the checksum to keep, where another may be announced.
            ignores_checksums: where those of the headers are of something else than the body.

        Raises:
            S3Refused: it has no length, more than `most` bytes, or a checksum that is not supported.
        """
        headers = self.headers
        if ignores_checksums:
            headers = {name: value for name, value in headers.items() if not name.startswith(PREFIX)}
        return CheckedBody(self.receive, self.authorization, headers, most, self.seed, kept)


def name_of(path: bytes) -> tuple[str, bytes]:
    """Bucket and key of a decoded path; empty where there is none.

    Raises:
        S3Refused: no bucket is called so, or the key is too long or not UTF-8.
    """
    bucket, _, key = path[1:].partition(b"/")
    if bucket and not _BUCKET.fullmatch(bucket.decode(errors="replace")):
        raise S3Refused("InvalidBucketName", "a bucket's name has 3 to 63 of a-z, 0-9, inner hyphens and dots")
    if len(key) > MAX_KEY_BYTES:
        raise S3Refused("KeyTooLongError", "", fields=(("Size", str(len(key))), ("MaxSizeAllowed", str(MAX_KEY_BYTES))))
    try:
        key.decode()
    except UnicodeDecodeError:
        raise S3Refused("InvalidArgument", "a key is UTF-8") from None
    return bucket.decode(), key


def request_of(scope: Any) -> S3Request:
    """The request line and headers as they came.

    Raises:
        S3Refused: not a request of S3.
    """
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
    try:
        return S3Request(scope["method"], path, scope["query_string"].decode("latin-1"), headers)
    except MalformedInput as error:
        if error.field == "request.method":
            raise S3Refused("MethodNotAllowed", "this method is not one of S3") from None
        raise S3Refused("InvalidRequest", str(error)) from None
