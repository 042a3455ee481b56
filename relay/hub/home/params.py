"""CometBFT's consensus params of a hub, which follow from its genesis document under either engine."""

from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.consensus.blocks import ConsensusParams


def consensus_params(genesis: Genesis) -> ConsensusParams:
    """Limits of a block's bytes and gas are the genesis document's; everything else is fixed by this code."""
    return ConsensusParams(block_max_bytes=genesis.params.block_max_bytes, block_max_gas=genesis.params.block_max_gas)
