"""A hub's client that an earlier run of `path create` has made, and whose other end waits for a decision on the chain."""

from typing import TYPE_CHECKING

from hutong.adapters.interface import AdapterError

if TYPE_CHECKING:
    from hutong.adapters.hub import HubChain
    from hutong.adapters.interface import InitialStates

MOST_LOOKED_AT = 32
"""Clients of the chain's type, the newest first: what waits was made lately."""


class AlreadyBegun(AdapterError):
    """An earlier run has made the clients of this path, and waits."""


async def require_none_waits(hub: "HubChain", chain: str, states: "InitialStates") -> None:
    """Demand that no active client of the hub follows the same chain and router and has no counterparty yet.

    Args:
        chain: its name in the configuration.
        states: those that a new client would begin with.

    Raises:
        AlreadyBegun: one does; the sentence says how to go on with it.
        AdapterError: the hub does not answer.
    """
    from hutong.light_clients.interface import ClientStatus
    from hutong.light_clients.table import light_client

    judge = light_client(states.client_type)
    wanted = judge.proven_store(states.client_state)
    number = int((await hub.next_client_id(states.client_type)).rpartition("-")[2])
    for each in range(number - 1, max(-1, number - 1 - MOST_LOOKED_AT), -1):
        info = await hub.client(f"{states.client_type}-{each}")
        if info.counterparty_client_id is not None or info.status is not ClientStatus.ACTIVE:
            continue
        if judge.proven_store(info.client_state) == wanted:
            raise AlreadyBegun(
                f"nothing was made: {hub.name} has a client of {chain} already that waits for its other end,"
                f" {info.client_id}; go on with it by --on-hub {info.client_id} and the --light-client that the run"
                " which made it has printed (hutong roles pending shows it in what is scheduled), or give --anew to make"
                " other clients, as where that one was meant as a substitute"
            )
