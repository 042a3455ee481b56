"""What a transaction costs before it runs."""

from hutong.relay.evm.vm.native import Address
from hutong.relay.evm.vm.rules import EvmRules
from hutong.relay.evm.vm.transaction import AccessList

GAS_TRANSACTION = 21_000
GAS_CREATE = 32_000
GAS_DATA_ZERO = 4
GAS_DATA_NONZERO = 16
GAS_ACCESS_LIST_ADDRESS = 2_400
GAS_ACCESS_LIST_SLOT = 1_900
GAS_INIT_CODE_WORD = 2
GAS_FLOOR_PER_TOKEN = 10
MAX_INIT_CODE_BYTES = 49_152


def intrinsic_gas(to: Address | None, data: bytes, access_list: AccessList) -> int:
    """Yellow paper g0 with EIP-2028 and EIP-2930; without EIP-3860's words of init code.

    Args:
        to: None for a creation.
        data: call data, or the init code.
    """
    zeros = data.count(0)
    return (
        GAS_TRANSACTION
        + (GAS_CREATE if to is None else 0)
        + GAS_DATA_ZERO * zeros
        + GAS_DATA_NONZERO * (len(data) - zeros)
        + GAS_ACCESS_LIST_ADDRESS * len(access_list)
        + GAS_ACCESS_LIST_SLOT * sum(len(slots) for _, slots in access_list)
    )


def least_gas(rules: EvmRules, to: Address | None, data: bytes, access_list: AccessList) -> int:
    """The least gas limit that a transaction may state.

    That is the intrinsic gas, with EIP-3860's words and EIP-7623's floor where the fork has them. EIP-3860's bound on
    the length of init code is checked elsewhere (`EvmState`).
    """
    least = intrinsic_gas(to, data, access_list)
    # py-evm charges init code words when it starts to execute, so they are not in the intrinsic gas above.
    if to is None and rules.has_init_code_limit:
        least += GAS_INIT_CODE_WORD * ((len(data) + 31) // 32)
    if rules.has_data_floor:
        zeros = data.count(0)
        tokens = zeros + 4 * (len(data) - zeros)
        least = max(least, GAS_TRANSACTION + GAS_FLOOR_PER_TOKEN * tokens)
    return least
