"""The attestor over HTTP: one POST, bounded in bytes, in time, in number and in requests a second."""

from typing import Any

import trio

from hutong.adapters.evm.attested.attestor_api import (
    MAX_REQUEST_BYTES,
    PATH,
    AttestorRefused,
    decode_request,
    encode_answer,
    encode_error,
)
from hutong.adapters.rpc import TokenBucket
from hutong.light_clients.interface import MalformedInput
from hutong.relay.attestor.attestor import Attestor
from hutong.relay.base.http import BodyTooLarge, read_body, respond
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.telemetry import get_logger

MAX_BODY_S = 10.0
"""For a request's body to arrive."""
MAX_QUEUE_S = 2.0
"""For a request's turn to come. A request that would wait longer is refused, or a burst would be paid for long after it is over."""
MAX_CONCURRENT = 32
"""Requests that may wait for a height at once."""

_STATUS = {
    "bad_request": 400,
    "not_configured": 403,
    "not_final": 409,
    "too_old": 409,
    "contradiction": 409,
    "unavailable": 503,
}


class AttestorApp:
    """An ASGI application. Refusals are answers of the API, and all of them are JSON."""

    def __init__(self, attestor: Attestor, address: str, requests_per_s: float) -> None:
        self._attestor = attestor
        self._address = address
        self._bucket = TokenBucket(requests_per_s, max(1, int(requests_per_s)))
        self._slots = trio.Semaphore(MAX_CONCURRENT)
        self._log = get_logger("attestor")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, body = await self._answer(scope, receive)
        await respond(send, status, body)

    async def _answer(self, scope: Any, receive: Any) -> tuple[int, bytes]:
        if scope["path"] == "/healthz" and scope["method"] == "GET":
            return 200, b'{"status":"ok","attestor":"%s"}' % self._address.encode()
        if scope["path"] != PATH or scope["method"] != "POST":
            return 404, encode_error(AttestorRefused("bad_request", f"the attestor serves only POST {PATH}"))
        try:
            request = await self._request(receive)  # before a slot is taken: a slow body holds none
            if not await self._bucket.acquire_within(MAX_QUEUE_S):
                raise AttestorRefused("unavailable", "the attestor is at capacity; ask again later")
            async with self._slots:
                return 200, encode_answer(await self._attestor.attest(request))
        except AttestorRefused as refused:
            self._log.info("refused", code=refused.code, reason=refused.reason)
            return _STATUS[refused.code], encode_error(refused)

    @staticmethod
    async def _request(receive: Any) -> Any:
        with trio.move_on_after(MAX_BODY_S) as body_scope:
            try:
                body = await read_body(receive, MAX_REQUEST_BYTES)
                if body is None:
                    raise AttestorRefused("bad_request", "the connection ended inside the body")
                return decode_request(body)
            except BodyTooLarge as error:
                raise AttestorRefused("bad_request", f"more than {error.max_bytes} bytes") from None
            except MalformedInput as error:
                raise AttestorRefused("bad_request", str(error)) from None
        if body_scope.cancelled_caught:
            raise AttestorRefused("bad_request", f"the body did not arrive in {MAX_BODY_S:g} s")
        raise AssertionError("unreachable")


async def serve_attestor(
    bind: str, app: AttestorApp, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve on `host:port` in the clear until cancelled; reports the bound address. A proxy in front may end TLS.

    Raises:
        OSError: maybe inside an exception group: the address is taken, or not of this machine.
    """
    host, _, port = bind.rpartition(":")
    config = listen_config(host.strip("[]"), int(port))
    config.h11_max_incomplete_size = 8 * 1024
    async with trio.open_nursery() as nursery:
        bound = await nursery.start(listen, app, config)
        task_status.started(f"http://{host}:{bound}")
