"""What a case's evidence concludes: a small JSON value that the case's rule computes again and compares."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.light_clients.interface.document import Document
from hutong.relay.audit.cases.statements import SPEC

Conclusion: TypeAlias = Mapping[str, Any]
"""Texts, whole numbers, true and false, null, lists, and objects of these; sums as decimal texts."""
MAX_DEPTH = 4
MAX_ITEMS = 65_536
MAX_TEXT_CHARS = 1_024
MAX_NUMBER = 2**53 - 1
"""The largest that every reader of JSON keeps."""


def read_conclusion(document: Document) -> dict[str, Any]:
    """A conclusion of any origin, within the bounds above.

    Raises:
        MalformedInput: naming the field.
    """
    return {name.ascii(MAX_TEXT_CHARS): _plain(value, 1) for name, value in document.entries(MAX_ITEMS)}


def _plain(document: Document, depth: int) -> Any:
    value = document.value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return document.ascii(MAX_TEXT_CHARS)
    if isinstance(value, list | dict) and depth == MAX_DEPTH:
        raise document.refused(f"is deeper than {MAX_DEPTH}")
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in document.items(MAX_ITEMS)]
    if isinstance(value, dict):
        return {name.ascii(MAX_TEXT_CHARS): _plain(item, depth + 1) for name, item in document.entries(MAX_ITEMS)}
    return document.integer(-MAX_NUMBER, MAX_NUMBER)


@rule(SPEC)
def conclusion_is_recomputed(asserted: Conclusion, computed: Conclusion) -> None:
    """What the evidence concludes is what the case's rule makes of the statements.

    Raises:
        PredicateFailed: another value of some member, or other members; the first one is named.
    """
    if _canonical(asserted) == _canonical(computed):
        return
    for name in sorted(asserted.keys() | computed.keys()):
        got, expected = (side.get(name, "nothing") for side in (asserted, computed))
        if _canonical(got) != _canonical(expected):
            raise PredicateFailed("conclusion_is_recomputed", f"another {name}", _shown(got), _shown(expected))


def _canonical(value: Any) -> str:
    # true is not 1 here, as it is in a comparison of Python
    return json.dumps(value, sort_keys=True)


def _shown(value: Any) -> str:
    text = _canonical(value)
    return text if len(text) <= MAX_TEXT_CHARS else f"{text[:MAX_TEXT_CHARS]}…"
