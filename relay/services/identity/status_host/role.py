"""The status host as a role of the daemon: copies of other issuers' lists, fetched again and again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

import httpx
import trio
from fastapi import APIRouter, Request, Response

from hutong.light_clients.interface import VerificationError
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.services.identity.rules.jose import read_anchors
from hutong.relay.services.identity.rules.status import MAX_TOKEN_CHARS
from hutong.relay.services.identity.status_host.list_tokens import MEDIA_TYPE
from hutong.relay.services.identity.status_host.mirror import Fetch, Mirror
from hutong.relay.services.identity.status_host.serving_lists import list_answer
from hutong.relay.services.identity.status_host.settings import MirrorConfig, StatusConfig
from hutong.relay.telemetry import get_logger

FETCH_LIMIT_S = 5.0
WHOLE_LIMIT_S = 20.0
"""For one list: a host that sends a byte now and then holds up no other list for longer."""
DEFAULT_TTL_S = 15
AT_ONCE = 4


@asynccontextmanager
async def status_role(config: StatusConfig, common: Common) -> AsyncIterator[Role]:
    """The status host of a configuration.

    Raises:
        RoleUnusable: anchors cannot be read.
    """
    mirrors = {one.name: _mirror(one, common) for one in config.mirrors}

    async def run() -> None:
        async with httpx.AsyncClient(timeout=FETCH_LIMIT_S, follow_redirects=False, trust_env=False) as client:
            while True:
                await fetch_all(mirrors, partial(fetch, client))
                await trio.sleep(config.interval_s)

    yield Role("status", mirror_router(mirrors, common), run, lambda: _not_ready(mirrors))


def _mirror(config: MirrorConfig, common: Common) -> Mirror:
    try:
        anchors = read_anchors(config.anchors.read_bytes(), str(config.anchors))
    except (VerificationError, OSError) as error:
        raise RoleUnusable(f"status.mirrors {config.name}: {error}") from None
    return Mirror(config.lists, anchors, common.now_s)


def _not_ready(mirrors: dict[str, Mirror]) -> str | None:
    missing = [
        f"{name}/{number}"
        for name, mirror in mirrors.items()
        for number in range(len(mirror.uris))
        if mirror.served(number) is None
    ]
    return f"no copy in time of {', '.join(missing[:8])}" if missing else None


def mirror_router(mirrors: dict[str, Mirror], common: Common) -> APIRouter:
    """`/mirror/NAME/NUMBER`, below the path of the daemon's public URL."""
    router = APIRouter(tags=["status"])

    @router.get(urlsplit(common.server.public_url).path + "/mirror/{name}/{number}")
    async def mirrored(request: Request, name: str, number: int) -> Response:
        """A copy of another issuer's list, as it was signed."""
        mirror = mirrors.get(name)
        copy = None if mirror is None else mirror.served(number)
        ttl_s = DEFAULT_TTL_S if copy is None or copy.claims.ttl_s is None else copy.claims.ttl_s
        return list_answer(request, None if copy is None else copy.token, ttl_s)

    return router


async def fetch_all(mirrors: dict[str, Mirror], fetching: Fetch) -> None:
    """Every list once, a few at a time. What is refused is logged, and the copy before stays until it expires."""
    limit = trio.CapacityLimiter(AT_ONCE)

    async def one(mirror: Mirror, uri: str) -> None:
        async with limit:
            try:
                token = await fetching(uri)
                await trio.to_thread.run_sync(mirror.take, uri, token)
            except (VerificationError, httpx.HTTPError) as error:
                mirror.refused[uri] = str(error)
                get_logger("identity").warning("a list was not taken", uri=uri, reason=str(error)[:300])

    async with trio.open_nursery() as nursery:
        for mirror in mirrors.values():
            for uri in mirror.uris:
                nursery.start_soon(one, mirror, uri)


async def fetch(client: httpx.AsyncClient, uri: str) -> str:
    """A list token from its issuer, within bounds; redirects are not followed.

    Raises:
        httpx.HTTPError: no answer, another status than 200, too large, or not text.
    """
    try:
        with trio.fail_after(WHOLE_LIMIT_S):
            body = await _fetched(client, uri)
    except trio.TooSlowError:
        raise httpx.HTTPError(f"{uri} sends no whole list within {WHOLE_LIMIT_S:.0f} s") from None
    try:
        return body.decode("ascii")
    except UnicodeDecodeError:
        raise httpx.HTTPError(f"{uri} sends something that is not a token") from None


async def _fetched(client: httpx.AsyncClient, uri: str) -> bytearray:
    headers = {"accept": MEDIA_TYPE, "accept-encoding": "identity"}
    async with client.stream("GET", uri, headers=headers) as answer:
        if answer.status_code != 200:
            raise httpx.HTTPError(f"{uri} answers {answer.status_code}")
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > MAX_TOKEN_CHARS:
                raise httpx.HTTPError(f"{uri} sends more than {MAX_TOKEN_CHARS} bytes")
    return body
