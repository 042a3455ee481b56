"""A deterministic chain in memory with real proofs and seals, and its adapter with faults on demand."""

from adapters.simulated.adapter import SimulatedAdapter
from adapters.simulated.chain import SimulatedChain
from adapters.simulated.faults import Faults
from adapters.simulated.router import AppRefused, OutOfGas
from adapters.simulated.sequenced import SequencedAdapter, SequencedChain

__all__ = [
    "AppRefused",
    "Faults",
    "OutOfGas",
    "SequencedAdapter",
    "SequencedChain",
    "SimulatedAdapter",
    "SimulatedChain",
]
