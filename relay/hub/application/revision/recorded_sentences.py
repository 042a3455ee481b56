"""Sentences of refusals as earlier rules versions recorded them, where the code words them better now.

A sentence is part of the revert, and the next header hashes the revert (`last_results_hash`): a block replays only if it
finds the words of its own time. New wording therefore rules from the version on that is the newest when it comes.
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
"""Reason or operation as version 3 gives it → as versions 1 and 2 recorded it. A new wording is unique in the code."""

RECORDED_TO_3: Mapping[str, str] = MappingProxyType(
    {
        "SM2 and SM3 without the extra `gm` (in the checkout of hutong run: pip install -c constraints.txt '.[gm]')": (
            "SM2 and SM3 without the extra `gm` (pip install 'hutong[gm]')"
        ),
    }
)
"""Likewise as the code gives it → as versions 1 to 3 recorded it."""


def _words(text: str, rules_version: int) -> str:
    if rules_version < rules_versions.RECORDS:
        text = RECORDED_TO_3.get(text, text)
    if rules_version < rules_versions.BOUNDED_EXECUTION:
        text = RECORDED.get(text, text)
    return text


def as_recorded(error: Refusal, rules_version: int) -> Refusal:
    """The refusal in the words that a block of this version stores; most never changed.

    The error itself is not changed.
    """
    match error:
        case PredicateFailed() | MalformedInput():
            return replace(error, reason=_words(error.reason, rules_version))
        case UnsupportedOperation():
            return replace(error, operation=_words(error.operation, rules_version))
        case _:
            return error
