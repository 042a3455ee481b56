"""Evidence of double votes: bytes and hash as CometBFT's, rules in order, the pool, and blocks that carry it."""

from dataclasses import replace
from hashlib import sha256

import pytest
from ed25519_zebra import ed_public_from_secret, ed_sign
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.crypto import ed25519_address
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.tendermint.hashing import evidence_hash, vote_sign_bytes
from hutong.light_clients.tendermint.types import GO_ZERO_TIME_NS, BlockId, BlockIdFlag, PartSetHeader
from hutong.relay.evm.rpc.json_params import Params
from hutong.relay.hub.application.abci import Misbehaviour
from hutong.relay.hub.application.evidence_records import EvidenceRecord, read_records
from hutong.relay.hub.chain.block_records import prune_block_records
from hutong.relay.hub.chain.ledger_evidence import EvidenceOutOfReach
from hutong.relay.hub.consensus.blocks import block_id_of, check_block, decode_block, encode_block, make_block
from hutong.relay.hub.consensus.evidence import (
    MAX_EVIDENCE_BYTES,
    AccountableUntil,
    DuplicateVote,
    decode_block_evidence,
    decode_evidence,
    duplicate_vote,
    encode_evidence,
    hashed_bytes,
    verify_evidence,
)
from hutong.relay.hub.consensus.evidence_pool import MAX_WAITING, EvidencePool
from hutong.relay.hub.consensus.types import EMPTY_COMMIT, NIL, Equivocation, Vote
from hutong.relay.hub.consensus.votes import Tally
from hutong.relay.hub.engine.block_sync import apply_verified
from hutong.relay.hub.rpc.cometbft_methods import CometBftMethods
from hutong.relay.hub.rpc.cometbft_parameters import Arguments
from hutong.relay.hub.rpc.evidence_json import evidence_to_rpc
from hutong.relay.hub.rpc.hutong_methods import HutongMethods
from tests.relay.hub.consensus.consensus_table import PRECOMMIT, PREVOTE, Table
from tests.relay.hub.consensus.double_votes import advance_with, double_vote_at
from tests.relay.hub.simulated_hub import VALIDATOR, SimulatedHub
from tests.relay.hub.simulation.validator import CHAIN_ID

pytestmark = pytest.mark.safety

DAY_NS = 24 * 3600 * 10**9
ONE = BlockId(b"\x01" * 32, PartSetHeader(1, b"\x02" * 32))
OTHER = BlockId(b"\x03" * 32, PartSetHeader(1, b"\x04" * 32))
ACCOUNTABLE = AccountableUntil(10, 10 * DAY_NS, 5, 2 * DAY_NS)
TIME_NS = 9 * DAY_NS


def evidence_of(table: Table, number: int = 0, height: int = 4, blocks=(OTHER, ONE)) -> DuplicateVote:
    liar = table.others[number]
    pair = Equivocation(*(table.vote(liar, PRECOMMIT, 1, block_id, height) for block_id in blocks))
    return duplicate_vote(pair, table.validators, TIME_NS)


def resigned(table: Table, evidence: DuplicateVote, **changes) -> DuplicateVote:
    """The second vote changed, and signed by whom it names."""
    vote = replace(evidence.second, **changes)
    height, round_, kind = vote.height, vote.round, vote.message_type
    signed = table.vote(vote.validator_address, kind, round_, vote.block_id, height)
    return replace(evidence, second=replace(signed, validator_index=vote.validator_index))


