"""What a transaction may cost, by the limits that the configuration sets for its chain."""

from dataclasses import replace

from hutong.adapters.interface import PreparedTransaction
from hutong.relay.config import FeeLimits
from hutong.relay.core.errors import TooDear


def within_caps(chain: str, limits: FeeLimits, prepared: PreparedTransaction) -> PreparedTransaction:
    """Fees per gas cut to their cap, where the pool says whether that is enough. A fee as a whole is never cut.

    Args:
        chain: the configured name, for the error.

    Raises:
        TooDear: the transaction may cost more than `max_fee_wei`.
    """
    cap_wei = limits.max_fee_per_gas_wei
    if prepared.gas_price_wei is not None:
        prepared = replace(prepared, gas_price_wei=min(prepared.gas_price_wei, cap_wei))
    elif prepared.fee_wei is None:
        prepared = replace(
            prepared,
            max_fee_per_gas_wei=min(prepared.max_fee_per_gas_wei, cap_wei),
            max_priority_fee_per_gas_wei=min(prepared.max_priority_fee_per_gas_wei, cap_wei),
        )
    if prepared.fee_cap_wei > limits.max_fee_wei:
        raise TooDear(chain, prepared.fee_cap_wei, limits.max_fee_wei)
    return prepared
