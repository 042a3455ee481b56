"""Ways from chain to chain of at most two hops: direct ones, and those over a hub."""

from collections.abc import Iterator
from dataclasses import dataclass

from hutong.relay.config import Config, HubChainConfig, PathEnd
from hutong.relay.core.topology.paths import Paths


@dataclass(frozen=True, slots=True)
class Way:
    """`hops` are (source, destination) ends, one or two."""

    hops: tuple[tuple[PathEnd, PathEnd], ...]

    @property
    def via(self) -> str | None:
        """The hub between, by its configured name; None of a direct way."""
        return self.hops[0][1].chain if len(self.hops) == 2 else None

    @property
    def client(self) -> str:
        """On the source, over which is sent."""
        return self.hops[0][0].client

    @property
    def next_client(self) -> str | None:
        """The hub's client of the destination."""
        return self.hops[1][0].client if len(self.hops) == 2 else None


def ways(config: Config, paths: Paths, source: str, destination: str) -> tuple[Way, ...]:
    """Ways of one hop, then those of two over a hub, as the paths are configured.

    Only hubs send on, and nothing is sent to where it comes from. Names that no chain has give no way.
    """
    if source == destination:
        return ()
    direct = tuple(Way((hop,)) for hop in _hops(paths, source) if hop[1].chain == destination)
    hubs = {chain.name for chain in config.chains if isinstance(chain, HubChainConfig)} - {source, destination}
    forwarded = tuple(
        Way((first, second))
        for first in _hops(paths, source)
        if first[1].chain in hubs
        for second in _hops(paths, first[1].chain)
        if second[1].chain == destination
    )
    return direct + forwarded


def _hops(paths: Paths, chain: str) -> Iterator[tuple[PathEnd, PathEnd]]:
    return (hop for hop in paths.opposite.items() if hop[0].chain == chain)
