"""The ASGI application: the routers of the roles that run, behind the front, every refusal in its protocol's form."""

import time
from collections.abc import Sequence

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException

from hutong.relay.base.http import Receive, Send
from hutong.relay.services.identity.daemon.oauth_error import OAuthError
from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.services.identity.serving.front import identity_front
from hutong.relay.services.identity.serving.operations import operations_router
from hutong.relay.services.identity.store.transactions import StoreUnavailable
from hutong.relay.telemetry import get_logger
from hutong.relay.web.front import App, Scope
from hutong.relay.web.invalid import sentence
from hutong.relay.web.problems import ApiProblem, Code, problem_of_status, refused_field
from hutong.relay.web.rate_limit import RateLimit

DESCRIPTION = """Credentials issued, asked for and looked up, by the protocols of the field and a `/v1` of hutong's own.

Errors of `/v1` are `application/problem+json` with a stable `code`; those of OAuth and OpenID end points have their
specifications' form.
"""


BUCKETS_S = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


def create_app(common: Common, roles: Sequence[Role], rate_limit: RateLimit) -> App:
    """The daemon as an ASGI application. The roles' tasks (`Role.run`) are the server's to run."""
    app = FastAPI(
        title="hutong identity",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        servers=[{"url": common.server.public_url}],
        redirect_slashes=False,
    )
    app.add_exception_handler(ApiProblem, _problem)  # type: ignore[arg-type]  # each takes its own exception
    app.add_exception_handler(StoreUnavailable, _store)  # type: ignore[arg-type]  # each takes its own exception
    app.add_exception_handler(OAuthError, _oauth_error)  # type: ignore[arg-type]  # each takes its own exception
    app.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]  # each takes its own exception
    app.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]  # each takes its own exception
    for role in roles:
        app.include_router(role.router)
    app.include_router(operations_router(common, roles))
    return identity_front(_counted(app, common), common, rate_limit, roles)


def _counted(app: App, common: Common) -> App:
    """`app`, its requests counted and timed by route and status; a path that no route has counts as `none`."""
    requests = Counter(
        "hutong_identity_requests",
        "Requests that reached a router, by its route and the answer's status.",
        ["route", "status"],
        registry=common.registry,
    )
    seconds = Histogram(
        "hutong_identity_request_seconds",
        "From a request's head to the end of its answer, by its route: what the server takes of a flow.",
        ["route"],
        buckets=BUCKETS_S,
        registry=common.registry,
    )

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        status, began_s = "none", time.perf_counter()

        async def tell(message: dict[str, object]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await app(scope, receive, tell)
        finally:
            if scope["type"] == "http":
                route = str(getattr(scope.get("route"), "path", "none"))
                requests.labels(route, status).inc()
                seconds.labels(route).observe(time.perf_counter() - began_s)

    return counted


def _response(problem: ApiProblem) -> Response:
    response = Response(problem.body(), problem.status)
    response.raw_headers = [*problem.header_list(), (b"content-length", str(len(response.body)).encode())]
    return response


async def _problem(_request: Request, problem: ApiProblem) -> Response:
    return _response(problem)


async def _store(_request: Request, error: StoreUnavailable) -> Response:
    get_logger("identity").error("the database cannot be used", reason=str(error))
    return _response(ApiProblem(Code.BUSY, "the server's database cannot be used now; its operator must look"))


async def _oauth_error(_request: Request, error: OAuthError) -> Response:
    headers = {"cache-control": "no-store", **error.headers}
    return Response(error.body(), error.status, headers, media_type="application/json")


async def _invalid(_request: Request, error: RequestValidationError) -> Response:
    """The first thing that is wrong."""
    field, reason = sentence(error.errors()[0])
    return _response(refused_field(field, f"{reason}; see /openapi.json"))


async def _http(_request: Request, error: HTTPException) -> Response:
    return _response(problem_of_status(error.status_code, str(error.detail), error.headers))
