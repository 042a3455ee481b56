"""How long to wait before a peer is dialled again."""

from random import Random

FIRST_S = 0.25
MAX_S = 15.0


def dial_delay_s(failures: int, random: Random) -> float:
    """Seconds to wait before a peer is dialled again, after `failures` attempts that failed: 0.125 to MAX_S.

    They double with each failure; half of them is jitter, so that a network that restarts together does not dial
    together.
    """
    longest: float = min(MAX_S, FIRST_S * 2.0 ** min(failures, 10))
    return longest * (0.5 + random.random() / 2)
