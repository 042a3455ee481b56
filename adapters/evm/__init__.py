"""The adapter of EVM consortium chains with the Solidity router, sealed with QBFT."""

from adapters.evm.chain import EvmChain, open_evm_chain
from adapters.evm.settings import EvmSettings

__all__ = ["EvmChain", "EvmSettings", "open_evm_chain"]
