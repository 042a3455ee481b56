"""`/metrics` and `/healthz` over HTTP."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import hypercorn.trio
import trio
from hypercorn.config import Config

from relay.telemetry import Metrics

Health = Callable[[], Mapping[str, Any]]
"""What `/healthz` answers; `status` is `ok` or says what is missing."""


def asgi_app(metrics: Metrics, health: Health) -> Any:
    """A read-only ASGI application: no parameter, no body and no path of the client's is used."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            return
        status, content_type, body = _answer(scope["method"], scope["path"], metrics, health)
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return app


async def _live(receive: Any, send: Any) -> None:
    """ASGI's lifespan protocol; an application that leaves it early races with hypercorn's start."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


def _answer(method: str, path: str, metrics: Metrics, health: Health) -> tuple[int, str, bytes]:
    if method not in ("GET", "HEAD"):
        return 405, "text/plain", b"only GET\n"
    if path == "/metrics":
        return 200, metrics.content_type, metrics.exposition()
    if path == "/healthz":
        state = health()
        return 200 if state["status"] == "ok" else 503, "application/json", json.dumps(state).encode() + b"\n"
    return 404, "text/plain", b"/metrics or /healthz\n"


async def serve_http(
    listen: str, metrics: Metrics, health: Health, task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve on `host:port` until cancelled; reports the bound addresses."""
    config = Config()
    config.bind = [listen]
    config.accesslog = None
    config.errorlog = None
    config.h11_max_incomplete_size = 8 * 1024
    config.graceful_timeout = 1.0
    config.include_server_header = False
    await hypercorn.trio.serve(asgi_app(metrics, health), config, task_status=task_status)
