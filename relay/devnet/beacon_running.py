"""A development chain under a simulated beacon chain as a process."""

from collections.abc import Callable
from functools import partial

import trio

from hutong.relay.devnet.beacon_node import BeaconDevnet, serve_beacon_devnet
from hutong.relay.devnet.node import innermost
from hutong.relay.devnet.settings import DevnetError
from hutong.relay.devnet.signalled import until_signalled


def run_beacon_devnet(chains: BeaconDevnet, endpoint: tuple[str, int], ready: Callable[[str], None]) -> None:
    """Run a chain under a simulated beacon chain.

    Args:
        endpoint: address and port to listen on; port 0 takes a free one.
        ready: called with the URL once a block is final.

    Raises:
        DevnetError: it cannot start.
    """
    refusal: BaseException | None = None
    try:
        trio.run(until_signalled, partial(serve_beacon_devnet, chains, *endpoint), lambda node: ready(node.url))
    except* DevnetError as errors:
        refusal = innermost(errors)
    if refusal is not None:
        raise refusal
