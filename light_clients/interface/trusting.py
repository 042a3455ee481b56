"""How long a stored state is believed, and how far ahead of the clock a block may be: the same for every light client.

All times are nanoseconds since 1970 and all spans nanoseconds, whatever unit a chain's headers have.
"""

from typing import Protocol

from hutong.light_clients.interface.errors import ClientExpired, ClientFrozen, PredicateFailed
from hutong.light_clients.interface.judge import rule


class Freezable(Protocol):
    """A client state, as far as these rules read it."""

    @property
    def is_frozen(self) -> bool:
        """Whether a proof of misbehaviour is on record."""


@rule("ICS-02")
def client_not_frozen(client: Freezable) -> None:
    """No proof of misbehaviour is on record.

    Raises:
        ClientFrozen: one is; only recovery by a substitute helps.
    """
    if client.is_frozen:
        raise ClientFrozen


def expires_at_ns(timestamp_ns: int, trusting_period_ns: int) -> int:
    """First instant at which a state of that time is no longer believed, in nanoseconds since 1970."""
    return timestamp_ns + trusting_period_ns


def within_trusting_period(timestamp_ns: int, trusting_period_ns: int, now_ns: int) -> None:
    """The trusted state is younger than the trusting period; at the exact edge it has expired [LCV-INV-TP.1].

    Raises:
        ClientExpired: it is not.
    """
    edge_ns = timestamp_ns + trusting_period_ns
    if edge_ns <= now_ns:
        raise ClientExpired(edge_ns, now_ns)


def header_not_from_future(timestamp_ns: int, max_clock_drift_ns: int, now_ns: int) -> None:
    """The header is earlier than now plus the allowed drift, strictly.

    Raises:
        PredicateFailed: it is at that instant or later.
    """
    demand_not_from_future("header_not_from_future", "header", timestamp_ns, max_clock_drift_ns, now_ns)


def demand_not_from_future(predicate: str, what: str, timestamp_ns: int, max_clock_drift_ns: int, now_ns: int) -> None:
    """`header_not_from_future` under another name and of another thing, for clients that judge the time of several.

    `predicate` is the rule's name in the error and `what` the thing, as in "`what` time is beyond the clock drift".

    Raises:
        PredicateFailed: `timestamp_ns` is `now_ns + max_clock_drift_ns` or later.
    """
    bound_ns = now_ns + max_clock_drift_ns
    if timestamp_ns >= bound_ns:
        raise PredicateFailed(predicate, f"{what} time is beyond the clock drift", timestamp_ns, f"< {bound_ns}")
