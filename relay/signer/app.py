"""The signer over HTTP: the eth1 API of Web3Signer, and one path besides (`relay/keys/sources/eth1_api.py`)."""

import json
from typing import Any
from urllib.parse import unquote

import trio

from hutong.adapters.rpc import TokenBucket
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.relay.base.http import JSON, BodyTooLarge, read_body, respond
from hutong.relay.keys.sources.eth1_api import (
    HUTONG_SIGN_PATH,
    MAX_SIGN_BYTES,
    PUBLIC_KEYS_PATH,
    SIGN_PATH,
    UPCHECK_PATH,
    RefusalCode,
)
from hutong.relay.signer.desk import NotSigned, SigningDesk, document_of_keccak, document_of_kind

HEALTH_PATH = "/healthcheck"
MAX_BODY_S = 10.0
"""For a request's body to arrive."""
MAX_QUEUE_S = 2.0
"""For a request's turn to come; after that it is refused, and may be asked again."""
TEXT = b"text/plain; charset=utf-8"
_STATUS = {
    RefusalCode.MALFORMED: 400,
    RefusalCode.REFUSED: 403,
    RefusalCode.UNKNOWN_KEY: 404,
    RefusalCode.UNSUPPORTED: 400,
    RefusalCode.UNAVAILABLE: 503,
}
_GET = (UPCHECK_PATH, PUBLIC_KEYS_PATH, HEALTH_PATH)
METHOD_NOT_ALLOWED = 405
Answer = tuple[int, bytes, bytes]
"""Status, body, content type."""


class SignerApp:
    """An ASGI application. What is not signed is answered in JSON with `code` and `message`."""

    def __init__(self, desk: SigningDesk, requests_per_s: int, in_flight: int) -> None:
        self._desk = desk
        self._bucket = TokenBucket(requests_per_s, requests_per_s)
        self._slots = trio.Semaphore(in_flight)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        try:
            status, body, content_type = await self._answer(scope["method"], scope["path"], receive)
        except NotSigned as refused:
            status, content_type = _STATUS[refused.code], JSON
            body = json.dumps({"code": str(refused.code), "message": refused.reason}).encode()
        allowed = [(b"allow", _asked_by(scope["path"]))] if status == METHOD_NOT_ALLOWED else []
        await respond(send, status, body, content_type, allowed)

    async def _answer(self, method: str, path: str, receive: Any) -> Answer:
        signs = path.startswith((SIGN_PATH, HUTONG_SIGN_PATH))
        if path in _GET and method == "GET":
            return await self._told(path)
        if signs and method == "POST":
            return await self._signed(path, receive)
        if path in _GET or signs:
            return METHOD_NOT_ALLOWED, _problem("this path is not asked in this way"), JSON
        return 404, _problem("there is nothing here"), JSON

    async def _told(self, path: str) -> Answer:
        if path == UPCHECK_PATH:
            return 200, b"OK", TEXT
        if path == PUBLIC_KEYS_PATH:
            return 200, json.dumps(self._desk.identifiers).encode(), JSON
        unwell = await self._desk.unwell()
        checks = [{"id": one, "status": "DOWN" if one in unwell else "UP"} for one in self._desk.identifiers]
        outcome = "DOWN" if unwell else "UP"
        return (
            503 if unwell else 200,
            json.dumps({"status": outcome, "checks": checks, "outcome": outcome}).encode(),
            JSON,
        )

    async def _signed(self, path: str, receive: Any) -> Answer:
        asked = await _request(receive)
        is_ours = path.startswith(HUTONG_SIGN_PATH)
        source = self._desk.named(unquote(path.removeprefix(HUTONG_SIGN_PATH if is_ours else SIGN_PATH)))
        data = _data(asked)
        document = document_of_kind(asked.get("kind"), data, source.public_key) if is_ours else document_of_keccak(data)
        if not await self._bucket.acquire_within(MAX_QUEUE_S):
            raise NotSigned(RefusalCode.UNAVAILABLE, "the signer is asked more than it may sign; ask again later")
        async with self._slots:
            signature = await self._desk.sign(source, document)
        return 200, b"0x" + signature.hex().encode(), TEXT


async def _request(receive: Any) -> dict[str, Any]:
    with trio.move_on_after(MAX_BODY_S):
        try:
            body = await read_body(receive, MAX_SIGN_BYTES)
            asked = parse_json(body or b"", "request", MAX_SIGN_BYTES)
        except (BodyTooLarge, MalformedInput) as error:
            raise NotSigned(RefusalCode.MALFORMED, str(error)) from None
        if not isinstance(asked, dict):
            raise NotSigned(RefusalCode.MALFORMED, "the request is not a JSON object")
        return asked
    raise NotSigned(RefusalCode.MALFORMED, f"the body did not arrive in {MAX_BODY_S:g} s")


def _data(asked: dict[str, Any]) -> bytes:
    data = asked.get("data")
    try:
        if isinstance(data, str) and data.startswith("0x"):
            return bytes.fromhex(data[2:])
    except ValueError:
        pass
    raise NotSigned(RefusalCode.MALFORMED, "data must be 0x and pairs of hex digits")


def _asked_by(path: str) -> bytes:
    """The method of a path that is served (RFC 9110 §15.5.6)."""
    return b"GET" if path in _GET else b"POST"


def _problem(message: str) -> bytes:
    return json.dumps({"code": "malformed", "message": message}).encode()
