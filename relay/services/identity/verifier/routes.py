"""The verifier's addresses: those that wallets call by OpenID4VP, and `/v1/verifier` for whoever asks by a key."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated

import anyio
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.daemon.oauth_error import OAuthError
from hutong.relay.services.identity.daemon.requests import form_body, needs
from hutong.relay.services.identity.rules.openid4vp import REQUEST_MEDIA_TYPE
from hutong.relay.services.identity.rules.openid4vp.request import MAX_NONCE_CHARS
from hutong.relay.services.identity.verifier.desk import (
    ANSWERS_PATH,
    REQUESTS_PATH,
    Desk,
    Wish,
    as_event,
    result_fields,
)
from hutong.relay.services.identity.verifier.settings import VerifierConfig
from hutong.relay.services.identity.verifier.store import Asked, TooManyOpen
from hutong.relay.web.api_keys import ApiKey, Scope
from hutong.relay.web.problems import ApiProblem, Code, refused_field

MAX_STREAMS = 256
STREAM_S = 8.0
"""A stream ends by itself before the server's limit of a request; clients ask again, as the stream tells them to."""
LOOK_S = 2.0
"""How often a stream looks into the store, where another process may have settled a request."""
RETRY_MS = 250
RequestId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$")]
ResponseCode = Annotated[str | None, Query(max_length=128)]


class NewRequest(BaseModel):
    """What `POST /v1/verifier/requests` takes."""

    model_config = ConfigDict(extra="forbid", strict=True)
    policy: Annotated[str, Field(min_length=1, max_length=64)]
    redirect_uri: Annotated[str, Field(min_length=1, max_length=2_048)] | None = None
    """Where a wallet on the same device leads the browser, with `response_code`; None for a wallet on another."""


def wallet_router(desk: Desk) -> APIRouter:
    """What wallets call. Whoever knows a request's id may ask for its object: it stands in a code that is shown."""
    router = APIRouter(tags=["wallets"])

    async def found(request_id: str) -> Asked:
        asked = await desk.find(request_id)
        if asked is None:
            raise OAuthError("invalid_request", "there is no such request, or it was removed", status=404)
        return asked

    @router.get(f"{REQUESTS_PATH}/{{request_id}}")
    async def request_object(request_id: RequestId) -> Response:
        """The signed request object (RFC 9101 §5.2.3)."""
        return _jwt(await desk.request_object(await found(request_id), None))

    @router.post(f"{REQUESTS_PATH}/{{request_id}}")
    async def posted_request_object(request_id: RequestId, request: Request) -> Response:
        """The same for a wallet that sends a nonce of its own (OpenID4VP 1.0 §5.10); `wallet_metadata` changes nothing."""
        # a wallet that has neither nonce nor metadata posts nothing, some of them without a media type
        nonce = (await _form(request)).get("wallet_nonce") if await request.body() else None
        if nonce is not None and not (0 < len(nonce) <= MAX_NONCE_CHARS and nonce.isascii() and nonce.isprintable()):
            raise OAuthError(
                "invalid_request", f"wallet_nonce is not 1 to {MAX_NONCE_CHARS} printable ASCII characters"
            )
        return _jwt(await desk.request_object(await found(request_id), nonce))

    @router.post(f"{ANSWERS_PATH}/{{request_id}}")
    async def answer(request_id: RequestId, request: Request) -> Response:
        """A wallet's answer, once (OpenID4VP 1.0 §8.2)."""
        form = await _form(request)
        return _json({"redirect_uri": await desk.receive(await found(request_id), form)})

    return router


async def _form(request: Request) -> Mapping[str, str]:
    try:
        return await form_body(request)
    except MalformedInput as error:
        raise OAuthError("invalid_request", str(error)) from None


