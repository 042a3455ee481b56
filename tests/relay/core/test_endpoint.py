"""`/metrics`, `/healthz` and `/readyz`: read-only, bounded, and nothing else."""

import httpx
import pytest
import trio

from hutong.relay.core.endpoint import serve_http
from hutong.relay.telemetry import Metrics


@pytest.fixture
async def url(nursery):
    metrics = Metrics(["alpha"])
    metrics.head("alpha", 7)
    state, ready = {"status": "ok"}, {"status": "not ready", "reasons": [{"what": "queue", "detail": "is away"}]}
    (at,) = await nursery.start(serve_http, "127.0.0.1:0", metrics, lambda: state, lambda: ready)
    yield at, state, ready
    nursery.cancel_scope.cancel()


async def test_metrics_and_health(url):
    at, state, ready = url
    async with httpx.AsyncClient(trust_env=False) as client:
        metrics = await client.get(f"{at}/metrics")
        assert metrics.status_code == 200 and 'hutong_chain_head_height{chain="alpha"} 7.0' in metrics.text
        assert (await client.get(f"{at}/healthz")).json() == {"status": "ok"}
        state["status"] = "failing"
        assert (await client.get(f"{at}/healthz")).status_code == 503
        refused = await client.get(f"{at}/readyz")
        assert refused.status_code == 503 and refused.json() == ready
        ready |= {"status": "ready", "reasons": []}
        assert (await client.get(f"{at}/readyz")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/metrics", 405), ("GET", "/../etc/passwd", 404), ("GET", "/metrics/x", 404), ("HEAD", "/metrics", 200)],
)
async def test_attack_G15_nothing_else_is_answered(url, method, path, status):
    at, *_ = url
    async with httpx.AsyncClient(trust_env=False) as client:
        with trio.fail_after(60):
            assert (await client.request(method, at + path)).status_code == status
