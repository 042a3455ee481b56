"""Installed filters, polled with eth_getFilterChanges."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass

from hutong.relay.evm.chain.log_criteria import LogCriteria
from hutong.relay.evm.rpc.json_errors import SERVER_ERROR, JsonRpcError

MAX_FILTERS = 1_000
FILTER_LIFETIME_S = 300.0
"""Unpolled for so long: forgotten, as geth does."""


@dataclass(slots=True)
class Filter:
    """`criteria` None: a block filter, or of pending transactions where `pending_since` counts those reported already.
    `next_block` is the first block not reported yet."""

    criteria: LogCriteria | None
    next_block: int
    polled_at_s: float
    pending_since: int | None = None


class Filters:
    """Bounded: the one polled longest ago makes room."""

    def __init__(self) -> None:
        self._filters: OrderedDict[str, Filter] = OrderedDict()

    def install(
        self, criteria: LogCriteria | None, next_block: int, now_s: float, pending_since: int | None = None
    ) -> str:
        """Keep a filter and return its unguessable id: 128 random bits in hex.

        Where MAX_FILTERS are kept already, the one polled longest ago is forgotten.

        Args:
            criteria: None for a filter of blocks or of pending transactions.
            next_block: the first block not reported yet.
            now_s: seconds of the clock that `poll` is given too.
            pending_since: for a filter of pending transactions: how many the pool has announced so far.
        """
        self._expire(now_s)
        while len(self._filters) >= MAX_FILTERS:
            self._filters.popitem(last=False)
        # Unguessable, since whoever knows the id takes the changes away.
        identifier = hex(secrets.randbits(128))
        self._filters[identifier] = Filter(criteria, next_block, now_s, pending_since)
        return identifier

    def poll(self, identifier: str, now_s: float) -> Filter:
        """The filter, which is thereby polled at `now_s`: its lifetime of FILTER_LIFETIME_S begins again.

        The caller moves `next_block` or `pending_since` of what it gets.

        Raises:
            JsonRpcError: -32000, there is no filter of this id (any more).
        """
        self._expire(now_s)
        found = self._filters.get(identifier)
        if found is None:
            raise JsonRpcError(SERVER_ERROR, "filter not found")
        found.polled_at_s = now_s
        self._filters.move_to_end(identifier)
        return found

    def uninstall(self, identifier: str) -> bool:
        """Forget a filter; False if no filter has this id."""
        return self._filters.pop(identifier, None) is not None

    def _expire(self, now_s: float) -> None:
        while self._filters:
            oldest = next(iter(self._filters))
            if self._filters[oldest].polled_at_s + FILTER_LIFETIME_S > now_s:
                return
            del self._filters[oldest]
