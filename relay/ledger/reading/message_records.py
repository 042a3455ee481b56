"""A message out of its rows: how far it is, and what it waits for."""

from collections.abc import Mapping, Sequence
from typing import Any

from hutong.relay.ledger.values.life import Outcome
from hutong.relay.ledger.values.messages import App, MessageEnd, MessageRecord, MessageStage, MessageState
from hutong.relay.ledger.values.packets import KnownPacket

_UNSETTLED = (MessageState.OPEN, MessageState.DEAD)


def record_of(message: dict[str, Any], legs: Sequence[KnownPacket], waits: Mapping[str, str]) -> MessageRecord:
    """A message out of its rows, which were checked (`rows.message_row`, `rows.known_packet`).

    Args:
        message: of the table `messages`, by column name.
        legs: one packet or two, the first leg first.
        waits: reasons by name of the routes that wait.
    """
    first = legs[0]
    state = MessageState(message["state"])
    source, _, app = message["lane"].split(" ")
    forwarded = len(legs) > 1 or first.contents.next_client is not None
    return MessageRecord(
        legs=tuple(legs),
        app=App(app),
        state=state,
        stage=_stage(legs, state, forwarded=forwarded),
        source=MessageEnd(source, first.source_client),
        destination=_destination(legs, forwarded=forwarded),
        via=first.destination_chain if forwarded else None,
        sender=first.contents.sender,
        receiver=first.contents.receiver,
        denom=first.contents.denom,
        amount=first.contents.amount,
        waiting=_waiting(legs, state, waits),
        ordered_at_ns=message["ordered_at_ns"],
        updated_at_ns=message["updated_at_ns"],
        settled_at_ns=message["settled_at_ns"],
        change=message["change"],
    )


def _destination(legs: Sequence[KnownPacket], *, forwarded: bool) -> MessageEnd:
    first, last = legs[0], legs[-1]
    if len(legs) > 1 or not forwarded:
        return MessageEnd(last.destination_chain, last.destination_client)
    if first.contents.final_chain is not None:
        return MessageEnd(first.contents.final_chain, first.contents.final_client)
    return MessageEnd(first.destination_chain, first.destination_client)


def _stage(legs: Sequence[KnownPacket], state: MessageState, *, forwarded: bool) -> MessageStage:
    if state not in _UNSETTLED:
        return MessageStage.SETTLED
    if not forwarded:
        return MessageStage.DELIVERED if legs[0].received else MessageStage.SENT
    if len(legs) > 1:
        return MessageStage.DELIVERED if legs[1].received else MessageStage.AT_HUB
    return MessageStage.AT_HUB if legs[0].received else MessageStage.SENT


def refusal_text(first: KnownPacket, second: KnownPacket | None) -> str:
    """Which chain answered the first leg with an error, as far as the legs tell; only of a message that was refused."""
    if second is not None and second.outcome == Outcome.TIMED_OUT:
        return (
            f"it was not received on {second.destination_chain} before its timeout, so the hub answered with an error"
        )
    if second is None and first.contents.next_client is not None:
        return f"it was refused on the way over {first.destination_chain}: error acknowledgement"
    return "the receiver refused it: error acknowledgement"


def _waiting(legs: Sequence[KnownPacket], state: MessageState, waits: Mapping[str, str]) -> str | None:
    """The last leg that is not settled says it, or the route on which it waits."""
    if state is MessageState.REFUSED:
        return refusal_text(legs[0], legs[1] if len(legs) > 1 else None)
    if state is MessageState.TIMED_OUT:
        late = next((leg for leg in legs if leg.outcome == Outcome.TIMED_OUT), legs[-1])
        return f"it was not received on {late.destination_chain} before its timeout"
    if state not in _UNSETTLED:
        return None
    unsettled = [leg for leg in legs if leg.outcome is None]
    for leg in sorted(unsettled, key=lambda leg: leg.step != "dead"):
        if (reason := leg.reason or waits.get(leg.route)) is not None:
            return reason
    return None
