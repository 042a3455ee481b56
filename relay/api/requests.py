"""What routers share: strict parameters, keys, answers as bytes, and how they are documented."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Response, Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from hutong.relay.api.models.base import Problem
from hutong.relay.api.reading.answer_cache import etag_of, target_of
from hutong.relay.api.service import Service
from hutong.relay.schemas.wire import body_of
from hutong.relay.web.api_keys import ApiKey, Scope
from hutong.relay.web.problems import PROBLEM_TYPE, STATUSES, TITLES, ApiProblem, Code

JSON = b"application/json"

Cursor = Annotated[str | None, Query(max_length=300, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=100)]
ChainName = Annotated[str, Path(pattern="^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", examples=["alpha"])]
ClientId = Annotated[str, Path(pattern=r"^[\w+-]{1,64}$", examples=["client-0"])]
Sequence = Annotated[str, Path(pattern="^[1-9][0-9]{0,19}$", examples=["7"])]
HashPath = Annotated[str, Path(pattern="^0x[0-9a-fA-F]{64}$", examples=["0x" + "5e" * 32])]

bearer = HTTPBearer(auto_error=False, scheme_name="api_key", description="A key of `hutong api keys create`.")


def service_of(request: Request) -> Service:
    """The service that `create_app` was given, for routes to depend on."""
    found: Service = request.app.state.service
    return found


InService = Annotated[Service, Depends(service_of)]


def known_parameters(request: Request) -> None:
    """Refuse query parameters that the route does not have, and those that are given twice.

    Raises:
        ApiProblem: naming the parameter.
    """
    route = request.scope.get("route")
    fields = route.dependant.query_params if route is not None else ()
    known = {name for field in fields for name in _names_of(field.field_info.annotation, field.alias)}
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise ApiProblem(
                Code.INVALID_REQUEST, f"unknown query parameter {name[:40]!r}; known here: {listed}", field=name[:40]
            )
        if name in seen:
            raise ApiProblem(Code.INVALID_REQUEST, f"query parameter {name[:40]} is given twice", field=name[:40])
        seen.add(name)


def _names_of(annotation: object, alias: str) -> Iterable[str]:
    """The query parameters of a route's field: one, or those of a model."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.model_fields
    return (alias,)


def needs(scope: Scope) -> Callable[..., ApiKey]:
    """A dependency: the key of the request has the scope.

    `_documented` is for OpenAPI; the front has judged the key before.

    Returns:
        A function that gives the key, or raises ApiProblem: no key (401), or one without the scope (403).
    """

    def check(request: Request, _documented: Annotated[object, Security(bearer)]) -> ApiKey:
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


def refuse_unknown_chain(service: Service, field: str, name: str | None) -> None:
    """Refuse a mistyped name, which would otherwise look like a chain where nothing happened. None is let pass.

    Raises:
        ApiProblem: no configured chain has the name; the known ones are listed.
    """
    known = sorted(chain.name for chain in service.config.chains)
    if name is not None and name not in known:
        raise ApiProblem(
            Code.INVALID_REQUEST,
            f"no chain is called {name[:40]}; there are {', '.join(known)}",
            field=field,
            status=422,
        )


def answer(value: object, status: int = 200) -> Response:
    """A value of `hutong.relay.schemas` as it is, without being validated again."""
    return Response(body_of(value), status, {"cache-control": "no-cache"}, media_type="application/json")


def kept_answer(
    request: Request, service: Service, value: object, names: Iterable[str], changes: int, fresh_s: float
) -> Response:
    """As `answer`, with an ETag, and kept for a moment for all who ask the same; 304 where the client has it.

    Args:
        names: ids whose change drops it.
        changes: the cache's `changes` before the value was read.
        fresh_s: for how long at most it is kept.
    """
    body = body_of(value)
    etag = etag_of(body)
    headers = [(b"content-type", JSON), (b"cache-control", b"no-cache"), (b"etag", etag)]
    service.cache.put(target_of(request.scope), headers, body, etag, names, changes, fresh_s)
    if request.headers.get("if-none-match", "").encode() == etag:
        return Response(status_code=304, headers={"etag": etag.decode()})
    return Response(body, 200, {"cache-control": "no-cache", "etag": etag.decode()}, media_type="application/json")


ALWAYS = (Code.INVALID_REQUEST, Code.UNAUTHORIZED, Code.TOO_LARGE, Code.RATE_LIMITED, Code.DEADLINE_EXCEEDED, Code.BUSY)


def refusals(*codes: Code) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: the problems that a route may answer with, by status."""
    by_status: dict[int | str, list[Code]] = {}
    for code in (*ALWAYS, *codes):
        for status in STATUSES[code]:
            by_status.setdefault(status, []).append(code)
    return {
        status: {
            "model": Problem,
            "description": "; ".join(f"`{code}`: {TITLES[code]}" for code in dict.fromkeys(found)),
            "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, found in sorted(by_status.items(), key=lambda item: int(item[0]))
    }


BUNDLE_LIMIT_S = 60.0