def test_the_hash_is_cometbfts():
    """types/evidence_test.go, TestEvidenceVectors: two prevotes of one ed25519 key at the greatest height."""
    secret = sha256(b"it's a secret").digest()
    address = ed25519_address(ed_public_from_secret(secret))
    parts = PartSetHeader(2**31 - 1, sha256(b"partshash").digest())
    time_ns = 1_546_300_800 * 10**9

    def vote(round_: int, name: bytes) -> Vote:
        block_id = BlockId(sha256(name).digest(), parts)
        message = vote_sign_bytes("mychain", PREVOTE, 2**63 - 1, round_, block_id, time_ns)
        return Vote(PREVOTE, 2**63 - 1, round_, block_id, time_ns, 2**31 - 1, address, ed_sign(secret, message))

    evidence = DuplicateVote(vote(2, b"blockhash2"), vote(1, b"blockhash"), 0, 0, GO_ZERO_TIME_NS)
    root = evidence_hash([hashed_bytes(evidence)])
    assert root.hex() == "a9ce28d13bb31001fc3e5b7927051baf98f86abdbd64377643a304164c826923"
    assert decode_evidence(encode_evidence(evidence)) == evidence


def test_evidence_comes_back_as_it_was_and_the_lesser_block_stands_first():
    table = Table()
    for blocks in ((ONE, OTHER), (OTHER, ONE), (NIL, ONE), (ONE, NIL)):
        evidence = evidence_of(table, blocks=blocks)
        encoded = encode_evidence(evidence)
        assert decode_evidence(encoded) == evidence
        assert len(encoded) <= MAX_EVIDENCE_BYTES
        assert evidence.first.block_id == min(blocks, key=lambda block_id: block_id.hash)
        assert (evidence.validator_power, evidence.total_voting_power) == (1, 4)


@given(st.binary(max_size=600))
def test_attack_H_hub_evidence_decoder_is_total(data):
    try:
        evidence = decode_evidence(data)
    except MalformedInput:
        return
    assert encode_evidence(evidence) == data


def test_evidence_of_every_shorter_or_changed_encoding_is_refused_or_another():
    encoded = encode_evidence(evidence_of(Table()))
    for cut in range(len(encoded)):
        with pytest.raises(MalformedInput):
            decode_evidence(encoded[:cut])
    for position in range(len(encoded)):
        changed = bytearray(encoded)
        changed[position] ^= 0x11
        try:
            assert encode_evidence(decode_evidence(bytes(changed))) == bytes(changed)
        except MalformedInput:
            continue
    with pytest.raises(MalformedInput, match="more than 1024 bytes"):
        decode_evidence(bytes(MAX_EVIDENCE_BYTES + 1))


def test_attack_C40_hub_evidence_that_proves_a_double_vote_is_taken():
    table = Table()
    verify_evidence(CHAIN_ID, evidence_of(table), table.validators, TIME_NS, ACCOUNTABLE)
    verify_evidence(CHAIN_ID, evidence_of(table, blocks=(NIL, ONE)), table.validators, TIME_NS, ACCOUNTABLE)
    # Too old only where both bounds are passed.
    old_in_blocks = replace(ACCOUNTABLE, height=100)
    verify_evidence(CHAIN_ID, evidence_of(table), table.validators, TIME_NS, old_in_blocks)
    old_in_time = replace(ACCOUNTABLE, time_ns=100 * DAY_NS)
    verify_evidence(CHAIN_ID, evidence_of(table, height=5), table.validators, TIME_NS, old_in_time)


