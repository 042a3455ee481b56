"""EXTCODESIZE without the code: py-evm reads up to 24 KiB from the database for 100 gas."""

from collections.abc import Mapping
from typing import Any, Final

from eth import constants
from eth._utils.address import force_bytes_to_address
from eth.vm import mnemonics
from eth.vm.forks.berlin.logic import _consume_gas_for_account_load
from eth.vm.opcode import as_opcode

EXTCODESIZE = 0x3B


def _extcodesize(computation: Any) -> None:
    address = force_bytes_to_address(computation.stack_pop1_bytes())
    _consume_gas_for_account_load(
        computation, address, mnemonics.EXTCODEHASH
    )  # py-evm's word, in an out-of-gas sentence
    computation.stack_push_int(computation.state._account_db.code_size(address))


OWN_INSTRUCTIONS: Final[Mapping[int, Any]] = {
    EXTCODESIZE: as_opcode(_extcodesize, mnemonics.EXTCODESIZE, constants.GAS_NULL),
}
"""Of every fork here: since Berlin."""
