"""The price that a block demands of every unit of gas (EIP-1559)."""

ELASTICITY = 2
"""A block may use this many times the target."""
CHANGE_DENOMINATOR = 8
"""From one block to the next the fee moves by at most 1/8 of itself, or by 1 wei upwards where that is nothing."""


def next_base_fee_wei(base_fee_wei: int, gas_used: int, gas_limit: int, minimum_wei: int = 0) -> int:
    """The base fee of the block after the one with these figures: EIP-1559's rule, held at `minimum_wei`.

    Args:
        base_fee_wei: what the block itself demanded of each unit of gas.
        gas_used: at most `gas_limit`, which is not checked.
        gas_limit: the target is half of it.

    Raises:
        ZeroDivisionError: `gas_limit` is below ELASTICITY.
    """
    target = gas_limit // ELASTICITY
    if gas_used > target:
        change_wei = base_fee_wei * (gas_used - target) // target // CHANGE_DENOMINATOR
        return max(base_fee_wei + max(change_wei, 1), minimum_wei)
    change_wei = base_fee_wei * (target - gas_used) // target // CHANGE_DENOMINATOR
    return max(base_fee_wei - change_wei, minimum_wei)
