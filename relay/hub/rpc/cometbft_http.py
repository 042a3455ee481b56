"""CometBFT's RPC over HTTP: GET with URI parameters and JSON-RPC by POST (cometbft rpc/jsonrpc/server)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.relay.base.http import BodyTooLarge, read_body, respond
from hutong.relay.hub.rpc.cometbft_methods import CometBftMethods
from hutong.relay.hub.rpc.cometbft_parameters import Arguments, RpcError, invalid_params

MAX_BODY_BYTES = 1_000_000
"""CometBFT's default max_body_bytes."""
MAX_QUERY_CHARS = 65_536
MAX_BATCH = 100
MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Of all answers to one batch; what would come after is refused."""
BODY_DEADLINE_S = 20
"""A client that takes longer to send a megabyte holds a connection for nothing."""

Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class CometBftRpcApp:
    """An ASGI application for `hutong.relay.evm.rpc.server.serve`."""

    def __init__(self, methods: CometBftMethods) -> None:
        self._methods = methods
        self._readers = trio.CapacityLimiter(4)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["method"] == "GET":
            await self._get(scope, send)
        elif scope["method"] == "POST":
            await self._post(receive, send)
        else:
            await respond(send, 405, b"GET or POST\n", b"text/plain")

    async def _get(self, scope: Message, send: Send) -> None:
        name = scope["path"].strip("/")
        if name == "":
            listing = "\n".join(
                f"/{method}?{'&'.join(f'{n}=_' for n in names)}"
                for method, (names, _) in sorted(self._methods.table.items())
            )
            await respond(send, 200, listing.encode() + b"\n", b"text/plain")
            return
        if name not in self._methods.table:
            await respond(send, 404, b"404 page not found\n", b"text/plain")
            return
        query = scope["query_string"][:MAX_QUERY_CHARS].decode("latin-1")
        values = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=16))
        arguments = Arguments(values, from_uri=True)
        answer = await trio.to_thread.run_sync(self._call, -1, name, arguments, limiter=self._readers)
        await respond(send, 500 if "error" in answer else 200, _encode(answer))

    async def _post(self, receive: Receive, send: Send) -> None:
        body = None
        try:
            with trio.move_on_after(BODY_DEADLINE_S) as deadline:
                body = await read_body(receive, MAX_BODY_BYTES)
        except BodyTooLarge:
            await respond(send, 413, b"body too large\n", b"text/plain")
            return
        if deadline.cancelled_caught:
            await respond(send, 408, b"the body took too long\n", b"text/plain")
            return
        if body is None:  # the client has left
            return
        try:
            document = parse_json(body, "body", MAX_BODY_BYTES)
        except MalformedInput:
            await respond(send, 500, _encode(_error(-1, RpcError(-32700, "Parse error. Invalid JSON"))))
            return
        requests = document if isinstance(document, list) else [document]
        if not 0 < len(requests) <= MAX_BATCH:
            await respond(send, 500, _encode(_error(-1, RpcError(-32600, "Invalid Request", "batch size"))))
            return
        answers = await trio.to_thread.run_sync(self._answers, requests, limiter=self._readers)
        await respond(send, 200, b"[" + b",".join(answers) + b"]" if isinstance(document, list) else answers[0])

    def _answers(self, requests: list[Any]) -> list[bytes]:
        """Blocking. One visit to a worker thread for all: the visit costs more than most answers."""
        answers: list[bytes] = []
        room = MAX_ANSWER_BYTES
        for request in requests:
            answer = _encode(
                self._answer(request)
                if room > 0
                else _error(-1, RpcError(-32603, "Internal error", "answer too large"))
            )
            room -= len(answer)
            answers.append(answer)
        return answers

    def _answer(self, request: Any) -> dict[str, Any]:
        identifier = request.get("id", -1) if isinstance(request, dict) else -1
        if not isinstance(identifier, int | str) or not isinstance(request, dict):
            return _error(-1, RpcError(-32600, "Invalid Request"))
        name = request.get("method")
        if not isinstance(name, str) or name not in self._methods.table:
            return _error(identifier, RpcError(-32601, "Method not found"))
        params = request.get("params") or {}
        names = self._methods.table[name][0]
        if isinstance(params, list):
            params = dict(zip(names, params, strict=False))
        if not isinstance(params, dict):
            return _error(identifier, invalid_params("params"))
        return self._call(identifier, name, Arguments(params, from_uri=False))

    def _call(self, identifier: int | str, name: str, arguments: Arguments) -> dict[str, Any]:
        try:
            result = self._methods.table[name][1](arguments)
        except RpcError as error:
            return _error(identifier, error)
        return {"jsonrpc": "2.0", "id": identifier, "result": result}


def _error(identifier: int | str, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identifier, "error": error.as_json()}


def _encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
