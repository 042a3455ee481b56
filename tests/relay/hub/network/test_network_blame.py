"""Votes that nobody signed are their sender's fault wherever they would have counted nothing; proposals that a node can say
nothing about are sent once."""

from dataclasses import replace

import pytest
import trio
from structlog.testing import capture_logs

from hutong.light_clients.tendermint.hashing import part_set_header
from hutong.light_clients.tendermint.types import BlockId
from hutong.relay.hub.chain.block_records import prune_block_records
from hutong.relay.hub.consensus.blocks import block_id_of
from hutong.relay.hub.consensus.proposals import proposal_is_signed
from hutong.relay.hub.consensus.types import NIL, Equivocation, Step
from hutong.relay.hub.consensus.validators import proposer_of
from hutong.relay.hub.network.inbox import ReceivedProposal
from hutong.relay.hub.network.link.messages import ProposalMessage, VoteMessage
from hutong.relay.hub.network.standing import PRECOMMIT, PREVOTE
from tests.relay.hub.network.simulated_network import SimulatedNetwork
from tests.relay.hub.network.test_network_liars import signed
from tests.relay.hub.network.test_network_of_four import SOME_BLOCK, link_to, points, vote_of


async def stalled(network, nursery):
    """Validators 0 and 3 wait for each other with their prevotes given."""
    network.start(nursery, 0, 1, 2, 3)
    await network.reach(3)
    network.kill(1)
    network.kill(2)
    victim = network.validators[0]

    def both_voted() -> bool:
        state = victim.node.driver.state
        return state.step is Step.PREVOTE and len(state.tally(state.round, PREVOTE).votes) == 2

    await network.until(both_voted)
    return victim.node.driver.state


def forged(vote):
    return replace(vote, signature=vote.signature[:32] + bytes(31) + b"\x07")


@pytest.mark.parametrize("place", ["filled", "late", "early", "far", "own and far"])
async def test_attack_C42_hub_a_vote_that_is_not_signed_is_blamed_where_its_place_is_taken_too(
    tmp_path, autojump_clock, place
):
    network = SimulatedNetwork(tmp_path, 4)
    victim, liar = network.validators[0], network.validators[3]
    async with trio.open_nursery() as nursery:
        state = await stalled(network, nursery)
        [late] = [tally for (_, kind), tally in state.previous.tallies.items() if kind is PRECOMMIT]
        vote = {
            "filled": state.tally(state.round, PREVOTE).votes.popitem()[1],
            "late": next(iter(late.votes.values())),
            "early": vote_of(liar, replace(state, height=state.height + 1), SOME_BLOCK),
            "far": vote_of(liar, state, SOME_BLOCK, state.round + 40),
            "own and far": vote_of(victim, state, SOME_BLOCK, state.round + 40),
        }[place]
        if place != "own and far":
            link_to(liar, victim).send(VoteMessage(vote))
            await trio.sleep(0.3)
            assert points(victim, liar) == 0
        link_to(liar, victim).send(VoteMessage(forged(vote)))
        await trio.sleep(0.3)
        assert 49 < points(victim, liar) <= 50
        said = victim.node.switchboard.records[liar.node_key.node_id].last_reason
        assert said == f"a vote of validator {vote.validator_index} is not signed by it"
        nursery.cancel_scope.cancel()


async def test_attack_C41_hub_early_proposals_that_nobody_signed_take_no_place(tmp_path, autojump_clock):
    """Few are kept of the next height: a peer must not fill their places, and the real one be sent again a second later."""
    network = SimulatedNetwork(tmp_path, 4)
    victim, liar = network.validators[0], network.validators[3]
    async with trio.open_nursery() as nursery:
        state = await stalled(network, nursery)
        nexts = replace(state, height=state.height + 1, validators=victim.ledger.tip.next_validators)
        turn = proposer_of(nexts.validators, 0).address
        proposer = next(item for item in network.validators if item.key.public_key.address == turn)
        block_id = BlockId(b"\x11" * 32, part_set_header(b"a block"))
        real = signed(proposer, nexts, 0, block_id)
        link = link_to(liar, victim)
        for far in (17, 2**31 - 2):
            link.send(ProposalMessage(signed(liar, nexts, far, block_id), b"a block"))
        await trio.sleep(0.3)
        assert (points(victim, liar), len(victim.node.driver._early)) == (0, 0)
        link.send(ProposalMessage(replace(real, signature=b"\x01" * 64), b"a block"))
        await trio.sleep(0.3)
        assert 49 < points(victim, liar) <= 50
        link.send(ProposalMessage(real, b"a block"))
        await trio.sleep(0.3)
        assert [item.proposal for item in victim.node.driver._early] == [real]
        assert points(victim, liar) <= 50
        nursery.cancel_scope.cancel()


