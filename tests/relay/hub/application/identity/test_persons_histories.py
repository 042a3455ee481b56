"""Histories of persons against a model that knows no code of the module, and malformed calls under both engines."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.relay.hub.application.identity.persons_malformed import KINDS, MalformedCalls, replayed
from tests.relay.hub.application.identity.persons_model import KEYS, PersonsModel

INDEX, KEY, NEXT = st.integers(0, 7), st.integers(0, KEYS - 1), st.integers(0, 2 * KEYS - 1)


class Histories(RuleBasedStateMachine):
    """The model says of each step whether it is refused, and what is stored after it."""

    def __init__(self) -> None:
        super().__init__()
        self.model = PersonsModel()

    @rule(people=st.lists(st.tuples(KEY, NEXT, st.integers(0, 2)), min_size=1, max_size=3), liar=st.integers(0, 9))
    def register(self, people, liar):
        self.model.register(people, liar)

    @rule(
        indices=st.lists(INDEX, min_size=1, max_size=3),
        key=KEY,
        following=NEXT,
        who=st.integers(0, 5),
        own=st.booleans(),
    )
    def change(self, indices, key, following, who, own):
        self.model.change(indices, key, following, who, own)

    @rule(index=INDEX, key=KEY, signers=st.integers(1, 5), life_s=st.integers(0, 604_801))
    def start(self, index, key, signers, life_s):
        self.model.start(index, key, signers, life_s)

    @rule(index=INDEX, by_another=st.booleans())
    def cancel(self, index, by_another):
        self.model.cancel(index, by_another)

    @rule(index=INDEX)
    def complete(self, index):
        self.model.complete(index)

    @rule(index=INDEX)
    def clear(self, index):
        self.model.clear(index)

    @rule(which=st.integers(0, 99))
    def show_again(self, which):
        self.model.show_again(which)

    @rule(which=st.integers(0, 7))
    def let_time_pass(self, which):
        self.model.let_time_pass(which)

    @invariant()
    def holds(self):
        self.model.check()


Histories.TestCase.settings = settings(max_examples=8, stateful_step_count=16)
test_histories_of_persons = Histories.TestCase


def test_attack_N106_malformed_calls_are_typed_refusals_and_both_engines_agree():
    """Each kind once; ten thousand by `python -m tests.relay.hub.application.identity.persons_malformed`."""
    malformed = MalformedCalls("a few of each")
    malformed.run(len(KINDS))
    assert malformed.found.total() == len(KINDS) and len(malformed.found) > 8
    replayed(malformed.hub)
