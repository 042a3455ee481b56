"""Entries under anchored roots, judged offline: what holds, and every forgery by its rule."""

from dataclasses import replace

import pytest

from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from hutong.light_clients.proofs import merkle
from hutong.light_clients.records import ObservationKey, SlotPlace, encode_epoch, encode_observation
from hutong.relay.archive.anchor_proof import AnchorPlace, encode_anchored_entry, prove_entry
from hutong.relay.archive.anchored_root import AnchoredRoot, item_slots
from hutong.relay.archive.bundle import ChainHeaders, ChainKind, HeaderEntry
from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.archive.record_bundle import RecordBundle, Statement, encode_record_bundle, in_order
from hutong.relay.audit.anchored_entries import ExpectedAnchor, judge_anchored_entry
from hutong.relay.verify.bundles.anchored_entry import RecordFiles, judge_by_record, read_entries
from hutong.relay.verify.inputs import UnusableInput
from tests.light_clients.bft_evm.simulated_chain import ROUTER, SimulatedChain
from tests.light_clients.records.observed_state import nodes_for
from tests.relay.audit.records.shown_records import (
    CLIENT,
    EPOCH,
    EPOCH_KEY,
    Hub,
    Shown,
    bft_checkpoint,
    hub_time_s,
    observation,
)

PUBLISHER = b"\x21" * 20
HOURS = [b"hour %d: 4.2 C" % hour for hour in range(72)]
ANCHORED = AnchoredRoot(merkle.root(HOURS), 72, 1_000_000, 1_259_200, 1_259_207)
PLACE = AnchorPlace(ROUTER, PUBLISHER, 2)
"""The simulated chain keeps one account's storage: here it is the Anchor's."""
EXPECTED = ExpectedAnchor(ROUTER, PUBLISHER)
SLOTS = [SlotPlace(ROUTER, slot) for slot in item_slots(PUBLISHER, 2)]


def judged(shown, expected=EXPECTED, anchored=ANCHORED) -> str:
    """The rule that refuses; empty where all hold."""
    report = judge_anchored_entry(encode_anchored_entry(shown), expected, anchored)
    assert (report.shown is None) is any(not verdict.check.held for verdict in report.verdicts)
    return "" if report.shown is not None else report.verdicts[-1].check.name


def test_every_entry_of_the_window_is_shown():
    for hour in (0, 1, 40, 70, 71):
        shown = prove_entry(PLACE, HOURS, hour)
        assert judged(shown) == judged(shown, replace(EXPECTED, entry=HOURS[hour])) == ""


def test_attack_F22_forged_proofs_are_refused_by_their_rule():
    honest = prove_entry(PLACE, HOURS, 40)
    altered = [b"hour 40: 4.1 C" if hour == HOURS[40] else hour for hour in HOURS]
    removed = [hour for hour in HOURS if hour != HOURS[13]]
    for forged in (prove_entry(PLACE, altered, 40), prove_entry(PLACE, removed, 39)):
        assert judged(forged) == "root_is_anchored"
        assert judged(forged, anchored=None) == "", "it is consistent by itself, and shows nothing of a chain"
    assert judged(replace(honest, root=merkle.root(altered))) == "root_matches"
    assert judged(replace(honest, proof=replace(honest.proof, index=41))) == "root_matches"
    assert judged(replace(honest, proof=replace(honest.proof, index=72))) == "index_within_total"
    assert judged(replace(honest, proof=replace(honest.proof, total=73))) == "root_is_anchored"
    assert judged(replace(honest, proof=replace(honest.proof, aunts=honest.proof.aunts[:-1]))) == "path_is_canonical"
    assert judged(replace(honest, entry=altered[40])) == "root_matches"
    assert judged(honest, replace(EXPECTED, entry=altered[40])) == "entry_is_expected"
    assert judged(honest, replace(EXPECTED, publisher=b"\x22" * 20)) == "anchor_is_expected"
    assert judged(honest, replace(EXPECTED, contract=b"\x22" * 20)) == "anchor_is_expected"
    assert judged(honest, anchored=replace(ANCHORED, count=71)) == "root_is_anchored"
    assert judged(honest, anchored=AnchoredRoot(bytes(32), 0, 0, 0, 0)) == "root_is_anchored"


