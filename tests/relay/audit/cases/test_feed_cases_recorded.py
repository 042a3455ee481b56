"""Cases 16 and 23 on what runs in a city left: three rounds of a toll, two certificates; and every statement of them forged."""

import os
from dataclasses import replace

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.bundle import decode_bundle, encode_bundle
from hutong.relay.archive.record_bundle import decode_record_bundle, encode_record_bundle
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases.statements import (
    EntryStatement,
    Fate,
    MessageStatement,
    ReportStatement,
    StateStatement,
    said_by,
)
from tests.relay.audit.cases.recorded_cases import RecordedCases, data_of, evidence_of, named, with_statements

TOLL, GREEN = "congestion-toll", "green-certificates"
CASES = (TOLL, GREEN)
STRIDE = 1 if os.environ.get("HUTONG_EVERY_BYTE") else 1_777
RECORDED = RecordedCases("feeds", CASES)
audited, refusal, of_kind = RECORDED.audited, RECORDED.refusal, RECORDED.of_kind


def test_a_recorded_day_of_tolls_holds():
    report = audited(data_of(TOLL), TOLL)
    assert report.failure is None, report.failure
    prices = report.conclusion["prices"]
    assert [int(price) for _, _, price in prices] == [200 + max(0, int(flow) - 1_000) * 3 for _, flow, _ in prices]
    assert report.conclusion["announced"] == [prices[-1][0], prices[-1][2]]
    assert report.conclusion["last_is_stale"] is True
    assert set(report.trust) == {"7101", "7102", "7103", "hutong-1"}


def test_recorded_certificates_hold():
    report = audited(data_of(GREEN), GREEN)
    assert report.failure is None, report.failure
    assert [report.conclusion[name] for name in ("metered_kwh", "minted_kwh")] == ["2750"] * 2
    assert [report.conclusion[name] for name in ("certified_kwh", "claimed_kwh", "sold_kwh")] == ["2000", "2000", "750"]
    assert set(report.trust) == {"7101", "7102", "7103", "hutong-1"}


@pytest.mark.parametrize("case", CASES)
def test_attack_J20_a_byte_of_a_recorded_case_changed(case):
    data, accepted = data_of(case), []
    for place in range(5, len(data), STRIDE):
        try:
            if audited(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], case).is_valid:
                accepted.append(place)
        except (MissingTrust, MalformedInput):
            continue
    assert accepted == []


@pytest.mark.parametrize(("case", "statement"), **named(of_kind(StateStatement)))
def test_attack_J21_a_recorded_state_altered_with_its_bundle(case, statement):
    """The statement and its bundle say the forger's word; the trie under the header does not."""
    forged = (int.from_bytes(statement.value or b"", "big") + 1).to_bytes(32, "big")
    bundle = decode_record_bundle(evidence_of(case).bundles[statement.bundle])
    said = tuple(replace(one, value=forged) if one.what == statement.what else one for one in bundle.statements)
    changed = encode_record_bundle(replace(bundle, statements=said))
    subject, _ = refusal(with_statements(case, replace(statement, value=forged), **{statement.bundle: changed}))
    assert subject.startswith(f"bundle {statement.bundle}")
    assert refusal(with_statements(case, replace(statement, value=forged)))[1] == "state_held_so"


@pytest.mark.parametrize(("case", "statement"), **named(of_kind(MessageStatement)))
def test_attack_J21_a_recorded_message_altered_with_its_legs(case, statement):
    bundle = decode_bundle(evidence_of(case).bundles[statement.bundle])
    said = said_by(bundle).value
    forged = said[:-33] + bytes([said[-33] ^ 1]) + said[-32:]
    legs = []
    for leg in bundle.legs:
        (payload,) = leg.packet.payloads
        changed = replace(payload, value=payload.value.replace(said, forged))
        # of tokens the second leg says other words: a denomination that is one hop longer
        assert changed != payload or leg is not bundle.legs[0]
        legs.append(replace(leg, packet=replace(leg.packet, payloads=(changed,))))
    again = encode_bundle(replace(bundle, legs=tuple(legs)))
    subject, _ = refusal(with_statements(case, statement, **{statement.bundle: again}))
    assert subject.startswith(f"bundle {statement.bundle}, leg 1")
    assert refusal(with_statements(case, replace(statement, fate=Fate.REFUSED)))[1] == "message_ended_so"


@pytest.mark.parametrize(("case", "statement"), **named(of_kind(ReportStatement)))
def test_attack_J21_recorded_reports_altered(case, statement):
    first, *others = statement.reports
    higher = replace(statement, reports=(replace(first, value=first.value - 1), *others))
    assert refusal(with_statements(case, higher))[1] == "signed_by_signers"
    later = replace(statement, time_s=statement.time_s + 1)
    assert refusal(with_statements(case, later))[1] == "signed_by_signers"
    feed = replace(statement.feed, threshold=statement.feed.threshold + 1)
    assert refusal(with_statements(case, replace(statement, feed=feed)))[1] == "feed_is_shown"


def test_attack_J21_a_recorded_round_left_out():
    """The last one, and the others called as if there had been no first: the city's anchor knows of all. Where the anchor was
    of these rounds alone, the toll contract's word would."""
    evidence = evidence_of(TOLL)
    rounds = [one for one in evidence.statements if isinstance(one, ReportStatement)]
    others = [one for one in evidence.statements if not isinstance(one, ReportStatement)]

    def with_rounds(kept):
        numbered = [replace(one, id=f"round-{index:04}") for index, one in enumerate(kept)]
        return replace(evidence, statements=tuple(sorted([*others, *numbered], key=lambda one: one.id)))

    assert refusal(with_rounds(rounds[:-1]))[1] == "reports_made_what_stands"
    assert refusal(with_rounds(rounds[1:]))[1] == "readings_are_anchored"
    assert refusal(with_rounds([rounds[0], rounds[2]]))[1] == "readings_are_anchored"


def test_attack_J21_a_recorded_reading_altered_or_left_out():
    evidence = evidence_of(TOLL)
    readings = [one for one in evidence.statements if isinstance(one, EntryStatement)]
    assert len(readings) == len([one for one in evidence.statements if isinstance(one, ReportStatement)])
    for one in readings:
        other = replace(one, leaf=bytes([one.leaf[0] ^ 1]) + one.leaf[1:])
        assert refusal(with_statements(TOLL, other))[1] == "root_matches"
    kept = tuple(one for one in evidence.statements if one.id != readings[-1].id)
    assert refusal(replace(evidence, statements=kept))[1] == "window_is_whole"


@pytest.mark.parametrize("case", CASES)
def test_attack_J21_a_recorded_conclusion_altered(case):
    evidence = evidence_of(case)
    for name, value in evidence.conclusion.items():
        other = not value if isinstance(value, bool) else f"{value}1"
        changed = replace(evidence, conclusion={**evidence.conclusion, name: other})
        assert refusal(changed)[1] == "conclusion_is_recomputed"
