"""Evidence that a forger without keys has altered: any byte, and each statement consistently, with all hashes and lists anew."""

import os
from dataclasses import replace

import pytest

from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.proofs import merkle
from hutong.relay.archive.bundle import encode_bundle
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases import encode_evidence
from hutong.relay.audit.cases.statements import Fate
from tests.relay.audit.cases.shown_evidence import LEAVES, ROOT, entry, harvest, letter, root_hub
from tests.relay.audit.cases.test_case_audit import refusal, said_in
from tests.relay.audit.records.shown_records import EPOCH_KEY, KEY
from tests.relay.audit.test_recorded_bundles import bundle_of

NAME = "message-delivered"
STRIDE = 1 if os.environ.get("HUTONG_EVERY_BYTE") else 211
FORGED_LEAVES = (b"reading 9", *LEAVES[1:])
FORGED_ROOT = merkle.root(list(FORGED_LEAVES))


def is_refused(shown, data: bytes) -> bool:
    try:
        return not shown.audited(data).is_valid
    except (MissingTrust, MalformedInput):  # such as a chain's name, for which there is no checkpoint
        return True


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize("make", (harvest, lambda: letter(NAME, said_in(NAME))), ids=("states", "message"))
def test_attack_J20_a_byte_changed_turns_the_verdict(make):
    shown = make()
    data = encode_evidence(shown.evidence)
    assert not is_refused(shown, data)
    accepted = [
        place
        for place in range(0, len(data), STRIDE * (1 if make is harvest else 13))
        if not is_refused(shown, flipped(data, place))
    ]
    assert accepted == []


@pytest.mark.long
def test_attack_J20_every_byte_of_a_small_evidence():
    shown = harvest()
    data = encode_evidence(shown.evidence)
    assert [place for place in range(len(data)) if not is_refused(shown, flipped(data, place))] == []


def test_attack_J20_cut_or_lengthened():
    shown = harvest()
    data = encode_evidence(shown.evidence)
    assert all(is_refused(shown, other) for other in (data[:-1], data + b"\n", data[: len(data) // 2], b"", b"{}"))


def test_attack_J21_a_state_altered_alone():
    for fields in ({"value": FORGED_ROOT}, {"value": None}, {"height": Height(0, 8)}, {"time_s": 1}):
        assert refusal(harvest().with_statement("root", **fields)) == "state_held_so"
    assert refusal(harvest().with_statement("root", client="bft-evm-1")) == "state_held_so"
    assert refusal(harvest().with_statement("root", client=None)) == "state_held_so"


def test_attack_J21_a_state_altered_with_the_hubs_tree_and_header():
    """Statement, observation, tree, leaves and conclusion fit each other; the header is signed by the forger's own keys."""
    forged = harvest(root_hub(FORGED_ROOT, label="forger"), FORGED_ROOT, FORGED_LEAVES)
    assert forged.audited().is_valid, "under the forger's own checkpoint"
    assert refusal(replace(forged, checkpoints=harvest().checkpoints)) == "validators_in_bundle"


def test_attack_J21_a_states_proof_under_the_true_header():
    """The forger's tree under the header that the validators signed."""
    true, forged = root_hub(), root_hub(FORGED_ROOT)
    bundle = replace(true.bundle(KEY, EPOCH_KEY), statements=forged.bundle(KEY, EPOCH_KEY).statements)
    shown = harvest(forged, FORGED_ROOT, FORGED_LEAVES).changed(bundles={"records": encode_record_bundle(bundle)})
    assert "root" in refusal(shown)


def test_attack_J21_an_entry_altered_with_its_whole_tree():
    assert refusal(harvest().with_statement("entry-0", leaf=b"reading 9")) == "root_matches"
    forged = entry(FORGED_LEAVES, 0)
    statements = (forged, *harvest().evidence.statements[1:])
    conclusion = {"root": ROOT.hex(), "leaves": ["reading 9", "reading 4"]}
    assert refusal(harvest().changed(statements=statements, conclusion=conclusion)) == "root_matches"


def test_attack_J21_an_entry_under_what_nothing_shows():
    """Under itself, another entry, or no statement at all: an entry vouches for none."""
    for under in ("entry-0", "entry-4", "nobody"):
        assert refusal(harvest().with_statement("entry-0", under=under)) == "root_is_shown"
    assert refusal(harvest().with_statement("entry-0", offset=1)) == "root_is_shown"


def test_attack_J21_a_conclusion_that_does_not_follow():
    for conclusion in ({"root": ROOT.hex(), "leaves": ["reading 0"]}, {}, {"root": ROOT.hex(), "leaves": True}):
        assert refusal(harvest().changed(conclusion=conclusion)) == "conclusion_is_recomputed"


def test_attack_J21_a_message_that_ended_otherwise():
    for fate in (Fate.REFUSED, Fate.TIMED_OUT):
        assert refusal(letter(NAME, said_in(NAME), fate)) == "message_ended_so"
    other = letter(NAME, said_in(NAME)).with_statement("letter", packet="1001/client-0/999")
    assert refusal(other) == "message_ended_so"


def test_attack_J21_a_message_altered_with_both_legs():
    """What it said is changed in both legs, the statement's conclusion with it; only the chains' commitments are not."""
    true = bundle_of(NAME)
    said = said_in(NAME)
    forged_said = said[:-1] + bytes([said[-1] ^ 1])
    legs = []
    for leg in true.legs:
        (payload,) = leg.packet.payloads
        assert payload.value.count(said) == 1
        changed = replace(payload, value=payload.value.replace(said, forged_said))
        legs.append(replace(leg, packet=replace(leg.packet, payloads=(changed,))))
    shown = letter(NAME, forged_said)
    forged = shown.changed(bundles={NAME: encode_bundle(replace(true, legs=tuple(legs)))})
    report = forged.audited()
    assert not report.is_valid
    assert report.failure is not None
    assert report.failure.subject.startswith(f"bundle {NAME}, leg 1")


def test_attack_J21_a_bundle_of_another_kind_under_a_statements_name():
    message, state = letter(NAME, said_in(NAME)), harvest()
    swapped = message.changed(bundles={NAME: state.evidence.bundles["records"]})
    assert refusal(swapped) == "bundle_is_canonical"
    swapped = state.changed(bundles={"records": message.evidence.bundles[NAME]})
    assert refusal(swapped) in ("record_is_canonical",)
