"""A deterministic chain in memory with real proofs and seals, and its adapter with faults on demand."""

from hutong.adapters.simulated.adapter import SimulatedAdapter
from hutong.adapters.simulated.chain import ChainTraits, SimulatedChain
from hutong.adapters.simulated.faults import Faults
from hutong.adapters.simulated.router import AppRefused, OutOfGas
from hutong.adapters.simulated.sequenced import SequencedAdapter, SequencedChain

__all__ = [
    "AppRefused",
    "ChainTraits",
    "Faults",
    "OutOfGas",
    "SequencedAdapter",
    "SequencedChain",
    "SimulatedAdapter",
    "SimulatedChain",
]
