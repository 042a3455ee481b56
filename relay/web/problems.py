"""Refusals as Problem+JSON (RFC 9457) with stable codes: the table of docs/spec/api.md."""

import json
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

PROBLEM_TYPE = "application/problem+json"
MAX_DETAIL_CHARS = 600


class Code(StrEnum):
    """What is wrong, for programs; a code never changes its meaning."""

    INVALID_REQUEST = "invalid_request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    NOT_EXPORTABLE = "not_exportable"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    REFUSED_BY_CHAIN = "refused_by_chain"
    NOT_SUPPORTED = "not_supported"
    RATE_LIMITED = "rate_limited"
    CHAIN_UNAVAILABLE = "chain_unavailable"
    LEDGER_UNAVAILABLE = "ledger_unavailable"
    BUSY = "busy"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    INTERNAL_ERROR = "internal_error"


STATUSES: Mapping[Code, tuple[int, ...]] = MappingProxyType(
    {
        Code.INVALID_REQUEST: (400, 422),
        Code.UNAUTHORIZED: (401,),
        Code.FORBIDDEN: (403,),
        Code.NOT_FOUND: (404,),
        Code.METHOD_NOT_ALLOWED: (405,),
        Code.CONFLICT: (409,),
        Code.NOT_EXPORTABLE: (409,),
        Code.TOO_LARGE: (413, 414, 431),
        Code.UNSUPPORTED_MEDIA_TYPE: (415,),
        Code.REFUSED_BY_CHAIN: (422,),
        Code.NOT_SUPPORTED: (422,),
        Code.RATE_LIMITED: (429,),
        Code.CHAIN_UNAVAILABLE: (503,),
        Code.LEDGER_UNAVAILABLE: (503,),
        Code.BUSY: (503,),
        Code.DEADLINE_EXCEEDED: (504,),
        Code.INTERNAL_ERROR: (500,),
    }
)
"""The first one unless a refusal says another."""

TITLES: Mapping[Code, str] = MappingProxyType(
    {
        Code.INVALID_REQUEST: "The request is not one of this API",
        Code.UNAUTHORIZED: "A key is needed",
        Code.FORBIDDEN: "The key lacks the scope",
        Code.NOT_FOUND: "There is no such thing",
        Code.METHOD_NOT_ALLOWED: "The address takes other methods",
        Code.CONFLICT: "The idempotency key was used for another request",
        Code.NOT_EXPORTABLE: "There is no bundle of it yet",
        Code.TOO_LARGE: "The request is too large",
        Code.UNSUPPORTED_MEDIA_TYPE: "The body must be JSON",
        Code.REFUSED_BY_CHAIN: "The chain would refuse it",
        Code.NOT_SUPPORTED: "It is not supported",
        Code.RATE_LIMITED: "Too many requests",
        Code.CHAIN_UNAVAILABLE: "A chain does not answer",
        Code.LEDGER_UNAVAILABLE: "The ledger cannot be read",
        Code.BUSY: "The server is at capacity",
        Code.DEADLINE_EXCEEDED: "It took too long",
        Code.INTERNAL_ERROR: "The server failed",
    }
)


class ApiProblem(Exception):
    """A request that cannot be answered; `detail` is one sentence: what is wrong, what to do."""

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        field: str | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code
        self.detail = detail[:MAX_DETAIL_CHARS]
        self.field = field
        self.status = STATUSES[code][0] if status is None else status
        self.headers = dict(headers or {})
        super().__init__(code, self.detail)

    def __str__(self) -> str:
        return self.detail

    def body(self) -> bytes:
        """The problem document as JSON (RFC 9457), with `code` and, where one is at fault, `field`."""
        document: dict[str, object] = {
            "type": f"urn:hutong:problem:{self.code}",
            "title": TITLES[self.code],
            "status": self.status,
            "detail": self.detail,
            "code": self.code.value,
        }
        if self.field is not None:
            document["field"] = self.field
        return json.dumps(document, ensure_ascii=False).encode()

    def header_list(self) -> list[tuple[bytes, bytes]]:
        """As ASGI takes them."""
        return [
            (b"content-type", PROBLEM_TYPE.encode()),
            (b"cache-control", b"no-store"),
            *((name.lower().encode(), value.encode()) for name, value in self.headers.items()),
        ]


def refused_field(field: str, detail: str) -> ApiProblem:
    """A field of a request that cannot be what it is: 422, to be raised by the caller.

    Args:
        detail: goes on from the field's name, such as "is not an address".
    """
    return ApiProblem(Code.INVALID_REQUEST, f"{field} {detail}", field=field, status=422)


_BY_STATUS: Mapping[int, Code] = MappingProxyType(
    {
        400: Code.INVALID_REQUEST,
        401: Code.UNAUTHORIZED,
        403: Code.FORBIDDEN,
        404: Code.NOT_FOUND,
        405: Code.METHOD_NOT_ALLOWED,
        413: Code.TOO_LARGE,
        415: Code.UNSUPPORTED_MEDIA_TYPE,
        503: Code.BUSY,
    }
)


def problem_of_status(status: int, detail: str, headers: Mapping[str, str] | None) -> ApiProblem:
    """What a web framework refused by itself, such as a path that no route has.

    Args:
        headers: of its refusal; `Allow` is kept.
    """
    code = _BY_STATUS.get(status, Code.INVALID_REQUEST)
    if code is Code.METHOD_NOT_ALLOWED:
        allowed = (headers or {}).get("Allow", "GET")
        return ApiProblem(code, f"this address takes {allowed}", status=405, headers={"Allow": allowed})
    return ApiProblem(code, detail, status=status)
