"""The API inside `hutong relay run`: under trio, beside the relay's tasks, which it must never end."""

from random import Random

import trio

from hutong.relay.api.reading.backend import Chains, TrioBackend
from hutong.relay.api.reading.chain_views import ChainViews
from hutong.relay.api.service import Service
from hutong.relay.api.serving.app import create_app
from hutong.relay.api.serving.descriptors import allow_descriptors
from hutong.relay.base.os_errors import os_reasons
from hutong.relay.config import ApiConfig
from hutong.relay.core.daemon import Parts
from hutong.relay.core.errors import StartRefused
from hutong.relay.core.history.letters import Letters
from hutong.relay.core.supervisor import RESTART
from hutong.relay.core.topology.paths import Paths
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.telemetry import get_logger

MAX_PLAIN_CONNECTIONS = 256
HEAD_LIMIT_S = 10.0
"""For the head of a request, and for a connection without one."""
SEND_LIMIT_S = 30.0
MAX_HEAD_BYTES = 32 * 1024


async def serve_beside(parts: Parts, on_serving: "trio.MemorySendChannel[str] | None" = None) -> None:
    """A companion of the relay: what fails here is logged, and the API starts again. For ever.

    Raises:
        StartRefused: the address cannot be had at the start, as for `relay.http`: nobody would look for the API in a log.
    """
    settings = parts.config.api
    if settings is None or not settings.inside_relay:
        return
    log, random, failures, served = get_logger("api"), Random(), 0, trio.Event()  # noqa: S311  jitter
    while True:
        try:
            await _serve(parts, settings, on_serving, served)
        except Exception as error:
            refused = os_reasons(error)
            if refused is not None and not served.is_set():
                said = f"api.listen {settings.listen} cannot be used: {'; '.join(refused)}; give it a free address"
                raise StartRefused(said) from None
            failures += 1
            delay_s = RESTART.delay_s(failures, random)
            if refused is None:
                log.exception("the API failed; starting it again", delay_s=round(delay_s, 2))
            else:
                log.warning("the API failed; starting it again", reason="; ".join(refused), delay_s=round(delay_s, 2))
            await trio.sleep(delay_s)


async def _serve(
    parts: Parts, settings: ApiConfig, on_serving: "trio.MemorySendChannel[str] | None", served: trio.Event
) -> None:
    paths = Paths.of(parts.config.paths)
    views = ChainViews(parts.config, parts.adapters, paths, parts.now_ns)
    chains = Chains(parts.config, parts.adapters, paths, parts.archive, Letters(parts.queue, paths, parts.config.relay))
    service = Service.of(parts.config, settings, TrioBackend(chains, views), inside_relay=True)
    config = listen_config(settings.host, settings.port)
    config.h11_max_incomplete_size = MAX_HEAD_BYTES
    config.keep_alive_timeout = HEAD_LIMIT_S
    config.websocket_max_message_size = 4 * 1024
    if settings.has_tls:
        config.certfile, config.keyfile = str(settings.tls_certificate), str(settings.tls_key)
    streams = allow_descriptors(settings.max_streams)
    try:
        async with trio.open_nursery() as nursery:
            port = await nursery.start(_listen, create_app(service), config, streams + MAX_PLAIN_CONNECTIONS)
            served.set()
            nursery.start_soon(views.run)
            nursery.start_soon(service.changes.run)
            url = address(settings, port)
            get_logger("api").info("serving the API", at=url)
            if on_serving is not None:
                await on_serving.send(url)
    finally:
        service.close()


async def _listen(
    app: object, config: object, max_connections: int, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    await listen(
        app,
        config,  # type: ignore[arg-type]
        max_connections=max_connections,
        send_limit_s=SEND_LIMIT_S,
        task_status=task_status,
    )


def address(settings: ApiConfig, port: int) -> str:
    """What a browser on this host opens."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{'https' if settings.has_tls else 'http'}://{host}:{port}/"
