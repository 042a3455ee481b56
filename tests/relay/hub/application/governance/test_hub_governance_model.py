"""The governance module against a plain model: any sequence of proposals, votes, changes of the set, swaps and waits."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import admit_validator_action, set_paused_action, set_validator_action
from hutong.relay.hub.application.governance import interface
from hutong.relay.hub.application.governance.members import ROTATION_INTERVAL_S
from hutong.relay.hub.application.governance.proposals import MAX_OPEN_PROPOSALS, Status
from hutong.relay.hub.application.module import GOVERNANCE_ADDRESS, ROUTER_ADDRESS
from tests.relay.hub.application.governance.governed_hub import (
    KEYS,
    OPERATORS,
    VOTING_PERIOD_S,
    GovernedHub,
    possession,
)
from tests.relay.hub.simulated_hub import STRANGER, address_of

INDEX = {key.public_key.data: index for index, key in enumerate(KEYS)}
OPERATOR = st.integers(0, 5)
KEY = st.integers(0, len(KEYS) - 1)


@dataclass
class Modelled:
    """A proposal: (kind, values), its votes by key, and what it came to."""

    action: tuple
    expires_s: int
    votes: dict[int, bool] = field(default_factory=dict)
    status: Status = Status.OPEN


class Governance(RuleBasedStateMachine):
    """Validators by the index of their key: `keys` has that of each operator, `powers` what it holds."""

    @initialize(powers=st.lists(st.integers(1, 40), min_size=1, max_size=4))
    def begin(self, powers):
        self.hub = GovernedHub(tuple(powers))
        self.keys = {index: index for index in range(len(powers))}
        self.powers = dict(enumerate(powers))
        self.used = set(self.powers)
        self.rotated: dict[int, int] = {}
        self.proposals: list[Modelled] = []
        self.paused = False

    # --- the model

    def allowed(self, after: dict[int, int]) -> bool:
        changes = [after.get(key, 0) - self.powers.get(key, 0) for key in self.powers | after]
        cost = sum(change if change > 0 else -2 * change for change in changes)
        return bool(after) and cost <= sum(self.powers.values())

    def expired(self, proposal: Modelled, at_s: int) -> bool:
        return proposal.status is not Status.EXECUTED and at_s >= proposal.expires_s

    def passes(self, proposal: Modelled) -> bool:
        approved = sum(power for key, power in self.powers.items() if proposal.votes.get(key))
        return 3 * approved > 2 * sum(self.powers.values())

    def carry_out(self, proposal: Modelled) -> bool:
        """Whether the action is allowed; then it is done."""
        kind, *values = proposal.action
        if kind == "pause":
            (self.paused,) = values
            return True
        if kind == "power":
            key, power = values
            after = {other: held for other, held in self.powers.items() if other != key}
            after |= {key: power} if power else {}
            if key not in self.powers or not self.allowed(after):
                return False
            self.powers = after
            self.keys = {operator: held for operator, held in self.keys.items() if held in after}
            return True
        operator, key, power = values
        after = self.powers | {key: power}
        if operator in self.keys or key in self.used or not self.allowed(after):
            return False
        self.powers, self.keys = after, self.keys | {operator: key}
        self.used.add(key)
        self.rotated.pop(operator, None)
        return True

    def voted(self, proposal: Modelled, operator: int, approve: bool) -> None:
        proposal.votes[self.keys[operator]] = approve
        if self.passes(proposal):
            proposal.status = Status.EXECUTED if self.carry_out(proposal) else Status.FAILED

    # --- both

    def encoded(self, action: tuple) -> bytes:
        kind, *values = action
        salt = self.hub.next_salt()
        if kind == "pause":
            return set_paused_action(salt, values[0])
        if kind == "power":
            return set_validator_action(salt, KEYS[values[0]].public_key.data, values[1])
        operator, key, power = values
        account = OPERATORS[operator]
        proof = possession(KEYS[key], account)
        return admit_validator_action(salt, KEYS[key].public_key.data, power, address_of(account), proof)

    @precondition(lambda self: len(self.proposals) < MAX_OPEN_PROPOSALS)
    @rule(
        operator=OPERATOR,
        action=st.one_of(
            st.tuples(st.just("pause"), st.booleans()),
            st.tuples(st.just("power"), KEY, st.integers(0, 40)),
            st.tuples(st.just("admit"), OPERATOR, KEY, st.integers(1, 40)),
        ),
    )
    def propose(self, operator, action):
        time_s = self.next_block_s
        outcome = self.hub.propose(self.encoded(action), operator)
        assert outcome.ok == (operator in self.keys), (outcome.log, outcome.data)
        if outcome.ok:
            proposal = Modelled(action, time_s + VOTING_PERIOD_S)
            self.proposals.append(proposal)
            self.voted(proposal, operator, True)

    @precondition(lambda self: self.proposals)
    @rule(operator=OPERATOR, data=st.data(), approve=st.booleans())
    def vote(self, operator, data, approve):
        number = data.draw(st.integers(1, len(self.proposals)))
        proposal, time_s = self.proposals[number - 1], self.next_block_s
        may = operator in self.keys and proposal.status is not Status.EXECUTED and not self.expired(proposal, time_s)
        outcome = self.hub.vote(number, operator, approve)
        assert outcome.ok == may, (outcome.log, outcome.data)
        if may:
            self.voted(proposal, operator, approve)

    @precondition(lambda self: self.proposals)
    @rule(data=st.data())
    def execute(self, data):
        number = data.draw(st.integers(1, len(self.proposals)))
        proposal, time_s = self.proposals[number - 1], self.next_block_s
        may = proposal.status is not Status.EXECUTED and not self.expired(proposal, time_s) and self.passes(proposal)
        done = may and self.carry_out(proposal)
        outcome = self.hub.send(GOVERNANCE_ADDRESS, interface.EXECUTE_PROPOSAL.call(number), STRANGER)
        assert outcome.ok == done, (outcome.log, outcome.data)
        if done:
            proposal.status = Status.EXECUTED

    @rule(operator=OPERATOR, key=KEY)
    def rotate(self, operator, key):
        time_s, old = self.next_block_s, self.keys.get(operator)
        may = old is not None and key not in self.used
        if may and operator in self.rotated:
            may = time_s >= self.rotated[operator] + ROTATION_INTERVAL_S
        after = {held: power for held, power in self.powers.items() if held != old}
        if may:
            after |= {key: self.powers[old]}
            may = self.allowed(after)
        outcome = self.hub.rotate(operator, KEYS[key])
        assert outcome.ok == may, (outcome.log, outcome.data)
        if may:
            self.powers, self.rotated[operator] = after, time_s
            self.keys[operator] = key
            self.used.add(key)

    @rule(seconds=st.sampled_from([1, VOTING_PERIOD_S - 5, VOTING_PERIOD_S, ROTATION_INTERVAL_S]))
    def wait(self, seconds):
        self.hub.advance(time_s=self.hub.time_s + seconds)

    @property
    def next_block_s(self) -> int:
        """Fixed by the last commit, as every block's time is."""
        return self.hub.time_s

    @invariant()
    def the_hub_says_what_the_model_says(self):
        if not hasattr(self, "hub"):
            return
        hub, head_s = self.hub, self.hub.application.view()[2] // 10**9
        members = {INDEX[key]: (account, power) for key, account, power, _ in hub.ask(interface.GET_MEMBERS)}
        expected = {key: (OPERATORS[one].address.lower(), self.powers[key]) for one, key in self.keys.items()}
        assert members == expected
        assert hub.read(ROUTER_ADDRESS, abi.PAUSED) is self.paused
        for number, proposal in enumerate(self.proposals, 1):
            status, approved, total, _ = hub.ask(interface.GET_PROPOSAL, number)
            wanted = Status.EXPIRED if self.expired(proposal, head_s) else proposal.status
            assert (status, total) == (wanted, sum(self.powers.values()))
            assert approved == sum(power for key, power in self.powers.items() if proposal.votes.get(key))


TestGovernance = Governance.TestCase
TestGovernance.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)
