"""A message out of its rows: how far it is, and what it waits for."""

from collections.abc import Mapping, Sequence
from typing import Any

from hutong.relay.ledger.reading.endings import last_refusal, lateness_text, refusal_text
from hutong.relay.ledger.values.life import Outcome, Step
from hutong.relay.ledger.values.messages import App, MessageEnd, MessageRecord, MessageStage, MessageState
from hutong.relay.ledger.values.packets import KnownPacket, StepRecord

_UNSETTLED = (MessageState.OPEN, MessageState.DEAD)


def is_told_by_steps(message: dict[str, Any], legs: Sequence[KnownPacket]) -> bool:
    """Whether the reason of what `record_of` says is in the steps of the legs, and not in the legs themselves."""
    ended = MessageState(message["state"]) in (MessageState.REFUSED, MessageState.TIMED_OUT)
    return ended or any(leg.step == Step.EXPIRED for leg in legs)


def record_of(
    message: dict[str, Any], legs: Sequence[KnownPacket], waits: Mapping[str, str], steps: Sequence[StepRecord]
) -> MessageRecord:
    """A message out of its rows, which were checked (`rows.message_row`, `rows.known_packet`).

    Args:
        message: of the table `messages`, by column name.
        legs: one packet or two, the first leg first.
        waits: reasons by name of the routes that wait.
        steps: those that have a reason, of any packets; needed where `is_told_by_steps`.
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
        waiting=_waiting(legs, state, waits, steps),
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


def _waiting(
    legs: Sequence[KnownPacket], state: MessageState, waits: Mapping[str, str], steps: Sequence[StepRecord]
) -> str | None:
    """The last leg that is not settled says it, or the route on which it waits."""
    if state is MessageState.REFUSED or (state is MessageState.TIMED_OUT and legs[0].outcome == Outcome.ACKNOWLEDGED):
        return refusal_text(legs[0], legs[1] if len(legs) > 1 else None, steps)
    if state is MessageState.TIMED_OUT:
        return lateness_text(legs[0], steps)
    if state not in _UNSETTLED:
        return None
    unsettled = [leg for leg in legs if leg.outcome is None]
    for leg in sorted(unsettled, key=lambda leg: leg.step != "dead"):
        if (reason := _held_up(leg, waits, steps)) is not None:
            return reason
    return None


def _held_up(leg: KnownPacket, waits: Mapping[str, str], steps: Sequence[StepRecord]) -> str | None:
    """As `explain` has it: what was given up or came too late has a reason of its own; else the route's is the newer."""
    if leg.step == Step.EXPIRED and leg.reason is not None:
        return f"{leg.reason}{last_refusal(leg, steps)}"
    if leg.step in (Step.DEAD, Step.EXPIRED):
        return leg.reason
    is_received = leg.kind == "receive" and leg.received
    return (None if is_received else waits.get(leg.route)) or leg.reason
