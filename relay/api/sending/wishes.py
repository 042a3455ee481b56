"""What a user wants to send, and over which way."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from relay.api.describing import path_end
from relay.api.models.sending import PreparedRoute, Sends, UnsignedCosmos, UnsignedEvm
from relay.api.problems import ApiProblem, Code
from relay.api.ways import Way, ways
from relay.config import Config
from relay.core.paths import Paths

MAX_UINT256 = 2**256 - 1


@dataclass(frozen=True, slots=True)
class Wish:
    """Tokens (`token` and `amount`) or a message (`payload`), from `sender` over `way`. The timeout is absolute."""

    way: Way
    sender: str
    receiver: str
    timeout_timestamp_s: int
    token: str = ""
    amount: int = 0
    memo: str = ""
    payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """Transactions in their order, and the packet that the last one sends."""

    transactions: Sequence[UnsignedEvm | UnsignedCosmos]
    sends: Sends


def way_of(config: Config, paths: Paths, source: str, destination: str, via: str | None) -> Way:
    """The way that was asked for; without `via` the direct one, or the only hub's.

    Raises:
        ApiProblem: a chain or hub is not known, or no way leads there.
    """
    known = {chain.name for chain in config.chains}
    for field, name in (("source", source), ("destination", destination), ("via", via)):
        if name is not None and name not in known:
            listed = ", ".join(sorted(known))
            raise ApiProblem(
                Code.INVALID_REQUEST, f"no chain is called {name}; there are {listed}", field=field, status=422
            )
    found = ways(config, paths, source, destination)
    if via is not None:
        found = tuple(way for way in found if way.via == via)
    if not found:
        over = "" if via is None else f" over {via}"
        raise ApiProblem(
            Code.INVALID_REQUEST,
            f"no configured way leads from {source} to {destination}{over}; see /v1/routes",
            field="destination",
            status=422,
        )
    return found[0]


def absolute_timeout_s(timeout_s: int) -> int:
    return int(time.time()) + timeout_s


def refused_field(field: str, detail: str) -> ApiProblem:
    return ApiProblem(Code.INVALID_REQUEST, f"{field} {detail}", field=field, status=422)


def prepared_route(way: Way) -> PreparedRoute:
    return PreparedRoute(
        hops=[{"source": path_end(source), "destination": path_end(destination)} for source, destination in way.hops],
        via=way.via,
    )
