"""The adapter of EVM chains with the Solidity router: QBFT consortium chains, Ethereum, and chains that attestors speak
for.
"""

from adapters.evm.attested.attestors import Alert
from adapters.evm.chain import EvmChain
from adapters.evm.opening import open_evm_chain
from adapters.evm.settings import EvmSettings

__all__ = ["Alert", "EvmChain", "EvmSettings", "open_evm_chain"]
