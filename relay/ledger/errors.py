"""What can be wrong with the ledger."""


class LedgerUnavailable(Exception):
    """The database cannot be opened, upgraded or written; the reason is one sentence."""
