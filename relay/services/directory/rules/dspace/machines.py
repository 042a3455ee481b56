"""The two state machines of the protocol: which message may come from whom in which state, and what the state is then.

A process is the same on both sides, so one table serves what we send and what we are sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.directory.rules.dspace.vocabulary import Kind, Role, State

_BOTH: Final = frozenset(Role)
_CONSUMER: Final = frozenset({Role.CONSUMER})
_PROVIDER: Final = frozenset({Role.PROVIDER})


@dataclass(frozen=True, slots=True)
class Step:
    """What a message does: who may send it, in which states (None: before there is a process), and the state afterwards."""

    senders: frozenset[Role]
    before: frozenset[State | None]
    after: State


def _step(senders: frozenset[Role], after: State, *before: State | None) -> Step:
    return Step(senders, frozenset(before), after)


STEPS: Final[Mapping[Kind, Step]] = {
    Kind.REQUEST: _step(_CONSUMER, State.REQUESTED, None, State.OFFERED),
    Kind.OFFER: _step(_PROVIDER, State.OFFERED, None, State.REQUESTED),
    Kind.ACCEPTED: _step(_CONSUMER, State.ACCEPTED, State.OFFERED),
    Kind.AGREEMENT: _step(_PROVIDER, State.AGREED, State.REQUESTED, State.ACCEPTED),
    Kind.VERIFICATION: _step(_CONSUMER, State.VERIFIED, State.AGREED),
    Kind.FINALIZED: _step(_PROVIDER, State.FINALIZED, State.VERIFIED),
    Kind.TERMINATION: _step(
        _BOTH, State.TERMINATED, State.REQUESTED, State.OFFERED, State.ACCEPTED, State.AGREED, State.VERIFIED
    ),
    Kind.TRANSFER_REQUEST: _step(_CONSUMER, State.REQUESTED, None),
    # A consumer may only go on with what was suspended: see `start_of_a_consumer_resumes`.
    Kind.TRANSFER_START: _step(_BOTH, State.STARTED, State.REQUESTED, State.SUSPENDED),
    Kind.TRANSFER_SUSPENSION: _step(_BOTH, State.SUSPENDED, State.STARTED),
    Kind.TRANSFER_COMPLETION: _step(_BOTH, State.COMPLETED, State.STARTED),
    Kind.TRANSFER_TERMINATION: _step(_BOTH, State.TERMINATED, State.REQUESTED, State.STARTED, State.SUSPENDED),
}


@rule("DSP 2025-1, contract negotiation and transfer process: messages")
def sender_may_send(kind: Kind, sender: Role) -> None:
    """The message is one of the sender's side.

    Raises:
        PredicateFailed: only the counterparty sends such a message.
    """
    if sender not in STEPS[kind].senders:
        allowed = sorted(one.value for one in STEPS[kind].senders)
        raise PredicateFailed("sender_may_send", f"{kind.value} is not sent by this side", sender.value, allowed)


@rule("DSP 2025-1, contract negotiation and transfer process: states")
def message_fits_the_state(kind: Kind, state: State | None) -> State:
    """The message may come in this state; returns the state afterwards.

    Args:
        state: None before there is a process.

    Raises:
        PredicateFailed: it may not, such as any message after the end.
    """
    step = STEPS[kind]
    if state not in step.before:
        expected = sorted("none" if one is None else one.value for one in step.before)
        got = "none" if state is None else state.value
        raise PredicateFailed("message_fits_the_state", f"{kind.value} may not come now", got, expected)
    return step.after


@rule("DSP 2025-1, transfer process: Transfer Start Message")
def start_of_a_consumer_resumes(kind: Kind, sender: Role, state: State | None) -> None:
    """A consumer starts nothing that the provider has not started once.

    Raises:
        PredicateFailed: a consumer's start of what was only requested.
    """
    if kind is Kind.TRANSFER_START and sender is Role.CONSUMER and state is State.REQUESTED:
        raise PredicateFailed("start_of_a_consumer_resumes", "the provider starts first", state.value, "SUSPENDED")


def judge_step(judge: Judge, kind: Kind, sender: Role, state: State | None) -> State:
    """Every rule in order; returns the state after the message.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(sender_may_send, kind, sender)
    judge(start_of_a_consumer_resumes, kind, sender, state)
    return judge(message_fits_the_state, kind, state)
