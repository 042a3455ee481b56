"""What can be done about a receiver that does not take what is sent to it. Its chain's operators cannot mend it."""

from hutong.relay.ledger.values.life import Cause
from hutong.relay.ledger.values.packets import KnownPacket

REVERTS_WITHOUT_REASON = "IBCFailedCallback"
"""A router's error where the receiver reverts without data, or uses up its gas: no acknowledgement is written."""
NEEDS_MORE_GAS = "it succeeds outside of a batch, which bounds its gas"
"""An adapter's word on what would succeed with more gas than it is given."""
OF_RECEIVERS = (REVERTS_WITHOUT_REASON, NEEDS_MORE_GAS)
"""What only a receiver is to blame for."""


def explained(reason: str | None) -> str | None:
    """The reason, and what it means where it is a router's error that says nothing to whoever does not know it."""
    if reason is None or REVERTS_WITHOUT_REASON not in reason:
        return reason
    return f"{reason}: its receiver reverts without a reason"


def remedy_at_receiver(packet: KnownPacket) -> str | None:
    """What its sender and its receiver's owner can do; None where something else than the receiver holds it up."""
    if packet.kind != "receive" or packet.cause not in (Cause.WOULD_FAIL, Cause.FAILED) or packet.reason is None:
        return None
    told = "gets it back" if packet.contents.app == "transfer" else "is told"
    if NEEDS_MORE_GAS in packet.reason:
        more = "" if packet.contents.app == "transfer" else "send it again with more receive_gas; "
        return f"{more}this one ends at its timeout, after which the sender {told}"
    if REVERTS_WITHOUT_REASON in packet.reason:
        return (
            f"{_receiver_of(packet)} reverts without a reason, or uses up its gas: give it one, or wait for the timeout,"
            f" after which the sender {told}"
        )
    return None


def _receiver_of(packet: KnownPacket) -> str:
    contents = packet.contents
    known = contents.receiver is not None and contents.next_client is None
    return f"the receiver {contents.receiver}" if known else "its receiver"
