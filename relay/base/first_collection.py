"""When a process first looks for circles of garbage: after its modules are made, which stay to its end."""

import gc
from typing import Any

FIRST_COLLECTION_OBJECTS = 100_000
"""About what the relay's and the hub's libraries are made of. Looking for garbage among them takes a tenth of a start."""


def defer_first_collection() -> None:
    """Have the collector wait for FIRST_COLLECTION_OBJECTS, once. Then it works at its usual thresholds, and passes over what
    there was by then: modules, which would otherwise be walked through again and again.
    """
    usual = gc.get_threshold()

    def go_on(phase: str, _info: dict[str, Any]) -> None:
        if phase == "stop":
            gc.callbacks.remove(go_on)
            gc.set_threshold(*usual)
            gc.freeze()

    gc.callbacks.append(go_on)
    gc.set_threshold(FIRST_COLLECTION_OBJECTS, *usual[1:])
