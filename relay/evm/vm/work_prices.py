"""Gas beside the fork's own price list, where this machine works far longer for it than for other gas.

A block must execute in seconds whatever is in it. py-evm's curve arithmetic in plain Python runs at 0.05 to 0.6 million
gas a second, a frame takes 40 microseconds, memory that is copied at each call a tenth of a nanosecond a byte. `bench
worst_program` searches for what these prices leave; docs/spec/hub-genesis.md has what it found.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eth.vm.opcode import _FastOpcode

TRANSACTION_MAX_GAS = 2**24
"""EIP-7825."""


@dataclass(frozen=True, slots=True)
class WorkPrices:
    """What is added to the fork's prices, charged before the work.

    `frame_gas` for every call and creation inside a transaction, and with it `input_word_gas` for each 32-byte word of
    its input, which is copied from the caller's memory, and one gas for each whole `code_bytes_per_gas` of the code
    that is entered (0: none). Native modules' inner calls pay `frame_gas` alone. `opcode_gas` by instruction. What a
    precompile charges is multiplied by its factor of `factors`, and `precompile_gas` is added. Precompiles are named by
    number.
    """

    frame_gas: int = 0
    factors: Mapping[int, int] = field(default_factory=dict)
    input_word_gas: int = 0
    code_bytes_per_gas: int = 0
    opcode_gas: Mapping[int, int] = field(default_factory=dict)
    precompile_gas: Mapping[int, int] = field(default_factory=dict)

    def of_frame(self, input_bytes: int, code_bytes: int) -> int:
        """What the caller pays before a frame is entered, beside the fork's own price of the call.

        Args:
            input_bytes: length of the call's data.
            code_bytes: length of the code that is entered, or of init code.
        """
        code = code_bytes // self.code_bytes_per_gas if self.code_bytes_per_gas else 0
        return self.frame_gas + self.input_word_gas * ((input_bytes + 31) // 32) + code


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
"""bn254 add, multiply, pairing; BLAKE2 rounds; BLS12-381 G1 add and sum, G2 add and sum, pairing, the two maps
(EIP-2537)."""


BOUNDED_WORK_PRICES = replace(
    SLOW_CURVE_PRICES,
    factors={**SLOW_CURVE_PRICES.factors, 0x0D: 8},
    input_word_gas=1,
    code_bytes_per_gas=256,
    opcode_gas={0x3C: 100, 0x49: 3},
    precompile_gas={0x09: 300},
)
"""Of rules version 3: as before, and EXTCODECOPY, whose code may have to be read from the database; BLOBHASH, which is
py-evm's; BLAKE2's decoding, which no number of rounds pays for."""


def priced_precompile(precompile: Callable[[Any], Any], factor: int, base_gas: int = 0) -> Callable[[Any], Any]:
    """The same precompile, dearer: its own charges, made before its work, are multiplied by `factor`.

    Args:
        factor: 1 leaves its charges.
        base_gas: charged first, before the input is looked at.

    Returns:
        What py-evm calls with a computation. It raises OutOfGas as other precompiles do.
    """

    def run(computation: Any) -> Any:
        charge = computation.consume_gas
        if base_gas:
            charge(base_gas, "precompile")
        computation.consume_gas = lambda amount, reason: charge(amount * factor, reason)
        try:
            return precompile(computation)
        finally:
            del computation.consume_gas  # an exceptional halt burns what is left, and no multiple of it

    return run


def priced_opcodes(opcodes: Mapping[int, Any], more: Mapping[int, int]) -> dict[int, Any]:
    """py-evm's table of a fork, in which some instructions cost `more`; those that the fork does not have are left out.

    Args:
        more: gas by opcode, added to the price in the table.

    Raises:
        TypeError: an instruction whose price is not a number of its table entry.
    """
    table = dict(opcodes)
    for number, gas in more.items():
        opcode = table.get(number)
        if opcode is None:
            continue  # of a later fork
        if not isinstance(opcode, _FastOpcode):
            raise TypeError(f"instruction 0x{number:02x} cannot be priced: {opcode!r} charges in its own code")
        table[number] = _FastOpcode(opcode.logic_fn, opcode.mnemonic, opcode.gas_cost + gas)
    return table
