"""Rules of the transition function one by one: locks and their proofs, late content, rounds far ahead, liars' second votes."""

from dataclasses import replace

import pytest

from hutong.light_clients.tendermint.types import BlockIdFlag
from hutong.relay.hub.consensus.blocks import block_id_of
from hutong.relay.hub.consensus.transition import VOTE_TIME_IOTA_NS, RejectedBlockDecided
from hutong.relay.hub.consensus.types import (
    NIL,
    BlockWanted,
    Decided,
    Equivocation,
    HeightStarted,
    PrepareBlock,
    SignProposal,
    SignVote,
    Step,
    TimeoutElapsed,
    VoteReceived,
)
from hutong.relay.hub.consensus.validators import proposer_of
from hutong.relay.hub.consensus.votes import Tally, median_time_ns
from hutong.relay.hub.engine.timeouts import Timeouts
from tests.relay.hub.consensus.consensus_table import PRECOMMIT, PREVOTE, Table, own_votes, retimed

pytestmark = pytest.mark.safety


def locked_table():
    """Locked on X in round 0, and now in round 1."""
    table = Table()
    block = table.block(b"x")
    assert own_votes(table.feed(table.proposal(block, 0))) == [(PREVOTE, 0, block_id_of(block))]
    assert own_votes(table.votes(PREVOTE, 0, block_id_of(block))) == [(PRECOMMIT, 0, block_id_of(block))]
    assert (table.state.locked_round, table.state.valid_round) == (0, 0)
    table.next_round()
    return table, block


def test_who_is_locked_prevotes_nil_for_another_block_and_again_for_its_own():
    table, _ = locked_table()
    assert own_votes(table.feed(table.proposal(table.block(b"y", 1), 1))) == [(PREVOTE, 1, NIL)]
    table, block = locked_table()
    assert own_votes(table.feed(table.proposal(block, 1, 0))) == [(PREVOTE, 1, block_id_of(block))]


def test_a_newer_proof_of_lock_unlocks_and_a_claimed_one_does_not():
    table, _ = locked_table()
    other = table.block(b"y", 1)
    table.next_round()
    assert own_votes(table.feed(table.proposal(other, 2, 1))) == []
    assert table.state.step is Step.PROPOSE
    assert own_votes(table.votes(PREVOTE, 1, block_id_of(other), voters=3)) == [(PREVOTE, 2, block_id_of(other))]


def test_a_proof_of_lock_older_than_the_own_lock_does_not_unlock():
    table = Table()
    early = table.block(b"early")
    table.votes(PREVOTE, 0, block_id_of(early), voters=3)
    table.next_round()
    later = table.block(b"later", 1)
    table.feed(table.proposal(later, 1))
    table.votes(PREVOTE, 1, block_id_of(later))
    assert table.state.locked_round == 1
    table.next_round()
    assert own_votes(table.feed(table.proposal(early, 2, 0))) == [(PREVOTE, 2, NIL)]


def test_the_valid_block_is_proposed_again_with_the_round_of_its_proof():
    table, block = locked_table()
    table.next_round()
    state = table.state
    assert proposer_of(table.validators, 3).address == table.me
    table.timeout(Step.PROPOSE)
    table.timeout(Step.PREVOTE)
    proposed = [effect for effect in table.timeout(Step.PRECOMMIT) if isinstance(effect, SignProposal)]
    assert state.round == 2
    assert [(item.proposal.round, item.proposal.pol_round, item.block) for item in proposed] == [(3, 0, block)]


def test_a_block_whose_prevotes_come_after_the_precommit_becomes_valid_but_not_locked():
    table = Table()
    block = table.block(b"x")
    table.timeout(Step.PROPOSE)
    table.timeout(Step.PREVOTE)
    table.feed(table.proposal(block, 0))
    assert own_votes(table.votes(PREVOTE, 0, block_id_of(block), voters=3)) == []
    assert (table.state.locked_round, table.state.valid_round, table.state.valid) == (-1, 0, block_id_of(block))