def cases():
    table = Table()
    good = evidence_of(table)
    other_address = table.others[1]
    swapped = replace(good, first=good.second, second=good.first)
    yield "evidence_height", good, None, {"got": 4, "expected": "<= 10"}
    yield "evidence_height", evidence_of(table, height=11), table.validators, {"got": 11, "expected": "<= 10"}
    for changes in ({"height": 5}, {"round": 2}, {"message_type": PREVOTE}):
        yield "same_height_round_type", resigned(table, good, **changes), table.validators, {}
    stranger = replace(good, second=table.vote(other_address, PRECOMMIT, 1, OTHER, 4))
    yield "same_validator", stranger, table.validators, {"got": other_address, "expected": table.others[0]}
    yield "same_validator", replace(good, second=replace(good.second, validator_index=9)), table.validators, {}
    yield "different_blocks", replace(good, second=good.first), table.validators, {}
    yield "different_blocks", swapped, table.validators, {"got": ONE.hash}
    yield "evidence_time", replace(good, time_ns=TIME_NS + 1), table.validators, {"got": TIME_NS + 1}
    gone = replace(table.validators, validators=table.validators.validators[:1])
    index = good.first.validator_index
    assert index > 0 or table.validators.validators[0].address == good.first.validator_address
    without = tuple(member for member in table.validators.validators if member.address != good.first.validator_address)
    yield "validator_of_that_height", good, replace(gone, validators=without), {"got": good.first.validator_address}
    yield "evidence_power", replace(good, validator_power=2), table.validators, {"got": (2, 4), "expected": (1, 4)}
    yield "evidence_power", replace(good, total_voting_power=5), table.validators, {"got": (1, 5)}
    for name in ("first", "second"):
        forged = replace(good, **{name: replace(getattr(good, name), signature=bytes(64))})
        yield "votes_signed", forged, table.validators, {"got": bytes(64)}


@pytest.mark.parametrize(("predicate", "evidence", "validators", "fields"), list(cases()))
def test_evidence_that_proves_nothing_is_refused_by_name(predicate, evidence, validators, fields):
    time_ns = None if validators is None else TIME_NS
    with pytest.raises(PredicateFailed) as refused:
        verify_evidence(CHAIN_ID, evidence, validators, time_ns, ACCOUNTABLE)
    assert refused.value.predicate == predicate
    assert {name: getattr(refused.value, name) for name in fields} == fields


def test_evidence_from_before_the_accountable_period_is_refused():
    table = Table()
    late = replace(ACCOUNTABLE, height=100, time_ns=100 * DAY_NS)
    with pytest.raises(PredicateFailed) as refused:
        verify_evidence(CHAIN_ID, evidence_of(table), table.validators, TIME_NS, late)
    assert (refused.value.predicate, refused.value.got) == ("accountable_period", 96)


def test_evidence_of_another_chain_is_refused():
    table = Table()
    with pytest.raises(PredicateFailed) as refused:
        verify_evidence("sim-2", evidence_of(table), table.validators, TIME_NS, ACCOUNTABLE)
    assert refused.value.predicate == "votes_signed"


# --- the pool


def pair_of(table: Table, number: int, height: int) -> Equivocation:
    evidence = evidence_of(table, number, height)
    return Equivocation(evidence.first, evidence.second)


def test_the_pool_waits_for_the_block_of_the_height_and_forgets_what_is_committed_or_old():
    table = Table()

    def facts(height):
        return (table.validators, TIME_NS) if height <= 6 else None

    pool = EvidencePool().with_equivocation(pair_of(table, 0, 4)).with_equivocation(pair_of(table, 1, 7))
    assert pool.with_equivocation(pair_of(table, 0, 4)) == pool
    assert pool.for_block(10_000) == ()
    pool = pool.after_block(6, (), facts, ACCOUNTABLE)
    [ready] = pool.ready
    assert pool.for_block(10_000) == (encode_evidence(ready),)
    assert pool.for_block(len(encode_evidence(ready)) - 1) == ()
    assert pool.with_equivocation(pair_of(table, 0, 4)) == pool
    verify_evidence(CHAIN_ID, ready, table.validators, TIME_NS, ACCOUNTABLE)
    assert pool.after_block(6, (ready,), facts, ACCOUNTABLE).ready == ()
    assert pool.after_block(6, (), facts, replace(ACCOUNTABLE, height=99, time_ns=99 * DAY_NS)).ready == ()
    assert [item.first.height for item in pool.seen] == [7]


def test_the_pool_is_bounded():
    table = Table()
    pool = EvidencePool()
    pair = pair_of(table, 0, 1)
    for height in range(1, MAX_WAITING + 10):
        vote = replace(pair.first, height=height)
        pool = pool.with_equivocation(Equivocation(vote, vote))
    assert len(pool.seen) == MAX_WAITING


