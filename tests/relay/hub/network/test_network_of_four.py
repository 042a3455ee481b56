"""Four validators on a mock clock: blocks, loss, partitions, laggards, liars."""

from dataclasses import replace

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.hashing import proposal_sign_bytes, sign_digest
from hutong.light_clients.tendermint.types import (
    ABSENT_SIGNATURE,
    BlockId,
    BlockIdFlag,
    CommitSig,
    KeyType,
    PartSetHeader,
    SignedMessageType,
)
from hutong.relay.evm.chain.mempool import SenderAccount
from hutong.relay.evm.vm.transaction import decode_transaction
from hutong.relay.hub.application.evidence_records import read_records
from hutong.relay.hub.consensus.blocks import block_id_of, check_block, encode_block, make_block
from hutong.relay.hub.consensus.commits import check_commit
from hutong.relay.hub.consensus.evidence import decode_evidence
from hutong.relay.hub.consensus.transition import MAX_ROUND
from hutong.relay.hub.consensus.types import NIL, Proposal, Step, Vote
from hutong.relay.hub.consensus.validators import proposer_of
from hutong.relay.hub.consensus.votes import vote_bytes
from hutong.relay.hub.home.last_signed import decode_last_signed
from hutong.relay.hub.network import block_sync
from hutong.relay.hub.network.link.link import Link
from hutong.relay.hub.network.link.messages import CommittedBlock, ProposalMessage, Status, VoteMessage
from hutong.relay.hub.network.peer_driver import KeyUsedElsewhere
from tests.relay.hub.hub_process import transfer
from tests.relay.hub.network.simulated_network import SimulatedNetwork, keys_of
from tests.relay.hub.simulated_hub import EVM_CHAIN_ID


def vote_of(validator, state, block_id, round_=0, message_type=SignedMessageType.PREVOTE, timestamp_ns=10**18):
    """As its key signs it, whatever its record says."""
    address = validator.key.public_key.address
    index = [member.address for member in state.validators.validators].index(address)
    vote = Vote(message_type, state.height, round_, block_id, timestamp_ns, index, address)
    digest = sign_digest(KeyType.SECP256K1, vote_bytes(state.chain_id, vote))
    return replace(vote, signature=validator.key.sign(digest))


def link_to(sender, receiver) -> Link:
    """The sender's end."""
    return sender.node.switchboard.records[receiver.node_key.node_id].link


def points(receiver, sender) -> float:
    return receiver.node.switchboard.records[sender.node_key.node_id].score.now(trio.current_time())


SOME_BLOCK = BlockId(b"\x11" * 32, PartSetHeader(1, b"\x22" * 32))


