"""Recovery of a Cosmos chain's client of a hub: a fresh client, and a proposal that lets the old one go on with its
state."""

import re
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from hutong.relay.administration.cosmos_paths import create_hub_client
from hutong.relay.administration.errors import Unusable
from hutong.relay.config import Config, CosmosChainConfig, PathEnd
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.cosmos import CosmosChain
    from hutong.adapters.cosmos.reading.queries import Proposal
    from hutong.adapters.interface import ClientInfo


@dataclass(frozen=True, slots=True)
class RecoveryWish:
    """`deposit` None: what the chain asks for at least. `vote`: yes with the same account, and wait for the end."""

    subject: str
    substitute: str | None
    deposit: tuple[int, str] | None
    vote: bool


@dataclass(frozen=True, slots=True)
class ProposedRecovery:
    """`proposal` as it stands: still open, unless it was waited for."""

    substitute: str
    proposal: "Proposal"
    voting_period_s: int


async def recover_by_proposal(
    config: Config, cosmos: CosmosChainConfig, followed: PathEnd, wish: RecoveryWish, owner: Signer, random: Random
) -> ProposedRecovery:
    """Make a substitute where none is given, with the subject's parameters, and the proposal.

    With `wish.vote` it waits, block by block and without a limit of its own, until the vote has ended.

    Args:
        followed: the other end of the subject's path: the hub.
        owner: signs and pays, deposit included.

    Raises:
        RefusedByChain: the subject is Active, the substitute is not, no deposit is known, or a transaction is refused.
        NotSupported: a substitute is to be made, and what the subject follows is not a hub.
        AdapterError: a chain does not answer.
    """
    from hutong.adapters.cosmos.administration import VoteOption, propose_recovery, vote
    from hutong.adapters.cosmos.reading.queries import Queries
    from hutong.adapters.cosmos.transactions.fees import Coin
    from hutong.adapters.interface import RefusedByChain
    from hutong.light_clients.interface import ClientStatus
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(cosmos, random) as chain:
        await chain.check_identity()
        info = await chain.client(wish.subject)
        what = f"{cosmos.name} {wish.subject}"
        if info.status is ClientStatus.ACTIVE:
            raise RefusedByChain("ClientStillActive", f"{what} is Active; only a frozen or expired client is replaced")
        substitute = wish.substitute or await _substitute(config, chain, followed, info, owner, random)
        if (await chain.client(substitute)).status is not ClientStatus.ACTIVE:
            raise RefusedByChain("SubstituteNotActive", f"the substitute {cosmos.name} {substitute} is not Active")
        queries = Queries(chain.rpc)
        governance = await queries.governance()
        deposit = governance.min_deposit[:1] if wish.deposit is None else (Coin(*wish.deposit),)
        if not deposit:
            raise RefusedByChain("NoDeposit", f"{cosmos.name} does not say which deposit it asks for; give --deposit")
        title = f"Recover light client {wish.subject}"
        summary = (
            f"{wish.subject} is {info.status}. It goes on with the state of {substitute}, which follows the same chain."
        )
        number = await propose_recovery(chain, owner, wish.subject, substitute, deposit[0], title, summary)
        if wish.vote:
            await vote(chain, owner, number, VoteOption.YES)
        proposal = await queries.proposal(number)
        while wish.vote and proposal.status.is_open:
            await chain.wait_for_height((await chain.head()).height + 1)
            proposal = await queries.proposal(number)
        return ProposedRecovery(substitute, proposal, governance.voting_period_s)


async def _substitute(
    config: Config, chain: "CosmosChain", followed: PathEnd, info: "ClientInfo", owner: Signer, random: Random
) -> str:
    """What stock code compares with the subject's state has to be equal: all but height, trusting period and chain
    id."""
    from hutong.adapters.hub import HubChain
    from hutong.adapters.interface import ClientParameters, NotSupported
    from hutong.light_clients.tendermint.codec import decode_client_state
    from hutong.relay.core.topology.chains import open_chain

    state = decode_client_state(info.client_state)
    parameters = ClientParameters(
        state.trusting_period_ns // 10**9, state.max_clock_drift_ns // 10**9, state.unbonding_period_ns // 10**9
    )
    async with open_chain(config.chain(followed.chain), random) as hub_chain:
        if not isinstance(hub_chain, HubChain):
            raise NotSupported(
                f"a substitute that follows {followed.chain}, which is not a hub; give one with --substitute"
            )
        await hub_chain.check_identity()
        return await create_hub_client(chain, owner, hub_chain, parameters)


def deposit_of(text: str) -> tuple[int, str]:
    """(amount, denomination) of a text such as `10stake`.

    Raises:
        Unusable: it is something else.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,77})([a-zA-Z][a-zA-Z0-9/:._-]{2,127})", text)
    if match is None:
        raise Unusable(f"--deposit: {text[:80]!r} is not an amount with its denomination, such as 10000000stake")
    return int(match[1]), match[2]