def test_a_new_block_that_names_another_maker_gets_no_vote():
    table = Table()
    assert own_votes(table.feed(table.proposal(table.block(b"x", 1), 0))) == [(PREVOTE, 0, NIL)]
    table = Table()
    table.next_round()
    block = table.block(b"x", 1)
    assert own_votes(table.feed(table.proposal(block, 1))) == [(PREVOTE, 1, block_id_of(block))]


# --- rounds ahead


def test_a_third_of_the_others_in_a_later_round_moves_nobody_and_one_more_moves():
    table = Table()
    table.feed(VoteReceived(table.vote(table.others[0], PREVOTE, 5, NIL), table.now_ns))
    assert table.state.round == 0
    table.feed(VoteReceived(table.vote(table.others[1], PRECOMMIT, 7, NIL), table.now_ns))
    assert (table.state.round, table.state.step) == (5, Step.PROPOSE)


def test_attack_C46_hub_rounds_beyond_the_window_are_caught_up_with():
    table = Table()
    for address, round_ in zip(table.others, (900, 901), strict=False):
        table.feed(VoteReceived(table.vote(address, PREVOTE, round_, NIL), table.now_ns))
    assert table.state.round == 900


def test_of_rounds_far_ahead_only_the_newest_votes_of_a_validator_are_kept():
    table = Table()
    liar = table.others[0]
    for round_ in (*range(100, 140), 120):
        for kind in (PREVOTE, PRECOMMIT):
            table.feed(VoteReceived(table.vote(liar, kind, round_, NIL), table.now_ns))
    assert sorted(key[0] for key, tally in table.state.tallies.items() if tally.votes) == [139, 139]
    table.feed(VoteReceived(table.vote(liar, PREVOTE, 10_001, NIL), table.now_ns))
    assert max(key[0] for key in table.state.tallies) == 139


def test_timeouts_grow_with_the_round():
    timeouts = Timeouts(3.0, 1.0, 0.5)
    assert [timeouts.of(Step.PROPOSE, round_) for round_ in (0, 1, 4)] == [3.0, 3.5, 5.0]
    assert [timeouts.of(Step.PREVOTE, round_) for round_ in (0, 1, 4)] == [1.0, 1.5, 3.0]


# --- content that comes apart, or late


def test_a_decided_block_is_asked_for_once_and_decides_when_it_comes():
    table = Table()
    block = table.block(b"x")
    effects = table.votes(PRECOMMIT, 0, block_id_of(block), voters=3)
    assert [effect for effect in effects if isinstance(effect, BlockWanted)] == [BlockWanted(1, 0, block_id_of(block))]
    assert not any(isinstance(effect, Decided) for effect in effects)
    [decided] = [effect for effect in table.feed(table.content(block)) if isinstance(effect, Decided)]
    assert decided.block_id == block_id_of(block)
    assert decided.commit.round == 0


def test_content_that_nobody_named_is_not_kept():
    table = Table()
    block = table.block(b"x")
    table.feed(table.content(block))
    assert table.state.candidates == {}
    table.votes(PREVOTE, 0, block_id_of(block), voters=1)
    table.feed(table.content(block))
    assert table.state.candidates == {}
    table.votes(PREVOTE, 0, block_id_of(block), voters=2)
    table.feed(table.content(replace(block, header=replace(block.header, height=2))))
    assert table.state.candidates == {}
    table.feed(table.content(block))
    assert list(table.state.candidates) == [block_id_of(block)]


def test_a_proposal_whose_content_follows_is_prevoted_when_it_is_there():
    table = Table()
    block, junk = table.block(b"x"), table.block(b"junk")
    assert own_votes(table.feed(table.proposal(block, 0, content=junk))) == []
    assert own_votes(table.feed(table.content(junk))) == []
    assert own_votes(table.feed(table.content(block))) == [(PREVOTE, 0, block_id_of(block))]


