"""What is wrong with a period of storage audits, each with the operator and epoch that it is about."""

from dataclasses import dataclass
from enum import StrEnum


class StorageFindingKind(StrEnum):
    """In the order in which a report lists them."""

    REFUSED = "refused"
    """A file of which a rule does not hold: tampered with, or not provable under this checkpoint at this time."""
    UNREADABLE = "unreadable"
    CONTRADICTION = "contradiction"
    """Two files say different things of one record: the hub was forked, or its state was rewritten."""
    MISSING_EPOCH = "missing_epoch"
    """No file shows the seed of an epoch of the period."""
    MISSING_AUDIT = "missing_audit"
    """No file shows what became of the operator in the epoch, nor that it was not asked."""
    FAILED = "failed"
    MISSED = "missed"
    EARLY_REMOVAL = "early_removal"
    """A probe was answered by the removal of a shard whose retention was not over, or that was never removed."""
    WEAK_SEED = "weak_seed"
    """No auditor revealed: whoever proposed the header could have chosen it."""
    GAP = "gap"
    """The hub says that the audit was passed, and answers to some of its probes are not here."""
    NO_VERDICT = "no_verdict"
    """Answers are here, and the hub has no verdict yet."""
    SET_SHRANK = "set_shrank"
    """The operator's set has fewer batches or leaves than before, or others at the same size: entries stay in the log."""
    OUT_OF_ORDER = "out_of_order"
    """A later epoch's header is not above the one before."""


@dataclass(frozen=True, slots=True)
class StorageFinding:
    """`operator` is its id, None where it is about the whole epoch; `epoch` 0 where it is about a file alone."""

    kind: StorageFindingKind
    epoch: int
    operator: bytes | None
    reason: str
    file: str = ""
    rule: str = ""
