"""`/login`: what applications and browsers call. Discovery, keys, the authorization and the token end point, and the page."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final
from urllib.parse import urlencode

import anyio
from authlib.oauth2.rfc6749 import OAuth2Error
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from hutong.adapters.interface import SigningFailed
from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.daemon.oauth_error import OAuthError
from hutong.relay.services.identity.daemon.requests import FORM, form_body, read_form
from hutong.relay.services.identity.login.person import NobodyShown, person_of
from hutong.relay.services.identity.login.provider import MAX_PARAMETER_CHARS, SCOPE, Provider
from hutong.relay.services.identity.login.settings import LoginConfig
from hutong.relay.services.identity.login.store import Login, LoginStore, TooManyOpen
from hutong.relay.services.identity.verifier import store as verifier_store
from hutong.relay.services.identity.verifier.browser_sessions import Cookies, owner_of
from hutong.relay.services.identity.verifier.desk import Desk
from hutong.relay.services.identity.verifier.page.rendering import PageView
from hutong.relay.services.identity.verifier.page_routes import page_of, view_of
from hutong.relay.services.identity.verifier.routes import MAX_STREAMS, stream
from hutong.relay.services.identity.verifier.store import State
from hutong.relay.services.identity.verifier.visits import Visit, end_visit, find_visit, visit
from hutong.relay.telemetry import get_logger
from hutong.relay.web.problems import ApiProblem, Code

KEPT: Final = ("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge",
               "code_challenge_method", "prompt", "response_mode")  # fmt: skip
"""Parameters of an application's request that are kept; others mean nothing here."""
AUTHORIZE, TOKEN, KEYS = "/login/authorize", "/login/token", "/login/keys"
LEAD: Final = "{client} asks who you are. Your wallet shows you what it would tell before you agree."
_BACK = PageView("You have answered", "Go back to the window in which you began to sign in.", "Answered", "ok")
LoginId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$")]


@dataclass(frozen=True, slots=True)
class LoginDesk:
    """What the routes stand on. `secret` is the one that people's names at applications are made with."""

    config: LoginConfig
    provider: Provider
    store: LoginStore
    desk: Desk
    cookies: Cookies
    secret: bytes


def provider_router(login: LoginDesk) -> APIRouter:
    """What applications call."""
    router = APIRouter(tags=["login"])
    issuer = login.provider.issuer

    @router.get("/.well-known/openid-configuration")
    async def discovery() -> Response:
        """OpenID Connect Discovery 1.0 §3."""
        return _json(
            {
                "issuer": issuer,
                "authorization_endpoint": issuer + AUTHORIZE,
                "token_endpoint": issuer + TOKEN,
                "jwks_uri": issuer + KEYS,
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": [SCOPE],
                "claims_supported": ["sub", *sorted(login.config.claims)],
                "claims_parameter_supported": False,
                "request_parameter_supported": False,
                "request_uri_parameter_supported": False,
                "authorization_response_iss_parameter_supported": True,
            }
        )

    @router.get(KEYS)
    async def keys() -> Response:
        """The key that ID tokens verify under."""
        return _json(login.provider.key_set())

    @router.get(AUTHORIZE)
    async def authorize(request: Request) -> Response:
        """An application sends a browser here."""
        return await _begin(login, request, _read(request.url.query.encode()))

    @router.post(AUTHORIZE)
    async def posted_authorize(request: Request) -> Response:
        """The same by a form (OpenID Connect Core 1.0 §3.1.2.1)."""
        return await _begin(login, request, await _form(request))

    @router.post(TOKEN)
    async def token(request: Request) -> Response:
        """A code becomes an ID token, once."""
        return await _token(login, request)

    return router


def browser_router(login: LoginDesk) -> APIRouter:
    """The page on which a person signs in, for the browser that began."""
    router = APIRouter(include_in_schema=False)
    streams = anyio.CapacityLimiter(MAX_STREAMS)
    desk = login.desk

    async def own(login_id: str, request: Request) -> tuple[Login, str]:
        session = login.cookies.read(request)
        found = await anyio.to_thread.run_sync(login.store.get, login_id, desk.now_s())
        if session is None or found is None or found.session != owner_of(session, "login"):
            raise ApiProblem(Code.NOT_FOUND, "there is no such login of this browser; begin again at the application")
        return found, owner_of(session, f"login:{login_id}")

    @router.get("/login/sessions/{login_id}")
    async def page(login_id: LoginId, request: Request) -> Response:
        found, owner = await own(login_id, request)
        path = f"/login/sessions/{login_id}"
        try:
            shown = await visit(desk, login.config.policy, owner, f"{desk.public_url}{path}/back")
        except verifier_store.TooManyOpen:
            raise ApiProblem(Code.BUSY, "too many requests are open; try again later") from None
        if shown.answer is not None and shown.answer.state is State.ACCEPTED:
            return await _finish(login, found, owner, shown)
        title = desk.policies[login.config.policy].settings.title
        view = view_of(desk, shown, title, LEAD.format(client=found.parameters["client_id"]), path)
        return page_of(view)

    @router.get("/login/sessions/{login_id}/events")
    async def events(login_id: LoginId, request: Request) -> Response:
        _, owner = await own(login_id, request)
        shown = await find_visit(desk, owner)
        if shown is None:
            raise ApiProblem(Code.NOT_FOUND, "nothing is asked here; open the page again")
        return stream(desk, shown.answer or shown.code, streams)

    @router.get("/login/sessions/{login_id}/back")
    async def back(
        login_id: LoginId, request: Request, response_code: Annotated[str, Query(max_length=128)] = ""
    ) -> Response:
        try:
            _, owner = await own(login_id, request)
        except ApiProblem:
            return page_of(_BACK)  # another browser: it learns nothing and changes nothing
        shown = await find_visit(desk, owner)
        if shown is None or not await desk.bring_back(shown.link, response_code):
            return page_of(_BACK)
        return _redirect(f"/login/sessions/{login_id}")

    @router.post("/login/sessions/{login_id}/again")
    async def again(login_id: LoginId, request: Request) -> Response:
        _, owner = await own(login_id, request)
        await end_visit(desk, owner)
        return _redirect(f"/login/sessions/{login_id}")

    return router


