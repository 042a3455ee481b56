"""Sentences of refusals as rules versions 1 and 2 recorded them, where the code words them better now.

A sentence is part of the revert, and the next header hashes the revert (`last_results_hash`): a block replays only if it
finds the words of its own time. New wording therefore rules from version 3 on.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.relay.hub.application.revision import rules_versions

Refusal = TypeVar("Refusal", bound=Exception)

RECORDED: Mapping[str, str] = MappingProxyType(
    {
        "the subject is active: only forks scheduled after its newest header may differ": (
            "the subject is active: only forks behind its newest header may differ"
        ),
        "bytes after the ABI data": "bytes behind the ABI data",
        "bytes after the RLP item": "bytes behind the RLP item",
        "bytes after the value": "bytes behind the value",
        "bytes after the version of an IAVL inner node": "bytes behind the version of an IAVL inner node",
        "bytes after the version of an IAVL leaf": "bytes behind the version of an IAVL leaf",
        "has trailing bytes": "has bytes behind its end",
        "forward_memo.next: a second hop after the hub": "forward_memo.next: one hop behind the hub",
    }
)
"""Reason or operation as the code gives it → as versions 1 and 2 recorded it. A new wording is unique in the code."""


def as_recorded(error: Refusal, rules_version: int) -> Refusal:
    """The refusal in the words that a block of this version stores; most never changed.

    The error itself is not changed.
    """
    if rules_version >= rules_versions.BOUNDED_EXECUTION:
        return error
    match error:
        case PredicateFailed() | MalformedInput():
            return replace(error, reason=RECORDED.get(error.reason, error.reason))
        case UnsupportedOperation():
            return replace(error, operation=RECORDED.get(error.operation, error.operation))
        case _:
            return error
