"""What can be wrong with the ledger."""

from dataclasses import dataclass

MAX_GOT_CHARS = 40


class LedgerUnavailable(Exception):
    """The database cannot be opened, upgraded or written; the reason is one sentence."""


@dataclass(frozen=True, slots=True)
class DamagedRow:
    """A row that cannot be read as what it should be: which, in which column, and what stands there (cut)."""

    table: str
    key: str
    column: str
    got: str

    def __str__(self) -> str:
        return f"the ledger's row {self.key} of {self.table} is damaged: {self.column} is {self.got}"


class LedgerDamaged(LedgerUnavailable):
    """The one row that was asked for is damaged; others can be read."""

    def __init__(self, row: DamagedRow) -> None:
        super().__init__(f"{row}; it can be deleted, the relay reads its packet from the chains again")
        self.row = row


class InvalidCursor(Exception):
    """A cursor that this ledger did not give, or that belongs to another list; the message is one sentence."""


class CursorOfAnotherLedger(InvalidCursor):
    """It is newer than everything in this one: the ledger was restored or begun anew. The lists must be read again."""
