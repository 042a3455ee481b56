"""How attacks are asked for: who refused, and what it said."""

from collections.abc import Callable
from typing import Any

import pytest

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation, VerificationError
from tests.relay.services.identity.rules.actors import Presented, judged


def refused_by(judge: Callable[[], Any]) -> str:
    """The predicate, the malformed field with its reason, or the unsupported operation, as one text."""
    with pytest.raises(VerificationError) as caught:
        judge()
    match caught.value:
        case PredicateFailed(predicate=predicate, reason=reason):
            return f"{predicate}: {reason}"
        case MalformedInput(field=field, reason=reason):
            return f"{field}: {reason}"
        case UnsupportedOperation(operation=operation):
            return f"unsupported: {operation}"
        case other:
            raise AssertionError(f"an error of another kind: {other!r}")


def refused(presentation: Presented | str, **policy: Any) -> str:
    text = presentation if isinstance(presentation, str) else presentation.text
    return refused_by(lambda: judged(text, **policy))
