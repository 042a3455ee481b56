"""The first states of a 07-tendermint client of a CometBFT chain."""

from dataclasses import dataclass

from hutong.adapters.interface import ClientParameters, InitialStates, NotSupported
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from hutong.light_clients.proofs.ics23 import ProofSpec
from hutong.light_clients.tendermint.codec import encode_client_state, encode_consensus_state
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import ClientState, ConsensusState, Header, TrustLevel, revision_of

CLIENT_TYPE = "07-tendermint"
TRUST_LEVEL = TrustLevel(1, 3)


@dataclass(frozen=True, slots=True)
class ClientOfChain:
    """What every client of a chain holds: how its state is proven, and under which path upgrades would be."""

    chain_id: str
    proof_specs: tuple[ProofSpec, ...]
    upgrade_path: tuple[str, ...]


def initial_states(
    client_type: str, chain: ClientOfChain, header: Header, parameters: ClientParameters
) -> InitialStates:
    """Client and consensus state of a new client that begins at `header`.

    Whether the header is the chain's is not checked here: the caller has verified it, or asks its operator to.

    Raises:
        NotSupported: another client type than this chain is followed by.
    """
    if client_type != CLIENT_TYPE:
        raise NotSupported(f"a {client_type} client of {chain.chain_id}")
    height = Height(revision_of(chain.chain_id), header.height)
    client_state = ClientState(
        chain_id=chain.chain_id,
        trust_level=TRUST_LEVEL,
        trusting_period_ns=parameters.trusting_period_s * NANOSECONDS_PER_SECOND,
        unbonding_period_ns=parameters.unbonding_period_s * NANOSECONDS_PER_SECOND,
        max_clock_drift_ns=parameters.max_clock_drift_s * NANOSECONDS_PER_SECOND,
        frozen_height=Height(0, 0),
        latest_height=height,
        proof_specs=chain.proof_specs,
        upgrade_path=chain.upgrade_path,
    )
    consensus_state = ConsensusState(header.time_ns, header.app_hash, header.next_validators_hash)
    return InitialStates(
        CLIENT_TYPE,
        height,
        encode_client_state(client_state),
        encode_consensus_state(consensus_state),
        header_hash(header),
    )
