"""Rules of height and time that clients of EVM chains share, one function a rule. Times of headers are whole seconds."""

from light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientExpired,
    ClientFrozen,
    Height,
    PredicateFailed,
)


def expires_at_ns(timestamp_s: int, trusting_period_s: int) -> int:
    return (timestamp_s + trusting_period_s) * NANOSECONDS_PER_SECOND


def client_not_frozen(*, is_frozen: bool) -> None:
    """No proof of misbehaviour is on record [ICS-02]."""
    if is_frozen:
        raise ClientFrozen


def within_trusting_period(timestamp_s: int, trusting_period_s: int, now_ns: int) -> None:
    """The trusted state is younger than the trusting period; at the exact edge it has expired."""
    edge_ns = expires_at_ns(timestamp_s, trusting_period_s)
    if edge_ns <= now_ns:
        raise ClientExpired(edge_ns, now_ns)


def height_increases(height: Height, trusted_height: Height) -> None:
    """A header is vouched for by a lower one of the same revision."""
    if trusted_height.revision_number != height.revision_number or height <= trusted_height:
        raise PredicateFailed(
            "height_increases", "header is not above its trusted height", got=height, expected=f"> {trusted_height}"
        )


def header_not_from_future(timestamp_s: int, max_clock_drift_s: int, now_ns: int) -> None:
    """The header is earlier than now plus the allowed drift."""
    bound_ns = now_ns + max_clock_drift_s * NANOSECONDS_PER_SECOND
    timestamp_ns = timestamp_s * NANOSECONDS_PER_SECOND
    if timestamp_ns >= bound_ns:
        raise PredicateFailed(
            "header_not_from_future",
            "header time is beyond the clock drift",
            got=timestamp_ns,
            expected=f"< {bound_ns}",
        )
