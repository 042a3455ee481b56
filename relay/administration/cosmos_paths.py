"""Making the two clients of a Cosmos chain's path: one transaction of its account on the chain, one decision of the
hub's admins."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from hutong.relay.administration.beginnings import Agreement, Pin, beginning_of
from hutong.relay.administration.hub.trust import approve
from hutong.relay.administration.paths import CreatedPath
from hutong.relay.administration.submission import new_salt
from hutong.relay.base.durations import DAY_S
from hutong.relay.config import CosmosChainConfig, HubChainConfig
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.cosmos import CosmosChain
    from hutong.adapters.hub import HubChain
    from hutong.adapters.interface import ClientParameters, InitialStates

LONGEST_TRUST_S = 7 * DAY_S
"""Of the hub's clients, unless somebody asks for more."""
TENDERMINT = "07-tendermint"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; without a trusting period each chain's own parameters decide."""

    trusting_period_s: int | None
    max_clock_drift_s: int


async def create_cosmos_path(
    cosmos: CosmosChainConfig,
    owner: Signer,
    hub: HubChainConfig,
    admins: Sequence[Signer],
    wish: Wish,
    agreement: Agreement,
    random: Random,
) -> CreatedPath:
    """Make the hub's client of the chain and the chain's client of the hub, each the other's counterparty.

    Raises:
        NotConfirmed, OtherBeginning: about the blocks that they would begin at, before anything was sent.
        RefusedByChain: a chain takes no such client, or refuses a transaction. AdapterError: a chain does not answer.
    """
    from hutong.adapters.cosmos.administration import create_client as create_on_chain
    from hutong.adapters.cosmos.administration import register_counterparty
    from hutong.adapters.hub.admin import register_counterparty as registration
    from hutong.adapters.ics26.transactor import Transactor
    from hutong.adapters.rpc import all_of
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(cosmos, random) as chain, open_chain(hub, random) as hub_chain:
        await chain.check_identity()
        await hub_chain.check_identity()
        of_chain, of_hub = await parameters_of_chain(chain, wish), await parameters_of_hub(hub_chain, wish)
        for_hub = await chain.initial_states(TENDERMINT, _beginning_at(of_chain, agreement.chain))
        for_chain = await hub_chain.initial_states(TENDERMINT, _beginning_at(of_hub, agreement.hub))
        beginnings = (
            beginning_of(hub.name, cosmos.name, for_hub, agreement.chain),
            beginning_of(cosmos.name, hub.name, for_chain, agreement.hub),
        )
        await agreement.confirm(beginnings)
        eth_chain_id = await hub_chain.eth_chain_id()
        transactors = [Transactor(hub_chain.execution, eth_chain_id, admin) for admin in admins]
        ids: dict[str, str] = {}

        async def open_on_hub(states: "InitialStates") -> None:
            from hutong.adapters.hub.admin import create_client, created_client

            action = create_client(new_salt(), states.client_type, states.client_state, states.consensus_state)
            ids["hub"] = created_client(await approve(hub, hub_chain, transactors, action))

        async def open_on_chain(states: "InitialStates") -> None:
            ids["chain"] = await create_on_chain(chain, owner, states)

        await all_of([(open_on_hub, for_hub), (open_on_chain, for_chain)])
        on_hub, on_chain = ids["hub"], ids["chain"]

        async def register_on_hub(client_id: str) -> None:
            action = registration(new_salt(), on_hub, client_id, chain.merkle_prefix)
            await approve(hub, hub_chain, transactors, action)

        async def register_on_chain(client_id: str) -> None:
            await register_counterparty(chain, owner, on_chain, client_id, hub_chain.merkle_prefix)

        await all_of([(register_on_hub, on_chain), (register_on_chain, on_hub)])
    return CreatedPath((cosmos.name, on_chain), (hub.name, on_hub), beginnings=beginnings)


def _beginning_at(parameters: "ClientParameters", pin: Pin | None) -> "ClientParameters":
    return parameters if pin is None else replace(parameters, begin_height=pin.height)


async def create_hub_client(
    chain: "CosmosChain", owner: Signer, hub_chain: "HubChain", parameters: "ClientParameters"
) -> str:
    """Make a client of the hub on the chain by a transaction of `owner`; returns its identifier.

    It has no counterparty yet.

    Raises:
        RefusedByChain: the chain refuses the transaction.
        AdapterError: a chain does not answer.
    """
    from hutong.adapters.cosmos.administration import create_client

    states = await hub_chain.initial_states(TENDERMINT, parameters)
    return await create_client(chain, owner, states)


async def parameters_of_hub(hub_chain: "HubChain", wish: Wish) -> "ClientParameters":
    """For a client of the hub: its genesis says for how long a removed validator stays accountable.

    Raises:
        RefusedByChain: the wished trusting period is not below that time.
        AdapterError: the hub does not answer.
    """
    from hutong.adapters.hub.admin import genesis_periods

    trusting_s, unbonding_s = await genesis_periods(hub_chain.execution)
    return _parameters(hub_chain.name, wish, wish.trusting_period_s or trusting_s, unbonding_s)


async def parameters_of_chain(chain: "CosmosChain", wish: Wish) -> "ClientParameters":
    """For a client of the chain: two thirds of its unbonding period, a week at most, unless a period is wished for.

    Also asks whether the chain takes our clients.

    Raises:
        RefusedByChain: its governance admits no 07-tendermint clients, or the wished period is not below its unbonding
            period.
        AdapterError: the chain does not answer.
    """
    from hutong.adapters.cosmos.reading.queries import ALL_CLIENTS, Queries
    from hutong.adapters.interface import RefusedByChain

    queries = Queries(chain.rpc)
    allowed = await queries.allowed_clients()
    if not {TENDERMINT, ALL_CLIENTS} & set(allowed):
        raise RefusedByChain(
            "ClientTypeNotAllowed",
            f"{chain.name} allows clients of type {', '.join(allowed) or 'none'}: its governance has to add {TENDERMINT}",
        )
    unbonding_s = await queries.unbonding_period_s()
    trusting_s = wish.trusting_period_s or min(LONGEST_TRUST_S, max(1, unbonding_s * 2 // 3))
    return _parameters(chain.name, wish, trusting_s, unbonding_s)


def _parameters(name: str, wish: Wish, trusting_s: int, unbonding_s: int) -> "ClientParameters":
    from hutong.adapters.interface import ClientParameters, RefusedByChain

    if trusting_s >= unbonding_s:
        raise RefusedByChain(
            "TrustingPeriod",
            f"a trusting period of {trusting_s} s is not below the {unbonding_s} s for which validators of {name} "
            "stay accountable; give a shorter --trusting-period-s",
        )
    return ClientParameters(trusting_s, wish.max_clock_drift_s, unbonding_s)
