"""What the relay did and what it cost, the life of every packet, and where the watchers are."""

from relay.ledger.errors import LedgerUnavailable
from relay.ledger.explain import Explanation, age_text, explain, remedy_of
from relay.ledger.ledger import Ledger
from relay.ledger.life import Cause, Note, Outcome, PacketFacts, RouteNote, Step
from relay.ledger.migrate import newest_revision
from relay.ledger.reader import LedgerReader, Pending
from relay.ledger.values import (
    Costs,
    Delivery,
    KnownPacket,
    LifeCycle,
    OpenTransaction,
    RecordedJob,
    RecordedTransaction,
    RouteState,
    StepRecord,
    TransactionState,
    shares,
)
from relay.ledger.why import why

__all__ = [
    "Cause",
    "Costs",
    "Delivery",
    "Explanation",
    "KnownPacket",
    "Ledger",
    "LedgerReader",
    "LedgerUnavailable",
    "LifeCycle",
    "Note",
    "OpenTransaction",
    "Outcome",
    "PacketFacts",
    "Pending",
    "RecordedJob",
    "RecordedTransaction",
    "RouteNote",
    "RouteState",
    "Step",
    "StepRecord",
    "TransactionState",
    "age_text",
    "explain",
    "newest_revision",
    "remedy_of",
    "shares",
    "why",
]
