"""Sentences of refusals as rules versions 1 and 2 recorded them, where a verifier words them better now.

A sentence is part of the revert, and the next header hashes the revert (`last_results_hash`): a block replays only where it
finds the words of its own time. New wording therefore rules from version 3 on.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from relay.hub.application import rules_versions

RECORDED: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (
            "subject_needs_recovery",
            "the subject is active: only forks scheduled after its newest header may differ",
        ): "the subject is active: only forks behind its newest header may differ",
    }
)
"""(predicate or field, reason as the code gives it) → reason as versions 1 and 2 recorded it."""


def as_recorded(error: VerificationError, rules_version: int) -> VerificationError:
    """The refusal with the reason that a block of this version stores; most reasons never changed."""
    if rules_version >= rules_versions.BOUNDED_EXECUTION:
        return error
    match error:
        case PredicateFailed(predicate=name) | MalformedInput(field=name):
            return replace(error, reason=RECORDED.get((name, error.reason), error.reason))
        case _:
            return error
