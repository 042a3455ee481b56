"""Over which way: what a request allows, and for tokens the way back that a voucher came, lest it becomes a voucher's voucher."""

from collections.abc import Callable
from dataclasses import dataclass

from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.relay.api.reading.ways import Way, ways
from hutong.relay.api.tokens.tracing import Place, home_of
from hutong.relay.config import Config
from hutong.relay.core.topology.paths import Paths
from hutong.relay.web.problems import refused_field


@dataclass(frozen=True, slots=True)
class Choice:
    """`fitting` are the ways that the request allows, at least one, of `every` that leads from `source` to `destination`."""

    source: str
    destination: str
    fitting: tuple[Way, ...]
    every: tuple[Way, ...]
    paths: Paths

    @property
    def first(self) -> Way:
        """The direct one, where there is one."""
        return self.fitting[0]

    def way_for(self, denom: Denom) -> Way:
        """The fitting way that undoes most of the hops over which a token came to `source`.

        Raises:
            ApiProblem: it goes to its home, and not over the way that it came.
        """
        chosen = max(self.fitting, key=lambda way: undone_hops(way, denom))
        home = home_of(Place(self.source, denom), self.paths)
        if denom.is_native or home is None or home.chain != self.destination:
            return chosen
        best = max(self.every, key=lambda way: undone_hops(way, denom))
        if undone_hops(best, denom) > undone_hops(chosen, denom):
            raise refused_field(
                "via",
                f"is not the way that the token came from {home.chain}: there it would be a voucher's voucher;"
                f" ask with {_as_asked(best)}",
            )
        if not undone_hops(best, denom):
            last = self.paths.counterparty(self.source, denom.hops[0].client)
            raise refused_field(
                "destination",
                f"is the token's home, but no way of at most two hops goes back all that it came;"
                f" send it to {'the chain before' if last is None else last.chain} first",
            )
        return chosen


def undone_hops(way: Way, denom: Denom) -> int:
    """How many of a denomination's newest hops a way goes back: over the client on its source, then over the hub's.

    At most as many as the way has hops.
    """
    count = 0
    for (end, _), hop in zip(way.hops, denom.hops, strict=False):
        if (hop.port, hop.client) != (TRANSFER_PORT, end.client):
            break
        count += 1
    return count


def choice_of(
    config: Config,
    paths: Paths,
    source: str,
    destination: str,
    *,
    via: str | None = None,
    client: str | None = None,
    next_client: str | None = None,
) -> Choice:
    """The ways that a request allows: any, or over that hub, or over those clients where several paths lead there.

    Raises:
        ApiProblem: a chain or hub is not known, or no way leads there.
    """
    known = {chain.name for chain in config.chains}
    for field, name in (("source", source), ("destination", destination), ("via", via)):
        if name is not None and name not in known:
            listed = ", ".join(sorted(known))
            raise refused_field(field, f"names no chain: there are {listed}, not {name}")
    every = ways(config, paths, source, destination)
    if not every:
        raise refused_field(
            "destination", f"is not reached: no configured way leads there from {source}; see /v1/routes"
        )
    fitting = every
    wanted: tuple[tuple[str, str | None, Callable[[Way], str | None]], ...] = (
        ("via", via, lambda way: way.via),
        ("client", client, lambda way: way.client),
        ("next_client", next_client, lambda way: way.next_client),
    )
    for field, name, found in wanted:
        if name is not None:
            fitting = tuple(way for way in fitting if found(way) == name)
        if not fitting:
            raise refused_field(field, f"{name} is on no configured way from {source} to {destination}; see /v1/routes")
    return Choice(source, destination, fitting, every, paths)


def _as_asked(way: Way) -> str:
    """The fields of a request that mean exactly this way."""
    if way.via is None:
        return f'"client": "{way.client}" and without "via"'
    return f'"via": "{way.via}", "client": "{way.client}", "next_client": "{way.next_client}"'