def test_attack_C41_hub_the_second_block_of_a_proposer_is_decided_by_who_saw_the_first():
    table = Table()
    first, second = table.block(b"first"), table.block(b"second")
    table.feed(table.proposal(first, 0))
    table.votes(PRECOMMIT, 0, block_id_of(second), voters=3)
    effects = table.feed(table.proposal(second, 0))
    assert [effect.block_id for effect in effects if isinstance(effect, Decided)] == [block_id_of(second)]
    assert table.state.proposals[0].block_id == block_id_of(first)


def test_a_decided_block_that_this_node_refuses_halts_it():
    table = Table()
    block = table.block(b"x")
    assert own_votes(table.feed(table.proposal(block, 0, accepted=False))) == [(PREVOTE, 0, NIL)]
    with pytest.raises(RejectedBlockDecided) as refused:
        table.votes(PRECOMMIT, 0, block_id_of(block), voters=3)
    assert (refused.value.height, refused.value.round, refused.value.block_id) == (1, 0, block_id_of(block))


# --- double votes


def test_attack_C40_hub_a_liars_votes_count_each_for_its_block_and_are_told_once():
    table = Table()
    liar, honest, other = table.others
    block = table.block(b"x")
    table.feed(table.proposal(block, 0))
    table.votes(PREVOTE, 0, block_id_of(block), voters=2)
    said_nil = table.vote(liar, PRECOMMIT, 0, NIL)
    said_block = table.vote(liar, PRECOMMIT, 0, block_id_of(block))
    assert not any(isinstance(effect, Equivocation) for effect in table.feed(VoteReceived(said_nil, table.now_ns)))
    table.feed(VoteReceived(table.vote(honest, PRECOMMIT, 0, block_id_of(block)), table.now_ns))
    assert table.state.step is Step.PRECOMMIT
    effects = table.feed(VoteReceived(said_block, table.now_ns))
    # Me, the honest one and the liar: those to whom the liar spoke first of the block have decided, and so does this one.
    assert [type(effect) for effect in effects] == [Equivocation, Decided]
    assert effects[0] == Equivocation(said_nil, said_block)
    flags = {entry.validator_address: entry.block_id_flag for entry in effects[1].commit.signatures}
    assert flags[liar] is BlockIdFlag.COMMIT
    assert other not in flags
    assert table.feed(VoteReceived(said_block, table.now_ns)) == []


def test_a_liars_many_votes_are_evidenced_once_and_few_are_kept():
    table = Table()
    liar = table.others[0]
    blocks = [block_id_of(table.block(b"%d" % number)) for number in range(30)]
    effects = [
        effect
        for block_id in blocks
        for effect in table.feed(VoteReceived(table.vote(liar, PREVOTE, 0, block_id), table.now_ns))
    ]
    assert [type(effect) for effect in effects] == [Equivocation]
    [(first, *rest)] = [
        (vote, *tally.conflicts[index]) for tally in table.state.tallies.values() for index, vote in tally.votes.items()
    ]
    assert [first.block_id, *(vote.block_id for vote in rest)] == blocks[:2]
    assert table.state.tally(0, PREVOTE).power(table.validators) == 1


def test_the_same_vote_at_another_time_is_no_double_vote():
    table = Table()
    vote = table.vote(table.others[0], PREVOTE, 0, NIL)
    again = retimed(vote, table.secrets[table.others[0]], vote.timestamp_ns + 1)
    table.feed(VoteReceived(vote, table.now_ns))
    assert table.feed(VoteReceived(again, table.now_ns)) == []
    assert list(table.state.tally(0, PREVOTE).votes.values()) == [vote]


# --- votes of a decided height


def decided_table():
    table = Table()
    block = table.block(b"x")
    table.feed(table.proposal(block, 0))
    table.votes(PREVOTE, 0, block_id_of(block))
    table.votes(PRECOMMIT, 0, block_id_of(block))
    assert table.state.step is Step.COMMIT
    return table, block


