"""The transition function under schedules and liars, blocks as CometBFT hashes them, and the last-signed record."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.types import (
    MAX_TOTAL_VOTING_POWER,
    BlockId,
    BlockIdFlag,
    PartSetHeader,
    SignedMessageType,
)
from hutong.relay.hub.consensus.blocks import block_id_of, check_block, decode_block, encode_block, make_block
from hutong.relay.hub.consensus.signing import DoubleSignRefused, LastSigned, next_signature
from hutong.relay.hub.consensus.transition import RoundState, step
from hutong.relay.hub.consensus.types import EMPTY_COMMIT, NIL, Step, Vote, VoteReceived
from hutong.relay.hub.consensus.validators import (
    ChangeRefused,
    advance_proposer,
    genesis_validators,
    proposer_of,
    with_changes,
)
from hutong.relay.hub.consensus.votes import Tally, median_time_ns
from hutong.relay.hub.home.last_signed import decode_last_signed, encode_last_signed
from tests.relay.hub.application.governance.validator_set_scripts import recorded, standings
from tests.relay.hub.consensus.consensus_simulator import START_NS, Network, public_key_of, secret_of, signed_vote

pytestmark = pytest.mark.safety

OTHER = BlockId(b"\x05" * 32, PartSetHeader(1, b"\x06" * 32))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("powers", [[1], [1, 1, 1, 1], [5, 3, 2, 1, 1], [1] * 7])
def test_validators_agree_and_go_on(powers, seed):
    network = Network(powers, seed)
    network.run(250 * len(powers) ** 2 if len(powers) < 6 else 6_000)
    assert network.agreed()
    assert min(network.heights) >= 2
    for node in network.nodes:
        times = [block.header.time_ns for _, block in node.decided]
        assert times == sorted(set(times))


@pytest.mark.parametrize("seed", range(2))
def test_attack_C44_hub_skewed_clocks_leave_block_time_monotone(seed):
    network = Network([1, 1, 1, 1], seed, clock_skew_ns=3600 * 10**9)
    network.run(2_500)
    assert network.agreed()
    assert min(network.heights) >= 2
    for node in network.nodes:
        times = [block.header.time_ns for _, block in node.decided]
        assert all(later > earlier for earlier, later in zip(times, times[1:], strict=False))


@pytest.mark.parametrize("seed", range(3))
def test_a_silent_third_does_not_stop_the_others_and_lost_messages_never_split_them(seed):
    network = Network([1, 1, 1, 1], seed)
    network.silent = {seed % 4}
    network.run(2_500)
    assert network.agreed()
    assert sorted(network.heights)[1] >= 1
    lossy = Network([1, 1, 1, 1], seed)
    lossy.run(2_500, drop=0.15)
    assert lossy.agreed()


@pytest.mark.parametrize("seed", range(3))
def test_attack_C40_hub_double_votes_of_less_than_a_third_split_nobody_and_are_evidenced(seed):
    network = Network([1, 1, 1, 1], seed)
    liar = network.nodes[3]
    network.run(60)
    address = public_key_of(3).address
    index = next(i for i, v in enumerate(liar.state.validators.validators) if v.address == address)
    for kind in (SignedMessageType.PREVOTE, SignedMessageType.PRECOMMIT):
        for height in (1, 2, 3):
            for round_ in (0, 1):
                for block_id in (OTHER, NIL):
                    vote = Vote(kind, height, round_, block_id, START_NS + 1, index, address)
                    network.broadcast(3, signed_vote(secret_of(3), vote))
    network.run(3_000)
    assert network.agreed()
    assert max(network.heights) >= 2
    evidence = [item for node in network.nodes[:3] for item in node.equivocations]
    assert evidence
    assert {item.first.validator_address for item in evidence} == {address}


@pytest.mark.parametrize("seed", range(3))
def test_attack_C41_hub_proposer_with_two_blocks_gets_at_most_one_decided(seed):
    network = Network([1, 1, 1, 1], seed)
    proposer = proposer_of(network.nodes[0].tip.validators, 0).address
    liar = next(node for node in network.nodes if public_key_of(node.number).address == proposer)
    network.run(1_500)
    # The liar's twin: same key, other block, a record of its own (a stolen or copied key).
    twin = Network([1, 1, 1, 1], seed + 100)
    twin.nodes[liar.number].salt = 7
    twin.run(30)
    for number, message in twin.inbox:
        sender = message.validator_address if isinstance(message, Vote) else proposer
        if sender == proposer:
            network.inbox.append((number, message))
    network.run(3_000)
    assert network.agreed()
    assert min(network.heights[n] for n in range(4) if n != liar.number) >= 1


def state_of(network: Network, number: int) -> RoundState:
    return network.nodes[number].state


@pytest.mark.long
@pytest.mark.parametrize("seed", range(6))
def test_attack_C43_hub_validators_agree_while_one_joins_and_one_leaves(seed):
    network = Network([10, 10, 10, 10, 0], seed, changes={2: [(4, 20)], 4: [(0, 0), (1, 7)]})
    network.run(9_000)
    assert network.agreed()
    assert min(network.heights[1:]) > 7
    blocks = network.nodes[1].decided
    newcomer, leaver = public_key_of(4).address, public_key_of(0).address
    voters = [
        {entry.validator_address for entry in block.last_commit.signatures if entry.signature} for _, block in blocks
    ]
    # Block h carries the commit of h - 1.
    assert not any(newcomer in voters[height] for height in range(1, 4))
    assert any(newcomer in voters[height] for height in range(4, len(blocks)))
    assert not any(leaver in voters[height] for height in range(6, len(blocks)))
    # The change in block 4 acts in 6: the leaver signed nothing from there on, though it goes on deciding with the others.
    assert network.nodes[0].record.height <= 5
    assert network.nodes[4].record.height >= 4


def test_attack_C42_hub_votes_of_another_height_round_chain_or_validator_count_nothing():
    network = Network([1, 1, 1, 1], 1)
    state = state_of(network, 0)
    sender = public_key_of(1)
    index = next(i for i, v in enumerate(state.validators.validators) if v.address == sender.address)
    vote = Vote(SignedMessageType.PRECOMMIT, state.height, 0, OTHER, START_NS + 1, index, sender.address)
    good = signed_vote(secret_of(1), vote)

    def counted(candidate: Vote) -> bool:
        after, effects = step(state, VoteReceived(candidate, START_NS))
        return after.tallies != state.tallies or bool(effects)

    assert counted(good)
    others = [
        replace(good, height=good.height + 1),
        replace(good, round=1),
        replace(good, block_id=NIL),
        replace(good, timestamp_ns=good.timestamp_ns + 1),
        replace(good, message_type=SignedMessageType.PREVOTE),
        replace(good, validator_index=(index + 1) % 4),
        replace(good, validator_index=-1),
        replace(good, validator_index=4),
        replace(good, validator_address=public_key_of(2).address),
        replace(good, signature=good.signature[:-1]),
        replace(good, signature=b""),
        signed_vote(secret_of(2), vote),
        signed_vote(secret_of(1), replace(vote, round=10_001)),
        signed_vote(secret_of(1), replace(vote, round=-1)),
    ]
    for other in others:
        assert not counted(other), other


def test_attack_C43_hub_proposer_turns_with_every_height_as_cometbft_turns_it():
    powers = {0: 1, 1: 2, 2: 3}
    validators = genesis_validators([(public_key_of(n), power) for n, power in powers.items()])
    turns = {public_key_of(n).address: 0 for n in powers}
    for _ in range(60):
        turns[validators.proposer.address] += 1
        assert validators.proposer in validators.validators
        assert abs(sum(v.proposer_priority for v in validators.validators)) < 3
        validators = advance_proposer(validators, 1)
    assert {n: turns[public_key_of(n).address] for n in powers} == {0: 10, 1: 20, 2: 30}


# --- blocks


def first_block(network: Network):
    tip = network.nodes[0].tip
    return tip, make_block(tip, EMPTY_COMMIT, (b"a", b"b"), tip.validators.proposer.address)


@pytest.mark.parametrize("item", recorded(), ids=lambda item: f"{len(item['standings'])} steps")
def test_a_set_that_changes_has_the_priorities_that_cometbft_gave_it(item):
    assert standings(item["script"]) == item["standings"]


def test_the_answers_on_file_have_newcomers_removals_and_refusals():
    steps = [step for item in recorded() for step in item["standings"]]
    sizes = [{len(step["members"]) for step in item["standings"]} for item in recorded()]
    assert any(step["refused"] for step in steps)
    assert sum(len(size) > 1 for size in sizes) > 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([(7, 0)], "to remove"),
        ([(0, 0), (1, 0)], "no validator is left"),
        ([(7, 1), (7, 2)], "changed twice"),
        ([(7, -1)], "power -1"),
        ([(7, MAX_TOTAL_VOTING_POWER + 1)], f"power {MAX_TOTAL_VOTING_POWER + 1}"),
        ([(7, MAX_TOTAL_VOTING_POWER)], f"total power {MAX_TOTAL_VOTING_POWER + 3}"),
    ],
)
def test_changes_that_would_halt_cometbft_are_refused(changes, words):
    validators = genesis_validators([(public_key_of(0), 1), (public_key_of(1), 2)])
    with pytest.raises(ChangeRefused, match=words):
        with_changes(validators, [(public_key_of(number), power) for number, power in changes])
    assert with_changes(validators, []) is validators
    whole = with_changes(validators, [(public_key_of(0), 0), (public_key_of(1), 0), (public_key_of(7), 5)])
    assert [member.public_key for member in whole.validators] == [public_key_of(7)]


def test_the_first_block_is_hashed_as_cometbft_hashes_it():
    _, block = first_block(Network([1], 0))
    header = block.header
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert header.last_commit_hash.hex() == header.evidence_hash.hex() == header.last_results_hash.hex() == empty
    assert header.last_block_id == NIL
    assert header.time_ns == START_NS
    assert encode_block(block).endswith(bytes.fromhex("1a0022041a021200"))
    assert decode_block(encode_block(block)) == block


HEADER_FIELDS = [
    "version_block", "version_app", "chain_id", "height", "time_ns", "last_block_id", "last_commit_hash", "data_hash",
    "validators_hash", "next_validators_hash", "consensus_hash", "app_hash", "last_results_hash", "evidence_hash",
    "proposer_address",
]  # fmt: skip


@pytest.mark.parametrize("field", HEADER_FIELDS)
def test_a_block_with_one_header_field_changed_does_not_follow(field):
    tip, block = first_block(Network([1], 0))
    check_block(tip, block)
    value = getattr(block.header, field)
    changed = {int: lambda v: v + 1, str: lambda v: v + "x", bytes: lambda v: bytes(32) + v[32:]}
    other = OTHER if isinstance(value, BlockId) else changed[type(value)](value)
    with pytest.raises(MalformedInput) as refused:
        check_block(tip, replace(block, header=replace(block.header, **{field: other})))
    assert field in refused.value.field


def test_blocks_with_evidence_or_another_commit_are_refused():
    network = Network([1], 0)
    tip, block = first_block(network)
    with pytest.raises(MalformedInput, match="evidence"):
        check_block(tip, replace(block, evidence=(b"x",)))
    network.run(50)
    node = network.nodes[0]
    block = make_block(node.tip, node.last_commit, (), node.tip.validators.proposer.address)
    check_block(node.tip, block)
    for commit in (
        EMPTY_COMMIT,
        replace(node.last_commit, height=node.last_commit.height - 1),
        replace(node.last_commit, block_id=OTHER),
        replace(node.last_commit, signatures=()),
    ):
        with pytest.raises(MalformedInput, match="last_commit"):
            check_block(node.tip, replace(block, last_commit=commit))


@given(st.binary(max_size=400))
def test_attack_H_hub_block_decoder_is_total(data):
    try:
        block = decode_block(data)
    except MalformedInput:
        return
    assert encode_block(block) == data


def test_block_id_covers_every_transaction():
    tip, block = first_block(Network([1], 0))
    other = make_block(tip, EMPTY_COMMIT, (b"a", b"c"), tip.validators.proposer.address)
    assert block_id_of(block) != block_id_of(other)


def test_median_is_weighted_by_power():
    network = Network([1, 1, 5], 0)
    validators = network.nodes[0].tip.validators
    votes = {
        index: Vote(SignedMessageType.PRECOMMIT, 1, 0, OTHER, 100 + index, index, validator.address)
        for index, validator in enumerate(validators.validators)
    }
    commit = Tally(votes).commit(validators, OTHER)
    assert validators.validators[0].voting_power == 5
    assert median_time_ns(commit, validators) == 100
    absent = Tally({1: votes[1]}).commit(validators, OTHER)
    assert [entry.block_id_flag for entry in absent.signatures] == [
        BlockIdFlag.ABSENT,
        BlockIdFlag.COMMIT,
        BlockIdFlag.ABSENT,
    ]


# --- the last-signed record


def sign(record: LastSigned, height: int, round_: int, at: Step, block: bytes, timestamp_ns: int = 1):
    return next_signature(
        record,
        height,
        round_,
        at,
        timestamp_ns,
        lambda time_ns: b"%d %d %d " % (height, round_, at) + block + b" %d" % time_ns,
        lambda message: b"signature of " + message,
    )


def test_attack_C45_hub_record_refuses_contradictions_and_replays_the_same_bytes():
    record, first = sign(LastSigned(), 5, 0, Step.PROPOSE, b"X")
    assert sign(record, 5, 0, Step.PROPOSE, b"X") == (record, first)
    # A restarted validator's clock has moved on: the stored time and signature are what leaves.
    assert sign(record, 5, 0, Step.PROPOSE, b"X", timestamp_ns=99) == (record, first)
    for height, round_, at, block in (
        (5, 0, Step.PROPOSE, b"Y"),
        (4, 0, Step.PRECOMMIT, b"X"),
        (4, 9, Step.PRECOMMIT, b"X"),
    ):
        with pytest.raises(DoubleSignRefused) as refused:
            sign(record, height, round_, at, block)
        assert (refused.value.height, refused.value.round, refused.value.step) == (height, round_, at)
    record, prevote = sign(record, 5, 0, Step.PREVOTE, b"X")
    record, precommit = sign(record, 5, 0, Step.PRECOMMIT, b"X")
    assert [sign(record, 5, 0, at, b"X")[1] for at in (Step.PROPOSE, Step.PREVOTE, Step.PRECOMMIT)] == [
        first,
        prevote,
        precommit,
    ]
    record, _ = sign(record, 5, 1, Step.PRECOMMIT, b"X")
    with pytest.raises(DoubleSignRefused, match="later step"):
        sign(record, 5, 1, Step.PREVOTE, b"X")
    assert sign(record, 6, 0, Step.PROPOSE, b"Z")[0].height == 6


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2), st.sampled_from([1, 2, 3]), st.sampled_from([b"X", b"Y"])))
)
def test_whatever_is_asked_no_two_signatures_contradict(requests):
    record, signed = LastSigned(), {}
    for height, round_, at, block in requests:
        try:
            record, entry = sign(record, height, round_, Step(at), block)
        except DoubleSignRefused:
            continue
        assert signed.setdefault((height, round_, at), entry.sign_bytes) == entry.sign_bytes
    assert decode_last_signed(encode_last_signed(record)) == record


@given(st.binary(max_size=200))
def test_attack_H_hub_last_signed_decoder_is_total(data):
    with pytest.raises(ValueError, match=".+"):
        decode_last_signed(data)
