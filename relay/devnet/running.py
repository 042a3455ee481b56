"""A development chain as a process."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import trio

from hutong.relay.devnet.chain import DevnetChain
from hutong.relay.devnet.node import innermost, open_home, serve_devnet
from hutong.relay.devnet.settings import DevnetError, Genesis, Pace
from hutong.relay.devnet.signalled import until_signalled
from hutong.relay.evm.store.lmdb_store import StoreFull

Ready = Callable[[DevnetChain, str], None]
"""Called with the chain and its URL once it answers."""


def run_devnet(
    home: Path | None, genesis: Genesis, pace: Pace, validators: int, endpoint: tuple[str, int], ready: Ready
) -> None:
    """Run a chain sealed by its own keys.

    Args:
        home: where it is kept; None: in memory.
        validators: of a new chain.
        endpoint: address and port to listen on; port 0 takes a free one.

    Raises:
        DevnetError: it cannot start, or its disk is full.
    """
    refusal: BaseException | None = None
    try:
        with open_home(home) as store:
            chain = DevnetChain(store, genesis, pace, validators=validators)
            trio.run(until_signalled, partial(serve_devnet, chain, *endpoint), lambda node: ready(chain, node.url))
    except* DevnetError as errors:
        refusal = innermost(errors)
    except* StoreFull as errors:
        refusal = DevnetError(f"stopped: {innermost(errors)}; nothing is lost, free space and start it again")
    if refusal is not None:
        raise refusal
