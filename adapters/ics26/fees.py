"""What a transaction offers to pay."""

from dataclasses import dataclass

from hutong.adapters.ics26.execution import ExecutionRpc


@dataclass(frozen=True, slots=True)
class Fees:
    """`gas_price_wei` is set on chains without a base fee, and then alone counts."""

    max_fee_per_gas_wei: int
    max_priority_fee_per_gas_wei: int
    gas_price_wei: int | None


async def current_fees(execution: ExecutionRpc) -> Fees:
    """Twice the newest base fee plus the node's tip: good for six full blocks of rising base fee (EIP-1559).

    On a chain without a base fee, the node's gas price alone.

    Raises:
        EndpointUnavailable, RpcRefused: no endpoint answers.
    """
    block = await execution.latest_block()
    if block.base_fee_per_gas_wei is None:
        price = await execution.gas_price_wei()
        return Fees(price, price, price)
    tip = await execution.priority_fee_wei() or 0
    return Fees(2 * block.base_fee_per_gas_wei + tip, tip, None)