def chain_record(slots=SLOTS) -> Shown:
    chain = SimulatedChain()
    chain.storage |= dict(zip((place.slot for place in SLOTS), ANCHORED.words, strict=True))
    chain.advance(3)
    words = dict(zip(SLOTS, ANCHORED.words, strict=True))
    statements = in_order([Statement(place, words.get(place), None) for place in slots])
    headers = ChainHeaders("1337", ChainKind.BFT_EVM, (HeaderEntry(encode_header(chain.headers[4][0])),))
    bundle = RecordBundle(headers, Height(0, 4), statements, nodes_for(chain.states[4], slots))
    return Shown(bundle, bft_checkpoint(chain, 2), chain.now_ns)


def hub_record() -> Shown:
    keys = [ObservationKey.of(CLIENT, place).to_bytes() for place in SLOTS]
    records = {
        key: encode_observation(observation(hub_time_s(), value=word))
        for key, word in zip(keys, ANCHORED.words, strict=True)
    }
    made = Hub({**records, EPOCH_KEY: encode_epoch(EPOCH)})
    return Shown(made.bundle(*keys, EPOCH_KEY), made.checkpoint(), made.now_ns)


def by_record(folder, shown: Shown, client=None, entries=HOURS, hour=40):
    proof, record, checkpoint = folder / "proof.json", folder / "a.record.json", folder / "a.checkpoint.json"
    proof.write_bytes(encode_anchored_entry(prove_entry(PLACE, entries, hour)))
    record.write_bytes(encode_record_bundle(shown.bundle))
    checkpoint.write_bytes(encode_checkpoint(shown.checkpoint))
    return judge_by_record(proof, EXPECTED, RecordFiles(record, checkpoint, client), shown.now_ns)


@pytest.mark.parametrize(("make", "client"), [(chain_record, None), (hub_record, CLIENT)], ids=["chain", "hub"])
def test_a_record_of_the_chain_or_of_its_hub_shows_the_anchor(tmp_path, make, client):
    found = by_record(tmp_path, make(), client)
    assert found.anchored == ANCHORED, found.verdicts[-1]
    names = [verdict.check.name for verdict in found.verdicts]
    assert names.index("anchor_is_shown") < names.index("root_is_anchored")
    altered = [*HOURS[:40], b"hour 40: 4.1 C", *HOURS[41:]]
    refused = by_record(tmp_path, make(), client, altered)
    assert refused.anchored is None and refused.verdicts[-1].check.name == "root_is_anchored"


def test_attack_F22_a_record_of_something_else_shows_no_anchor(tmp_path):
    for shown, client in (
        (chain_record(SLOTS[:1]), None),
        (chain_record(SLOTS[1:]), None),
        (chain_record([SlotPlace(ROUTER, slot) for slot in item_slots(PUBLISHER, 3)]), None),
        (chain_record(), CLIENT),
        (hub_record(), None),
        (hub_record(), "bft-evm-1"),
    ):
        found = by_record(tmp_path, shown, client)
        assert found.anchored is None and found.verdicts[-1].check.name == "anchor_is_shown"
    late = chain_record()
    found = by_record(tmp_path, replace(late, now_ns=late.now_ns + 10**6 * NANOSECONDS_PER_SECOND))
    assert found.anchored is None
    with pytest.raises(UnusableInput, match="--client"):
        by_record(tmp_path, hub_record(), "no client!")


def test_entries_are_files_or_lines(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"a\nb\n\nc")
    second.write_bytes(b"d\n")
    assert read_entries([first, second], lines=False) == (b"a\nb\n\nc", b"d\n")
    assert read_entries([first, second], lines=True) == (b"a", b"b", b"", b"c", b"d")
    second.write_bytes(b"")
    assert read_entries([second], lines=False) == (b"",)
    for files, lines, said in (
        ([second], True, "1 to"),
        ([tmp_path / "none"], False, "cannot be read"),
        ([tmp_path], False, tmp_path.name),
    ):
        with pytest.raises(UnusableInput, match=said):
            read_entries(files, lines=lines)
    second.write_bytes(bytes(65_537))
    for lines in (False, True):
        with pytest.raises(UnusableInput, match="more than 65536"):
            read_entries([second], lines=lines)
