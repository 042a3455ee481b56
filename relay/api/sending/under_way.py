"""Transactions that were passed on a short while ago: CometBFT does not say of one whether its pool has it."""

from collections import OrderedDict
from collections.abc import Callable

UNDER_WAY_S = 600.0
"""As long a transaction that no block has counts as waiting; then nobody knows."""
MAX_UNDER_WAY = 10_000


class UnderWay:
    """Bounded; the oldest make room. Kept in memory: after a restart nothing is under way."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._until_s: OrderedDict[tuple[str, bytes], float] = OrderedDict()

    def add(self, chain: str, transaction_hash: bytes) -> None:
        """Note that a transaction was handed to a chain's pool just now; adding it again begins its time anew."""
        key = (chain, transaction_hash)
        self._until_s[key] = self._clock_s() + UNDER_WAY_S
        self._until_s.move_to_end(key)
        while len(self._until_s) > MAX_UNDER_WAY:
            self._until_s.popitem(last=False)

    def has(self, chain: str, transaction_hash: bytes) -> bool:
        """Whether it was added within UNDER_WAY_S, in this process. That it is in a block by now is not known here."""
        return self._until_s.get((chain, transaction_hash), float("-inf")) > self._clock_s()
