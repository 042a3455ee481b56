"""What an operator answers where it does not do what it was asked: problem documents with stable codes (RFC 9457)."""

import json
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json

PROBLEM_TYPE: Final = "application/problem+json"
MAX_DETAIL_CHARS: Final = 600
MAX_PROBLEM_BYTES: Final = 16 * 1_024


class RefusalCode(StrEnum):
    """What is wrong, for programs; a code never changes its meaning."""

    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    RETAINED = "retained"
    NOT_PLACED = "not_placed"
    LOST = "lost"
    REMOVED = "removed"
    LENGTH_REQUIRED = "length_required"
    TOO_LARGE = "too_large"
    WRONG_ROOT = "wrong_root"
    QUOTA = "quota"
    BUSY = "busy"
    DRAINING = "draining"
    ENGINE_UNAVAILABLE = "engine_unavailable"
    HUB_UNAVAILABLE = "hub_unavailable"
    INTERNAL_ERROR = "internal_error"


STATUSES: Mapping[RefusalCode, int] = MappingProxyType(
    {
        RefusalCode.BAD_REQUEST: 400,
        RefusalCode.UNAUTHORIZED: 401,
        RefusalCode.FORBIDDEN: 403,
        RefusalCode.NOT_FOUND: 404,
        RefusalCode.METHOD_NOT_ALLOWED: 405,
        RefusalCode.CONFLICT: 409,
        RefusalCode.RETAINED: 409,
        RefusalCode.NOT_PLACED: 409,
        RefusalCode.LOST: 409,
        RefusalCode.REMOVED: 410,
        RefusalCode.LENGTH_REQUIRED: 411,
        RefusalCode.TOO_LARGE: 413,
        RefusalCode.WRONG_ROOT: 422,
        RefusalCode.QUOTA: 507,
        RefusalCode.BUSY: 503,
        RefusalCode.DRAINING: 503,
        RefusalCode.ENGINE_UNAVAILABLE: 503,
        RefusalCode.HUB_UNAVAILABLE: 503,
        RefusalCode.INTERNAL_ERROR: 500,
    }
)
_TITLES: Mapping[RefusalCode, str] = MappingProxyType(
    {
        RefusalCode.BAD_REQUEST: "The request is not one of this API",
        RefusalCode.UNAUTHORIZED: "A token of a writer is needed",
        RefusalCode.FORBIDDEN: "The token does not give this right",
        RefusalCode.NOT_FOUND: "There is no such thing",
        RefusalCode.METHOD_NOT_ALLOWED: "The address takes other methods",
        RefusalCode.CONFLICT: "Something else is held",
        RefusalCode.RETAINED: "The shard is retained",
        RefusalCode.NOT_PLACED: "No batch has the shard",
        RefusalCode.LOST: "Bytes are lost",
        RefusalCode.REMOVED: "The shard was removed",
        RefusalCode.LENGTH_REQUIRED: "The length is needed",
        RefusalCode.TOO_LARGE: "The request is too large",
        RefusalCode.WRONG_ROOT: "The bytes are not the shard",
        RefusalCode.QUOTA: "There is no room",
        RefusalCode.BUSY: "The operator is at capacity",
        RefusalCode.DRAINING: "The operator takes no new shards",
        RefusalCode.ENGINE_UNAVAILABLE: "The engine cannot be used",
        RefusalCode.HUB_UNAVAILABLE: "The hub does not answer",
        RefusalCode.INTERNAL_ERROR: "The operator failed",
    }
)
PASSING: Final = frozenset(
    (RefusalCode.BUSY, RefusalCode.ENGINE_UNAVAILABLE, RefusalCode.HUB_UNAVAILABLE, RefusalCode.INTERNAL_ERROR)
)
"""The same request may be answered later."""


class RequestRefused(Exception):
    """A request that an operator does not do; `detail` is one sentence: what is wrong, what to do."""

    def __init__(self, code: RefusalCode, detail: str) -> None:
        self.code = code
        self.detail = detail[:MAX_DETAIL_CHARS]
        super().__init__(code, self.detail)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    @property
    def status(self) -> int:
        """Of HTTP."""
        return STATUSES[self.code]


def encode_problem(refused: RequestRefused) -> bytes:
    """The body of the answer."""
    return json.dumps(
        {
            "type": f"urn:hutong:problem:{refused.code}",
            "title": _TITLES[refused.code],
            "status": refused.status,
            "detail": refused.detail,
            "code": refused.code.value,
        }
    ).encode()


def decode_problem(octets: bytes, status: int) -> RequestRefused:
    """What an operator refused, as whoever asked reads it. A proxy's own page is `internal_error`, whatever it says.

    Args:
        status: of the answer.
    """
    try:
        found = parse_json(octets, "problem", MAX_PROBLEM_BYTES)
        code, detail = RefusalCode(found["code"]), str(found["detail"])
    except (MalformedInput, KeyError, TypeError, ValueError):
        return RequestRefused(RefusalCode.INTERNAL_ERROR, f"answered with status {status} and no problem document")
    return RequestRefused(code, detail)
