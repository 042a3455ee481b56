"""What the relay did and what it cost, and where its watchers are."""

from relay.ledger.errors import LedgerUnavailable
from relay.ledger.ledger import Ledger
from relay.ledger.values import Costs, Delivery, RecordedJob, RecordedTransaction, TransactionState, shares

__all__ = [
    "Costs",
    "Delivery",
    "Ledger",
    "LedgerUnavailable",
    "RecordedJob",
    "RecordedTransaction",
    "TransactionState",
    "shares",
]