def own_router(desk: Desk) -> APIRouter:
    """`/v1/verifier`: for programs that ask, each with a key of scope `verify`, which sees its own requests alone."""
    router = APIRouter(prefix="/v1/verifier", tags=["verifier"])
    streams = anyio.CapacityLimiter(MAX_STREAMS)
    key_of = needs(Scope.VERIFY)

    async def own(request_id: str, request: Request) -> Asked:
        key, asked = key_of(request), await desk.find(request_id)
        if asked is None or asked.owner != _owner(key):
            raise ApiProblem(Code.NOT_FOUND, "there is no such request of this key, or it was removed")
        return asked

    @router.get("/policies")
    async def policies(request: Request) -> Response:
        """What may be asked for."""
        key_of(request)
        listed = [{"policy": name, "title": one.settings.title} for name, one in desk.policies.items()]
        return _json({"client_id": desk.client_id, "items": listed})

    @router.post("/requests", status_code=201)
    async def ask(body: NewRequest, request: Request) -> Response:
        """A new request: a link for a wallet, shown as it is or as a QR code."""
        key = key_of(request)
        if body.policy not in desk.policies:
            raise refused_field("policy", "is not one of GET /v1/verifier/policies")
        if body.redirect_uri is not None and not may_return_to(desk.settings, body.redirect_uri):
            raise refused_field("redirect_uri", "is not under an address of verifier.return_to")
        try:
            asked = await desk.ask(Wish(body.policy, _owner(key), body.redirect_uri))
        except TooManyOpen:
            raise ApiProblem(Code.BUSY, "too many requests are open; try again later") from None
        return _json({**result_fields(asked), "link": desk.link(asked), "channel": asked.channel.value}, 201)

    @router.get("/requests/{request_id}")
    async def result(request_id: RequestId, request: Request, response_code: ResponseCode = None) -> Response:
        """How a request stands, and what was shown. After `redirect_uri` the code that the browser brought is needed."""
        asked = await own(request_id, request)
        if response_code is not None and not await desk.bring_back(asked, response_code):
            raise ApiProblem(Code.FORBIDDEN, "response_code is not the one of this request's answer")
        return _json(result_fields(await desk.find(asked.id) or asked))

    @router.get("/requests/{request_id}/events")
    async def events(request_id: RequestId, request: Request) -> Response:
        """Server-sent events `state`, until it is final: `EventSource` asks again by itself."""
        return stream(desk, await own(request_id, request), streams)

    @router.delete("/requests/{request_id}")
    async def forget(request_id: RequestId, request: Request) -> Response:
        """Remove a request and what was shown."""
        await desk.forget([(await own(request_id, request)).id])
        return Response(status_code=204)

    return router


def stream(desk: Desk, asked: Asked, streams: anyio.CapacityLimiter) -> Response:
    """How a request stands, as server-sent events, for at most STREAM_S.

    Raises:
        ApiProblem: as many streams as may be are open.
    """
    if streams.available_tokens < 1:
        raise ApiProblem(Code.BUSY, "too many streams are open; ask again later, or without a stream")

    async def told() -> AsyncIterator[bytes]:
        async with streams:
            yield f"retry: {RETRY_MS}\n\n".encode()
            last = None
            ends = anyio.current_time() + STREAM_S
            while True:
                found = await desk.find(asked.id)
                fields = {"state": "removed", "is_final": True} if found is None else result_fields(found)
                if fields != last:
                    yield as_event("state", fields)
                    last = fields
                left_s = ends - anyio.current_time()
                if fields["is_final"] or left_s <= 0:
                    return
                await desk.wait(asked.id, min(LOOK_S, left_s))

    return StreamingResponse(told(), media_type="text/event-stream", headers={"cache-control": "no-store"})


def may_return_to(settings: VerifierConfig, url: str) -> bool:
    """Whether a browser may be led there: an address of the configuration, or one below an address that ends with `/`."""
    climbs = "/." in url or "%2e" in url.lower() or "\\" in url
    if climbs or "?" in url or "#" in url or not url.isascii() or not url.isprintable():
        return False
    return any(url == known or (known.endswith("/") and url.startswith(known)) for known in settings.return_to)


def _owner(key: ApiKey) -> str:
    return f"key:{key.digest}"


def _jwt(token: str) -> Response:
    return Response(token, headers={"cache-control": "no-store"}, media_type=REQUEST_MEDIA_TYPE)


def _json(document: object, status: int = 200) -> Response:
    body = json.dumps(document, ensure_ascii=False)
    return Response(body, status, {"cache-control": "no-store"}, media_type="application/json")
