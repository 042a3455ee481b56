"""Whose fault it was that a transaction failed whole, where one message undoes the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.adapters.interface import TransactionOutcome
from hutong.relay.core.route.batch import Item


@dataclass(frozen=True, slots=True)
class Blame:
    """`failed` pay with an attempt, `undone` go again. Each of them alone, where nobody knows who spoiled the batch.

    So no failed transaction is for nothing: it counts against a job, or leaves only transactions that will.
    """

    failed: tuple[Item, ...]
    undone: tuple[Item, ...]

    @property
    def is_known(self) -> bool:
        """Whether an item is to blame. If not, every item goes again, each of them alone."""
        return bool(self.failed)


def blame(outcome: TransactionOutcome, items: Sequence[Item], updates: int) -> Blame:
    """Which of a transaction's packet messages undid it, where one failing message undoes all.

    A client update that failed blames no item. A transaction with one item blames it, whatever failed.

    Args:
        outcome: of the undone transaction; its failures count messages from the first update on.
        items: its packet messages, in order.
        updates: how many client updates came before them.
    """
    if len(items) == 1:
        return Blame(tuple(items), ())
    named = {failure.index - updates for failure in outcome.failures}
    failed = tuple(item for index, item in enumerate(items) if index in named)
    return Blame(failed, tuple(item for index, item in enumerate(items) if index not in named))
