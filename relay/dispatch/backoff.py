"""Delays between attempts: exponential with full jitter, so that failures do not march in step."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """`base_s` doubles with each failure up to `cap_s`; the delay drawn lies between half of that and all of it."""

    base_s: float = 0.5
    cap_s: float = 60.0

    def delay_s(self, failures: int, random: Random) -> float:
        """The delay after the `failures`-th failure in a row (1 for the first), with jitter from `random`."""
        full = min(self.cap_s, self.base_s * 2.0 ** min(failures - 1, 32))
        return full * (0.5 + 0.5 * random.random())