async def test_who_signs_two_votes_in_many_rounds_is_said_once_a_height(tmp_path, autojump_clock):
    """Each pair is news to the round, and one is enough for evidence: a liar must not fill the log."""
    network = SimulatedNetwork(tmp_path, 4)
    victim, liar, other = (network.validators[index] for index in (0, 3, 1))
    with capture_logs() as log:
        async with trio.open_nursery() as nursery:
            state = await stalled(network, nursery)
            for who, rounds in ((liar, range(2, 40)), (other, range(2, 4))):
                for round_ in rounds:
                    for block_id in (SOME_BLOCK, NIL):
                        link_to(liar, victim).send(VoteMessage(vote_of(who, state, block_id, round_)))
            await trio.sleep(0.5)
            assert len(victim.equivocations) == 40
            nursery.cancel_scope.cancel()
    said = [entry["validator"] for entry in log if entry["event"] == "a validator signed two votes"]
    assert said == [item.key.public_key.address.hex() for item in (liar, other)]


async def test_the_same_vote_signed_at_another_time_is_nobodys_fault(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    victim, liar = network.validators[0], network.validators[3]
    async with trio.open_nursery() as nursery:
        state = await stalled(network, nursery)
        index = [item.address for item in state.validators.validators].index(liar.key.public_key.address)
        known = state.tally(state.round, PREVOTE).votes[index]
        for vote in (vote_of(liar, state, known.block_id, state.round, timestamp_ns=known.timestamp_ns + 1), known):
            link_to(liar, victim).send(VoteMessage(vote))
        await trio.sleep(0.3)
        assert points(victim, liar) == 0
        assert victim.node.driver.state.tally(state.round, PREVOTE).votes[index] == known
        nursery.cancel_scope.cancel()


async def test_a_proposal_with_evidence_out_of_reach_is_sent_and_judged_once_a_round(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    everyone = network.validators
    with capture_logs() as log:
        async with trio.open_nursery() as nursery:
            network.start(nursery, 0, 1, 2, 3)
            await network.reach(3)
            await network.until(lambda: all(item.node.driver.state.step is Step.NEW_HEIGHT for item in everyone))
            state = everyone[0].node.driver.state
            assert {item.height for item in everyone} == {state.height - 1}
            turn = proposer_of(state.validators, 0).address
            proposer = next(item for item in everyone if item.key.public_key.address == turn)
            victim, *others = [item for item in everyone if item is not proposer]
            at_one = replace(state, height=1)
            evidence = proposer.ledger.evidence
            evidence.add(Equivocation(vote_of(others[0], at_one, SOME_BLOCK), vote_of(others[0], at_one, NIL)))
            evidence.after_block(proposer.ledger.tip, ())
            with victim.ledger.store.batch() as batch:
                prune_block_records(batch, victim.ledger.records, 1)
            for item in others:
                network.kill(everyone.index(item))
            came = []
            post = victim.node.driver.post

            def noted(received) -> None:
                if isinstance(received, ReceivedProposal):
                    came.append(received.proposal)
                post(received)

            victim.node.driver.post = noted
            for link in victim.links:
                link.closing.set()
            await trio.sleep(12)
            now = victim.node.driver.state
            nursery.cancel_scope.cancel()
    assert victim.height == state.height - 1
    assert (now.round, now.step) == (0, Step.PREVOTE)
    assert [proposal.round for proposal in came] == [0]
    assert proposal_is_signed(state.chain_id, state.validators, came[0])
    assert block_id_of(proposer.node.driver.state.candidates[came[0].block_id].block) == came[0].block_id
    refused = [entry for entry in log if entry["event"] == "a proposed block is refused"]
    assert ["is about a block below this node's first" in entry["reason"] for entry in refused] == [True]
