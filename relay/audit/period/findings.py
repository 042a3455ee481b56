"""What is wrong with a period, each with the files and packets that it is about."""

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """In the order in which a report lists them."""

    REFUSED = "refused"
    """An entry of which a predicate does not hold: tampered with, or not provable under these checkpoints at this time."""
    UNREADABLE = "unreadable"
    UNJUDGED = "unjudged"
    """No checkpoint of a chain that it is about, or the verifier failed."""
    MISSING = "missing"
    """Sequences of a client between the first and the last of the period, of which no entry is about."""
    DUPLICATE = "duplicate"
    """One packet in more than one entry."""
    CONTRADICTION = "contradiction"
    """Valid entries that cannot both be true, or one packet that a hub sent on twice."""
    FIRST_LEG_ALONE = "first_leg_alone"
    """Received by a hub and to be sent on, and no entry says where it arrived."""
    SECOND_LEG_ALONE = "second_leg_alone"
    """Sent on by a hub, and no entry has what it was made of."""
    REFUND_WITHOUT_FAILURE = "refund_without_failure"
    """The first leg tells its sender that it failed, and the second succeeded."""
    MORE_HOME_THAN_SENT = "more_home_than_sent"
    """More of a token came home over a client than was ever sent over it."""
    EXPECTED_ABSENT = "expected_absent"
    """A packet of the reader's own list that is not proven here."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`packets` are ids, or `id..last` for a row of sequences. `subject` and `predicate` are of the refusal, if one."""

    kind: FindingKind
    entries: tuple[str, ...]
    packets: tuple[str, ...]
    reason: str
    subject: str = ""
    predicate: str = ""
