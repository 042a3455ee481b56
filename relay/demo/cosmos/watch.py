"""The status that simd gives its client of the hub, asked again and again while traffic flows."""

from collections import Counter
from contextlib import suppress

import httpx
import trio

from hutong.relay.demo.cosmos.chain import CosmosChain

INTERVAL_S = 2.0
FREEZE_LIMIT_S = 30


class StatusWatch:
    """`seen` counts the answers."""

    def __init__(self, chain: CosmosChain) -> None:
        self.seen: Counter[str] = Counter()
        self._chain = chain

    async def run(self) -> None:
        """Ask every INTERVAL_S until cancelled; a node that does not answer counts as nothing.

        Raises:
            httpx.HTTPStatusError: the node answers with an error.
        """
        while True:
            with suppress(httpx.TransportError):  # a busy node that says nothing has not said another thing
                self.seen[await trio.to_thread.run_sync(self._chain.client_status)] += 1
            await trio.sleep(INTERVAL_S)


async def settled_status(chain: CosmosChain) -> str:
    """What the client's status is once it is no longer Active, or at the end of FREEZE_LIMIT_S.

    `unknown` where the node never answered.
    """
    status = "unknown"
    with trio.move_on_after(FREEZE_LIMIT_S), suppress(httpx.HTTPError):
        while True:
            status = await trio.to_thread.run_sync(chain.client_status)
            if status != "Active":
                break
            await trio.sleep(0.5)
    return status
