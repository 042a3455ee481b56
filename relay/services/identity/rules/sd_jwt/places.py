"""Where a claim stands in a credential."""

from typing import TypeAlias

ClaimPath: TypeAlias = tuple[str | int, ...]
"""Names of claims and, in arrays, places in what is shown."""

Place: TypeAlias = "tuple[Place, str | int] | tuple[()]"
"""A path with its last step apart: a step costs a third of what it costs a path, and few paths are ever asked for."""


def path_of(place: Place) -> ClaimPath:
    """The steps from the top level on."""
    steps: list[str | int] = []
    while place:
        place, step = place
        steps.append(step)
    return tuple(reversed(steps))
