"""What the surroundings refuse, such as a full disk: many tasks meet it, and one line of the log says it."""

import trio

FORGOTTEN_AFTER_S = 90.0
"""Longer than any task waits before it tries again: what nobody met for so long had ended, and is said anew."""
MAX_HELD = 1_000


class Complaints:
    """Of one relay, shared by its tasks."""

    def __init__(self) -> None:
        self._met_at_s: dict[str, float] = {}

    def is_new(self, reason: str) -> bool:
        """Note that `reason` was met, and return whether nobody met it in the last FORGOTTEN_AFTER_S: then it is to be
        logged.

        Reasons are compared as texts. Of MAX_HELD reasons in that time all are forgotten, so that each is logged once
        more.
        """
        now_s = trio.current_time()
        lately = {one: at_s for one, at_s in self._met_at_s.items() if now_s - at_s <= FORGOTTEN_AFTER_S}
        known = reason in lately
        self._met_at_s = lately if known or len(lately) < MAX_HELD else {}
        self._met_at_s[reason] = now_s
        return not known
