"""The tree of headers against a model that knows nothing of rules: blocks with a parent, a work, and when they came.

Bits differ here as on test networks (a block more than 20 minutes after its parent takes the least work), so that the
heaviest branch is often not the longest.
"""

from dataclasses import dataclass, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hutong.light_clients.bitcoin import ChainParameters, HeaderTree
from hutong.light_clients.bitcoin.types import ConsensusState, hash256
from hutong.light_clients.bitcoin.work import work_of
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, PredicateFailed
from tests.light_clients.bitcoin.bitcoin_chain import child_of, mine

PARAMETERS = ChainParameters((1 << 255) - 1, True, True, False, (1, 1, 1))
HARD_BITS, EASY_BITS = 0x2017FFFF, 0x207FFFFF
START_S = 1_700_000_000
ROOT = ConsensusState(
    5_000, hash256(b"root"), 1 << 40, HARD_BITS, HARD_BITS, HARD_BITS, START_S - 500_000, (START_S,) * 11
)
NOW_NS = (START_S + 10**9) * NANOSECONDS_PER_SECOND


@dataclass(frozen=True)
class Node:
    parent: bytes | None
    work: int
    arrived: int
    height: int


class TreeMachine(RuleBasedStateMachine):
    @initialize()
    def start(self):
        self.tree = HeaderTree(ROOT, PARAMETERS)
        self.model = {ROOT.block_hash: Node(None, ROOT.chainwork, 0, ROOT.height)}
        self.states = [ROOT]
        self.blocks = []

    def pick(self, data) -> ConsensusState:
        return self.states[-1 - data.draw(st.integers(0, min(7, len(self.states) - 1)))]

    def best(self) -> bytes:
        return max(self.model, key=lambda h: (self.model[h].work, -self.model[h].arrived))

    def ancestors(self, block_hash: bytes) -> list[bytes]:
        found = [block_hash]
        while (parent := self.model[found[-1]].parent) is not None:
            found.append(parent)
        return found

    @rule(data=st.data(), easy=st.booleans())
    def mine_somewhere(self, data, easy):
        parent = self.pick(data)
        time_s = parent.time_s + (1_201 if easy else 30)
        block = child_of(parent, time_s=time_s, salt=len(self.model), parameters=PARAMETERS)
        old = self.best()
        change = self.tree.add(block.header, NOW_NS)
        work = work_of(EASY_BITS if easy else HARD_BITS)
        above = self.model[parent.block_hash]
        self.model[block.state.block_hash] = Node(
            parent.block_hash, above.work + work, len(self.model), above.height + 1
        )
        self.states.append(block.state)
        self.blocks.append(block)
        new = self.best()
        if new == old:
            assert change is None
        else:
            assert new == block.state.block_hash
            kept = set(self.ancestors(new))
            undone = [block_hash for block_hash in self.ancestors(old) if block_hash not in kept]
            assert (change.old_tip.block_hash, change.new_tip.block_hash) == (old, new)
            assert change.depth == len(undone)

    @rule(data=st.data())
    def show_again(self, data):
        if self.blocks:
            assert self.tree.add(data.draw(st.sampled_from(self.blocks)).header, NOW_NS) is None

    @rule(data=st.data(), kind=st.sampled_from(["orphan", "work", "bits", "median", "future"]))
    def show_what_breaks_a_rule(self, data, kind):
        parent = self.pick(data)
        salt = 1_000_000 + len(self.model)
        honest = child_of(parent, time_s=parent.time_s + 30, salt=salt, parameters=PARAMETERS).header
        header, predicate = {
            "orphan": (replace(honest, previous_block_hash=hash256(b"nobody")), "parent_known"),
            "work": (mine(honest, meet=False), "proof_of_work"),
            "bits": (mine(replace(honest, bits=EASY_BITS)), "difficulty_as_required"),
            "median": (mine(replace(honest, time_s=parent.median_time_past_s)), "time_above_median"),
            "future": (mine(honest), "header_not_from_future"),
        }[kind]
        now_ns = (header.time_s - 7_201) * NANOSECONDS_PER_SECOND if kind == "future" else NOW_NS
        with pytest.raises(PredicateFailed) as caught:
            self.tree.add(header, now_ns)
        assert caught.value.predicate == predicate
        assert header.block_hash not in self.tree

    @invariant()
    def most_work_is_best_and_of_equal_ones_the_first(self):
        chain = self.ancestors(self.best())[::-1]
        assert [state.block_hash for state in self.tree.best_chain()] == chain
        assert self.tree.tip.chainwork == self.model[chain[-1]].work
        assert len(self.tree) == len(self.model)

    @invariant()
    def confirmations_count_the_best_chain(self):
        tip = self.model[self.best()].height
        best = set(self.ancestors(self.best()))
        for state in self.states[-3:]:
            expected = tip - state.height + 1 if state.block_hash in best else 0
            assert self.tree.confirmations(state.block_hash) == expected


TreeMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestHeaderTree = TreeMachine.TestCase


def test_longer_branch_with_less_work_does_not_win():
    tree = HeaderTree(ROOT, PARAMETERS)
    hard = child_of(ROOT, time_s=START_S + 30, parameters=PARAMETERS)
    assert tree.add(hard.header, NOW_NS).depth == 0
    parent = ROOT
    for _ in range(3):
        easy = child_of(parent, time_s=parent.time_s + 1_201, parameters=PARAMETERS)
        assert tree.add(easy.header, NOW_NS) is None
        parent = easy.state
    assert (parent.height, tree.tip.height) == (ROOT.height + 3, ROOT.height + 1)
    assert tree.fork_of(tree.tip, parent) == ROOT
    child = child_of(parent, time_s=parent.time_s + 30, parameters=PARAMETERS)
    assert tree.add(child.header, NOW_NS).depth == 1
    assert tree.confirmations(hard.state.block_hash) == 0


def test_fork_with_a_block_that_is_not_in_the_tree_is_refused():
    tree = HeaderTree(ROOT, PARAMETERS)
    stranger = child_of(ROOT, time_s=START_S + 30, parameters=PARAMETERS).state
    for first, second in ((ROOT, stranger), (stranger, ROOT), (stranger, stranger)):
        with pytest.raises(ValueError, match=f"height {stranger.height} is not in the tree"):
            tree.fork_of(first, second)
