"""What the relay did and what it cost, the life of every packet, and where the watchers are."""

from relay.ledger.errors import LedgerUnavailable
from relay.ledger.ledger import Ledger
from relay.ledger.life import Cause, Note, Outcome, PacketFacts, RouteNote, Step
from relay.ledger.values import Costs, Delivery, RecordedJob, RecordedTransaction, TransactionState, shares

__all__ = [
    "Cause",
    "Costs",
    "Delivery",
    "Ledger",
    "LedgerUnavailable",
    "Note",
    "Outcome",
    "PacketFacts",
    "RecordedJob",
    "RecordedTransaction",
    "RouteNote",
    "Step",
    "TransactionState",
    "shares",
]
