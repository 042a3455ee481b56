"""The ASGI application: routers behind the front, every refusal a problem, and its own OpenAPI document."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hutong.relay.api.routers import (
    cases,
    chains,
    events,
    identity,
    messages,
    operations,
    proofs,
    reads,
    records,
    routes,
    sending,
    tokens,
)
from hutong.relay.api.service import Service
from hutong.relay.api.serving.explorer_files import explorer_router
from hutong.relay.api.serving.front import api_front
from hutong.relay.web.front import App
from hutong.relay.web.invalid import sentence
from hutong.relay.web.problems import ApiProblem, problem_of_status, refused_field

DESCRIPTION = """Where every message is and why, what a way costs, transactions to sign, proofs to take home.

Read from the relay's ledger and the chains. Nothing here is proof; bundles are (`hutong audit verify`).
Errors are `application/problem+json` with a stable `code`. Lists are `{items, next}`, newest first.
"""


def create_app(service: Service) -> App:
    """The API and the explorer as an ASGI application, with every refusal a problem.

    The service's tasks (`service.changes.run`) are the server's to run.
    """
    app = FastAPI(
        title="hutong",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        servers=None if service.settings.public_url is None else [{"url": service.settings.public_url}],
        redirect_slashes=False,
    )
    app.state.service = service
    app.add_exception_handler(ApiProblem, _problem)  # type: ignore[arg-type]  # each takes its own exception
    app.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]  # each takes its own exception
    app.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]  # each takes its own exception
    modules = (messages, proofs, records, reads, identity, chains, routes, tokens, cases, sending, operations, events)
    for module in modules:
        app.include_router(module.router)
    app.include_router(explorer_router([route for module in modules for route in module.router.routes]))
    return api_front(app, service)


def _response(problem: ApiProblem) -> Response:
    response = Response(problem.body(), problem.status)
    response.raw_headers = [
        *problem.header_list(),
        (b"content-length", str(len(response.body)).encode()),
    ]
    return response


async def _problem(_request: Request, problem: ApiProblem) -> Response:
    return _response(problem)


async def _invalid(_request: Request, error: RequestValidationError) -> Response:
    """The first thing that is wrong."""
    field, reason = sentence(error.errors()[0])
    return _response(refused_field(field, f"{reason}; see /openapi.json"))


async def _http(_request: Request, error: HTTPException) -> Response:
    return _response(problem_of_status(error.status_code, str(error.detail), error.headers))
