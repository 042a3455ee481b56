"""One port: S3, plain HTTP under `/v1/`, and what machines ask to know how the gateway is.

No bucket is called `v1`, so the paths of the two doors never meet.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from hutong.relay.base.http import JSON, Receive, Send, respond
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase, CatalogueUnavailable
from hutong.relay.services.storage.catalogue.packs import degraded_batches, totals
from hutong.relay.services.storage.gateway.batches import Desk
from hutong.relay.services.storage.gateway.committing import Committer
from hutong.relay.services.storage.gateway.plain.app import PlainApp
from hutong.relay.services.storage.gateway.s3.app import S3App

MOST_DEGRADED: Final = 20


@dataclass(frozen=True, slots=True)
class Inside:
    """What `/v1/status` tells of."""

    desk: Desk
    catalogue: CatalogueDatabase
    committer: Committer


class GatewayApp:
    """An ASGI application."""

    def __init__(self, s3: S3App, plain: PlainApp, inside: Inside) -> None:
        self._s3 = s3
        self._plain = plain
        self._inside = inside

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if path == "/healthz" and method == "GET":
            await respond(send, 200, b'{"status":"ok"}')
        elif path == "/readyz" and method == "GET":
            await self._ready(send)
        elif path == "/v1/status" and method == "GET":
            if await self._plain.is_let_in(scope, send):
                await respond(send, 200, json.dumps(await self.status()).encode())
        elif path.startswith("/v1/"):
            await self._plain(scope, receive, send)
        else:
            await self._s3(scope, receive, send)

    async def status(self) -> dict[str, Any]:
        """Counts, what is pending, and batches that lack an operator's signature."""
        inside = self._inside
        found = await inside.catalogue.run(totals)
        degraded = await inside.catalogue.run(lambda one: degraded_batches(one, MOST_DEGRADED))
        return {
            "objects": found.objects,
            "bytes": found.bytes,
            "catalogue_packs": found.packs,
            "batches": found.batches,
            "uploads": found.uploads,
            "pending": inside.committer.pending,
            "on_hub": inside.desk.door.is_hub,
            "operators": len(inside.desk.links),
            "removals": found.removals,
            "degraded_batches": found.degraded_batches,
            "degraded": [
                {
                    "sequence": batch.sequence,
                    "batch": batch.number,
                    "missing": [operator.hex() for operator in batch.unsigned],
                }
                for batch in degraded
            ],
        }

    async def _ready(self, send: Send) -> None:
        try:
            await self._inside.catalogue.run(lambda one: one.row("SELECT version FROM storage_version"))
        except CatalogueUnavailable as error:
            await respond(send, 503, json.dumps({"ready": False, "reason": str(error)}).encode(), JSON)
            return
        await respond(send, 200, b'{"ready":true,"reason":null}')
