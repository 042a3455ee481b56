"""One storage audit judged offline: what it shows, and what of its file or its records is refused."""

import os
from random import Random

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.storage import StorageAuditor, judge_file
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.audit_file import decode_audit_file
from hutong.relay.services.storage.rules.records.values import RemovalRecord
from tests.relay.audit.records.shown_records import Hub
from tests.relay.audit.storage.made_period import MadePeriod, Plan, Trouble

MADE = MadePeriod(Plan(epochs=2, operators=2))
AUDITOR = StorageAuditor(MADE.checkpoint, MADE.now_ns)


def refusal(data, made=MADE):
    report = StorageAuditor(made.checkpoint, made.now_ns).audit(data)
    assert not report.is_valid and report.failure is not None
    return report.failure.check.name


def test_an_audit_is_shown_rule_by_rule():
    report = AUDITOR.audit(MADE.audit(2, 1))
    assert report.is_valid and report.judged is not None and report.judged.count.held == 6
    names = [verdict.check.name for verdict in report.verdicts]
    assert names[0] == "audit_file_is_canonical" and names[-1] == "probe 5: leaf_stands_in_shard"
    assert {"records_are_of_storage", "secrets_make_the_seed", "struct_is_signed_by"} <= set(names)
    part = AUDITOR.audit(MADE.audit(2, 1, first=2, count=3))
    assert part.judged is not None and part.judged.file.first == 2


def test_attack_S33_an_audit_of_another_epoch_operator_or_signature_is_refused():
    other = decode_audit_file(MADE.audit(1, 0))
    assert refusal(MADE.audit(2, 1, epoch=1)) == "records_are_of_this_audit"
    assert refusal(MADE.audit(2, 1, operator=other.operator)) == "records_are_of_this_audit"
    assert refusal(MADE.audit(2, 1, records=other.records)) == "records_are_of_this_audit"
    assert refusal(MADE.audit(2, 1, answers=other.answers)) in (
        "probe 0: batch_stands_in_log",
        "answers_are_an_encoding",
    )
    octets = MADE.audit(2, 1)
    signature = decode_audit_file(octets).signature
    assert refusal(octets.replace(signature, bytes(65))) == "struct_is_signed_by"


def test_attack_S33_records_of_something_else_or_left_out_are_refused():
    wanted = MADE.audit_keys(2, 1)

    def with_records(*keys_):
        return MADE.audit(2, 1, records=encode_record_bundle(MADE.bundle(2, list(keys_))))

    assert AUDITOR.audit(with_records(*wanted)).is_valid
    for left_out in wanted[:4]:
        assert refusal(with_records(*(key for key in wanted if key != left_out))) == "records_are_of_this_audit"
    assert refusal(with_records(*wanted[:-1])) == "secrets_make_the_seed"
    assert refusal(with_records(*wanted, keys.secret_key(1, MADE.auditors[0]))) == "secrets_are_of_shown_epochs"
    assert refusal(with_records(*wanted, keys.seed_key(1))) == "records_are_of_this_audit"
    assert refusal(with_records(*wanted, keys.removal_key(0, bytes(31) + b"\1"))) == "records_are_of_storage"
    assert refusal(with_records(*wanted, b"hub/any")) == "records_are_of_storage"


def test_attack_S33_a_set_is_absent_only_beside_the_epochs_seed():
    nobody = keys.set_key(bytes(31) + b"\1", 2)
    alone = encode_record_bundle(MADE.bundle(2, [nobody]))
    entry = judge_file(AUDITOR, "a.record.json", alone)
    assert entry.failure is not None and entry.failure.rule == "absence_is_of_a_drawn_epoch"
    shown = encode_record_bundle(MADE.bundle(2, [nobody, keys.seed_key(2), *MADE.secret_keys(2)]))
    assert judge_file(AUDITOR, "a.record.json", shown).failure is None


def test_attack_S7_a_removal_before_its_retention_is_no_answer_offline():
    made = MadePeriod(Plan(epochs=1, operators=1, probes=24), Trouble())
    operator = made.operators[0]
    batch, entry, _ = made.held(1, 0).place_of(0)
    at = batch, operator.pack(entry)
    for retained_s, is_valid in ((0, True), (1_000, False)):
        removed = MadePeriod(
            Plan(epochs=1, operators=1, probes=64, retain_until_s=retained_s),
            Trouble(removals={at: RemovalRecord(1, 5, 1_000)}),
        )
        report = StorageAuditor(removed.checkpoint, removed.now_ns).audit(removed.audit(1, 0))
        assert report.is_valid is is_valid
        if report.judged is None:
            assert report.failure is not None and report.failure.check.name.endswith("removal_is_recorded")
        else:
            assert report.judged.count.removed > 0


def test_a_file_of_another_hub_is_not_judged():
    elsewhere = Hub(chain_id="hutong-2")
    with pytest.raises(MissingTrust):
        StorageAuditor(elsewhere.checkpoint(), elsewhere.now_ns).audit(MADE.audit(1, 0))


def test_attack_S33_a_changed_byte_anywhere_turns_the_verdict():
    """A sample of the bytes; all of them with HUTONG_EVERY_BYTE=1, which takes minutes."""
    octets, random = MADE.audit(1, 0, count=2), Random(33)
    places = (
        range(len(octets)) if os.environ.get("HUTONG_EVERY_BYTE") == "1" else random.sample(range(len(octets)), 120)
    )
    assert AUDITOR.audit(octets).is_valid
    for place in places:
        changed = bytearray(octets)
        changed[place] ^= 1 << random.randrange(8)
        try:
            report = AUDITOR.audit(bytes(changed))
        except (MissingTrust, MalformedInput):
            continue
        assert not report.is_valid, place