@pytest.mark.long
async def test_four_validators_make_a_block_an_interval_and_a_proof_block(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(5)
        raw = bytes.fromhex(transfer(0, EVM_CHAIN_ID)[2:])
        await network.validators[2].node.gossip.pass_on(decode_transaction(raw, EVM_CHAIN_ID), SenderAccount(0, 10**24))
        await network.reach(12)
        nursery.cancel_scope.cancel()
    assert network.agree()
    first = network.validators[0]
    steps = [round(b - a, 1) for (a, _), (b, _) in zip(first.blocks[4:], first.blocks[5:])]
    assert steps.count(0.2) == 1, "one proof block, since one block changed the state"
    assert all(0.9 <= step <= 1.1 for step in steps if step > 0.3)
    assert len(set(first.app_hashes)) == 2
    proposers = {first.ledger.records.block(height).block.header.proposer_address for height in range(1, 12)}
    assert proposers == {key.public_key.address for key in keys_of(4)}
    assert all(not validator.equivocations for validator in network.validators)


async def test_a_transaction_given_to_one_is_executed_by_all(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(2)
        for nonce in range(3):
            raw = bytes.fromhex(transfer(nonce, EVM_CHAIN_ID)[2:])
            await network.validators[nonce].node.gossip.pass_on(
                decode_transaction(raw, EVM_CHAIN_ID), SenderAccount(0, 10**24)
            )
        await network.reach(network.validators[0].height + 3)
        nursery.cancel_scope.cancel()
    for validator in network.validators:
        included = [
            raw
            for height in range(1, validator.height + 1)
            for raw in validator.ledger.records.block(height).block.transactions
        ]
        assert len(included) == 3
        assert validator.mempool.statistics().transactions == 0


async def test_three_go_on_without_the_fourth_and_two_do_not(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2)
        await network.reach(5, 0, 1, 2)
        network.kill(2)
        await trio.sleep(3)
        stuck = network.validators[0].height
        await trio.sleep(20)
        assert network.validators[0].height == stuck
        why = network.validators[0].node.report()["whyNoBlock"]
        assert "have 20 of 40 voting power, blocks need more than 26" in why
        assert network.validators[2].key.public_key.address.hex() in why
        network.start(nursery, 2)
        await network.reach(stuck + 3, 0, 1, 2)
        assert network.validators[0].node.report()["whyNoBlock"] is None
        nursery.cancel_scope.cancel()


@pytest.mark.long
async def test_attack_C46_hub_a_partition_commits_on_no_side_without_two_thirds_and_heals(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(3)
        network.separate({0, 1}, {2, 3})
        await trio.sleep(5)
        heights = [validator.height for validator in network.validators]
        await trio.sleep(20)
        assert [validator.height for validator in network.validators] == heights
        network.separate({0}, {1, 2, 3})
        await network.reach(max(heights) + 3, 1, 2, 3)
        assert network.validators[0].height <= max(heights) + 1
        network.separate(set(), set())
        await network.reach(max(heights) + 7)
        nursery.cancel_scope.cancel()
    assert network.agree()


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 10))])
async def test_loss_of_any_message_heals_by_status(tmp_path, autojump_clock, seed):
    network = SimulatedNetwork(tmp_path, 4, seed=seed)
    network.loss, network.delay_s = 0.3, 0.1
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(5, limit_s=400)
        nursery.cancel_scope.cancel()
    assert network.agree()


@pytest.mark.long
async def test_who_lags_takes_committed_blocks_and_signs_none_of_them(tmp_path, autojump_clock, monkeypatch):
    network = SimulatedNetwork(tmp_path, 4)
    late = network.validators[3]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2)
        await network.reach(14, 0, 1, 2)
        # One by one and slowly: there is time to begin each height, and to propose where it is its turn.
        monkeypatch.setattr(block_sync, "MAX_BLOCKS_ASKED", 1)
        network.delay_s = 0.3
        network.start(nursery, 3)
        await network.reach(14, 3, limit_s=30)
        network.delay_s = 0.0
        await network.until(lambda: late.height == network.validators[0].height)
        caught_up = late.height
        await network.until(lambda: any(vote.height > caught_up for vote in late.signed))
        await network.reach(caught_up + 3)
        nursery.cancel_scope.cancel()
    assert network.agree()
    assert not {vote.height for vote in late.signed} & set(range(2, 14))
    assert {vote.height for vote in network.validators[0].signed} >= set(range(1, 15))
    record = decode_last_signed((late.home / "last_signed.json").read_bytes())
    assert record.height >= late.height


async def test_a_restarted_validator_begins_where_its_record_ends(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2)
        for _ in range(3):
            await network.reach(network.validators[0].height + 1, 0, 1, 2)
            network.kill(1)
            await trio.sleep(0.3)
            network.start(nursery, 1)
        await network.reach(network.validators[0].height + 3, 0, 1, 2)
        nursery.cancel_scope.cancel()
    signed = {}
    for vote in network.validators[1].signed:
        place = vote.height, vote.round, vote.message_type
        assert signed.setdefault(place, vote) == vote
    assert all(not validator.equivocations for validator in network.validators)


