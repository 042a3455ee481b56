"""Bodies of requests, read in the one way: strict JSON, and forms in which no parameter stands twice."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from fastapi import Request

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.jose import JsonObject, read_json_object
from hutong.relay.web.api_keys import ApiKey, Scope
from hutong.relay.web.problems import ApiProblem, Code

MAX_BODY_BYTES = 512 * 1024
"""A batch of 100 proofs, each with a key attestation of some kilobytes, is the largest."""
MAX_FORM_FIELDS = 64
FORM = b"application/x-www-form-urlencoded"


async def json_body(request: Request) -> JsonObject:
    """The body as one JSON object of which every parser reads the same value.

    Raises:
        MalformedInput: it is not one, such as for a member that stands twice; the caller gives it its protocol's form.
    """
    return read_json_object(await request.body(), "body", MAX_BODY_BYTES)


async def form_body(request: Request) -> Mapping[str, str]:
    """The parameters of a form.

    Raises:
        MalformedInput: not a form, not UTF-8, too many parameters, or one that stands twice (RFC 6749 §3.2).
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM.decode():
        raise MalformedInput("content-type", f"is not {FORM.decode()}", got=media_type[:80])
    return read_form(await request.body())


def read_form(body: bytes) -> Mapping[str, str]:
    """As `form_body`, from bytes."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MAX_FORM_FIELDS,
        )
    except ValueError:
        raise MalformedInput("body", "is not a form of at most 64 parameters in UTF-8") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise MalformedInput("body", f"has the parameter {name[:40]!r} twice")
        found[name] = value
    return found


def needs(scope: Scope) -> Callable[[Request], ApiKey]:
    """A dependency: the request's key has the scope.

    Returns:
        A function that gives the key, or raises ApiProblem: no key (401), or one without the scope (403).
    """

    def check(request: Request) -> ApiKey:
        key: ApiKey | None = request.scope.get("hutong.key")
        if key is None:
            raise ApiProblem(
                Code.UNAUTHORIZED,
                f"a key with scope {scope} is needed: send `Authorization: Bearer hk_…`",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if scope not in key.scopes:
            raise ApiProblem(Code.FORBIDDEN, f"the key does not have the scope {scope}; use one that has")
        return key

    return check
