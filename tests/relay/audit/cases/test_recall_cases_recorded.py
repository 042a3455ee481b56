"""Cases 3 and 22 on what runs in a city left: a day of readings, a dozen lots; and every statement of them forged."""

import os
from dataclasses import replace

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs import merkle
from hutong.relay.archive.bundle import decode_bundle, encode_bundle
from hutong.relay.archive.log_chain import log_chain_id
from hutong.relay.archive.record_bundle import decode_record_bundle, encode_record_bundle
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases.statements import EntryStatement, Fate, MessageStatement, StateStatement, said_by
from tests.relay.audit.cases.recorded_cases import RecordedCases, data_of, evidence_of, named, with_statements

COLD, FOOD = "cold-chain", "food-lots"
CASES = (COLD, FOOD)
STRIDE = 1 if os.environ.get("HUTONG_EVERY_BYTE") else 2_777
RECORDED = RecordedCases("recalls", CASES)
audited, refusal, of_kind = RECORDED.audited, RECORDED.refusal, RECORDED.of_kind


def saying(case: str, statement: StateStatement, value: bytes) -> tuple[StateStatement, bytes]:
    """The statement with another word, and its bundle saying the same."""
    bundle = decode_record_bundle(evidence_of(case).bundles[statement.bundle])
    said = tuple(replace(one, value=value) if one.what == statement.what else one for one in bundle.statements)
    return replace(statement, value=value), encode_record_bundle(replace(bundle, statements=said))


def test_a_recorded_cold_chain_holds():
    report = audited(data_of(COLD), COLD)
    assert report.failure is None, report.failure
    hours = [one for _, one in of_kind(EntryStatement) if one.id.startswith("hour-")]
    assert report.conclusion["hours"] == len(hours) > 1
    assert report.conclusion["warmest_tenths_c"] == max(int(one.leaf.split(b",")[2]) for one in hours)
    assert set(report.conclusion["blocked_after_s"]) == {"e1", "e2"}
    assert set(report.trust) == {"7101", "7102", "7103", "hutong-1"}


def test_recorded_food_lots_hold():
    report = audited(data_of(FOOD), FOOD)
    assert report.failure is None, report.failure
    lots = [one for _, one in of_kind(EntryStatement) if one.id.startswith("lot-")]
    assert report.conclusion["lots"] == len(lots)
    assert 1 < len(report.conclusion["affected"]) < len(lots)
    log = log_chain_id("log.city/registry")
    assert set(report.trust) == {"7101", "7102", "7103", "hutong-1", log}
    assert "witnesses that the checkpoint names" in report.trust[log]
    (certified,) = [one for _, one in of_kind(MessageStatement) if one.id == "certified"]
    assert certified.packet.startswith(f"{log}/client-0/"), "the farm has no chain: its log says it"


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_attack_J20_a_byte_of_a_recorded_recall_changed(case):
    data, accepted = data_of(case), []
    for place in range(5, len(data), STRIDE):
        try:
            if audited(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], case).is_valid:
                accepted.append(place)
        except (MissingTrust, MalformedInput):
            continue
    assert accepted == []


@pytest.mark.parametrize(("case", "statement"), **named(of_kind(StateStatement)))
def test_attack_J21_a_recorded_anchor_or_shop_altered_with_its_bundle(case, statement):
    """The statement and its bundle say the forger's word; the trie under the header does not."""
    forged, bundle = saying(case, statement, (int.from_bytes(statement.value or b"", "big") + 1).to_bytes(32, "big"))
    subject, _ = refusal(with_statements(case, forged, **{statement.bundle: bundle}))
    assert subject.startswith(f"bundle {statement.bundle}")
    assert refusal(with_statements(case, forged))[1] == "state_held_so"


def speaking(case: str, statement: MessageStatement, old: bytes, new: bytes) -> bytes:
    """The message's bundle with other words in both legs."""
    bundle = decode_bundle(evidence_of(case).bundles[statement.bundle])
    legs = []
    for leg in bundle.legs:
        (payload,) = leg.packet.payloads
        changed = replace(payload, value=payload.value.replace(old, new))
        assert changed != payload
        legs.append(replace(leg, packet=replace(leg.packet, payloads=(changed,))))
    return encode_bundle(replace(bundle, legs=tuple(legs)))


@pytest.mark.parametrize(("case", "statement"), **named(of_kind(MessageStatement)))
def test_attack_J21_a_recorded_recall_altered_with_its_legs(case, statement):
    said = said_by(decode_bundle(evidence_of(case).bundles[statement.bundle])).value
    forged = said[:-33] + bytes([said[-33] ^ 1]) + said[-32:]
    again = speaking(case, statement, said, forged)
    subject, _ = refusal(with_statements(case, statement, **{statement.bundle: again}))
    assert subject.startswith(f"bundle {statement.bundle}, leg 1")
    other = Fate.DELIVERED if statement.fate is Fate.REFUSED else Fate.REFUSED
    assert refusal(with_statements(case, replace(statement, fate=other)))[1] == "message_ended_so"


@pytest.mark.parametrize(("case", "statement"), **named(of_kind(EntryStatement)))
def test_attack_J21_a_recorded_entry_altered_with_its_tree(case, statement):
    """The entry alone is not under the root; with all paths, the root and its bundle made anew, the trie is another."""
    evidence = evidence_of(case)
    window = [one for one in evidence.statements if isinstance(one, EntryStatement) and one.under == statement.under]
    other = replace(statement, leaf=statement.leaf[:-1] + bytes([statement.leaf[-1] ^ 1]))
    assert refusal(with_statements(case, other)) == (f"statement {statement.id}", "root_matches")
    leaves = [other.leaf if one.id == other.id else one.leaf for one in window]
    rebuilt = [replace(one, leaf=leaves[at], siblings=merkle.prove(leaves, at).aunts) for at, one in enumerate(window)]
    (root,) = [one for one in evidence.statements if one.id == statement.under]
    if isinstance(root, MessageStatement):
        true = merkle.root([one.leaf for one in window])
        forged, bundle = root, speaking(case, root, true, merkle.root(leaves))
    else:
        forged, bundle = saying(case, root, merkle.root(leaves))
    subject, _ = refusal(with_statements(case, forged, *rebuilt, **{root.bundle: bundle}))
    assert subject.startswith(f"bundle {root.bundle}")


@pytest.mark.parametrize("name", ("hour", "certificate", "lot"))
def test_attack_J21_a_recorded_entry_left_out(name):
    case = COLD if name == "hour" else FOOD
    evidence = evidence_of(case)
    last = max(one.id for _, one in of_kind(EntryStatement) if one.id.startswith(f"{name}-"))
    kept = tuple(one for one in evidence.statements if one.id != last)
    subject = "certificates" if name == "certificate" else f"anchor {name}"
    assert refusal(replace(evidence, statements=kept)) == (subject, "window_is_whole")


@pytest.mark.parametrize("case", CASES)
def test_attack_J21_a_recorded_recalls_conclusion_altered(case):
    evidence = evidence_of(case)
    for name in evidence.conclusion:
        changed = replace(evidence, conclusion={**evidence.conclusion, name: "another"})
        assert refusal(changed)[1] == "conclusion_is_recomputed"
