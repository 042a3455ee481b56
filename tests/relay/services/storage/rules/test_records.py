"""Records of storage and the audit file: encodings, bounds, and what a file may not say."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed, audit
from hutong.relay.services.identity.rules.seals.signatures import sign_account
from hutong.relay.services.storage.rules.audits.answers import RemovedAnswer, encode_answers
from hutong.relay.services.storage.rules.audits.judging import AuditCount
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.services.storage.rules.lifecycle.signed import ProbeAnswers, signing_digest
from hutong.relay.services.storage.rules.records import audit_file as file_rules
from hutong.relay.services.storage.rules.records import keys, values
from hutong.relay.services.storage.rules.records.audit_file import (
    AuditFile,
    AuditRecords,
    decode_audit_file,
    encode_audit_file,
    judge_audit_file,
)
from hutong.relay.services.storage.rules.records.values import (
    HoldRecord,
    Outcome,
    RemovalRecord,
    SeedRecord,
    SetRecord,
    VerdictRecord,
)
from tests.relay.services.storage.rules.held import drawn_operator, named
from tests.relay.services.storage.rules.test_lifecycle import account

HUB = hub_id("hutong-1")
OPERATOR = drawn_operator("records", [[2, 0], [3], [1]])
KEY = named("an operator's key")
SEED = SeedRecord(named("seed"), named("header"), 500, 1_800_000_300, 24, 2, 3)
SET = SetRecord(OPERATOR.set, 480)
VERDICT = VerdictRecord(Outcome.PASSED, 24, 23, 1, 2, SEED.seed, OPERATOR.set.root, 510, 1_800_000_100)
RECORDS = (
    (SET, values.encode_set_record, values.decode_set_record),
    (SEED, values.encode_seed_record, values.decode_seed_record),
    (VERDICT, values.encode_verdict_record, values.decode_verdict_record),
    (RemovalRecord(2**63 + 1, 490, 1_800_000_000), values.encode_removal_record, values.decode_removal_record),
    (HoldRecord(1_900_000_000), values.encode_hold_record, values.decode_hold_record),
)
CHALLENGE = OPERATOR.challenge(SEED.seed, 24)
ANSWERS = OPERATOR.answers(CHALLENGE)


def file_of(answers, first: int = 0, key: bytes = KEY, **other) -> AuditFile:
    octets = encode_answers(answers)
    file = AuditFile(OPERATOR.id, 7, first, len(answers), octets, bytes(65), b"records")
    file = replace(file, **other)
    signed = ProbeAnswers(HUB, file.operator, file.epoch, file.first, file.count, sha256(file.answers).digest())
    return replace(file, signature=sign_account(key, signing_digest(signed)))


SHOWN = AuditRecords(SEED, SET, None, {})
FILE = file_of(ANSWERS[:4])


@pytest.mark.parametrize(("record", "encode", "decode"), RECORDS, ids=lambda value: type(value).__name__)
def test_records_have_one_encoding(record, encode, decode):
    encoded = encode(record)
    assert encoded[0] == 1 and decode(encoded) == record
    for wrong in (b"", b"\2" + encoded[1:], encoded[:-1], encoded + b"\0", b"\1" + b"\xff" * (len(encoded) - 1)):
        with pytest.raises(MalformedInput):
            decode(wrong)


@pytest.mark.parametrize(
    ("record", "change"),
    [
        (SET, {"height": 0}),
        (SEED, {"seed": b""}),
        (SEED, {"header": bytes(31)}),
        (SEED, {"header_height": 0}),
        (SEED, {"due_s": -1}),
        (SEED, {"probes": 0}),
        (SEED, {"probes": 4_097}),
        (SEED, {"auditors": 17}),
        (SEED, {"reveals": 4}),
        (VERDICT, {"held": 22}),
        (VERDICT, {"held": 25}),
        (VERDICT, {"removed": 2}),
        (VERDICT, {"outcome": Outcome.FAILED}),
        (VERDICT, {"outcome": Outcome.MISSED}),
        (VERDICT, {"asked": 0}),
        (VERDICT, {"reveals": 17}),
        (VERDICT, {"seed": b""}),
        (VERDICT, {"set_root": b""}),
        (VERDICT, {"height": 0}),
        (VERDICT, {"time_s": 2**64}),
        (RECORDS[3][0], {"shards": 0}),
        (RECORDS[3][0], {"height": 0}),
        (RECORDS[4][0], {"until_s": 0}),
    ],
)
def test_records_out_of_bounds_are_refused(record, change):
    with pytest.raises(MalformedInput):
        replace(record, **change)


def test_outcomes_are_those_of_the_counts_and_known():
    failed = replace(VERDICT, outcome=Outcome.FAILED, held=5)
    encoded = values.encode_verdict_record(failed)
    assert values.decode_verdict_record(encoded) == failed
    with pytest.raises(MalformedInput, match="unknown"):
        values.decode_verdict_record(encoded[:32] + b"\4" + encoded[33:])
    assert replace(SEED, reveals=0).is_weak and not SEED.is_weak


def test_keys_name_operators_epochs_and_packs():
    operator, pack = named("operator"), named("pack")
    assert keys.set_key(operator, 7) == b"storage/set/" + operator + (7).to_bytes(8, "big")
    assert keys.seed_key(2**64 - 1) == b"storage/seed/" + b"\xff" * 8
    assert keys.verdict_key(operator, 0) == b"storage/verdict/" + operator + bytes(8)
    assert keys.removal_key(40, pack) == b"storage/removal/" + (40).to_bytes(8, "big") + pack
    assert keys.hold_key(pack) == b"storage/hold/" + pack
    for call in (
        lambda: keys.set_key(operator[:-1], 7),
        lambda: keys.verdict_key(operator, -1),
        lambda: keys.seed_key(2**64),
        lambda: keys.removal_key(40, b""),
        lambda: keys.removal_key(-1, pack),
        lambda: keys.hold_key(pack + b"\0"),
    ):
        with pytest.raises(MalformedInput):
            call()


def test_an_audit_file_shows_what_the_operator_held():
    encoded = encode_audit_file(FILE)
    assert decode_audit_file(encoded) == FILE
    assert judge_audit_file(VERIFY, HUB, FILE, SHOWN, account(KEY)) == AuditCount(4, 0)
    rest = file_of(ANSWERS[4:], first=4)
    with_verdict = replace(SHOWN, verdict=replace(VERDICT, held=24, removed=0))
    assert judge_audit_file(VERIFY, HUB, rest, with_verdict, account(KEY)) == AuditCount(20, 0)
    told = [verdict.name for verdict in audit(judge_audit_file, HUB, FILE, SHOWN, account(KEY))]
    assert told[:4] == [
        "set_is_older_than_header",
        "verdict_is_of_this_audit",
        "struct_is_signed_by",
        "probe 0: batch_stands_in_log",
    ]


def test_a_removed_shard_is_shown_by_its_record_in_the_file():
    removed = file_of([RemovedAnswer(ANSWERS[0].placed)])
    entry = ANSWERS[0].placed.entry
    record = RemovalRecord(1 << entry.shard, 470, 1)
    place = (ANSWERS[0].placed.log_entry.batch, entry.pack)
    assert judge_audit_file(VERIFY, HUB, removed, replace(SHOWN, removals={place: record}), account(KEY)) == AuditCount(
        0, 1
    )
    refusing(removed, SHOWN, "removal_is_recorded")


def refusing(file, shown, predicate, hub=HUB, by=KEY):
    with pytest.raises(PredicateFailed) as refused:
        judge_audit_file(VERIFY, hub, file, shown, account(by))
    assert refused.value.predicate == predicate


def test_attack_S12_a_file_signed_by_another_or_of_another_hub_operator_or_epoch_is_refused():
    refusing(FILE, SHOWN, "struct_is_signed_by", hub=hub_id("hutong-2"))
    refusing(FILE, SHOWN, "struct_is_signed_by", by=named("another key"))
    for change in ({"epoch": 8}, {"first": 1}, {"operator": named("b")}, {"answers": encode_answers(ANSWERS[1:5])}):
        refusing(replace(FILE, **change), SHOWN, "struct_is_signed_by")
    refusing(replace(FILE, signature=bytes(65)), SHOWN, "struct_is_signed_by")


def test_attack_S12_answers_that_were_signed_are_judged_all_the_same():
    refusing(file_of([*ANSWERS[:3], replace(ANSWERS[3], leaf=bytes(1_024))]), SHOWN, "leaf_stands_in_shard")
    refusing(file_of(ANSWERS[:4], first=22), SHOWN, "batch_holds_the_leaf")
    refusing(file_of(ANSWERS[22:] + ANSWERS[:1], first=22), SHOWN, "probe_is_asked")
    with pytest.raises(PredicateFailed):
        judge_audit_file(
            VERIFY,
            HUB,
            file_of(ANSWERS[:4], epoch=8),
            replace(SHOWN, seed=replace(SEED, seed=named("c"))),
            account(KEY),
        )
    for wrong in (file_of(ANSWERS[:4], count=3), file_of(ANSWERS[:4], count=5)):
        with pytest.raises(MalformedInput):
            judge_audit_file(VERIFY, HUB, wrong, SHOWN, account(KEY))


def test_attack_S12_a_set_that_is_not_older_than_the_header_is_refused():
    for height in (500, 501):
        refusing(FILE, replace(SHOWN, set_record=replace(SET, height=height)), "set_is_older_than_header")
    judge_audit_file(VERIFY, HUB, FILE, replace(SHOWN, set_record=replace(SET, height=499)), account(KEY))


def test_attack_S12_a_verdict_of_another_audit_is_refused():
    for change in ({"seed": named("b")}, {"set_root": named("b")}, {"asked": 25, "removed": 2}, {"reveals": 3}):
        refusing(FILE, replace(SHOWN, verdict=replace(VERDICT, **change)), "verdict_is_of_this_audit")
    judge_audit_file(VERIFY, HUB, FILE, replace(SHOWN, verdict=VERDICT), account(KEY))


@settings(max_examples=60)
@given(st.data())
def test_attack_S12_a_changed_byte_of_a_file_turns_its_verdict(data):
    octets = bytearray(encode_audit_file(FILE))
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        file = decode_audit_file(bytes(octets))
        judge_audit_file(VERIFY, HUB, file, SHOWN, account(KEY))
    except (MalformedInput, PredicateFailed):
        return
    # The bundle of records is judged by the audit, which reads it: here it is bytes.
    assert replace(file, records=FILE.records) == FILE


def test_files_out_of_bounds_are_refused(monkeypatch):
    for change in (
        {"count": 0},
        {"count": 1_025},
        {"first": 2**32},
        {"epoch": -1},
        {"operator": bytes(32)},
        {"signature": bytes(64)},
    ):
        with pytest.raises(MalformedInput):
            replace(FILE, **change)
    encoded = encode_audit_file(FILE)
    with pytest.raises(MalformedInput):
        decode_audit_file(encoded[:63] + b"\2" + encoded[64:])
    monkeypatch.setattr(file_rules, "MAX_AUDIT_FILE_BYTES", len(encoded) - 1)
    for call in (lambda: decode_audit_file(encoded), lambda: encode_audit_file(FILE)):
        with pytest.raises(MalformedInput):
            call()
