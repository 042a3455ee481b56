"""The relays that share our queue: each says there by which accounts it sends, so that none is taken for a stranger."""

from collections.abc import Iterable, Mapping

import trio

from hutong.relay.dispatch import Queue

ANNOUNCE_EVERY_S = 10.0
FORGOTTEN_AFTER_S = 60.0


class Peers:
    """Accounts by chain: ours, and those that others announced. `run` it under supervision where the queue is shared."""

    def __init__(self, own: Mapping[str, Iterable[str]], queue: Queue) -> None:
        self._own = {chain: frozenset(addresses) for chain, addresses in own.items()}
        self._all = dict(self._own)
        self._queue = queue

    def own(self, chain: str) -> frozenset[str]:
        """Addresses that this process signs with on a chain, as the chain writes them; empty for chains without an
        account.
        """
        return self._own.get(chain, frozenset())

    def all(self, chain: str) -> frozenset[str]:
        """The same with those that processes on this queue announced in the last FORGOTTEN_AFTER_S."""
        return self._all.get(chain, frozenset())

    async def run(self) -> None:
        """For ever: announce our accounts and read those of others, every ANNOUNCE_EVERY_S.

        Raises:
            QueueUnavailable: the supervisor calls it again; what was read last holds.
        """
        names = [f"{chain} {address}" for chain, addresses in self._own.items() for address in addresses]
        while True:
            await self._queue.announce(names)
            found: dict[str, set[str]] = {chain: set(addresses) for chain, addresses in self._own.items()}
            for name in await self._queue.announced(FORGOTTEN_AFTER_S):
                chain, _, address = name.partition(" ")
                if chain in found:
                    found[chain].add(address)
            self._all = {chain: frozenset(addresses) for chain, addresses in found.items()}
            await trio.sleep(ANNOUNCE_EVERY_S)
