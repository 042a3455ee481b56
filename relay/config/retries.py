"""The `[retries]` table: when a job that failed is tried again, by what it failed for.

Example:

    [retries]
    probe_most_s = 20                          # what only a simulation refused, is simulated again this often

    [retries.causes]
    failed = { first_s = 5, most_s = 300 }     # what failed in a block, and was paid for

A path may have a table `retries` of its own, which stands in place of this one.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hutong.relay.config.fields import Model

RetryCause = Literal["would_fail", "failed", "proof_refused", "too_large", "height_unavailable", "endpoint", "other"]


class RetryRule(Model):
    """The first delay after a failure, which doubles with each further one up to the longest."""

    first_s: Annotated[float, Field(ge=0.1, le=86_400)]
    most_s: Annotated[float, Field(ge=0.1, le=86_400)]

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.most_s < self.first_s:
            raise ValueError("most_s must not be below first_s")
        return self

    def delay_s(self, failures: int) -> float:
        """The delay after the `failures`-th failure (1 for the first), without jitter: it doubles from `first_s` to
        `most_s`.
        """
        return min(self.most_s, self.first_s * 2.0 ** min(max(0, failures - 1), 40))


DEFAULT_RULES: Mapping[str, RetryRule] = {
    "would_fail": RetryRule(first_s=1, most_s=20),
    "failed": RetryRule(first_s=5, most_s=300),
    "too_large": RetryRule(first_s=300, most_s=3_600),
    "other": RetryRule(first_s=0.5, most_s=20),
}
"""`would_fail` costs nothing but a call, `failed` was paid for: of what fails for long, one attempt in five minutes is."""


class RetriesConfig(Model):
    """Causes that the table does not name have their defaults; every other one of theirs has that of `other`."""

    probe_most_s: Annotated[float, Field(ge=1, le=3_600)] = 20.0
    """Between two rounds of simulations of a route that found nothing to be well again. All that rests shares the rounds."""
    causes: Mapping[RetryCause, RetryRule] = {}

    def rule(self, cause: str) -> RetryRule:
        """The rule of a cause: the table's, else the default of that cause, else the table's or default rule of
        `other`.
        """
        for rules in (self.causes, DEFAULT_RULES):
            for name, rule in rules.items():
                if name == cause:
                    return rule
        return self.causes.get("other", DEFAULT_RULES["other"])
