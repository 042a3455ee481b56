"""Evidence of cases judged offline: what each kind of statement shows, and what a case's rule makes of it."""

from dataclasses import replace

import pytest

from hutong.light_clients.proofs import merkle
from hutong.relay.archive.bundle import decode_bundle
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases.statements import EntryStatement, ShownEntry, ShownMessage, ShownState, said_by
from hutong.relay.audit.cases.trust import ChainMeant
from tests.relay.audit.cases.shown_evidence import FATES, LEAVES, ROOT, TRUST, harvest, letter
from tests.relay.audit.test_recorded_bundles import bundle_of, data_of


def refusal(shown) -> str:
    report = shown.audited()
    assert not report.is_valid
    assert report.failure is not None
    assert report.conclusion == {}
    return report.failure.check.name


def said_in(name: str) -> bytes:
    return said_by(decode_bundle(data_of(name))).value


def test_states_and_entries_hold_and_conclude():
    report = harvest().audited()
    assert report.failure is None, report.failure
    assert report.conclusion == {"root": ROOT.hex(), "leaves": ["reading 0", "reading 4"]}
    assert list(report.shown.of_kind(ShownState)) == ["root"]
    assert [one.root for one in report.shown.of_kind(ShownEntry).values()] == [ROOT, ROOT]
    assert report.trust.keys() == {"hutong-1"}


@pytest.mark.parametrize("name", FATES)
def test_a_message_ended_as_its_bundle_shows(name):
    shown = letter(name, said_in(name))
    report = shown.audited()
    assert report.failure is None, report.failure
    message = report.shown.of_kind(ShownMessage)["letter"]
    assert message.chain_ids[0] == "1001"
    assert all(sent <= ended for sent, ended in message.times_s)
    assert message.said.value in bundle_of(name).legs[0].packet.payloads[0].value


def test_a_message_that_only_arrived_has_not_ended():
    shown = letter("received-on-the-hub", said_in("received-on-the-hub"), FATES["message-delivered"])
    assert refusal(shown) == "message_ended_so"


def test_one_bundle_may_show_several_statements_and_is_judged_once():
    shown = harvest()
    again = replace(shown.statement("root"), id="root-again")
    twice = shown.changed(statements=(*shown.evidence.statements, again))
    first, both = shown.audited(), twice.audited()
    assert both.is_valid
    assert sum(one.subject.startswith("bundle ") for one in both.verdicts) == sum(
        one.subject.startswith("bundle ") for one in first.verdicts
    )


def test_attack_J21_a_packet_stated_many_times_costs_one_judgement():
    """4 096 statements of one bundle of 16 MiB: each header and proof in it is judged once."""
    shown = letter("message-delivered", said_in("message-delivered"))
    again = replace(shown.statement("letter"), id="letter-again")
    conclusion = {**shown.evidence.conclusion, "letter-again": shown.evidence.conclusion["letter"]}
    twice = shown.changed(statements=(*shown.evidence.statements, again), conclusion=conclusion)
    first, both = shown.audited(), twice.audited()
    assert both.failure is None, both.failure
    assert sum(one.subject.startswith("bundle ") for one in both.verdicts) == sum(
        one.subject.startswith("bundle ") for one in first.verdicts
    )


def test_what_holds_is_said_of_its_bundle_and_statement():
    subjects = {one.subject.split(",")[0] for one in harvest().audited().verdicts}
    assert {"evidence", "bundle records", "statement root", "statement entry-0", "root", "case harvest"} <= subjects


def test_a_case_that_this_version_does_not_know():
    assert refusal(harvest().changed(case="harvests")) == "case_is_known"


def test_without_a_checkpoint_nothing_is_judged():
    with pytest.raises(MissingTrust, match="no checkpoint of chain hutong-1"):
        replace(harvest(), checkpoints=()).audited()
    with pytest.raises(MissingTrust, match="no checkpoint of chain 1001"):
        replace(letter("message-delivered", b""), checkpoints=()).audited()


def test_without_the_reader_saying_what_is_meant_nothing_is_judged():
    with pytest.raises(MissingTrust, match="a chain farm"):
        replace(harvest(), trust=replace(TRUST, chains={})).audited()
    nameless = replace(TRUST, chains={"farm": replace(TRUST.chains["farm"], contracts={})})
    with pytest.raises(MissingTrust, match="a contract anchor of chain farm"):
        replace(harvest(), trust=nameless).audited()


@pytest.mark.parametrize(
    "meant",
    [
        ChainMeant("farm", "1337", "bft-evm-1", {"anchor": TRUST.chains["farm"].contracts["anchor"]}),
        ChainMeant("farm", "1337", "bft-evm-0", {"anchor": bytes(19) + b"\x01"}),
    ],
    ids=("client", "contract"),
)
def test_attack_J21_true_evidence_of_another_chain_or_contract(meant):
    """Everything in it is proven: that it is not what the reader means, the reader's own file says."""
    assert harvest().audited().is_valid
    assert refusal(replace(harvest(), trust=replace(TRUST, chains={"farm": meant}))) == "slot_is_meant"


def test_attack_J21_true_evidence_of_another_hub():
    assert refusal(replace(harvest(), trust=replace(TRUST, hub_chain_id="hutong-2"))) == "slot_is_meant"


def test_a_leaf_may_lie_under_what_a_message_said():
    """The root stands at an offset of the payload."""
    name = "message-delivered"
    said = said_in(name)
    proof = merkle.prove([b"one", b"two"], 0)
    shown = letter(name, said)
    under = EntryStatement("leaf", b"one", 0, 2, proof.aunts, "letter", 0)
    report = shown.changed(statements=(under, *shown.evidence.statements)).audited()
    assert not report.is_valid
    assert report.failure is not None
    assert report.failure.check.name == ("root_matches" if len(said) >= 32 else "root_is_shown")


def test_leaves_are_told_apart_by_their_place():
    assert LEAVES[0] != LEAVES[4]
    moved = harvest().with_statement("entry-0", index=1)
    assert refusal(moved) == "root_matches"