async def _begin(login: LoginDesk, request: Request, parameters: Mapping[str, str]) -> Response:
    kept = {name: parameters[name] for name in KEPT if name in parameters}
    if any(len(value) > MAX_PARAMETER_CHARS for value in kept.values()):
        raise OAuthError("invalid_request", f"a parameter has more than {MAX_PARAMETER_CHARS} characters")
    for name, error in (("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")):
        if name in parameters:
            raise OAuthError(error, f"{name} is not supported")
    try:
        await anyio.to_thread.run_sync(login.provider.check, kept)
    except OAuth2Error as error:
        return _refused(login, kept, error)
    if SCOPE not in kept.get("scope", "").split():
        raise OAuthError("invalid_scope", "the scope openid is needed")
    session = login.cookies.read(request) or login.desk.secret()
    ends_s = login.desk.now_s() + login.desk.settings.request_life_s + login.desk.settings.result_life_s
    begun = Login(login.desk.secret(), owner_of(session, "login"), kept, ends_s)
    try:
        await anyio.to_thread.run_sync(login.store.begin, begun)
    except TooManyOpen:
        raise ApiProblem(Code.BUSY, "too many logins are open; try again later") from None
    response = _redirect(f"/login/sessions/{begun.id}")
    login.cookies.set(response, session)
    return response


async def _finish(login: LoginDesk, found: Login, owner: str, shown: Visit) -> Response:
    """Whoever ends the login gets the code; what was shown is forgotten before."""
    outcome = None if shown.answer is None else shown.answer.outcome
    client = login.provider.clients.get(found.parameters["client_id"])
    await end_visit(login.desk, owner)
    if not await anyio.to_thread.run_sync(login.store.end, found.id) or outcome is None or client is None:
        raise ApiProblem(Code.NOT_FOUND, "this login has ended; begin again at the application")
    try:
        person = person_of(login.config, client.config, outcome["credentials"], login.secret)
    except NobodyShown:
        person = None
    try:
        location = await anyio.to_thread.run_sync(partial(login.provider.authorized, found.parameters, person))
    except OAuth2Error as error:
        return _refused(login, found.parameters, error)
    return _redirect(f"{location}&{urlencode({'iss': login.provider.issuer})}")


def _refused(login: LoginDesk, parameters: Mapping[str, str], error: OAuth2Error) -> Response:
    """An error goes to the application if its address is known to be its own, and is said here if not."""
    client = login.provider.clients.get(parameters.get("client_id", ""))
    uri = parameters.get("redirect_uri", "")
    if client is None or not client.check_redirect_uri(uri):
        raise OAuthError(str(error.error), str(error.description or "the request is not one of a known client"))
    told = {"error": str(error.error), "error_description": str(error.description or "")}
    state = {"state": parameters["state"]} if "state" in parameters else {}
    return _redirect(f"{uri}?{urlencode({**told, **state, 'iss': login.provider.issuer})}")


async def _token(login: LoginDesk, request: Request) -> Response:
    form = await _form(request)
    headers = {"Authorization": request.headers.get("authorization", "")}
    try:
        status, document, own = await anyio.to_thread.run_sync(login.provider.token, form, headers)
    except SigningFailed as error:
        get_logger("login").error("cannot sign an ID token", reason=str(error))
        raise OAuthError("server_error", "the login's key does not sign now", status=503) from None
    kept = {name: value for name, value in own.items() if name.lower() in ("www-authenticate", "pragma")}
    return Response(
        json.dumps(dict(document)), status, {**kept, "cache-control": "no-store"}, media_type="application/json"
    )


async def _form(request: Request) -> Mapping[str, str]:
    if not request.headers.get("content-type", "").lower().startswith(FORM.decode()):
        raise OAuthError("invalid_request", f"the body is not {FORM.decode()}")
    try:
        return await form_body(request)
    except MalformedInput as error:
        raise OAuthError("invalid_request", str(error)) from None


def _read(query: bytes) -> Mapping[str, str]:
    try:
        return read_form(query)
    except MalformedInput as error:
        raise OAuthError("invalid_request", str(error)) from None


def _redirect(location: str) -> RedirectResponse:
    return RedirectResponse(location, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"})


def _json(document: object) -> Response:
    return Response(json.dumps(document), headers={"cache-control": "max-age=300"}, media_type="application/json")
