"""A JSON-RPC server over a real socket that answers whatever a test scripts, byte for byte."""

import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

Script = Callable[[dict, trio.SocketStream], Awaitable[None]]


def http(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def result(request: dict, value) -> bytes:
    return http(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": value}).encode())


def error(request: dict, code: int, message: str, data=None) -> bytes:
    body = {"code": code, "message": message}
    if data is not None:
        body["data"] = data
    return http(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": body}).encode())


def gzipped(body: bytes) -> bytes:
    return http(gzip.compress(body), headers="content-encoding: gzip\r\n")


class HostileServer:
    """`answers` maps a method to bytes, or to a function of the request that returns bytes, or None to fall silent.

    With `close_after` the socket is closed after the answer (bytes may be cut anywhere: a half answer).
    """

    def __init__(self) -> None:
        self.answers: dict = {}
        self.requests: list[dict] = []
        self.close_after = False
        self.url = ""

    async def serve_stream(self, stream: trio.SocketStream) -> None:
        buffer = b""
        async with stream:
            while True:
                while b"\r\n\r\n" not in buffer:
                    chunk = await stream.receive_some(65536)
                    if not chunk:
                        return
                    buffer += chunk
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                while len(buffer) < length:
                    buffer += await stream.receive_some(65536)
                body, buffer = buffer[:length], buffer[length:]
                request = json.loads(body)
                self.requests.append(request)
                method = request[0].get("method") if isinstance(request, list) else request.get("method")
                answer = self.answers.get(method, self.answers.get("*"))
                if callable(answer):
                    answer = answer(request)
                if answer is None:
                    await trio.sleep_forever()
                try:
                    await stream.send_all(answer)
                except trio.BrokenResourceError:
                    return
                if self.close_after:
                    return

    def methods(self) -> list[str]:
        return [request.get("method") for request in self.requests]


@asynccontextmanager
async def hostile_server() -> AsyncIterator[HostileServer]:
    server = HostileServer()
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")

        async def handle(stream):
            try:
                await server.serve_stream(stream)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass

        nursery.start_soon(trio.serve_listeners, handle, listeners)
        server.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        yield server
        nursery.cancel_scope.cancel()
