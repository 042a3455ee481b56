"""Which client belongs to which, from the configuration, and that the chains say the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hutong.adapters.interface import ChainAdapter, UnknownClient
from hutong.light_clients.interface import VerificationError
from hutong.light_clients.table import followed_chain_id, light_client
from hutong.relay.config import PathConfig, PathEnd
from hutong.relay.core.errors import StartRefused
from hutong.relay.dispatch import Route


@dataclass(frozen=True, slots=True)
class Paths:
    """Every configured path end with the end opposite; a client is in one path only."""

    opposite: Mapping[PathEnd, PathEnd]
    _by_client: Mapping[tuple[str, str], PathEnd]

    @classmethod
    def of(cls, paths: Iterable[PathConfig]) -> "Paths":
        """Both directions of every path. That no client is in two is checked when the configuration is loaded, not
        here.
        """
        opposite: dict[PathEnd, PathEnd] = {}
        for path in paths:
            opposite[path.a] = path.b
            opposite[path.b] = path.a
        return cls(opposite, {(end.chain, end.client): end for end in opposite})

    def counterparty(self, chain: str, client_id: str) -> PathEnd | None:
        """The end opposite to a client, None if it is in no path."""
        end = self.end(chain, client_id)
        return None if end is None else self.opposite[end]

    def end(self, chain: str, client_id: str) -> PathEnd | None:
        """The end that a client is, None if it is in no path."""
        return self._by_client.get((chain, client_id))

    def counterparties(self) -> dict[tuple[str, str], str]:
        """By (chain name, client id) of every path end, the name of the chain on the other side."""
        return {(end.chain, end.client): other.chain for end, other in self.opposite.items()}

    def routes(self) -> list[Route]:
        """Both directions of every path, each named by the client that its jobs update: that on its destination."""
        return [Route(source.chain, end.chain, end.client) for end, source in self.opposite.items()]


async def check_end(end: PathEnd, opposite: PathEnd, adapters: Mapping[str, ChainAdapter]) -> None:
    """The client exists, follows the opposite chain, and has the opposite client as its counterparty (G13).

    Raises:
        StartRefused: naming what the chain says and what the configuration says.
        AdapterError: the chain does not answer.
    """
    where = f"path end {end.chain}:{end.client}"
    other = adapters[opposite.chain]
    try:
        info = await adapters[end.chain].client(end.client)
    except UnknownClient:
        raise StartRefused(f"{where}: {end.chain} has no such client; are client or ends of the path wrong?") from None
    try:
        light_client(info.client_type)
        followed = followed_chain_id(info.client_type, info.client_state)
    except VerificationError as error:
        raise StartRefused(f"{where}: {error}") from None
    if followed != other.chain_id:
        raise StartRefused(f"{where}: the client follows chain {followed}, but {opposite.chain} is {other.chain_id}")
    if info.counterparty_client_id is None:
        raise StartRefused(f"{where}: no counterparty is registered; run: hutong path create")
    if info.counterparty_client_id != opposite.client:
        raise StartRefused(
            f"{where}: its counterparty is {info.counterparty_client_id}, the configuration says {opposite.client}"
        )
    if info.merkle_prefix != other.merkle_prefix:
        raise StartRefused(f"{where}: the registered Merkle prefix is not that of {opposite.chain}")
