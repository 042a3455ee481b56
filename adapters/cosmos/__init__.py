"""The adapter of Cosmos SDK chains with ibc-go: CometBFT RPC alone, protobuf transactions."""

from hutong.adapters.cosmos.chain import CosmosChain, open_cosmos_chain
from hutong.adapters.cosmos.settings import CosmosSettings

__all__ = ["CosmosChain", "CosmosSettings", "open_cosmos_chain"]
