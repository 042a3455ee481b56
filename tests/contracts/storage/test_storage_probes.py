"""StorageProbes.sol and StorageRecords.sol say what the rules in Python say, over forged answers and records."""

from dataclasses import replace
from random import Random

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import root
from hutong.relay.services.storage.rules.audits.answers import LeafAnswer, encode_answer
from hutong.relay.services.storage.rules.audits.probes import Challenge, probe_leaf
from hutong.relay.services.storage.rules.commitments.entries import LogEntry, encode_shard_entry
from hutong.relay.services.storage.rules.commitments.placed import place_entry, shown_set
from hutong.relay.services.storage.rules.records import values
from tests.contracts.evm import Evm, Reverted
from tests.contracts.storage.audit_lane import OPERATOR, SEED
from tests.contracts.storage.forged_answers import BySolidity, by_python, run
from tests.relay.services.storage.rules.held import HeldShard, entries_of, named, octets

RECORDS = (
    (
        "readVerdict",
        values.decode_verdict_record,
        values.VerdictRecord(values.Outcome.PASSED, 9, 8, 1, 2, b"s" * 32, b"r" * 32, 5, 6),
    ),
    ("readSet", values.decode_set_record, values.SetRecord(OPERATOR.set, 480)),
    ("readSeed", values.decode_seed_record, replace(SEED, due_s=7)),
    ("readRemoval", values.decode_removal_record, values.RemovalRecord(5, 490, 7)),
)
ENCODE = {
    values.VerdictRecord: values.encode_verdict_record,
    values.SetRecord: values.encode_set_record,
    values.SeedRecord: values.encode_seed_record,
    values.RemovalRecord: values.encode_removal_record,
}


def test_attack_S31_forged_answers_have_one_verdict_in_python_and_solidity():
    outcomes, wrong = run(150, seed=19)
    assert not wrong
    assert {"held", "malformed", "batch_stands_in_log", "answer_is_of_the_leaf"} <= set(outcomes)


@pytest.mark.long
def test_attack_S31_thousands_of_forged_answers_have_one_verdict():
    outcomes, wrong = run(3_000, seed=20)
    assert not wrong
    assert {"leaf_stands_in_shard", "entry_stands_in_batch", "shard_holds_the_leaf"} <= set(outcomes)


def test_attack_S31_a_shard_that_ends_after_its_batch_is_refused():
    """Its operator signed a part whose leaves are fewer than its entries': what lies after them is no leaf of anything."""
    shards = [HeldShard(named("a"), 0, octets("a", 4_096)), HeldShard(named("b"), 1, octets("b", 8_192))]
    entries = entries_of(shards)
    log = [LogEntry(0, 8, 2, 100, root([encode_shard_entry(entry) for entry in entries]))]
    challenge = Challenge(named("seed"), named("operator"), shown_set(log), 64)
    number = next(number for number in range(64) if probe_leaf(challenge, number) == 5)
    answer = LeafAnswer(place_entry(entries, 1, log, 0), 1, bytes(1_024), (bytes(32),) * 3)
    forgery = challenge, number, encode_answer(answer)
    assert by_python(*forgery) == BySolidity()(*forgery) == "entry_ends_within_batch"


@pytest.mark.parametrize(("function", "decode", "record"), RECORDS, ids=[name for name, *_ in RECORDS])
def test_attack_S31_records_have_one_reading(function, decode, record):
    probe = Evm().deploy("ProbesProbe")
    encoded = ENCODE[type(record)](record)
    assert probe.call(function, encoded)
    random = Random(7)
    for _ in range(60):
        wrong = bytearray(encoded)
        word = random.randrange(len(encoded) // 32)
        at = 1 + 32 * word + random.choice((0, 23, 27, 30, 31, 31, 31))
        wrong[at] ^= random.choice((1, 2, 3, 8, 16, 128))
        octets_ = bytes(wrong) if random.random() < 0.9 else bytes(wrong)[: random.randrange(len(wrong))]
        try:
            decode(octets_)
            held = True
        except MalformedInput:
            held = False
        try:
            probe.call(function, octets_)
            assert held, octets_.hex()
        except Reverted as refused:
            assert not held and refused.name == "MalformedStorageRecord", octets_.hex()
