"""How a packet ended that did not reach its receiver, or was not taken there: the words of `hutong why` and of lists."""

from collections.abc import Sequence

from hutong.light_clients.ibc.forward_failure import ForwardFailure, failure_of
from hutong.relay.ledger.reading.receiver_remedies import OF_RECEIVERS, explained
from hutong.relay.ledger.values.life import Outcome, said_of
from hutong.relay.ledger.values.packets import KnownPacket, StepRecord


def lateness_text(packet: KnownPacket, steps: Sequence[StepRecord]) -> str:
    """Of a packet that timed out: where it was not received in time, and what its last try met.

    Args:
        steps: of this packet; those of others are passed over.
    """
    return f"it was not received on {packet.destination_chain} before its timeout{last_refusal(packet, steps)}"


def refusal_text(first: KnownPacket, second: KnownPacket | None, steps: Sequence[StepRecord]) -> str:
    """Who answered the first leg with an error, and with which reason, as far as the legs and their chains tell.

    Where the end of the second leg is not known here, the hub's own reason says what became of it.

    Args:
        second: the packet that the hub sent on because of the first.
        steps: of both packets.
    """
    if second is not None and second.outcome == Outcome.TIMED_OUT:
        return lateness_text(second, steps)
    contents = first.contents
    said = None if contents.next_client is None else reason_of_refusal(first, steps)
    failure = None if contents.next_client is None else failure_of(said, contents.next_client)
    if failure is not None and (second is None or second.outcome != Outcome.ACKNOWLEDGED):
        last = contents.final_chain if second is None else second.destination_chain
        where = f"beyond {first.destination_chain}" if last is None else f"on {last}"
        if failure is ForwardFailure.LATE:
            return f"it was not received {where} before its timeout"
        return f"its receiver {where} refused it"
    if second is None and contents.next_client is not None:
        return f"it was refused on the way over {first.destination_chain}{_in_brackets(said)}"
    last_leg = first if second is None else second
    return f"its receiver on {last_leg.destination_chain} refused it{_in_brackets(reason_of_refusal(last_leg, steps))}"


def last_refusal(packet: KnownPacket, steps: Sequence[StepRecord]) -> str:
    """What the destination last said before the timeout, in brackets; empty if it refused nothing that is known.

    Args:
        steps: as for `lateness_text`.
    """
    tries = [
        step
        for step in steps
        if step.packet_id == packet.packet_id and step.kind == "receive" and step.step in ("retried", "dead")
    ]
    said = max(tries, key=lambda step: step.at_ns, default=None)
    if said is None or said.reason is None:
        return ""
    if not any(word in said.reason for word in (*OF_RECEIVERS, "would refuse it")):
        return ""
    return f" (the last try: {explained(said.reason)})"


def reason_of_refusal(packet: KnownPacket, steps: Sequence[StepRecord]) -> str | None:
    """What whoever answered a packet with an error gave as its reason, where its chain told it; else None."""
    for step in steps:
        if (step.packet_id, step.kind) == (packet.packet_id, "acknowledge") and (said := said_of(step.reason)):
            return said
    return None


def _in_brackets(said: str | None) -> str:
    return "" if said is None else f" ({said})"
