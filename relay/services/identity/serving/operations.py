"""`/healthz`, `/readyz` and `/metrics`."""

import json
from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from hutong.relay.config.api import is_loopback
from hutong.relay.services.identity.daemon.requests import needs
from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.web.api_keys import Scope


def operations_router(common: Common, roles: Sequence[Role]) -> APIRouter:
    """What machines ask to know how the daemon is."""
    router = APIRouter(tags=["operations"])
    is_local = is_loopback(common.server.host) and not common.server.behind_proxy
    """Then nobody else can reach the port."""

    @router.get("/healthz")
    async def healthz() -> Response:
        """The server answers."""
        return _answer({"status": "ok"})

    @router.get("/readyz")
    async def readyz() -> Response:
        """Every role can do its work; else 503, and what keeps which role."""
        reasons = {role.name: reason for role in roles if (reason := role.not_ready()) is not None}
        state = {"ready": not reasons, "roles": {role.name: reasons.get(role.name, "ok") for role in roles}}
        return _answer(state, 503 if reasons else 200)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        """For Prometheus. Free where only this machine can ask; else with a key of scope `admin`, for it tells how much
        is issued and shown."""
        if not is_local:
            needs(Scope.ADMIN)(request)
        return Response(generate_latest(common.registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _answer(document: object, status: int = 200) -> Response:
    return Response(json.dumps(document), status, {"cache-control": "no-store"}, media_type="application/json")
