"""So many requests a second for each key or address: token buckets in a table of bounded size."""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

MAX_BUCKETS = 10_000
BURST = 5
"""Seconds' worth of requests that may come at once."""
IPV6_PREFIX_BITS = 64
"""One customer's network: its addresses are one client."""


class RateLimit:
    """`clock_s` never goes back. The least recently seen bucket makes room: whoever is forgotten begins with a full one."""

    def __init__(self, per_s: float, clock_s: Callable[[], float], max_buckets: int = MAX_BUCKETS) -> None:
        self._per_s = per_s
        self._burst = per_s * BURST
        self.clock_s = clock_s
        self._max_buckets = max_buckets
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_s(self, client: str, cost: int = 1) -> float:
        """0 and the request is taken, or the seconds after which it can be.

        Args:
            client: as `client_of` gives it, or the name of a key.
            cost: in plain requests ; no request costs more than a whole bucket.
        """
        needed = min(float(cost), self._burst)
        now_s = self.clock_s()
        tokens, at_s = self._buckets.pop(client, (self._burst, now_s))
        tokens = min(self._burst, tokens + (now_s - at_s) * self._per_s)
        taken = tokens >= needed
        self._buckets[client] = (tokens - needed if taken else tokens, now_s)
        if len(self._buckets) > self._max_buckets:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (needed - tokens) / self._per_s


def client_of(address: str) -> str:
    """The bucket of an address, as servers and proxies write it: an IPv6 network of IPV6_PREFIX_BITS is one client.

    What is not an address shares one bucket.
    """
    parsed = parse_address(address)
    if parsed is None:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return f"{int(parsed) >> (128 - IPV6_PREFIX_BITS):x}::/{IPV6_PREFIX_BITS}"
    return str(parsed)


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as servers and proxies write it: with a port or without, an IPv4 address also in the form of IPv6.

    Returns:
        None for anything else.
    """
    bare = text
    if text.startswith("["):
        bare = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        bare = text.partition(":")[0]
    try:
        parsed = ip_address(bare)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
