"""A development chain as a running node: storage, block production and JSON-RPC under one owner."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import lmdb
import trio

from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, lock_home
from hutong.relay.devnet.chain import DevnetChain
from hutong.relay.devnet.settings import DEFAULT_VALIDATORS, DevnetError, Genesis, Pace
from hutong.relay.devnet.validator_methods import ValidatorMethods
from hutong.relay.evm.rpc.call_executor import CallThreads
from hutong.relay.evm.rpc.json_rpc import JsonRpcService
from hutong.relay.evm.rpc.server import JsonRpcApp, serve
from hutong.relay.evm.store.database import KeyValueStore, MemoryStore
from hutong.relay.evm.store.lmdb_store import LmdbStore

CALL_DEADLINE_S = 60.0
"""For one call: nobody depends on a dev chain, and many may share a slow machine."""

HOME = HomeKind("dev chain", "lock")
DATABASE_DIRECTORY = "chain"


@dataclass(frozen=True, slots=True)
class Devnet:
    """A node that is serving; HTTP and WebSocket share the port."""

    chain: DevnetChain
    port: int
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """Of JSON-RPC over HTTP."""
        return f"http://{self.host}:{self.port}"

    @property
    def websocket_url(self) -> str:
        """Of JSON-RPC over a WebSocket, on the same port."""
        return f"ws://{self.host}:{self.port}"


@contextmanager
def open_home(home: Path | None) -> Iterator[KeyValueStore]:
    """The store in `home`, or one in memory. One process holds a home: two would seal two blocks at one height.

    Raises:
        DevnetError: another process holds it, or it cannot be used.
    """
    if home is None:
        yield MemoryStore()
        return
    try:
        lock = lock_home(home, HOME)
    except HomeNotLocked as error:
        raise DevnetError(str(error)) from error
    with lock:
        try:
            store = LmdbStore(home / DATABASE_DIRECTORY)
        except (lmdb.Error, OSError) as error:
            raise DevnetError(f"{home} cannot be used as home: {getattr(error, 'strerror', None) or error}") from error
        try:
            yield store
        finally:
            store.close()


async def serve_devnet(
    chain: DevnetChain,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    task_status: trio.TaskStatus[Devnet] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Produce blocks and answer JSON-RPC until cancelled; started when it answers.

    Args:
        port: 0 lets the system choose.

    Raises:
        DevnetError: the address cannot be used; maybe inside an exception group.
    """
    calls = CallThreads(chain, CALL_DEADLINE_S)
    service = JsonRpcService(chain, ValidatorMethods(chain).methods(), calls)
    refusal: BaseException | None = None
    async with trio.open_nursery() as nursery:
        try:
            bound = await nursery.start(serve, JsonRpcApp(service), host, port)
        except* OSError as errors:
            refusal = innermost(errors)
        if refusal is not None:
            raise DevnetError(f"cannot listen on {host}:{port}: {refusal}")
        nursery.start_soon(chain.run)
        nursery.start_soon(chain.index_older_blocks)
        task_status.started(Devnet(chain, bound, host))


def innermost(error: BaseException) -> BaseException:
    """The first error inside nested groups: nurseries wrap even a lone one."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@asynccontextmanager
async def running_devnet(
    genesis: Genesis,
    pace: Pace | None = None,
    *,
    home: Path | None = None,
    port: int = 0,
    private_keys: tuple[bytes, ...] | None = None,
    validators: int = DEFAULT_VALIDATORS,
) -> AsyncIterator[Devnet]:
    """A node inside the caller's trio run, for tests and tools; it ends with the block.

    Args:
        home: where the chain is kept; None: in memory.
        private_keys: the validators', 32 bytes each; in place of `validators` random ones.

    Raises:
        DevnetError: the home is in use, holds another chain, or the address cannot be used; maybe in an exception
            group.
    """
    with open_home(home) as store:
        chain = DevnetChain(store, genesis, pace, private_keys=private_keys, validators=validators)
        async with trio.open_nursery() as nursery:
            yield await nursery.start(serve_devnet, chain, "127.0.0.1", port)
            nursery.cancel_scope.cancel()
