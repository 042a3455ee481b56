"""What each chain cost: summed by the database, exactly, though fees are decimal text."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, String, and_, case, cast, func, not_, select, type_coerce

from hutong.relay.ledger.store.rows import wei
from hutong.relay.ledger.store.tables import DeliveryRow, TransactionRow
from hutong.relay.ledger.values.packets import Costs

PART = 10**9
"""Numbers are summed in two parts, so that 9 * 10^9 of them fit an int64."""
MAX_PLAIN_DIGITS = 18


def sum_costs(read: Callable[[Any], list[dict[str, Any]]], *, sqlite: bool) -> tuple[list[Costs], int]:
    """The costs by chain, and how many transactions' fees cannot be read.

    One pass for fees below 10^18 wei, which the database sums, and one for the few others, which are summed here.

    Args:
        read: runs a statement and gives its rows by column name; blocks.
        sqlite: whether the database is SQLite, whose columns may hold values of any type.

    Returns:
        In order of chain names. What cannot be read is in no sum.
    """
    delivered = {row["chain"]: int(row["count"]) for row in read(_DELIVERED)}
    sums: dict[str, list[int]] = {chain: [0, 0, 0, 0] for chain in delivered}
    plain = _is_plain(sqlite=sqlite)
    for row in read(_summed().where(plain).group_by(TransactionRow.chain)):
        gas_used = int(row["gas_high"]) * PART + int(row["gas_low"])
        fee_wei = int(row["fee_high"]) * PART + int(row["fee_low"])
        sums[row["chain"]] = [int(row["count"]), int(row["reverted"]), gas_used, fee_wei]
    unread = 0
    for row in read(_OTHERS.where(not_(plain))):
        fee, gas_used = wei(row["fee_wei"]), row["gas_used"] or 0
        if fee is None or not isinstance(gas_used, int):
            unread += 1
            continue
        total = sums.setdefault(row["chain"], [0, 0, 0, 0])
        for index, part in enumerate((1, int(row["state"] == "reverted"), gas_used, fee)):
            total[index] += part
    return [Costs(chain, delivered.get(chain, 0), *total) for chain, total in sorted(sums.items())], unread


_DELIVERED = select(DeliveryRow.chain, func.count().label("count")).group_by(DeliveryRow.chain)
_FEE = type_coerce(TransactionRow.fee_wei, String)
_OTHERS = select(TransactionRow.chain, TransactionRow.state, TransactionRow.gas_used, _FEE.label("fee_wei")).where(
    _FEE.is_not(None)
)


def _is_plain(*, sqlite: bool) -> Any:
    """Up to 18 digits and nothing else. SQLite puts anything into any column."""
    digits = and_(func.length(_FEE).between(1, MAX_PLAIN_DIGITS), func.ltrim(_FEE, "0123456789") == "")
    if not sqlite:
        return and_(_FEE.is_not(None), digits)
    gas_type, fee_type = func.typeof(TransactionRow.gas_used), func.typeof(_FEE)
    return and_(_FEE.is_not(None), digits, fee_type == "text", gas_type.in_(("integer", "null")))


def _summed() -> Any:
    row = TransactionRow
    fee = case((func.length(_FEE) <= MAX_PLAIN_DIGITS, cast(_FEE, BigInteger)), else_=0)
    gas = func.coalesce(row.gas_used, 0)
    return select(
        row.chain,
        func.count().label("count"),
        func.sum(case((row.state == "reverted", 1), else_=0)).label("reverted"),
        func.sum(gas // PART).label("gas_high"),
        func.sum(gas % PART).label("gas_low"),
        func.sum(fee // PART).label("fee_high"),
        func.sum(fee % PART).label("fee_low"),
    )
