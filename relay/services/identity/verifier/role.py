"""The verifier as a role of the daemon."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
import httpx
from fastapi import APIRouter
from sqlalchemy import Engine

from hutong.relay.config.api import is_loopback
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.services.identity.daemon.tls import tls_context
from hutong.relay.services.identity.store.erasing import SWEEP_S
from hutong.relay.services.identity.verifier.browser_sessions import cookies_of
from hutong.relay.services.identity.verifier.desk import Desk
from hutong.relay.services.identity.verifier.page_routes import files_router, page_router
from hutong.relay.services.identity.verifier.policies import read_policies
from hutong.relay.services.identity.verifier.routes import own_router, wallet_router
from hutong.relay.services.identity.verifier.settings import VerifierConfig
from hutong.relay.services.identity.verifier.signing_key import read_signing_key
from hutong.relay.services.identity.verifier.status_lists import Fetch, StatusLists, fetching
from hutong.relay.services.identity.verifier.store import RequestStore

FETCHES = httpx.Limits(max_connections=32, max_keepalive_connections=8)


def begin_desk(config: VerifierConfig, common: Common, engine: Engine, fetch: Fetch) -> Desk:
    """The verifier of a configuration, its files read and its table made.

    Raises:
        RoleUnusable: a key, chain, query or anchors that cannot be used.
    """
    if urlsplit(common.server.public_url).path.strip("/"):
        raise RoleUnusable(
            "verifier: a server.public_url with a path is not supported; give the verifier a host of its own"
        )
    if common.hub is None and any(one.hub is not None for one in config.policies.values()):
        raise RoleUnusable("verifier: a policy reads a hub's records, and this process was given none to read")
    store = RequestStore(engine)
    store.prepare()
    key = read_signing_key(config.key, config.certificates)
    return Desk(config, read_policies(config.policies), key, store, StatusLists(fetch), common)


def role_of(desk: Desk, common: Common, beside: Sequence[APIRouter] = ()) -> Role:
    """Its routes, those that are served beside them, and the work of removing what ended."""
    router = APIRouter()
    own = (wallet_router(desk), own_router(desk), files_router(), page_router(desk, cookies_of(common)))
    for part in (*own, *beside):
        router.include_router(part)

    async def sweep() -> None:
        while True:
            await desk.remove_ended()
            await anyio.sleep(SWEEP_S)

    return Role("verifier", router, sweep, lambda: desk.key_problem)


@asynccontextmanager
async def status_fetching(common: Common) -> AsyncIterator[Fetch]:
    """Status lists over the network; those of this machine by HTTP too, where the daemon itself is of this machine.

    Raises:
        RoleUnusable: `tls_authorities` is no file of certificates.
    """
    is_local = is_loopback(urlsplit(common.server.public_url).hostname or "")
    async with httpx.AsyncClient(verify=tls_context(common.server), limits=FETCHES, trust_env=False) as client:
        yield fetching(client, allow_http=is_local)
