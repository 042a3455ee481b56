"""Whose fault it was that a transaction failed whole, where one message undoes the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.interface import TransactionOutcome
from relay.core.batch import Item


@dataclass(frozen=True, slots=True)
class Blame:
    """`failed` pay with an attempt, `undone` go again. Each of them alone, where nobody knows who spoiled the batch.

    So no failed transaction is for nothing: it counts against a job, or leaves only transactions that will.
    """

    failed: tuple[Item, ...]
    undone: tuple[Item, ...]

    @property
    def is_known(self) -> bool:
        return bool(self.failed)


def blame(outcome: TransactionOutcome, items: Sequence[Item], updates: int) -> Blame:
    """Of a transaction of `updates` client updates and then `items`, which `outcome` says was undone."""
    if len(items) == 1:
        return Blame(tuple(items), ())
    named = {failure.index - updates for failure in outcome.failures}
    failed = tuple(item for index, item in enumerate(items) if index in named)
    return Blame(failed, tuple(item for index, item in enumerate(items) if index not in named))
