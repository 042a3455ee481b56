"""The adapter of the hub: CometBFT RPC for what is proven, `eth_*` for what is called."""

from hutong.adapters.hub.chain import HubChain, open_hub_chain
from hutong.adapters.hub.settings import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS, HubSettings

__all__ = ["CLIENT_MANAGER_ADDRESS", "ROUTER_ADDRESS", "HubChain", "HubSettings", "open_hub_chain"]
