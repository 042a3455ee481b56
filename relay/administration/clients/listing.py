"""The clients of all configured paths, also while some of their chains are away."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import trio

from hutong.adapters.interface import AdapterError, ChainAdapter, UnknownClient
from hutong.light_clients.interface import VerificationError
from hutong.relay.administration.clients.updates import ClientLine, client_line
from hutong.relay.config import Config, PathEnd
from hutong.relay.core.topology.chains import open_chain

CHAIN_LIMIT_S = 15.0
"""For all questions to one chain; chains are asked at the same time."""


@dataclass(frozen=True, slots=True)
class ListedClients:
    """`lines` in the order of the paths; `refusals` is one sentence for each chain that is away or client unknown."""

    lines: tuple[ClientLine, ...]
    refusals: tuple[str, ...]


async def list_clients(
    config: Config, ends: Sequence[PathEnd], random: Random, limit_s: float = CHAIN_LIMIT_S
) -> ListedClients:
    """Every client that its chain tells of within `limit_s` seconds."""
    lines: dict[PathEnd, ClientLine] = {}
    refusals: dict[str, list[str]] = {end.chain: [] for end in ends}

    async def ask_client(chain: ChainAdapter, end: PathEnd) -> None:
        try:
            lines[end] = await client_line(chain, end)
        except UnknownClient as error:
            refusals[end.chain].append(str(error))

    async def ask(name: str) -> None:
        own = [end for end in dict.fromkeys(ends) if end.chain == name]
        with trio.move_on_after(limit_s) as bound:
            async with open_chain(config.chain(name), random) as chain:
                try:
                    for end in own:
                        await ask_client(chain, end)
                except (AdapterError, VerificationError) as error:
                    said = str(error)
                    refusals[name].append(said if name in said else f"{name}: {said}")
        if bound.cancelled_caught:
            refusals[name].append(f"{name} did not answer within {limit_s:.0f} s; look at its endpoints")

    async with trio.open_nursery() as nursery:
        for name in refusals:
            nursery.start_soon(ask, name)
    return ListedClients(
        tuple(lines[end] for end in ends if end in lines), tuple(said for chain in refusals.values() for said in chain)
    )
