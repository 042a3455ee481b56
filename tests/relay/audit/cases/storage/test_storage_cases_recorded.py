"""Cases 8 and 19 on what runs in a city left; and every statement of them forged."""

import os
from dataclasses import replace

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.record_bundle import decode_record_bundle, encode_record_bundle
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases.statements import EntryStatement, StateStatement
from tests.relay.audit.cases.recorded_cases import RecordedCases, data_of, evidence_of, named, with_statements

COURT, MODEL = "court-evidence", "model-receipts"
STRIDE = 1 if os.environ.get("HUTONG_EVERY_BYTE") else 2_777
CITIES = {COURT: RecordedCases("courts", (COURT,)), MODEL: RecordedCases("models", (MODEL,))}


def audited(data: bytes, case: str):
    return CITIES[case].audited(data, case)


def refusal(changed):
    return CITIES[changed.case].refusal(changed)


def of_kind(kind):
    return [found for city in CITIES.values() for found in city.of_kind(kind)]


def test_recorded_court_evidence_holds():
    report = audited(data_of(COURT), COURT)
    assert report.failure is None, report.failure
    assert report.conclusion["anchored_on"] == ["e1", "p1"]
    assert report.conclusion["not_before_s"] < report.conclusion["not_after_s"]
    assert len(report.conclusion["accesses"]) == 1
    assert set(report.trust) == {"7101", "7103", "hutong-1"}


@pytest.mark.parametrize("lost", ("e1", "p1"))
def test_recorded_court_evidence_holds_without_a_chain(lost):
    evidence = evidence_of(COURT)
    gone = (f"{lost}-", "order", "release") if lost == "p1" else (f"{lost}-",)
    kept = tuple(one for one in evidence.statements if not one.id.startswith(gone))
    bundles = {name: evidence.bundles[name] for name in {one.bundle for one in kept if isinstance(one, StateStatement)}}
    left = replace(evidence, statements=kept, bundles=bundles)
    assert refusal(left) == (f"case {COURT}", "conclusion_is_recomputed"), "it still claims the lost chain"


def test_recorded_model_receipts_hold():
    report = audited(data_of(MODEL), MODEL)
    assert report.failure is None, report.failure
    assert (report.conclusion["receipts"], report.conclusion["repaired"]) == (500, True)
    assert report.conclusion["proven"]["approval"] != report.conclusion["flagged"]["approval"]
    assert set(report.trust) == {"7102", "7103", "hutong-1"}


@pytest.mark.long
@pytest.mark.parametrize("case", (COURT, MODEL))
def test_attack_J20_a_byte_of_recorded_storage_evidence_changed(case):
    data, accepted = data_of(case), []
    for place in range(5, len(data), STRIDE):
        try:
            if audited(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], case).is_valid:
                accepted.append(place)
        except (MissingTrust, MalformedInput):
            continue
    assert accepted == []


@pytest.mark.parametrize(("case", "statement"), **named(of_kind(StateStatement)))
def test_attack_J21_a_recorded_record_anchor_or_order_altered(case, statement):
    """The statement and its bundle say the forger's word; the tree under the header does not."""
    value = (statement.value or b"\1")[:-1] + bytes([(statement.value or b"\1")[-1] ^ 1])
    bundle = decode_record_bundle(evidence_of(case).bundles[statement.bundle])
    said = tuple(replace(one, value=value) if one.what == statement.what else one for one in bundle.statements)
    forged = encode_record_bundle(replace(bundle, statements=said))
    altered = replace(statement, value=value)
    subject, _ = refusal(with_statements(case, altered, **{statement.bundle: forged}))
    assert subject.startswith(f"bundle {statement.bundle}")
    assert refusal(with_statements(case, altered))[1] == "state_held_so"


@pytest.mark.parametrize(("case", "statement"), **named(of_kind(EntryStatement)))
def test_attack_J21_a_recorded_piece_or_record_altered(case, statement):
    other = replace(statement, leaf=statement.leaf[:-1] + bytes([statement.leaf[-1] ^ 1]))
    assert refusal(with_statements(case, other)) == (f"statement {statement.id}", "root_matches")


@pytest.mark.parametrize("case", (COURT, MODEL))
def test_attack_J21_a_recorded_storage_conclusion_altered(case):
    evidence = evidence_of(case)
    for name in evidence.conclusion:
        changed = replace(evidence, conclusion={**evidence.conclusion, name: "another"})
        assert refusal(changed)[1] == "conclusion_is_recomputed"
