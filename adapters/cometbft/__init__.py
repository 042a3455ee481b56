"""What every chain with a CometBFT RPC shares: committed blocks, update headers, proofs, first states of its clients."""

from adapters.cometbft.blocks import CommittedBlocks
from adapters.cometbft.headers import HeaderSource
from adapters.cometbft.proofs import ProofFormat, ProofSource
from adapters.cometbft.rpc import CometRpc, QueryAnswer, identify_chain
from adapters.cometbft.states import CLIENT_TYPE, ClientOfChain, initial_states

__all__ = [
    "CLIENT_TYPE",
    "ClientOfChain",
    "CometRpc",
    "CommittedBlocks",
    "HeaderSource",
    "ProofFormat",
    "ProofSource",
    "QueryAnswer",
    "identify_chain",
    "initial_states",
]