@pytest.mark.parametrize("when", ["before the next height", "in the next height"])
def test_precommits_after_the_decision_enter_the_next_blocks_commit(when):
    table, block = decided_table()
    late = VoteReceived(table.vote(table.others[2], PRECOMMIT, 0, block_id_of(block)), table.now_ns)
    other_block = VoteReceived(table.vote(table.others[2], PRECOMMIT, 0, block_id_of(table.block(b"y"))), table.now_ns)
    if when == "before the next height":
        table.feed(late)
    validators = table.tip.next_validators
    turn = next(round_ for round_ in range(4) if proposer_of(validators, round_).address == table.me)
    table.feed(HeightStarted(2, validators, table.now_ns, table.now_ns, turn))
    if when == "in the next height":
        table.feed(late)
    [effect] = [
        effect
        for effect in table.feed(TimeoutElapsed(2, turn, Step.NEW_HEIGHT, table.now_ns))
        if isinstance(effect, PrepareBlock)
    ]
    assert effect.last_commit is not None
    assert (effect.last_commit.height, effect.last_commit.round, effect.last_commit.block_id) == (
        1,
        0,
        block_id_of(block),
    )
    assert [entry.block_id_flag for entry in effect.last_commit.signatures] == [BlockIdFlag.COMMIT] * 4
    # And a late double vote is evidence still.
    [equivocation] = table.feed(other_block)
    assert (equivocation.first, equivocation.second) == (late.vote, other_block.vote)
    assert table.feed(other_block) == []


@pytest.mark.parametrize("accepted", [False, True])
def test_attack_C44_hub_the_time_of_a_refused_block_enters_no_vote(accepted):
    """A liar shows some its own block, of any time, and the others the real one. Less than a third lie, the real block is
    decided, and the votes for no block of those who were shown the other are in its commit: the median is honest."""
    table = Table(10)
    real = table.block(b"x")
    far_ns = table.now_ns + 10**18
    shown = replace(real, header=replace(real.header, time_ns=far_ns))
    effects = table.feed(table.proposal(shown, 0, accepted=accepted))
    effects += table.votes(PREVOTE, 0, block_id_of(real), 7)
    effects += table.timeout(Step.PREVOTE)
    own = [effect.vote for effect in effects if isinstance(effect, SignVote)]
    assert [vote.message_type for vote in own] == [PREVOTE, PRECOMMIT]
    expected_ns = far_ns + VOTE_TIME_IOTA_NS if accepted else table.now_ns
    assert [vote.timestamp_ns for vote in own] == [expected_ns] * 2
    if accepted:
        return
    tally = Tally()
    for number, address in enumerate((*table.others, table.me)):
        # Three lie, four honest ones decide, three were misled and all vote as this one did.
        block_id, time_ns = (block_id_of(real), table.now_ns) if number < 7 else (NIL, own[1].timestamp_ns)
        vote = replace(table.vote(address, PRECOMMIT, 0, block_id), timestamp_ns=far_ns if number < 3 else time_ns)
        tally = tally.with_vote(vote)
    commit = tally.commit(table.validators, block_id_of(real))
    assert [entry.block_id_flag for entry in commit.signatures].count(BlockIdFlag.COMMIT) == 7
    assert median_time_ns(commit, table.validators) == table.now_ns


def test_late_votes_of_a_stranger_or_two_heights_back_change_nothing():
    table, block = decided_table()
    table.feed(HeightStarted(2, table.tip.next_validators, table.now_ns, table.now_ns))
    before = table.state
    good = table.vote(table.others[2], PRECOMMIT, 0, block_id_of(block))
    for vote in (
        replace(good, signature=bytes(64)),
        replace(good, validator_index=99),
        table.vote(table.others[2], PRECOMMIT, 0, block_id_of(block), height=0),
        table.vote(table.others[2], PRECOMMIT, 4, block_id_of(block)),
    ):
        assert table.feed(VoteReceived(vote, table.now_ns)) == []
        assert table.state == before
    table.feed(VoteReceived(good, table.now_ns))
    assert table.state != before
