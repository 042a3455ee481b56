"""Requests of the operator API, read in the one way: paths, queries in which nothing stands twice, tokens (docs/spec/storage-operator-api.md)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from hutong.light_clients.interface.height import MAX_UINT64
from hutong.relay.services.storage.rules.operator_api.access import SCHEME
from hutong.relay.services.storage.rules.operator_api.refusals import RefusalCode, RequestRefused
from hutong.relay.services.storage.rules.packs.shape import MAX_PACK_SHARDS
from hutong.relay.web.rate_limit import client_of

MAX_TARGET_BYTES: Final = 1_024
MAX_PARAMETERS: Final = 8
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,19}")


@dataclass(frozen=True, slots=True)
class Target:
    """A path in its parts, and the parameters of its query; what is taken is counted, so that nothing unknown is passed over."""

    method: str
    parts: tuple[str, ...]
    parameters: Mapping[str, str]

    def only(self, *names: str) -> None:
        """Refuse parameters of other names.

        Raises:
            RequestRefused: there is one.
        """
        for name in self.parameters:
            if name not in names:
                raise _bad(f"parameter {name[:40]!r} is not known here")

    def number(self, name: str, most: int = MAX_UINT64, default: int | None = None) -> int:
        """A parameter that is a number.

        Raises:
            RequestRefused: it is missing and has no default, or is not a number up to `most`.
        """
        text = self.parameters.get(name)
        if text is None and default is not None:
            return default
        return read_number(text, name, most)

    def hash(self, name: str) -> bytes:
        """A parameter of 32 bytes.

        Raises:
            RequestRefused: it is missing or has another form.
        """
        return read_hash(self.parameters.get(name), name)


def read_target(scope: Mapping[str, Any]) -> Target:
    """What a request line asks for.

    Raises:
        RequestRefused: too long, not ASCII, or a parameter twice.
    """
    path, query = scope["path"], scope["query_string"]
    if len(path) + len(query) > MAX_TARGET_BYTES or not path.isascii():
        raise _bad(f"the path is not one of this API, or longer than {MAX_TARGET_BYTES} bytes")
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query), max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        raise _bad("the query is not a list of name=value") from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise _bad("a parameter stands twice")
    return Target(scope["method"], tuple(path.removeprefix("/").split("/")), parameters)


def read_hash(text: str | None, name: str) -> bytes:
    """64 lower-case hexadecimal digits.

    Raises:
        RequestRefused: something else.
    """
    if text is None or _HASH.fullmatch(text) is None:
        raise _bad(f"{name} must be 64 lower-case hexadecimal digits")
    return bytes.fromhex(text)


def read_number(text: str | None, name: str, most: int = MAX_UINT64) -> int:
    """A decimal number without leading zeros.

    Raises:
        RequestRefused: something else, or above `most`.
    """
    if text is None or _NUMBER.fullmatch(text) is None or int(text) > most:
        raise _bad(f"{name} must be a number up to {most}")
    return int(text)


def read_shard_number(text: str) -> int:
    """Of a shard in its pack.

    Raises:
        RequestRefused: no pack has it.
    """
    return read_number(text, "shard", MAX_PACK_SHARDS - 1)


def read_client(scope: Mapping[str, Any], *, is_behind_proxy: bool) -> str:
    """Who asks, by address: an IPv6 network of 64 bits is one client.

    Args:
        is_behind_proxy: the last address of `X-Forwarded-For` counts, which the proxy wrote; without one it is the connection's.
    """
    peer = scope["client"][0] if scope.get("client") else ""
    said = headers_of(scope, b"x-forwarded-for") if is_behind_proxy else []
    last = said[-1].decode("latin-1").rpartition(",")[2].strip() if said else ""
    return client_of(last or str(peer))


def headers_of(scope: Mapping[str, Any], name: bytes) -> list[bytes]:
    """The values of a header, lower-case name, in their order."""
    return [value for key, value in scope["headers"] if key == name]


def read_token(scope: Mapping[str, Any]) -> str:
    """The bearer token of a request.

    Raises:
        RequestRefused: none, or several.
    """
    given = headers_of(scope, b"authorization")
    if len(given) != 1 or not given[0].startswith(SCHEME.encode()):
        raise RequestRefused(RefusalCode.UNAUTHORIZED, "send one `Authorization: Bearer TOKEN` that a writer signed")
    return given[0][len(SCHEME) :].decode("ascii", "replace")


def read_length(scope: Mapping[str, Any], expected: int) -> None:
    """That a put says the length that its height has, before any of it is read.

    Raises:
        RequestRefused: it does not say it, or another.
    """
    given = headers_of(scope, b"content-length")
    if len(given) != 1:
        raise RequestRefused(RefusalCode.LENGTH_REQUIRED, "a put says its Content-Length")
    length = read_number(given[0].decode("ascii", "replace"), "Content-Length")
    if length > expected:
        raise RequestRefused(RefusalCode.TOO_LARGE, f"a shard of this height has {expected} bytes")
    if length < expected:
        raise _bad(f"a shard of this height has {expected} bytes")


def _bad(detail: str) -> RequestRefused:
    return RequestRefused(RefusalCode.BAD_REQUEST, detail)
