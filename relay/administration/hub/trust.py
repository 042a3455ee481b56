"""What an operator believes of a hub, from the configuration: where the proof of a proposal begins."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hutong.relay.config import HubChainConfig

if TYPE_CHECKING:
    from hutong.adapters.hub import HubChain
    from hutong.adapters.hub.proven_proposals import ProvenProposals
    from hutong.adapters.hub.verified_state import HubTrust
    from hutong.adapters.ics26.answers import Receipt
    from hutong.adapters.ics26.transactor import Transactor
    from hutong.relay.hub.application.genesis import Genesis


class UnusableTrust(Exception):
    """The configured genesis cannot be read, or is another hub's: one sentence."""


def trust_of(hub: HubChainConfig) -> "HubTrust | None":
    """What is believed of the hub: its genesis, or a header that the configuration names.

    Returns:
        None where the configuration names no genesis.

    Raises:
        UnusableTrust: the genesis cannot be read, or is another hub's.
    """
    from hutong.adapters.hub.verified_state import FirstBlock, HubTrust, TrustedHeader
    from hutong.light_clients.tendermint.types import Validator, ValidatorSet

    if hub.genesis is None:
        return None
    genesis = _genesis_of(hub)
    root: FirstBlock | TrustedHeader
    if hub.trusted_header is None:
        members = tuple(Validator.of(member.public_key, member.power) for member in genesis.validators)
        root = FirstBlock(genesis.base_height + 1, ValidatorSet.of(members))
    else:
        height, _, hashed = hub.trusted_header.partition(":")
        root = TrustedHeader(int(height), bytes.fromhex(hashed.removeprefix("0x")))
    params = genesis.params
    return HubTrust(genesis.chain_id, genesis.evm_chain_id, params.trusting_period_s, params.unbonding_period_s, root)


def _genesis_of(hub: HubChainConfig) -> "Genesis":
    from hutong.relay.hub.home.home import UnusableHome, read_genesis

    assert hub.genesis is not None
    try:
        genesis = read_genesis(hub.genesis)
    except UnusableHome as error:
        raise UnusableTrust(str(error)) from error
    if genesis.chain_id != hub.chain_id:
        raise UnusableTrust(f"{hub.genesis} is the genesis of {genesis.chain_id}, {hub.name} is {hub.chain_id}")
    return genesis


async def proven_proposals(chain: "HubChain", trust: "HubTrust") -> "ProvenProposals":
    """Proposals as proofs show them, from `trust` on; a clock of this host judges the headers.

    Raises:
        EndpointMismatch: the endpoints would have transactions of another chain signed.
        VerificationError: what they serve does not prove.
        AdapterError: they do not answer.
    """
    from hutong.adapters.hub.proven_proposals import ProvenProposals
    from hutong.adapters.hub.verified_state import VerifiedState

    state = VerifiedState(chain, trust, time.time_ns)
    await state.check_signing_domain()
    return ProvenProposals(state)


async def approve(
    hub: HubChainConfig, chain: "HubChain", transactors: "Sequence[Transactor]", action: bytes
) -> "Receipt":
    """`approve_and_execute`, with proofs where the configuration says what to begin from.

    Args:
        transactors: of the hub's admins, as many as its threshold asks for.
        action: encoded, with a salt of its own.

    Raises:
        RefusedByChain: the hub refuses it, or the configured genesis is unusable (UnusableTrust).
        VerificationError: what the endpoints say does not prove.
        AdapterError: they do not answer.
    """
    from hutong.adapters.hub.admin import approve_and_execute
    from hutong.adapters.interface import RefusedByChain

    try:
        trust = trust_of(hub)
    except UnusableTrust as error:
        raise RefusedByChain("UnusableTrust", str(error)) from error
    proven = None if trust is None else await proven_proposals(chain, trust)
    return await approve_and_execute(transactors, hub.chain_id, action, proven)
