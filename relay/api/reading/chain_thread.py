"""Adapters, queue and archive in a thread of their own under trio, for a server with another event loop."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from queue import SimpleQueue
from random import Random

import trio

from hutong.adapters.interface import ChainAdapter
from hutong.relay.api.reading.backend import Chains, ThreadBackend
from hutong.relay.api.reading.chain_views import ChainViews
from hutong.relay.archive import Archive
from hutong.relay.config import Config
from hutong.relay.core.history.letters import Letters
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import Connection, EmbeddedValkey, Queue
from hutong.relay.telemetry import get_logger

STOP_LIMIT_S = 10.0


@contextmanager
def chain_thread(config: Config) -> Iterator[ThreadBackend]:
    """The backend while the block lasts.

    Raises:
        Exception: what kept the thread from starting.
    """
    started: SimpleQueue[tuple[ThreadBackend, trio.CancelScope] | BaseException] = SimpleQueue()

    def run() -> None:
        try:
            trio.run(_work, config, started)
        except BaseException as error:
            get_logger("api").exception("the chains' thread ended")
            started.put(error)

    thread = threading.Thread(target=run, name="chains", daemon=True)
    thread.start()
    first = started.get()
    if isinstance(first, BaseException):
        raise first
    backend, scope = first
    try:
        yield backend
    finally:
        backend.stop(scope)
        thread.join(STOP_LIMIT_S)


async def _work(config: Config, started: "SimpleQueue[tuple[ThreadBackend, trio.CancelScope] | BaseException]") -> None:
    async with AsyncExitStack() as stack:
        adapters: dict[str, ChainAdapter] = {}
        for chain in config.chains:
            opened = open_chain(chain, Random())  # noqa: S311  endpoint choice, no secret
            adapters[chain.name] = await stack.enter_async_context(opened)
        password_env = config.relay.redis_password_env
        connection = Connection(
            config.relay.redis_url or EmbeddedValkey(config.relay.home / "queue").url,
            None if password_env is None else os.environ.get(password_env),
        )
        stack.callback(connection.close)
        paths = Paths.of(config.paths)
        queue = Queue(connection, "api", lambda: time.time_ns() // 1_000_000, prefix=config.relay.redis_prefix)
        chains = Chains(
            config, adapters, paths, Archive(config.relay.home / "evidence"), Letters(queue, paths, config.relay)
        )
        views = ChainViews(config, adapters, paths, time.time_ns)
        with trio.CancelScope() as scope:
            started.put((ThreadBackend(chains, views, trio.lowlevel.current_trio_token()), scope))
            await views.run()