# --- blocks


def test_a_block_carries_evidence_under_its_hash_and_comes_back():
    table = Table()
    items = (encode_evidence(evidence_of(table)), encode_evidence(evidence_of(table, 1)))
    block = make_block(table.tip, EMPTY_COMMIT, (b"a",), table.me, items)
    check_block(table.tip, block)
    assert decode_block(encode_block(block)) == block
    assert block.header.evidence_hash == evidence_hash([hashed_bytes(decode_evidence(item)) for item in items])
    without = make_block(table.tip, EMPTY_COMMIT, (b"a",), table.me)
    assert block_id_of(without) != block_id_of(block)
    with pytest.raises(MalformedInput, match="evidence_hash"):
        check_block(table.tip, replace(block, evidence=items[:1]))
    with pytest.raises(MalformedInput, match="evidence_hash"):
        check_block(table.tip, replace(block, evidence=items[::-1]))


def test_a_block_with_too_much_or_repeated_evidence_is_refused():
    table = Table()
    item = encode_evidence(evidence_of(table))
    with pytest.raises(MalformedInput) as refused:
        decode_block_evidence((item, item), 65_536)
    assert refused.value.field == "block.evidence[1]"
    with pytest.raises(MalformedInput) as refused:
        decode_block_evidence((item,), len(item) - 1)
    assert (refused.value.field, refused.value.got) == ("block.evidence", len(item))
    assert decode_block_evidence((item,), len(item)) == (evidence_of(table),)


def test_rpc_prints_evidence_as_cometbft_does():
    evidence = evidence_of(Table())
    row = evidence_to_rpc(encode_evidence(evidence))
    assert row["type"] == "tendermint/DuplicateVoteEvidence"
    assert row["value"]["vote_a"]["height"] == "4"
    assert row["value"]["vote_b"]["validator_address"] == evidence.second.validator_address.hex().upper()
    assert row["value"]["TotalVotingPower"] == "4"
    assert row["value"]["Timestamp"] == "1970-01-10T00:00:00Z"


# --- the chain


async def test_attack_C40_hub_a_double_vote_is_recorded_once_and_shown():
    hub = SimulatedHub()
    hub.advance()
    before = hub.app_hash
    hub.ledger.evidence.add(double_vote_at(hub, 1))
    assert hub.ledger.evidence.for_block(10_000) == ()
    hub.advance()
    [item] = hub.ledger.evidence.for_block(10_000)
    advance_with(hub, (item,))
    evidence, recorded_at = decode_evidence(item), hub.height
    assert hub.ledger.evidence.for_block(10_000) == ()
    assert hub.app_hash != before
    expected = Misbehaviour(VALIDATOR.public_key.address, 10, 1, evidence.time_ns, 10)
    assert list(read_records(hub.view())) == [EvidenceRecord(expected, recorded_at)]
    [row] = await HutongMethods(hub.application).methods()["hutong_evidence"](Params([]))
    assert row["validator"] == "0x" + VALIDATOR.public_key.address.hex()
    assert (row["height"], row["recordedAt"]) == ("0x1", hex(recorded_at))
    rpc = CometBftMethods(hub.ledger, VALIDATOR.public_key)
    _, read_block = rpc.table["block"]
    block = read_block(Arguments({"height": str(recorded_at)}, from_uri=False))
    assert block["block"]["evidence"]["evidence"] == [evidence_to_rpc(item)]
    # The same again, and seen again, is on record.
    tip = hub.ledger.tip
    again = make_block(tip, hub.ledger.last_commit(), (), tip.validators.proposer.address, (item,))
    with pytest.raises(MalformedInput, match="is on record"):
        hub.ledger.accepts(again)
    hub.ledger.evidence.add(double_vote_at(hub, 1))
    hub.advance()
    assert hub.ledger.evidence.for_block(10_000) == ()


