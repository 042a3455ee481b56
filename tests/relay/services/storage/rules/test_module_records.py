"""Records of operators, maps, batches and epochs: written back as they were read, and refused out of their bounds."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import Frontier, leaf_hash, root
from hutong.relay.services.storage.rules.records import batches, keys, members, parameters, rounds
from hutong.relay.services.storage.rules.records.batches import BatchRecord, LogRecord
from hutong.relay.services.storage.rules.records.members import (
    MAX_OPERATORS,
    Candidate,
    MapRecord,
    OperatorRecord,
    OperatorState,
    PartyRecord,
    encode_label,
)
from hutong.relay.services.storage.rules.records.parameters import DEFAULTS
from hutong.relay.services.storage.rules.records.rounds import (
    AnsweredRecord,
    ClockRecord,
    Fault,
    LedgerRecord,
    Phase,
    SecretRecord,
    SecretState,
)
from tests.relay.services.storage.rules.held import named

ACCOUNT = b"\x11" * 20
LABELS = tuple(map(encode_label, ("museum", "cellar-2", "north", "versitygw")))
OPERATOR = OperatorRecord(ACCOUNT, *LABELS, 100, OperatorState.ACTIVE, 12, 1_799_000_000)
CANDIDATE = Candidate(named("one"), *LABELS[:2], 7)
MAP = MapRecord(470, 1_799_000_400, 10, 4, (CANDIDATE,))
BATCH = BatchRecord(named("writer"), named("owner"), 5, 2, 4_095, named("parts"), 14, 0x3FFB, 470, 1)
LOG = LogRecord(3, 149, (named("two"), named("one")))
CLOCK = ClockRecord(7, Phase.ANSWERING, 484, 1, 500, named("header"), 2, 3)
SECRET = SecretRecord(named("commitment"), named("secret"), SecretState.LOST, Fault.EARLY | Fault.WITHHELD, 490, 500)
LEDGER = LedgerRecord(364, 1, 0, 2, 2**40, 2**50, 7)
RECORDS = [
    (OPERATOR, members.encode_operator_record, members.decode_operator_record),
    (PartyRecord(ACCOUNT, 13, 1), members.encode_party_record, members.decode_party_record),
    (MAP, members.encode_map_record, members.decode_map_record),
    (BATCH, batches.encode_batch_record, batches.decode_batch_record),
    (LOG, batches.encode_log_record, batches.decode_log_record),
    (CLOCK, rounds.encode_clock_record, rounds.decode_clock_record),
    (SECRET, rounds.encode_secret_record, rounds.decode_secret_record),
    (AnsweredRecord(7, 63, 1), rounds.encode_answered_record, rounds.decode_answered_record),
    (LEDGER, rounds.encode_ledger_record, rounds.decode_ledger_record),
    (DEFAULTS, parameters.encode_parameters, parameters.decode_parameters),
]


@pytest.mark.parametrize(("record", "encode", "decode"), RECORDS)
def test_records_come_back_and_have_one_encoding(record, encode, decode):
    encoded = encode(record)
    assert decode(encoded) == record
    for other in (b"\2" + encoded[1:], encoded + b"\0", encoded[:-1], b""):
        with pytest.raises(MalformedInput):
            decode(other)


@pytest.mark.parametrize(
    ("record", "change"),
    [
        (OPERATOR, {"account": bytes(20)}),
        (OPERATOR, {"account": b"\1"}),
        (OPERATOR, {"site": bytes(32)}),
        (OPERATOR, {"weight": 0}),
        (OPERATOR, {"weight": 65_536}),
        (CANDIDATE, {"operator": bytes(32)}),
        (MAP, {"candidates": (CANDIDATE, CANDIDATE)}),
        (MAP, {"parity": 0}),
        (BATCH, {"signed": 0}),
        (BATCH, {"signed": 1 << 14}),
        (BATCH, {"count": 257}),
        (BATCH, {"owner": bytes(32)}),
        (LOG, {"size": 4}),
        (LOG, {"leaves": 2}),
        (LOG, {"peaks": (named("two"), b"")}),
        (CLOCK, {"epoch": 0}),
        (CLOCK, {"header": b""}),
        (SECRET, {"secret": b""}),
        (DEFAULTS, {"epoch_s": 9}),
        (DEFAULTS, {"cut_blocks": 0}),
        (DEFAULTS, {"full_probes": 4_097}),
        (DEFAULTS, {"data": 61}),
        (DEFAULTS, {"full_every": 0}),
    ],
)
def test_records_out_of_bounds_are_refused(record, change):
    with pytest.raises(MalformedInput):
        replace(record, **change)


@pytest.mark.parametrize("text", ["", "A", "-a", ".a", "a_b", "a b", "a" * 33, "ä", "a\0b"])
def test_labels_have_one_spelling(text):
    assert members.decode_label(encode_label("versitygw-1.2")) == "versitygw-1.2"
    assert members.decode_label(encode_label("a" * 32)) == "a" * 32
    with pytest.raises(MalformedInput):
        encode_label(text)


def test_unknown_states_phases_and_faults_are_refused():
    for record, encode, decode, word, values in (
        (OPERATOR, members.encode_operator_record, members.decode_operator_record, 6, (0, 5)),
        (CLOCK, rounds.encode_clock_record, rounds.decode_clock_record, 1, (0, 5)),
        (SECRET, rounds.encode_secret_record, rounds.decode_secret_record, 2, (0, 4)),
        (SECRET, rounds.encode_secret_record, rounds.decode_secret_record, 3, (64, 255)),
    ):
        for value in values:
            octets = bytearray(encode(record))
            octets[32 * (word + 1)] = value
            with pytest.raises(MalformedInput):
                decode(bytes(octets))
    with pytest.raises(MalformedInput):
        members.party_role(5)


def test_a_map_has_no_more_candidates_than_there_are_operators():
    many = sorted((replace(CANDIDATE, operator=named(str(at))) for at in range(129)), key=lambda one: one.operator)
    encoded = members.encode_map_record(replace(MAP, candidates=tuple(many[:MAX_OPERATORS])))
    assert len(members.decode_map_record(encoded).candidates) == MAX_OPERATORS
    with pytest.raises(MalformedInput):
        replace(MAP, candidates=tuple(many))


def test_a_log_grows_from_its_record_as_from_its_entries():
    leaves = [str(at).encode() for at in range(40)]
    frontier = Frontier()
    for at, leaf in enumerate(leaves):
        frontier.append(leaf_hash(leaf))
        record = LogRecord(at + 1, 100, frontier.peaks())
        assert batches.decode_log_record(batches.encode_log_record(record)).operator_set.root == root(leaves[: at + 1])
        frontier = record.frontier
    with pytest.raises(ValueError, match="complete subtrees"):
        Frontier.of(3, (named("one"),))


def test_an_epoch_in_seven_asks_more():
    assert [DEFAULTS.probes_of(epoch) for epoch in (1, 6, 7, 8, 14)] == [64, 64, 459, 64, 459]


def test_keys_name_what_they_hold():
    one, nine = named("one"), (9).to_bytes(8, "big")
    assert keys.operator_key(one) == b"storage/operator/" + one
    assert keys.party_key(4, one) == b"storage/party/\4" + one
    assert (keys.map_key(9), keys.batch_key(9)) == (b"storage/map/" + nine, b"storage/batch/" + nine)
    assert keys.sequence_key(one, 9) == b"storage/sequence/" + one + nine
    assert keys.secret_key(9, one) == b"storage/secret/" + nine + one
    assert keys.log_key(one) == b"storage/log/" + one
    assert keys.seen_key(one) == b"storage/seen/" + one
    for call in (lambda: keys.party_key(256, one), lambda: keys.map_key(-1), lambda: keys.operator_key(b"")):
        with pytest.raises(MalformedInput):
            call()
