"""CometBFT's consensus params of a hub, which follow from its genesis document under either engine."""

from relay.hub.application.genesis import Genesis
from relay.hub.consensus.blocks import ConsensusParams


def consensus_params(genesis: Genesis) -> ConsensusParams:
    """Block limits are the document's, everything else is fixed."""
    return ConsensusParams(block_max_bytes=genesis.params.block_max_bytes, block_max_gas=genesis.params.block_max_gas)