def test_attack_C40_hub_evidence_below_a_nodes_first_block_stops_no_node_that_joined():
    """It cannot judge, so it does not vote; what more than two thirds committed all the same it applies."""
    hub = SimulatedHub()
    hub.advance()
    hub.ledger.evidence.add(double_vote_at(hub, 1))
    hub.advance()
    [item] = hub.ledger.evidence.for_block(10_000)
    with hub.store.batch() as batch:
        prune_block_records(batch, hub.ledger.records, 1)
    ledger = hub.ledger
    tip = ledger.tip
    block = make_block(tip, ledger.last_commit(), (), tip.validators.proposer.address, (item,))
    with pytest.raises(EvidenceOutOfReach) as refused:
        ledger.accepts(block)
    assert (refused.value.field, refused.value.got, refused.value.expected) == ("block.evidence[0]", 1, 2)
    block_id = block_id_of(block)
    [(_, vote)] = hub.votes(block.header.height, block_id, block.header.time_ns + 10**9)
    apply_verified(ledger, [block], Tally({0: vote}).commit(tip.validators, block_id))
    assert [record.recorded_at for record in read_records(hub.view())] == [hub.height]


def test_a_block_with_evidence_that_proves_nothing_is_refused_by_everyone():
    hub = SimulatedHub()
    hub.advance()
    hub.advance()
    pair = double_vote_at(hub, 1)
    facts = hub.ledger.records.validators(1), hub.ledger.records.block(1).block.header.time_ns
    forged = duplicate_vote(replace(pair, second=replace(pair.second, signature=bytes(64))), *facts)
    tip = hub.ledger.tip
    block = make_block(tip, hub.ledger.last_commit(), (), tip.validators.proposer.address, (encode_evidence(forged),))
    with pytest.raises(MalformedInput) as refused:
        hub.ledger.accepts(block)
    assert refused.value.field == "block.evidence[0]"
    assert "votes_signed" in refused.value.reason


def test_a_block_whose_last_commit_has_a_forged_entry_is_refused():
    hub = SimulatedHub()
    hub.advance()
    tip, commit = hub.ledger.tip, hub.ledger.last_commit()
    good = make_block(tip, commit, (), tip.validators.proposer.address)
    assert hub.ledger.accepts(good)
    [entry] = commit.signatures
    for changed, field in (
        (replace(entry, signature=bytes(64)), "commit.signatures[0]"),
        (replace(entry, timestamp_ns=entry.timestamp_ns + 1), "commit.signatures[0]"),
        (replace(entry, validator_address=bytes(20)), "commit.signatures[0]"),
        (replace(entry, block_id_flag=BlockIdFlag.NIL), "commit"),
    ):
        forged = make_block(tip, replace(commit, signatures=(changed,)), (), tip.validators.proposer.address)
        with pytest.raises(MalformedInput) as refused:
            hub.ledger.accepts(forged)
        assert refused.value.field == field


def test_attack_C44_hub_a_commit_of_slow_clocks_still_moves_time_on():
    """Most of a commit may be votes for no block by clocks that stand: their median is not after the last block."""
    table = Table()
    tip = replace(table.tip, height=1, time_ns=TIME_NS, block_id=ONE, last_validators=table.validators)
    votes = {}
    for number, address in enumerate((*table.others, table.me)):
        vote = replace(table.vote(address, PRECOMMIT, 0, ONE), timestamp_ns=TIME_NS - 5 + number)
        votes[vote.validator_index] = vote
    commit = Tally(votes).commit(table.validators, ONE)
    block = make_block(tip, commit, (), table.me)
    assert block.header.time_ns == TIME_NS + 1_000_000
    check_block(tip, block)
    late = {index: replace(vote, timestamp_ns=TIME_NS + 10**9) for index, vote in votes.items()}
    assert make_block(tip, Tally(late).commit(table.validators, ONE), (), table.me).header.time_ns == TIME_NS + 10**9
