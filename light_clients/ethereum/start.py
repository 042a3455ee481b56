"""A client's first states: from the bootstrap of a block whose root somebody trusts, and the router's account in it."""

from dataclasses import dataclass

from hutong.light_clients.ethereum.client import consensus_state_of
from hutong.light_clients.ethereum.forks import Network
from hutong.light_clients.ethereum.roots import sync_committee_root
from hutong.light_clients.ethereum.types import Bootstrap, ClientState, ConsensusState, TrustedCommittees
from hutong.light_clients.ethereum.verification import judge_bootstrap
from hutong.light_clients.ibc.evm_router import router_storage_root
from hutong.light_clients.interface import VERIFY, PredicateFailed


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the creator of a client chooses; see `ClientState`."""

    chain_id: int
    network: Network
    router_address: bytes
    min_participants: int
    trusting_period_s: int
    max_clock_drift_s: int


def states_from_bootstrap(
    parameters: Parameters, bootstrap: Bootstrap, trusted_block_root: bytes, account_proof: tuple[bytes, ...]
) -> tuple[ClientState, ConsensusState]:
    """States at the bootstrap's slot. The next committee is not known yet: the first update of that period brings it.

    Args:
        trusted_block_root: of a finalized block, from elsewhere than the node that served the bootstrap.
        account_proof: RLP nodes, root first, of the router under the block's execution state root.

    Raises:
        VerificationError: the bootstrap is not of that block, or the router's account is not proven.
    """
    judge_bootstrap(VERIFY, bootstrap, trusted_block_root, parameters.network)
    execution = bootstrap.header.execution
    if execution is None:
        raise PredicateFailed("bootstrap_header_valid", "the block proves no execution payload (before Capella)")
    storage_root = router_storage_root(execution.state_root, parameters.router_address, account_proof)
    client = ClientState(
        chain_id=parameters.chain_id,
        network=parameters.network,
        router_address=parameters.router_address,
        min_participants=parameters.min_participants,
        trusting_period_s=parameters.trusting_period_s,
        max_clock_drift_s=parameters.max_clock_drift_s,
        committees=TrustedCommittees(
            bootstrap.header.beacon.slot, sync_committee_root(bootstrap.current_sync_committee), None
        ),
    )
    return client, consensus_state_of(bootstrap.header, storage_root)
