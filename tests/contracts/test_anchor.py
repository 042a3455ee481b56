"""Anchor: a list of roots for each publisher whose windows only go on, and paths that lead to a root from one place."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.proofs import merkle
from hutong.relay.archive.anchored_root import AnchoredRoot, count_slot, item_slots
from tests.contracts.evm import Contract, Evm, Reverted

PUBLISHER, OTHER = b"\x21" * 20, b"\x22" * 20
ROOT = b"\x33" * 32
MAX_COUNT = 2**63 - 1
SPEC = Path(__file__).resolve().parents[2] / "docs" / "spec" / "anchors.md"
VECTORS = {
    name: bytes.fromhex(text) for name, text in re.findall(r"\| `(\w+)` \| `0x([0-9a-f]+)` \|", SPEC.read_text())
}
GAS_BOUNDS = {"first": 120_000, "next": 105_000}


@pytest.fixture(params=["paris", "prague"])
def contract(request):
    """A fresh one under each fork that chains run."""
    return Evm(request.param).deploy("Anchor")


def anchor(contract: Contract, window: tuple[int, int], root: bytes = ROOT, count: int = 5, sender: bytes = PUBLISHER):
    return contract.transact("anchor", root, count, *window, sender=sender)


def refused(contract: Contract, *arguments, **options) -> tuple[str, tuple]:
    with pytest.raises(Reverted) as caught:
        anchor(contract, *arguments, **options)
    return caught.value.name, caught.value.arguments


def test_a_publishers_windows_stand_in_order(contract):
    now_s = contract.evm.timestamp_s
    outcome = anchor(contract, (now_s - 100, now_s - 50))
    assert outcome.value == 0 and outcome.gas_used < GAS_BOUNDS["first"]
    (event,) = outcome.named("RootAnchored")
    assert event == {
        "publisher": f"0x{PUBLISHER.hex()}",
        "index": 0,
        "root": ROOT,
        "count": 5,
        "fromTime": now_s - 100,
        "toTime": now_s - 50,
        "anchoredAt": now_s,
    }
    outcome = anchor(contract, (now_s - 50, now_s), b"\x44" * 32, MAX_COUNT)
    assert outcome.value == 1 and outcome.gas_used < GAS_BOUNDS["next"]
    assert contract.call("countOf", PUBLISHER) == 2 and contract.call("countOf", OTHER) == 0
    assert contract.call("anchorAt", PUBLISHER, 0) == (ROOT, 5, now_s - 100, now_s - 50, now_s)
    assert contract.call("anchorAt", PUBLISHER, 1) == (b"\x44" * 32, MAX_COUNT, now_s - 50, now_s, now_s)


def test_attack_F22_contract_windows_never_overlap_go_back_or_end_later(contract):
    now_s = contract.evm.timestamp_s
    assert refused(contract, (now_s - 9, now_s + 1)) == ("WindowNotOver", (now_s + 1, now_s))
    anchor(contract, (now_s - 20, now_s - 10))
    assert refused(contract, (now_s - 11, now_s)) == ("WindowGoesBack", (now_s - 11, now_s - 10))
    assert refused(contract, (now_s - 20, now_s - 10)) == ("WindowGoesBack", (now_s - 20, now_s - 10))
    assert refused(contract, (now_s - 40, now_s - 30)) == ("WindowGoesBack", (now_s - 40, now_s - 10))
    assert refused(contract, (now_s - 5, now_s - 5)) == ("EmptyWindow", (now_s - 5, now_s - 5))
    assert refused(contract, (now_s - 4, now_s - 5)) == ("EmptyWindow", (now_s - 4, now_s - 5))
    assert contract.call("countOf", PUBLISHER) == 1
    assert anchor(contract, (now_s - 15, now_s - 12), sender=OTHER).value == 0  # another publisher's list is its own
    assert anchor(contract, (now_s - 10, now_s)).value == 1


def test_attack_F22_contract_no_tree_of_no_entries_and_no_zero_root(contract):
    window = (1, 2)
    assert refused(contract, window, bytes(32)) == ("ZeroRoot", ())
    assert refused(contract, window, ROOT, 0) == ("InvalidCount", (0,))
    assert refused(contract, window, ROOT, MAX_COUNT + 1) == ("InvalidCount", (MAX_COUNT + 1,))
    assert anchor(contract, window, ROOT, 1).value == 0 and anchor(contract, (2, 3), ROOT, MAX_COUNT).value == 1


def test_an_index_that_is_not_there_is_named(contract):
    anchor(contract, (1, 2))
    for call in (("anchorAt", PUBLISHER, 1), ("includes", PUBLISHER, 1, b"", 0, [])):
        with pytest.raises(Reverted) as caught:
            contract.call(*call)
        assert (caught.value.name, caught.value.arguments) == ("UnknownAnchor", ("0x" + PUBLISHER.hex(), 1, 1))


def test_storage_is_where_a_record_looks_for_it(contract):
    now_s = contract.evm.timestamp_s
    written = [
        AnchoredRoot(b"\1" * 32, 3, 7, 9, now_s),
        AnchoredRoot(b"\2" * 32, 2**40, now_s - 5, now_s, now_s),
    ]
    for each in written:
        anchor(contract, (each.from_time_s, each.to_time_s), each.root, each.count)
    for index, each in enumerate(written):
        words = tuple(word_at(contract, slot) for slot in item_slots(PUBLISHER, index))
        assert words == each.words and AnchoredRoot.of_words(*words) == each
    assert int.from_bytes(word_at(contract, count_slot(PUBLISHER)), "big") == 2


def word_at(contract: Contract, slot: bytes) -> bytes:
    return contract.evm.storage(contract.address, int.from_bytes(slot, "big")).to_bytes(32, "big")


def test_vectors_of_the_page_hold_in_contract_and_python():
    contract = Evm(timestamp_s=1_700_018_012).deploy("Anchor")
    entries = [f"hour {hour}".encode() for hour in range(5)]
    assert merkle.leaf_hash(entries[0]) == VECTORS["leaf_0"] and merkle.root(entries) == VECTORS["root"]
    assert b"".join(merkle.prove(entries, 4).aunts) == VECTORS["path_of_4"]
    assert b"".join(merkle.prove(entries, 1).aunts) == VECTORS["path_of_1"]
    anchor(contract, (1, 2))
    anchor(contract, (1_700_000_000, 1_700_018_000), VECTORS["root"])
    assert count_slot(PUBLISHER) == VECTORS["slot_of_count"]
    assert item_slots(PUBLISHER, 1) == (VECTORS["slot_of_root"], VECTORS["slot_of_window"])
    assert word_at(contract, VECTORS["slot_of_root"]) == VECTORS["root"]
    assert word_at(contract, VECTORS["slot_of_window"]) == VECTORS["word_of_window"]
    for index, name in ((4, "path_of_4"), (1, "path_of_1")):
        path = [VECTORS[name][at : at + 32] for at in range(0, len(VECTORS[name]), 32)]
        assert contract.call("includes", PUBLISHER, 1, entries[index], index, path)


ENTRIES = st.lists(st.binary(max_size=70), min_size=1, max_size=24)


@given(ENTRIES, st.data())
@settings(max_examples=40, deadline=None)
def test_includes_says_what_python_says(entries, draw):
    contract = one_window(entries)
    index = draw.draw(st.integers(0, len(entries) - 1))
    proof = merkle.prove(entries, index)
    merkle.verify(proof, merkle.root(entries), entries[index])
    assert includes(contract, entries[index], index, proof.aunts)
    place = draw.draw(st.integers(0, len(entries) + 2))
    leaf = draw.draw(st.sampled_from([*entries, b"another"]))
    forged = merkle.MerkleProof(len(entries), place, merkle.leaf_hash(leaf), proof.aunts)
    try:
        merkle.verify(forged, merkle.root(entries), leaf)
        expected = True
    except PredicateFailed:
        expected = False
    assert includes(contract, leaf, place, proof.aunts) is expected


def one_window(entries: list[bytes]) -> Contract:
    contract = Evm().deploy("Anchor")
    anchor(contract, (1, 2), merkle.root(entries), len(entries))
    return contract


def includes(contract: Contract, leaf: bytes, index: int, path) -> bool:
    return contract.call("includes", PUBLISHER, 0, leaf, index, list(path))


def test_attack_B45_contract_a_path_is_of_one_place():
    entries = [b"%d" % number for number in range(7)]
    contract = one_window(entries)
    path = merkle.prove(entries, 6).aunts
    assert includes(contract, entries[6], 6, path)
    assert not any(includes(contract, entries[6], index, path) for index in (0, 2, 4, 5, 7, 14, 2**64 - 1))
    assert not includes(contract, entries[6], 6, path[:-1]) and not includes(contract, entries[6], 6, path[1:])
    assert not includes(contract, entries[6], 6, [*path, bytes(32)]) and not includes(contract, entries[6], 6, [])


def test_attack_B47_contract_an_inner_node_is_no_entry():
    entries = [b"a", b"b", b"c", b"d"]
    contract = one_window(entries)
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    above = merkle.prove(entries, 0).aunts[1]
    assert includes(contract, b"a", 0, [right, above])
    for leaf in (left + right, b"\1" + left + right, merkle.inner_hash(left, right)):
        assert not includes(contract, leaf, 0, [above]) and not includes(contract, leaf, 0, [right, above])


def test_attack_F22_contract_an_entry_changed_moved_or_left_out_is_not_included():
    hours = [b"hour %d: 4.2 C" % hour for hour in range(72)]
    contract = one_window(hours)
    proof = merkle.prove(hours, 40)
    assert includes(contract, hours[40], 40, proof.aunts)
    assert not includes(contract, b"hour 40: 4.1 C", 40, proof.aunts)
    assert not includes(contract, hours[40], 41, proof.aunts)
    left_out = [hour for at, hour in enumerate(hours) if at != 13]
    moved = merkle.prove(left_out, 39)
    assert not includes(contract, hours[40], 39, moved.aunts) and not includes(contract, hours[40], 40, moved.aunts)