@pytest.mark.long
async def test_attack_C40_hub_a_peer_that_votes_twice_stops_nobody_and_is_handed_to_the_pool(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    liar, honest = network.validators[3], network.validators[:3]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(2)
        liar.scope.cancel()
        await trio.sleep(0.5)
        state = honest[0].node.driver.state
        for block_id in (SOME_BLOCK, NIL):
            for validator in honest:
                link = link_to(liar, validator)
                if link is not None:
                    link.send(VoteMessage(vote_of(liar, state, block_id)))
        await network.reach(honest[0].height + 5, 0, 1, 2)
        nursery.cancel_scope.cancel()
    caught = [validator for validator in honest if validator.equivocations]
    assert caught
    evidence = caught[0].equivocations[0]
    assert {evidence.first.block_id, evidence.second.block_id} == {SOME_BLOCK, NIL}
    assert evidence.first.validator_address == liar.key.public_key.address
    # Some block carried it, every other validator judged it, and all have it on record.
    for validator in honest:
        [record] = read_records(validator.ledger.application.view()[0])
        accused = record.misbehaviour
        assert (accused.address, accused.height) == (liar.key.public_key.address, evidence.first.height)
        assert accused.power * 4 == accused.total_power
        carrier = validator.ledger.records.block(record.recorded_at).block
        assert decode_evidence(carrier.evidence[0]).first.validator_address == accused.address


async def test_attack_C40_hub_a_consensus_key_in_two_homes_halts_who_sees_its_votes(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    victim, other = network.validators[0], network.validators[1]
    with pytest.RaisesGroup(KeyUsedElsewhere, flatten_subgroups=True) as caught:
        async with trio.open_nursery() as nursery:
            network.start(nursery, 0, 1, 2, 3)
            await network.reach(3)
            state = victim.node.driver.state
            link_to(other, victim).send(VoteMessage(vote_of(victim, state, SOME_BLOCK, round_=4)))
            await trio.sleep(5)
            nursery.cancel_scope.cancel()
    error = caught.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert victim.key.public_key.address.hex().upper() in str(error)
    assert "round 4" in str(error)


async def test_attack_C42_hub_votes_of_another_height_round_or_chain_from_a_peer_count_nothing(
    tmp_path, autojump_clock
):
    network = SimulatedNetwork(tmp_path, 4)
    liar, victim = network.validators[3], network.validators[0]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(3)
        state = victim.node.driver.state
        stale = vote_of(liar, replace(state, height=2), SOME_BLOCK)
        far = vote_of(liar, state, SOME_BLOCK, round_=MAX_ROUND + 1)
        before = points(victim, liar)
        for vote in (stale, far):
            link_to(liar, victim).send(VoteMessage(vote))
        await trio.sleep(0.2)
        assert points(victim, liar) == before, "old and far votes are nobody's fault"
        assert victim.node.driver.state.tally(MAX_ROUND + 1, SignedMessageType.PREVOTE).votes == {}
        other_chain = vote_of(liar, replace(victim.node.driver.state, chain_id="hutong-2"), SOME_BLOCK, round_=3)
        link_to(liar, victim).send(VoteMessage(other_chain))
        await trio.sleep(0.05)
        assert points(victim, liar) > 45
        assert victim.node.driver.state.tally(3, SignedMessageType.PREVOTE).votes == {}
        nursery.cancel_scope.cancel()


async def test_attack_C41_hub_a_proposers_block_that_follows_from_nothing_gets_no_vote(tmp_path, autojump_clock):
    """Its last commit has a signature that nobody made: every other field is right, and no peer is blamed."""
    network = SimulatedNetwork(tmp_path, 4)
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(4)
        address = proposer_of(network.validators[0].node.driver.state.validators, 0).address
        liar = next(item for item in network.validators if item.key.public_key.address == address)
        honest = [item for item in network.validators if item is not liar]
        ledger = liar.ledger
        commit = ledger.last_commit()
        entry = replace(commit.signatures[0], signature=b"\x01" * 64)
        forged = replace(commit, signatures=(entry, *commit.signatures[1:]))
        block = make_block(ledger.tip, forged, (), address)
        driver = honest[0].node.driver
        check_block(ledger.tip, block)
        assert not driver._accepts(block)
        assert driver._accepts(make_block(ledger.tip, commit, (), address))
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("tampered", "offence_points", "words"),
    [
        ("block", 100, "is not the block that was signed"),
        ("signature", 50, "a proposal of round 0 is not its proposer's"),
    ],
)
async def test_attack_C41_hub_a_proposal_or_block_that_was_not_signed_is_its_senders_fault(
    tmp_path, autojump_clock, tampered, offence_points, words
):
    network = SimulatedNetwork(tmp_path, 4)
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(4)
        await network.until(lambda: all(v.height == network.validators[0].height for v in network.validators))
        state = network.validators[0].node.driver.state
        assert state.step is Step.NEW_HEIGHT
        address = proposer_of(state.validators, 0).address
        liar = next(item for item in network.validators if item.key.public_key.address == address)
        victim = next(item for item in network.validators if item is not liar)
        block = make_block(liar.ledger.tip, liar.ledger.last_commit(), (), address)
        unsigned = Proposal(state.height, 0, -1, block_id_of(block), block.header.time_ns)
        digest = sign_digest(
            KeyType.SECP256K1,
            proposal_sign_bytes(state.chain_id, state.height, 0, -1, unsigned.block_id, unsigned.timestamp_ns),
        )
        proposal = replace(unsigned, signature=liar.key.sign(digest))
        raw = encode_block(block)
        if tampered == "block":
            raw = raw[:-1] + bytes((raw[-1] ^ 1,))
        else:
            proposal = replace(proposal, pol_round=-1, timestamp_ns=proposal.timestamp_ns + 1)
        record = victim.node.switchboard.records[liar.node_key.node_id]
        link_to(liar, victim).send(ProposalMessage(proposal, raw))
        await network.until(lambda: record.last_reason, 5)
        assert words in record.last_reason
        assert record.score.bans == (1 if offence_points == 100 else 0)
        assert 0 not in victim.node.driver.state.proposals
        await network.reach(victim.height + 3)
        nursery.cancel_scope.cancel()
    assert network.agree()


async def test_attack_C44_hub_clocks_that_are_wrong_neither_stop_blocks_nor_turn_time_back(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    network.validators[0].skew_ns = 3600 * 10**9
    network.validators[1].skew_ns = -3600 * 10**9
    network.validators[2].skew_ns = 2 * 10**9
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(9, limit_s=60)
        nursery.cancel_scope.cancel()
    assert network.agree()
    records = network.validators[0].ledger.records
    times = [records.block(height).block.header.time_ns for height in range(2, 10)]
    assert times == sorted(set(times))
    # The median of all votes is between honest clocks: an hour's error of one, either way, moves it nowhere.
    right_ns = network.genesis.genesis_time_ns
    assert max(abs(time_ns - right_ns) for time_ns in times) < 60 * 10**9


@pytest.mark.long
async def test_who_claims_heights_and_sends_no_blocks_is_let_go_and_silences_nobody(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    liar, victim = network.validators[3], network.validators[0]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(2)
        liar.scope.cancel()
        await trio.sleep(0.1)
        height = victim.height
        for _ in range(30):
            link = link_to(liar, victim)
            if link is not None:
                link.send(Status(10**9, 0, Step.PROPOSE, ()))
            await trio.sleep(0.5)
        score = victim.node.switchboard.records[liar.node_key.node_id].score
        assert victim.height > height + 4
        assert {vote.height for vote in victim.signed} >= set(range(height + 2, victim.height))
        assert score.bans or score.now(trio.current_time()) > 30
        nursery.cancel_scope.cancel()


async def test_a_forged_committed_block_is_its_senders_fault_and_the_right_one_is_taken_from_another(
    tmp_path, autojump_clock
):
    network = SimulatedNetwork(tmp_path, 4)
    liar = network.validators[0]
    late = network.validators[3]
    with capture_logs() as log:
        async with trio.open_nursery() as nursery:
            network.start(nursery, 0, 1, 2)
            await network.reach(6, 0, 1, 2)
            committed = liar.node.gossip._committed

            def forged(height):
                found = committed(height)
                if found is None:
                    return None
                entry = replace(found.commit.signatures[0], timestamp_ns=found.commit.signatures[0].timestamp_ns + 1)
                return CommittedBlock(
                    height, replace(found.commit, signatures=(entry, *found.commit.signatures[1:])), found.block
                )

            liar.node.gossip._committed = forged
            network.start(nursery, 3)
            record = late.node.switchboard.records[liar.node_key.node_id]
            late.node.gossip._sync.consider(1, [link for link in late.links if link.node_id == liar.node_key.node_id])
            await network.reach(6, 3, limit_s=60)
            nursery.cancel_scope.cancel()
    assert network.agree()
    said = [entry["reason"] for entry in log if entry["event"] == "a peer broke a rule"]
    assert bool(record.score.bans) == bool(said)
    assert all("is not its validator's signature" in reason for reason in said)
    assert block_id_of(late.ledger.records.block(5).block) == liar.ledger.records.block(5).block_id


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A ledger of three blocks."""

    async def made():
        network = SimulatedNetwork(tmp_path_factory.mktemp("chain"), 4)
        async with trio.open_nursery() as nursery:
            network.start(nursery, 0, 1, 2, 3)
            await network.reach(3)
            nursery.cancel_scope.cancel()
        return network.validators[0].ledger

    return trio.run(made, clock=trio.testing.MockClock(autojump_threshold=0))


def test_attack_C43_hub_a_commit_counts_for_the_set_of_its_very_height(chain):
    """The same signatures are no commit of a set with another member, power or size."""
    stored, commit, members = chain.records.block(2), chain.records.commit(2), chain.records.validators(2)
    check_commit("hutong-1", members, 2, stored.block_id, commit)
    smaller = replace(members, validators=members.validators[:-1])
    with pytest.raises(MalformedInput) as caught:
        check_commit("hutong-1", smaller, 2, stored.block_id, commit)
    assert (caught.value.got, caught.value.expected) == (4, 3)
    first = replace(members.validators[0], voting_power=100)
    heavier = replace(members, validators=(first, *members.validators[1:]))
    absent = replace(commit, signatures=(ABSENT_SIGNATURE, *commit.signatures[1:]))
    with pytest.raises(MalformedInput) as caught:
        check_commit("hutong-1", heavier, 2, stored.block_id, absent)
    assert caught.value.field == "commit"
    assert caught.value.got <= 30


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda c: replace(c, height=3), "commit"),
        (lambda c: replace(c, block_id=SOME_BLOCK), "commit"),
        (lambda c: replace(c, signatures=c.signatures[:-1]), "commit.signatures"),
        (lambda c: replace(c, signatures=(c.signatures[1], c.signatures[0], *c.signatures[2:])), "signatures[0]"),
        (lambda c: replace(c, signatures=(ABSENT_SIGNATURE,) * 2 + c.signatures[2:]), "commit"),
        (lambda c: replace(c, round=c.round + 1), "signatures["),
        (None, "signatures[3]"),
    ],
)
def test_a_commit_is_refused_at_the_field_that_is_wrong(chain, change, field):
    stored, members, commit = chain.records.block(2), chain.records.validators(2), chain.records.commit(2)
    forged = CommitSig(BlockIdFlag.COMMIT, members.validators[3].address, 1, b"\x01" * 64)
    check_commit("hutong-1", members, 2, stored.block_id, commit)
    changed = change(commit) if change else replace(commit, signatures=(*commit.signatures[:3], forged))
    with pytest.raises(MalformedInput) as caught:
        check_commit("hutong-1", members, 2, stored.block_id, changed)
    assert field in caught.value.field


async def test_attack_C45_hub_a_validator_killed_at_any_moment_of_a_height_never_votes_twice(tmp_path, autojump_clock):
    """Its record outlives it; its pool, lock and votes do not. It comes back while the height goes on."""
    network = SimulatedNetwork(tmp_path, 4, block_interval_ms=200, proof_block_delay_ms=50)
    network.delay_s = 0.05
    victim = network.validators[1]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2)
        for number in range(16):
            await trio.sleep(0.03 + 0.023 * number)
            network.kill(1)
            network.start(nursery, 1)
        await network.reach(network.validators[0].height + 2, 0, 1, 2)
        nursery.cancel_scope.cancel()
    signed = {}
    for vote in victim.signed:
        place = vote.height, vote.round, vote.message_type
        assert signed.setdefault(place, vote) == vote
    assert all(not validator.equivocations for validator in network.validators)


@pytest.mark.long
async def test_a_network_whose_validators_all_end_at_once_goes_on(tmp_path, autojump_clock):
    """Within any step of a height: records stand, rounds go on from there."""
    network = SimulatedNetwork(tmp_path, 4, block_interval_ms=200, proof_block_delay_ms=50)
    network.delay_s = 0.05
    async with trio.open_nursery() as nursery:
        for number in range(3):
            network.start(nursery, 0, 1, 2, 3)
            await network.reach(network.validators[0].height + 2)
            await trio.sleep(0.07 * number)
            for index in range(4):
                network.kill(index)
            await trio.sleep(0.5)
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(max(validator.height for validator in network.validators) + 2)
        nursery.cancel_scope.cancel()
    assert network.agree()
    assert all(not validator.equivocations for validator in network.validators)
