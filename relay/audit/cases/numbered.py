"""Statements that a case counts through: their names leave no choice, so that a renamed one is another evidence."""

from collections.abc import Iterable

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.audit.cases.statements import SPEC

DIGITS = 4


@rule(SPEC)
def statements_are_numbered(names: Iterable[str], prefix: str) -> None:
    """There are statements, called `<prefix>-0000` and so on without a gap.

    Raises:
        PredicateFailed: there is none, or the first that has another name.
    """
    found = list(names)
    if not found:
        raise PredicateFailed("statements_are_numbered", "there is none", expected=f"{prefix}-{0:0{DIGITS}}")
    for index, name in enumerate(found):
        expected = f"{prefix}-{index:0{DIGITS}}"
        if name != expected:
            raise PredicateFailed("statements_are_numbered", "another name", name, expected)
