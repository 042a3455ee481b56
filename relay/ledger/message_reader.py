"""Messages beside a running relay: lists, look-ups, changes and figures."""

from pathlib import Path

from relay.ledger.engine import Password
from relay.ledger.messages import (
    DeadPage,
    Estimate,
    Found,
    MessageChanges,
    MessageFilter,
    MessagePage,
    MessageRecord,
    OpenRoute,
    SeriesBucket,
    Totals,
)


class MessageReader:
    """Every call blocks and is a bounded number of indexed queries. Any thread may call; connections come from a pool.

    Raises, each of them:
        LedgerUnavailable: in one sentence.
        InvalidCursor: where a cursor is given that is none of this list.
        LedgerDamaged: (a LedgerUnavailable) where the one message that is asked for cannot be read.
    """

    @classmethod
    def open_file(cls, path: Path) -> "MessageReader": ...

    @classmethod
    def open_url(cls, url: str, password: Password = None) -> "MessageReader": ...

    def close(self) -> None: ...

    def page(self, wanted: MessageFilter, cursor: str | None = None, limit: int = 50) -> MessagePage:
        """Newest first."""

    def message(self, packet_id: str) -> MessageRecord | None:
        """Of any of its packets."""

    def by_message_id(self, message_id: str) -> MessageRecord | None: ...

    def by_transaction(self, transaction_hash: str, limit: int = 50) -> MessagePage:
        """Messages that a transaction (of any chain) sent, delivered, acknowledged, timed out or tries to."""

    def search(self, text: str, limit: int = 50) -> Found: ...

    def changes_after(self, cursor: str, limit: int = 100) -> MessageChanges: ...

    def newest_change(self) -> str:
        """Cursor of now: what changes later comes after it."""

    def totals(self) -> Totals: ...

    def series(self, window_s: int, bucket_s: int, now_ns: int) -> tuple[SeriesBucket, ...]:
        """Oldest first; the last bucket holds `now_ns`."""

    def dead(self, cursor: str | None = None, limit: int = 50) -> DeadPage: ...

    def estimate(self, source: str, destination: str, since_ns: int) -> Estimate: ...

    def open_by_route(self) -> tuple[OpenRoute, ...]: ...
