"""The state machines of negotiations and transfers: every message in every state, and whole lives drawn at random."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.relay.services.directory.rules.dspace.machines import STEPS, judge_step
from hutong.relay.services.directory.rules.dspace.vocabulary import Kind, Role, State

# Written from the protocol's diagrams and not from the table: (sender, before, after).
ALLOWED = {
    Kind.REQUEST: "c - REQUESTED, c OFFERED REQUESTED",
    Kind.OFFER: "p - OFFERED, p REQUESTED OFFERED",
    Kind.ACCEPTED: "c OFFERED ACCEPTED",
    Kind.AGREEMENT: "p REQUESTED AGREED, p ACCEPTED AGREED",
    Kind.VERIFICATION: "c AGREED VERIFIED",
    Kind.FINALIZED: "p VERIFIED FINALIZED",
    Kind.TERMINATION: ", ".join(
        f"{who} {state} TERMINATED"
        for who in "cp"
        for state in ("REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED")
    ),
    Kind.TRANSFER_REQUEST: "c - REQUESTED",
    Kind.TRANSFER_START: "p REQUESTED STARTED, p SUSPENDED STARTED, c SUSPENDED STARTED",
    Kind.TRANSFER_SUSPENSION: "c STARTED SUSPENDED, p STARTED SUSPENDED",
    Kind.TRANSFER_COMPLETION: "c STARTED COMPLETED, p STARTED COMPLETED",
    Kind.TRANSFER_TERMINATION: ", ".join(
        f"{who} {state} TERMINATED" for who in "cp" for state in ("REQUESTED", "STARTED", "SUSPENDED")
    ),
}
ROLES = {"c": Role.CONSUMER, "p": Role.PROVIDER}


def allowed_steps() -> dict[tuple[Kind, Role, State | None], State]:
    found = {}
    for kind, said in ALLOWED.items():
        for one in said.split(", "):
            who, before, after = one.split()
            found[kind, ROLES[who], None if before == "-" else State(before)] = State(after)
    return found


STEPS_BY_HAND = allowed_steps()
OF_NEGOTIATIONS = [kind for kind in Kind if not kind.value.startswith("Transfer")]
OF_TRANSFERS = [kind for kind in Kind if kind.value.startswith("Transfer")]


@pytest.mark.parametrize("kind", Kind)
def test_every_message_in_every_state_is_as_the_protocol_has_it(kind):
    assert set(STEPS) == set(Kind)
    for role in Role:
        for state in (None, *State):
            expected = STEPS_BY_HAND.get((kind, role, state))
            if expected is None:
                with pytest.raises(PredicateFailed):
                    judge_step(VERIFY, kind, role, state)
            else:
                assert judge_step(VERIFY, kind, role, state) is expected


def test_refusals_name_the_rule_and_what_was_compared():
    with pytest.raises(PredicateFailed) as early:
        judge_step(VERIFY, Kind.FINALIZED, Role.PROVIDER, State.AGREED)
    assert (early.value.predicate, early.value.got, early.value.expected) == (
        "message_fits_the_state",
        "AGREED",
        ["VERIFIED"],
    )
    with pytest.raises(PredicateFailed) as other:
        judge_step(VERIFY, Kind.FINALIZED, Role.CONSUMER, State.VERIFIED)
    assert (other.value.predicate, other.value.got) == ("sender_may_send", "consumer")
    with pytest.raises(PredicateFailed) as first:
        judge_step(VERIFY, Kind.TRANSFER_START, Role.CONSUMER, State.REQUESTED)
    assert first.value.predicate == "start_of_a_consumer_resumes"
    assert judge_step(VERIFY, Kind.TRANSFER_START, Role.CONSUMER, State.SUSPENDED) is State.STARTED


class TwoSides(RuleBasedStateMachine):
    """Two parties who each keep a state and send what they like: what one accepts the other has accepted of itself."""

    kinds = OF_NEGOTIATIONS

    def __init__(self):
        super().__init__()
        self.states: dict[Role, State | None] = dict.fromkeys(Role)
        self.seen: list[Kind] = []

    @rule(sender=st.sampled_from(list(Role)), number=st.integers(0, 6))
    def send(self, sender, number):
        kind = self.kinds[number % len(self.kinds)]
        try:
            after = judge_step(VERIFY, kind, sender, self.states[sender])
        except PredicateFailed:
            return
        assert judge_step(VERIFY, kind, sender, self.states[sender.other]) is after
        self.states = dict.fromkeys(Role, after)
        self.seen.append(kind)

    @invariant()
    def both_sides_agree_and_nothing_is_skipped(self):
        assert self.states[Role.CONSUMER] is self.states[Role.PROVIDER]
        state = self.states[Role.CONSUMER]
        if state is State.FINALIZED:
            assert self.seen[-3:] == [Kind.AGREEMENT, Kind.VERIFICATION, Kind.FINALIZED]
        if state is State.COMPLETED:
            assert any(kind is Kind.TRANSFER_START for kind in self.seen)
        ends = [kind for kind in self.seen if STEPS[kind].after.is_final]
        assert len(ends) <= 1
        assert not ends or self.seen[-1] is ends[0]


class TransferSides(TwoSides):
    kinds = OF_TRANSFERS


TestNegotiations = TwoSides.TestCase
TestTransfers = TransferSides.TestCase
TestNegotiations.settings = TestTransfers.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
