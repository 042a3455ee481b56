"""Recovery of a router's client: a fresh contract for the same chain, put behind the old identifier."""

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from hutong.relay.administration.decision_delay import require_fresh_outlives, require_substitute_lasts
from hutong.relay.config import Config, EvmChainConfig, PathEnd
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.delayed import Progress
    from hutong.adapters.interface import ClientInfo, InitialStates


@dataclass(frozen=True, slots=True)
class RouterOrder:
    """Whom to replace, by the contract at `substitute` (20 bytes) or by a new one. `decides_as` has the migrator role
    where the account that signs does not."""

    subject: str
    substitute: bytes | None
    decides_as: bytes | None


@dataclass(frozen=True, slots=True)
class RouterRecovery:
    """`substitute` is the contract's address, in hex."""

    substitute: str
    progress: "Progress"


async def recover_router_client(
    config: Config,
    evm: EvmChainConfig,
    followed: PathEnd,
    order: RouterOrder,
    owner: Signer,
    random: Random,
) -> RouterRecovery:
    """Deploy a substitute where none is given, with the subject's parameters, and take the next step towards its use.

    Raises:
        ExpiresBefore: the substitute would have expired when the router can take it; nothing was sent.
        RefusedByChain: the subject is Active or has no counterparty, or a step is refused. AdapterError: no answer.
        Pending: what was decided takes effect later, or is for another account to send; it says how to go on.
    """
    from eth_utils.address import to_canonical_address, to_checksum_address

    from hutong.adapters.evm.administration.deciding import Deciding, Pending
    from hutong.adapters.evm.administration.delayed import Progress
    from hutong.adapters.evm.administration.deploy import deploy_hub_client, require_contract
    from hutong.adapters.evm.administration.recovery import recover_client, recovery_at_s
    from hutong.adapters.ics26.abi import GET_CLIENT
    from hutong.adapters.interface import RefusedByChain
    from hutong.light_clients.interface import ClientStatus
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(evm, random) as chain:
        await chain.check_identity()
        router, subject, substitute = bytes(to_canonical_address(evm.router)), order.subject, order.substitute
        info = await chain.client(subject)
        if info.status is ClientStatus.ACTIVE:
            (standing,) = GET_CLIENT.decode(await chain.execution.call(router, GET_CLIENT.encode(subject)))
            if substitute is not None and to_canonical_address(standing) == substitute:
                return RouterRecovery(to_checksum_address(substitute), Progress(None))
            raise RefusedByChain(
                "ClientStillActive", f"{evm.name} {subject} is Active; only a frozen or expired client is replaced"
            )
        if info.counterparty_client_id is None:
            raise RefusedByChain("NoCounterparty", f"{evm.name} {subject} has no counterparty")
        owning = Deciding(chain.execution, evm.chain_id, owner, order.decides_as)
        counterparty = info.counterparty_client_id, info.merkle_prefix
        effect = await recovery_at_s(owning, router, subject, substitute, counterparty)
        if substitute is None:
            states = await _states_of_substitute(config, followed, info, random)
            require_fresh_outlives(evm.name, states, *effect)
            substitute = await deploy_hub_client(owning, states)
        elif info.client_type == "07-tendermint":
            await require_contract(owning, substitute)
            await require_substitute_lasts(chain.execution, evm.name, substitute, *effect)
        contract = to_checksum_address(substitute)
        try:
            progress = await recover_client(owning, router, subject, substitute, counterparty)
        except Pending as pending:
            pending.then = f"then run the command again with --substitute {contract}"
            raise
        return RouterRecovery(contract, progress)


async def _states_of_substitute(
    config: Config, followed: PathEnd, info: "ClientInfo", random: Random
) -> "InitialStates":
    """Of a new client of the same hub, from its newest block, with the subject's parameters."""
    from hutong.adapters.interface import ClientParameters, NotSupported
    from hutong.light_clients.tendermint.codec import decode_client_state
    from hutong.relay.core.topology.chains import open_chain

    if info.client_type != "07-tendermint":
        raise NotSupported(f"deploying a substitute of type {info.client_type}; give one with --substitute")
    state = decode_client_state(info.client_state)
    parameters = ClientParameters(
        state.trusting_period_ns // 10**9, state.max_clock_drift_ns // 10**9, state.unbonding_period_ns // 10**9
    )
    async with open_chain(config.chain(followed.chain), random) as hub:
        await hub.check_identity()
        return await hub.initial_states(info.client_type, parameters)
