"""Why the hub failed a packet that it had sent on: the words in its state (docs/spec/forward.md), and what they mean.

They are part of the hub's state, so that no word of them changes without a rules version.
"""

from enum import Enum

from hutong.light_clients.ibc.packet import Packet

APPS = ("forward", "transfer")
"""The hub's applications that send on; each begins its reasons with its name."""


class ForwardFailure(Enum):
    """How leg 2 ended, by the words that follow the application and the next client."""

    LATE = "timed out at the destination at "
    REFUSED = " at the destination answered with an error"


def timeout_words(leg_2: Packet) -> str:
    """Of a leg 2 that was not received in time."""
    return f"timed out at the destination at {leg_2.timeout_timestamp_s}"


def refusal_words(leg_2: Packet) -> str:
    """Of a leg 2 that its receiver answered with an error."""
    return f"{leg_2.destination_client} at the destination answered with an error"


def forward_failed(next_client: str, why: str) -> str:
    """Of a packet that the forwarder sent on over `next_client`, a client of the hub."""
    return f"forward over {next_client}: {why}"


def transfer_failed(next_client: str, why: str) -> str:
    """Of tokens that the transfer application sent on over `next_client`, a client of the hub."""
    return f"transfer over {next_client}: {why}"


def failure_of(reason: str | None, next_client: str) -> ForwardFailure | None:
    """What a reason of the hub says of leg 2; None of any other text, and where the hub refused to send it on.

    Args:
        reason: what `hutong_forwardFailure` gives for leg 1: an endpoint's word.
        next_client: over which leg 1 asked to be sent on.
    """
    for begin in (forward_failed(next_client, ""), transfer_failed(next_client, "")):
        if reason is not None and reason.startswith(begin):
            words = reason.removeprefix(begin)
            if words.startswith(ForwardFailure.LATE.value):
                return ForwardFailure.LATE
            if words.endswith(ForwardFailure.REFUSED.value):
                return ForwardFailure.REFUSED
    return None
