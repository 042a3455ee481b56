"""The client against a model of the world: miners anywhere, relays that show what they like.

The model knows every block and how heavy each chain is. Whatever is shown: a block is believed only on a chain that is at
least as heavy as every chain shown before, with the depth on it; believed blocks are on one chain; and a heavier chain
that leaves a believed block out freezes the client, for good.
"""

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hutong.light_clients.bitcoin import BitcoinClient, decode_consensus_state
from hutong.light_clients.interface import (
    ClientFrozen,
    ClientStatus,
    Height,
    Misbehaved,
    NoOp,
    PredicateFailed,
    Updated,
)
from tests.light_clients.bitcoin.bitcoin_chain import DEPTH, SimulatedChain, child_of, trusting

CLIENT = BitcoinClient()
BASE = SimulatedChain()
ROOT_HEIGHT = BASE.height


class ClientMachine(RuleBasedStateMachine):
    @initialize()
    def start(self):
        root = BASE.blocks[ROOT_HEIGHT]
        self.state, self.stored = trusting(BASE, ROOT_HEIGHT)
        self.believed = {ROOT_HEIGHT: root.state.block_hash}
        self.branches = [[root]]
        self.heaviest_shown = root.state.chainwork
        self.frozen = False
        self.salt = 0

    @rule(data=st.data(), blocks=st.integers(1, 4))
    def mine(self, data, blocks):
        branch = data.draw(st.sampled_from(self.branches[-4:]))
        kept = list(branch[: len(branch) - data.draw(st.integers(0, min(4, len(branch) - 1)))])
        for _ in range(blocks):
            self.salt += 1
            kept.append(child_of(kept[-1].state, time_s=kept[-1].state.time_s + 600, salt=self.salt))
        self.branches.append(kept)

    @rule(data=st.data())
    def show_the_newest(self, data):
        self.judge(data, self.branches[-1])

    @rule(data=st.data())
    def show_any(self, data):
        self.judge(data, data.draw(st.sampled_from(self.branches[-6:])))

    def judge(self, data, branch):
        known = [b for b in branch[:-1] if self.believed.get(b.state.height) == b.state.block_hash]
        if not known:
            return
        trusted = data.draw(st.sampled_from(known)).state.height
        shortened = data.draw(st.sampled_from([0, 0, 1, 3]))
        tip = branch[max(trusted - ROOT_HEIGHT + 1, len(branch) - 1 - shortened)].state
        height = max(trusted + 1, tip.height + 1 - DEPTH - data.draw(st.integers(-1, 3)))
        run = branch[trusted - ROOT_HEIGHT + 1 : tip.height - ROOT_HEIGHT + 1]
        message = BASE.header(height, trusted, run)
        on_run = {b.state.height: b.state.block_hash for b in branch if b.state.height <= tip.height}
        contradicts = any(on_run.get(at) != known_hash for at, known_hash in self.believed.items() if at > trusted)
        leads_through = any(at >= height and on_run.get(at) == known_hash for at, known_hash in self.believed.items())
        differs = any(at in on_run and on_run[at] != known_hash for at, known_hash in self.believed.items())
        heavier = tip.chainwork > self.heaviest_shown
        now_ns = tip.time_s * 10**9
        if self.frozen:
            expected = ClientFrozen
        elif tip.height - height + 1 < DEPTH:
            expected = "confirmation_depth"
        elif not differs and leads_through:
            expected = NoOp if self.believed.get(height) else Updated
        elif contradicts:
            expected = Misbehaved if heavier else "most_work"
        else:
            expected = Updated if tip.chainwork >= self.heaviest_shown else "most_work"
        event(str(expected))
        try:
            verdict = CLIENT.verify_header(self.state, self.stored, message, now_ns)
        except PredicateFailed as error:
            assert error.predicate == expected, (error, expected)
            return
        except ClientFrozen:
            assert expected is ClientFrozen
            return
        assert isinstance(verdict, expected), (verdict, expected)
        if isinstance(verdict, Updated):
            self.state = verdict.client_state
            self.stored = self.stored.with_state(verdict.height, verdict.consensus_state)
            self.believed[height] = on_run[height]
            assert decode_consensus_state(verdict.consensus_state).block_hash == on_run[height]
            self.heaviest_shown = max(self.heaviest_shown, tip.chainwork)
        elif isinstance(verdict, Misbehaved):
            self.state, self.frozen = verdict.client_state, True

    @invariant()
    def what_is_believed_is_one_chain(self):
        assert any(
            all(
                branch[at - ROOT_HEIGHT].state.block_hash == block_hash if at - ROOT_HEIGHT < len(branch) else False
                for at, block_hash in self.believed.items()
            )
            for branch in self.branches
        )

    @invariant()
    def status_is_the_models(self):
        now_ns = BASE.now_ns
        status = CLIENT.status(self.state, self.stored, now_ns)
        assert status is (ClientStatus.FROZEN if self.frozen else ClientStatus.ACTIVE)
        assert CLIENT.latest_height(self.state) == Height(0, max(self.believed))


ClientMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestClientUnderReorganisations = ClientMachine.TestCase
