"""One line of a table of figures, and how a rate is taken."""

import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 5
ROUND_S = 0.2


@dataclass(frozen=True, slots=True)
class Row:
    """`bare_rate_per_s` is the unavoidable part alone (signatures, hashes), taken in the same run."""

    name: str
    rate_per_s: float
    bare_rate_per_s: float

    @property
    def ratio(self) -> float:
        """How many times its bare cost the whole takes."""
        return self.bare_rate_per_s / self.rate_per_s


def rate_per_s(function: Callable[[], object], rounds: int = ROUNDS, round_s: float = ROUND_S) -> float:
    """Calls a second of processor time, the best of some rounds: other processes on the machine then hardly show."""
    function()
    rates = []
    for _ in range(rounds):
        calls = 0
        started = time.process_time()
        while True:
            function()
            calls += 1
            elapsed = time.process_time() - started
            if elapsed >= round_s:
                break
        rates.append(calls / elapsed)
    return max(rates)


def compared(name: str, whole: Callable[[], object], bare: Callable[[], object]) -> Row:
    """The row of `whole` beside `bare`; their rounds take turns, so that both meet the same busy and quiet moments."""
    rates = [(rate_per_s(whole, rounds=1), rate_per_s(bare, rounds=1)) for _ in range(ROUNDS)]
    return Row(name, max(rate for rate, _ in rates), max(rate for _, rate in rates))
