"""The adapter of EVM chains with the Solidity router: QBFT consortium chains, Ethereum, and chains that attestors speak
for.
"""

from hutong.adapters.evm.attested.attestors import Alert
from hutong.adapters.evm.chain import EvmChain
from hutong.adapters.evm.opening import open_evm_chain
from hutong.adapters.evm.settings import EvmSettings

__all__ = ["Alert", "EvmChain", "EvmSettings", "open_evm_chain"]
