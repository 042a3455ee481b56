"""An RPC endpoint that passes everything on to an honest node and lies where a test says so."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Lie = Callable[[str, Any, Any], Any]
"""(method, params, the honest result) to what is answered."""


def honest(method: str, params: Any, result: Any) -> Any:
    return result


class LyingEndpoint:
    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.lie: Lie = honest
        self.sent: list[str] = []
        """Methods that were asked."""
        self.url = ""

    def answer(self, body: bytes) -> bytes:
        request = urllib.request.Request(self.upstream, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as response:
            answered = json.load(response)
        asked = json.loads(body)
        if isinstance(asked, list):
            by_id = {one["id"]: one for one in asked}
            return json.dumps([self._spoilt(by_id[one["id"]], one) for one in answered]).encode()
        return json.dumps(self._spoilt(asked, answered)).encode()

    def _spoilt(self, asked: dict[str, Any], answered: dict[str, Any]) -> dict[str, Any]:
        self.sent.append(asked["method"])
        if "result" not in answered:
            return answered
        return answered | {"result": self.lie(asked["method"], asked.get("params"), answered["result"])}

    @contextmanager
    def lying(self, lie: Lie) -> Iterator[None]:
        self.lie = lie
        self.sent.clear()
        try:
            yield
        finally:
            self.lie = honest


@contextmanager
def lying_endpoint(upstream: str) -> Iterator[LyingEndpoint]:
    endpoint = LyingEndpoint(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            answer = endpoint.answer(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
