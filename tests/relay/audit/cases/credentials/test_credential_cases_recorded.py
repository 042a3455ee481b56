"""Case 5 on what a run in a city left: two diplomas, a revoked one and one without accreditation; and every statement forged."""

import os
from dataclasses import replace

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.record_bundle import RecordKey, decode_record_bundle, encode_record_bundle
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases.statements import SealStatement, StateStatement
from hutong.relay.services.identity.rules.records.list_record import decode_list_record, encode_list_record
from hutong.relay.services.identity.rules.seals import seal_digest, sign_account
from tests.relay.audit.cases.recorded_cases import RecordedCases, data_of, evidence_of, named, with_statements

CASE = "diploma-abroad"
STRIDE = 1 if os.environ.get("HUTONG_EVERY_BYTE") else 13_331
RECORDED = RecordedCases("diplomas", (CASE,))
audited, refusal, of_kind = RECORDED.audited, RECORDED.refusal, RECORDED.of_kind
FORGER_SECRET = (4).to_bytes(32, "big")
FORGED = {
    None: "seal_is_signed",
    "status_is_valid": "refused_by_the_rule",
    "accreditation_counts": "conclusion_is_recomputed",
}
"""What refuses a seal of a forger's by the rule that is said to have refused it: of an issuer without accreditation nothing is
good, whoever signed, so that only what is concluded of it tells."""
SEALS = [(case, one) for case, one in of_kind(SealStatement) if one.id != "diploma-0001"]


def test_recorded_diplomas_hold():
    report = audited(data_of(CASE), CASE)
    assert report.failure is None, report.failure
    assert report.conclusion["accepted"] == [["M.Sc. Civil Engineering", 2_031]] * 2
    assert set(report.trust) == {"7101", "hutong-1"}


def test_attack_N190_a_byte_of_recorded_diplomas_changed():
    data, accepted = data_of(CASE), []
    for place in range(3, len(data), STRIDE):
        try:
            if audited(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], CASE).is_valid:
                accepted.append(place)
        except (MissingTrust, MalformedInput):
            continue
    assert accepted == []


@pytest.mark.parametrize(("case", "statement"), **named(SEALS))
def test_attack_N190_a_recorded_credential_altered_with_what_goes_with_it(case, statement):
    """A forger seals another credential for the same holder; and one who is revoked or unaccredited says that they are good."""
    seal = replace(statement.seal, not_after_s=statement.seal.not_after_s + 1)
    asked = replace(statement.presentation, seal_digest=seal_digest(seal))
    forged = replace(statement, seal=seal, signature=sign_account(FORGER_SECRET, seal_digest(seal)), presentation=asked)
    assert refusal(with_statements(case, forged))[1] == FORGED[statement.refused_by]
    turned = replace(statement, refused_by=None if statement.refused_by else "status_is_valid")
    assert refusal(with_statements(case, turned))[1] in (
        "status_is_valid",
        "accreditation_holds",
        "refused_by_the_rule",
    )


@pytest.mark.parametrize(("case", "statement"), **named(SEALS[1:2]))
def test_attack_N190_recorded_records_of_an_issuer_altered_or_left_out(case, statement):
    """A list without the revocation, in the bundle and in the statement: the hub's tree does not hold it."""
    bundle = decode_record_bundle(evidence_of(case).bundles[statement.bundle])
    said, kept = [], []
    for one in bundle.statements:
        is_list = isinstance(one.what, RecordKey) and one.what.key.startswith(b"identity/list/")
        value = one.value
        if is_list and value is not None:
            record = decode_list_record(value)
            value = encode_list_record(replace(record, root=bytes(32)))
        said.append(replace(one, value=value))
        kept += [] if is_list else [one]
    changed = encode_record_bundle(replace(bundle, statements=tuple(said)))
    assert refusal(with_statements(case, **{statement.bundle: changed}))[0].startswith(f"bundle {statement.bundle}")
    fewer = encode_record_bundle(replace(bundle, statements=tuple(kept)))
    subject, _ = refusal(with_statements(case, **{statement.bundle: fewer}))
    assert subject.startswith((f"bundle {statement.bundle}", "statement "))


@pytest.mark.parametrize(("case", "statement"), **named(of_kind(StateStatement)[:1]))
def test_attack_N192_a_recorded_application_altered_with_its_bundle(case, statement):
    forged = (int.from_bytes(statement.value or b"", "big") + 1).to_bytes(32, "big")
    bundle = decode_record_bundle(evidence_of(case).bundles[statement.bundle])
    said = tuple(replace(one, value=forged) if one.what == statement.what else one for one in bundle.statements)
    changed = encode_record_bundle(replace(bundle, statements=said))
    subject, _ = refusal(with_statements(case, replace(statement, value=forged), **{statement.bundle: changed}))
    assert subject.startswith(f"bundle {statement.bundle}")


def test_attack_N192_a_recorded_conclusion_altered():
    evidence = evidence_of(CASE)
    changed = replace(evidence, conclusion={**evidence.conclusion, "accepted": []})
    assert refusal(changed)[1] == "conclusion_is_recomputed"
