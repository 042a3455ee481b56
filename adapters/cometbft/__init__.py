"""What every chain with a CometBFT RPC shares: committed blocks, update headers, proofs, first states of its clients."""

from hutong.adapters.cometbft.blocks import CommittedBlocks
from hutong.adapters.cometbft.headers import HeaderSource
from hutong.adapters.cometbft.proofs import ProofFormat, ProofSource
from hutong.adapters.cometbft.rpc import CometRpc, QueryAnswer, identify_chain
from hutong.adapters.cometbft.source import CometSource
from hutong.adapters.cometbft.states import CLIENT_TYPE, ClientOfChain, initial_states

__all__ = [
    "CLIENT_TYPE",
    "ClientOfChain",
    "CometRpc",
    "CometSource",
    "CommittedBlocks",
    "HeaderSource",
    "ProofFormat",
    "ProofSource",
    "QueryAnswer",
    "identify_chain",
    "initial_states",
]
