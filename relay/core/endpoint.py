"""`/metrics`, `/healthz` and `/readyz` over HTTP."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import trio

from hutong.relay.core.errors import StartRefused
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.telemetry import Metrics

Health = Callable[[], Mapping[str, Any]]
"""What `/healthz` answers; `status` is `ok` while the process and its task tree live."""
Ready = Callable[[], Mapping[str, Any]]
"""What `/readyz` answers; `status` is `ready`, or `reasons` say what is missing."""


def asgi_app(metrics: Metrics, health: Health, ready: Ready) -> Any:
    """A read-only ASGI application: no parameter, no body and no path of the client's is used.

    It answers 200, or 503 while `status` is not `ok` (`/healthz`) or `ready` (`/readyz`); 404 for other paths and 405
    for methods other than GET and HEAD. `health` and `ready` are called once a request and must not wait.
    """

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, content_type, body = _answer(scope["method"], scope["path"], metrics, health, ready)
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return app


def _answer(method: str, path: str, metrics: Metrics, health: Health, ready: Ready) -> tuple[int, str, bytes]:
    if method not in ("GET", "HEAD"):
        return 405, "text/plain", b"only GET\n"
    if path == "/metrics":
        return 200, metrics.content_type, metrics.exposition()
    if path == "/healthz":
        return _state(health(), "ok")
    if path == "/readyz":
        return _state(ready(), "ready")
    return 404, "text/plain", b"/metrics, /healthz or /readyz\n"


def _state(state: Mapping[str, Any], good: str) -> tuple[int, str, bytes]:
    return 200 if state["status"] == good else 503, "application/json", json.dumps(state).encode() + b"\n"


async def serve_http(
    bind: str,
    metrics: Metrics,
    health: Health,
    ready: Ready,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve on `host:port` until cancelled; reports the bound addresses.

    Raises:
        StartRefused: the address is taken, or not of this machine.
    """
    host, _, port = bind.rpartition(":")
    config = listen_config(host.strip("[]"), int(port))
    config.h11_max_incomplete_size = 8 * 1024
    async with trio.open_nursery() as nursery:
        try:
            bound = await nursery.start(listen, asgi_app(metrics, health, ready), config)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise StartRefused(f"relay.http {bind} cannot be used: {reason}; give it a free address") from None
        task_status.started([f"http://{host}:{bound}"])
