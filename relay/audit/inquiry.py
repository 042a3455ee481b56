"""The audit's judge: what each rule said, and of what."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hutong.light_clients.interface import Audit, CheckVerdict


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule said, and of what."""

    subject: str
    check: CheckVerdict


class Inquiry:
    """Counts the rules that were applied and keeps the one that refused; `tell` hears every verdict."""

    __slots__ = ("_tell", "failure", "rules")

    def __init__(self, tell: Callable[[Verdict], object] | None = None) -> None:
        self._tell = tell
        self.rules = 0
        self.failure: Verdict | None = None

    def about(self, subject: str) -> Audit:
        """The judge of everything that is about `subject`."""
        return Audit(lambda check: self.hear(Verdict(subject, check)))

    def hear(self, verdict: Verdict) -> None:
        """A rule was applied, here or by a judge of somebody else's."""
        self.rules += 1
        if not verdict.check.held:
            self.failure = verdict
        if self._tell is not None:
            self._tell(verdict)

    def repeat(self, verdicts: Iterable[Verdict]) -> None:
        """Say again what held before on the same bytes under the same checkpoint."""
        for verdict in verdicts:
            self.hear(verdict)

    def refused_by_a_rule(self, error: Exception) -> bool:
        """Whether `error` is what the refusing rule raised, by identity. Another error is never to be taken for a
        verdict.
        """
        return self.failure is not None and self.failure.check.error is error
