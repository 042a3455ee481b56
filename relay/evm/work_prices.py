"""Gas beside the fork's own price list, where py-evm works far longer for it than for other gas.

A block must execute in seconds whatever is in it. The cheapest opcodes run at 1.9 million gas a second here, a
call at 1.3, py-evm's curve arithmetic in plain Python at 0.13 to 0.6, its BLAKE2 rounds at 0.05: at the fork's prices
one block could take minutes. With these prices nothing that was measured runs below 1.9 million gas a second.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

TRANSACTION_MAX_GAS = 2**24
"""EIP-7825."""


@dataclass(frozen=True, slots=True)
class WorkPrices:
    """`frame_gas` is added to every call and creation inside a transaction; `factors` multiply what the precompile of that
    number charges."""

    frame_gas: int = 0
    factors: Mapping[int, int] = field(default_factory=dict)


FORK_PRICES = WorkPrices()
SLOW_CURVE_PRICES = WorkPrices(
    frame_gas=200,
    factors={
        0x06: 4,
        0x07: 8,
        0x08: 16,
        0x09: 64,
        0x0B: 4,
        0x0C: 16,
        0x0D: 4,
        0x0E: 32,
        0x0F: 32,
        0x10: 4,
        0x11: 16,
    },
)
"""bn254 add, multiply, pairing; BLAKE2 rounds; BLS12-381 G1 add and sum, G2 add and sum, pairing, the two maps (EIP-2537)."""


def priced_precompile(precompile: Callable[[Any], Any], factor: int) -> Callable[[Any], Any]:
    """The same precompile, whose own charges (made before its work) are multiplied."""

    def run(computation: Any) -> Any:
        charge = computation.consume_gas
        computation.consume_gas = lambda amount, reason: charge(amount * factor, reason)
        try:
            return precompile(computation)
        finally:
            del computation.consume_gas  # an exceptional halt burns what is left, and no multiple of it

    return run
