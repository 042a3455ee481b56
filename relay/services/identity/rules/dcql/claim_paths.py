"""Claims path pointers (OpenID4VP 1.0 §7): where in a credential's claims something stands.

A step is a member's name, an index from 0, or null for every element of a list. Names are compared by code points: an NFC and an
NFD spelling of one word are two names, for the wallet as for the verifier.
"""

from typing import Final, TypeAlias

from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed
from hutong.light_clients.interface.judge import rule
from hutong.relay.services.identity.rules.drafts import OPENID4VP
from hutong.relay.services.identity.rules.jose import MAX_SAFE_INTEGER, JsonValue

PathStep: TypeAlias = "str | int | None"
ClaimPath: TypeAlias = "tuple[PathStep, ...]"
ConcretePath: TypeAlias = "tuple[str | int, ...]"
"""Of one value: names and indices alone."""

MAX_PATH_STEPS: Final = 16
MAX_NAME_CHARS: Final = 256


def path_of(value: JsonValue, field: str) -> ClaimPath:
    """A path as a query writes it.

    Raises:
        MalformedInput: not a list of 1 to `MAX_PATH_STEPS` names, indices from 0 and nulls, or an empty or too long name.
    """
    if not isinstance(value, list) or not 0 < len(value) <= MAX_PATH_STEPS:
        raise MalformedInput(field, f"is not a list of 1 to {MAX_PATH_STEPS} steps", got=value)
    return tuple(_step_of(step, f"{field}[{at}]") for at, step in enumerate(value))


def _step_of(step: JsonValue, field: str) -> PathStep:
    if isinstance(step, str) and 0 < len(step) <= MAX_NAME_CHARS:
        return step
    if step is None or (type(step) is int and 0 <= step <= MAX_SAFE_INTEGER):
        return step
    raise MalformedInput(field, f"is not a name of 1 to {MAX_NAME_CHARS} characters, an index or null", got=step)


@rule(OPENID4VP + " §7.1")
def claims_at(claims: JsonValue, path: ClaimPath) -> tuple[tuple[ConcretePath, JsonValue], ...]:
    """What the path selects, in the order of the claims: at least one value, each with the path that leads to it alone.

    Raises:
        PredicateFailed: it selects nothing, or a step does not fit what stands there: a name in a list, an index or null
            in an object, either of them in a plain value.
    """
    selected: list[tuple[ConcretePath, JsonValue]] = [((), claims)]
    for step in path:
        found: list[tuple[ConcretePath, JsonValue]] = []
        for place, value in selected:
            if isinstance(step, str):
                if not isinstance(value, dict):
                    raise PredicateFailed("claims_at", "a name where no object is", got=step)
                if step in value:
                    found.append(((*place, step), value[step]))
            elif not isinstance(value, list):
                raise PredicateFailed("claims_at", "an index or null where no list is", got=step)
            elif step is None:
                found += [((*place, at), item) for at, item in enumerate(value)]
            elif step < len(value):
                found.append(((*place, step), value[step]))
        selected = found
    if not selected:
        raise PredicateFailed("claims_at", "no such claim", got=list(path))
    return tuple(selected)
