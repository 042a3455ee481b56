"""Whether an operator's shards count as held: by what the hub says of it, and by nothing else (docs/storage/repairer.md)."""

from collections.abc import Sequence
from enum import StrEnum

from hutong.relay.services.storage.rules.records.members import OperatorRecord, OperatorState
from hutong.relay.services.storage.rules.records.values import Outcome


class Standing(StrEnum):
    """What a repairer makes of an operator."""

    TRUSTED = "trusted"
    DRAINING = "draining"
    """It goes, and shows its shards until they are elsewhere."""
    LEFT = "left"
    UNKNOWN = "unknown to the hub"
    FAILED = "failed an audit"
    """It signed a wrong answer, which an honest operator never does: it judges each before it signs."""
    MISSED = "missed its audits"


GONE = frozenset((Standing.LEFT, Standing.UNKNOWN))
"""Who is not even asked to read from."""


def standing_of(record: OperatorRecord | None, outcomes: Sequence[Outcome], misses: int) -> Standing:
    """What the hub's records make of an operator.

    Args:
        record: None where the hub knows none.
        outcomes: of the newest audits it was asked in, the newest first; no more than `misses` of them are looked at.
        misses: after so many missed in a row its shards count as lost.
    """
    if record is None:
        return Standing.UNKNOWN
    if record.state is OperatorState.LEFT:
        return Standing.LEFT
    newest = outcomes[:misses]
    if Outcome.FAILED in newest:
        return Standing.FAILED
    if len(newest) == misses and all(one is Outcome.MISSED for one in newest):
        return Standing.MISSED
    return Standing.DRAINING if record.state is OperatorState.DRAINING else Standing.TRUSTED
