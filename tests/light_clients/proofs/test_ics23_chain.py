"""The IBC door: chains of trees, proof bytes, and every bit of them (checklist B12 to B15, H)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import (
    MAX_PATH_ELEMENT_BYTES,
    MAX_PROOF_BYTES,
    MalformedInput,
    PredicateFailed,
    VerificationError,
    audit,
)
from hutong.light_clients.proofs import ics23
from hutong.light_clients.proofs.ics23 import IAVL_SPEC, SMT_SPEC, TENDERMINT_SPEC, codec, judge_chained, verify_chained
from hutong.light_clients.protobuf import ics23_pb2 as pb
from tests.light_clients.proofs.reference_trees import IavlTree, SparseTree, TendermintTree, items

SDK = (IAVL_SPEC, TENDERMINT_SPEC)
STORE = IavlTree(items(9))
BANK = IavlTree(items(9, salt=b"bank/"))
MULTISTORE = TendermintTree({b"acc": b"\1" * 32, b"bank": BANK.root, b"ibc": STORE.root, b"staking": b"\2" * 32})
KEY = STORE.keys[4]
ABSENT = b"key/003"
PATH = (b"ibc", KEY)
MEMBER = (STORE.existence(KEY), MULTISTORE.existence(b"ibc"))
NON_MEMBER = (STORE.non_existence(ABSENT), MULTISTORE.existence(b"ibc"))

HUB = SparseTree(items(12))
HUB_KEY = HUB.keys[3]
HUB_MEMBER = ics23.encode_merkle_proof((HUB.existence(HUB_KEY),))
HUB_ABSENT = ics23.encode_merkle_proof((HUB.non_existence(ABSENT),))


def encoded(proofs=MEMBER):
    return ics23.encode_merkle_proof(tuple(proofs))


def accept():
    verify_chained(SDK, encoded(), MULTISTORE.root, PATH, STORE.items[KEY])
    verify_chained(SDK, encoded(NON_MEMBER), MULTISTORE.root, (b"ibc", ABSENT), None)


def refuse(predicate, specs=SDK, proof=None, root=MULTISTORE.root, path=PATH, value=STORE.items[KEY]):
    with pytest.raises(PredicateFailed) as caught:
        verify_chained(specs, encoded() if proof is None else proof, root, path, value)
    assert caught.value.predicate == predicate


def test_members_and_absence_of_a_multistore_and_of_the_hub():
    accept()
    verify_chained((SMT_SPEC,), HUB_MEMBER, HUB.root, (HUB_KEY,), HUB.items[HUB_KEY])
    verify_chained((SMT_SPEC,), HUB_ABSENT, HUB.root, (ABSENT,), None)


def test_verdicts_name_the_tree():
    names = [v.name for v in audit(judge_chained, SDK, encoded(), MULTISTORE.root, PATH, STORE.items[KEY])]
    assert names[:2] == ["path_has_one_key_a_tree", "proof_has_one_proof_a_tree"]
    assert names[-1] == "tree_1.root_matches"
    assert "tree_0.key_matches" in names
    verdicts = audit(judge_chained, SDK, encoded(), MULTISTORE.root, PATH, b"other")
    assert (verdicts[-1].name, verdicts[-1].held) == ("tree_0.value_matches", False)


def test_attack_B12_proof_list_reversed_missing_extra():
    accept()
    refuse("leaf_conforms_to_spec", proof=encoded(MEMBER[::-1]))
    refuse("proof_has_one_proof_a_tree", proof=encoded(MEMBER[:1]))
    refuse("proof_has_one_proof_a_tree", proof=encoded((*MEMBER, MEMBER[1])))
    with pytest.raises(MalformedInput):
        verify_chained(SDK, b"", MULTISTORE.root, PATH, STORE.items[KEY])
    with pytest.raises(MalformedInput):
        verify_chained(SDK, encoded(MEMBER * 40), MULTISTORE.root, PATH, STORE.items[KEY])


def test_attack_B12_path_too_short_or_long():
    accept()
    refuse("path_has_one_key_a_tree", path=(KEY,))
    refuse("path_has_one_key_a_tree", path=(b"ibc", b"", KEY))
    refuse("path_has_one_key_a_tree", specs=(), path=())
    for path in ((b"", KEY), (b"ibc", b""), (b"ibc", b"k" * (MAX_PATH_ELEMENT_BYTES + 1))):
        with pytest.raises(MalformedInput):
            verify_chained(SDK, encoded(), MULTISTORE.root, path, STORE.items[KEY])


def test_attack_B12_absence_where_membership_is_needed_and_reverse():
    accept()
    refuse("proof_is_of_right_kind", proof=encoded(NON_MEMBER), path=(b"ibc", ABSENT), value=b"claimed")
    refuse("proof_is_of_right_kind", value=None)
    absent_store = (STORE.non_existence(ABSENT), MULTISTORE.non_existence(b"ibd"))
    refuse("proof_is_of_right_kind", proof=encoded(absent_store), path=(b"ibd", ABSENT), value=None)


def test_attack_B12_two_stores_swapped():
    accept()
    verify_chained(
        SDK,
        encoded((BANK.existence(BANK.keys[0]), MULTISTORE.existence(b"bank"))),
        MULTISTORE.root,
        (b"bank", BANK.keys[0]),
        BANK.items[BANK.keys[0]],
    )
    refuse("key_matches", proof=encoded((MEMBER[0], MULTISTORE.existence(b"bank"))))
    refuse("value_matches", proof=encoded((MEMBER[0], MULTISTORE.existence(b"bank"))), path=(b"bank", KEY))


def test_attack_B13_another_store_with_a_matching_sub_root():
    """The attacker's own store may hold the packet's key: the path names the store, not the proof."""
    accept()
    twin = TendermintTree({b"evil": STORE.root, b"ibc": BANK.root})
    proof = encoded((STORE.existence(KEY), twin.existence(b"evil")))
    verify_chained(SDK, proof, twin.root, (b"evil", KEY), STORE.items[KEY])
    refuse("key_matches", proof=proof, root=twin.root)


def test_attack_B14_specs_come_from_the_caller_only():
    """A tree of another kind verifies under its own spec and under none that the client did not choose."""
    accept()
    verify_chained((SMT_SPEC,), HUB_MEMBER, HUB.root, (HUB_KEY,), HUB.items[HUB_KEY])
    for spec in (IAVL_SPEC, TENDERMINT_SPEC):
        with pytest.raises(PredicateFailed):
            verify_chained((spec,), HUB_MEMBER, HUB.root, (HUB_KEY,), HUB.items[HUB_KEY])
    assert not {f.name for f in pb.MerkleProof.DESCRIPTOR.fields} - {"proofs"}


def test_attack_B15_batch_and_compressed_proofs():
    accept()
    exist = codec._existence_message(MEMBER[0])
    batch = pb.CommitmentProof(batch=pb.BatchProof(entries=[pb.BatchEntry(exist=exist)]))
    compressed = pb.CommitmentProof(
        compressed=pb.CompressedBatchProof(
            entries=[
                pb.CompressedBatchEntry(
                    exist=pb.CompressedExistenceProof(
                        key=exist.key, value=exist.value, leaf=exist.leaf, path=range(len(exist.path))
                    )
                )
            ],
            lookup_inners=exist.path,
        )
    )
    top = codec._commitment_message(MEMBER[1])
    for first in (batch, compressed):
        refuse("proof_is_single", proof=pb.MerkleProof(proofs=[first, top]).SerializeToString())
    opened = ics23.decode_commitment_proof(compressed.SerializeToString())
    assert opened == ics23.decode_commitment_proof(batch.SerializeToString()) == ics23.BatchProof((MEMBER[0],))


@pytest.mark.parametrize("index", [-1, 1, 2**31 - 1])
def test_attack_B15_compressed_index_outside_the_table(index):
    leaf = codec._leaf_message(MEMBER[0].leaf)
    entry = pb.CompressedExistenceProof(key=b"k", value=b"v", leaf=leaf, path=[0])
    batch = pb.CompressedBatchProof(
        entries=[pb.CompressedBatchEntry(exist=entry)], lookup_inners=[codec._inner_message(MEMBER[0].path[0])]
    )
    assert len(ics23.decompress(batch).entries) == 1
    batch.entries[0].exist.path[0] = index
    with pytest.raises(MalformedInput):
        ics23.decompress(batch)


def test_attack_B15_no_proof_inside():
    accept()
    for proof in (b"\x0a\x00", pb.MerkleProof(proofs=[pb.CommitmentProof(exist=pb.ExistenceProof(key=b"k"))])):
        raw = proof if isinstance(proof, bytes) else proof.SerializeToString()
        with pytest.raises(MalformedInput):
            verify_chained((SMT_SPEC,), raw, HUB.root, (HUB_KEY,), b"v")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda raw: raw + b"\x10\x01", id="unknown field at the end"),
        pytest.param(lambda raw: raw + b"\x00", id="trailing byte"),
        pytest.param(lambda raw: raw[:-1], id="cut short"),
        pytest.param(lambda raw: raw[:1] + bytes([raw[1] | 0x80 if raw[1] < 128 else raw[1]]) + raw[1:], id="length"),
        pytest.param(lambda raw: b"\x8a\x00" + raw[1:], id="tag varint not shortest"),
        pytest.param(lambda raw: raw + b"\x0a\x00", id="empty second proof"),
        pytest.param(lambda raw: raw * 2, id="twice"),
    ],
)
def test_attack_B15_proof_bytes_are_canonical(spoil):
    verify_chained((SMT_SPEC,), HUB_MEMBER, HUB.root, (HUB_KEY,), HUB.items[HUB_KEY])
    with pytest.raises(VerificationError):
        verify_chained((SMT_SPEC,), spoil(HUB_MEMBER), HUB.root, (HUB_KEY,), HUB.items[HUB_KEY])


def test_attack_B15_duplicate_oneof():
    verify_chained((SMT_SPEC,), HUB_MEMBER, HUB.root, (HUB_KEY,), HUB.items[HUB_KEY])
    exist = pb.MerkleProof.FromString(HUB_MEMBER).proofs[0].SerializeToString()
    absent = pb.MerkleProof.FromString(HUB_ABSENT).proofs[0].SerializeToString()
    for both in (exist + absent, absent + exist, exist + exist):
        wrapped = b"\x0a" + ics23.operations.encode_varint(len(both)) + both
        with pytest.raises(MalformedInput):
            verify_chained((SMT_SPEC,), wrapped, HUB.root, (HUB_KEY,), HUB.items[HUB_KEY])


def test_a_proof_above_the_size_bound_is_not_parsed():
    with pytest.raises(MalformedInput):
        verify_chained((SMT_SPEC,), bytes(MAX_PROOF_BYTES + 1), HUB.root, (HUB_KEY,), b"v")


def test_an_empty_value_is_refused():
    refuse("value_matches", value=b"")


@pytest.mark.parametrize(
    ("specs", "proof", "root", "path", "value"),
    [
        (SDK, encoded(), MULTISTORE.root, PATH, STORE.items[KEY]),
        (SDK, encoded(NON_MEMBER), MULTISTORE.root, (b"ibc", ABSENT), None),
        ((SMT_SPEC,), HUB_MEMBER, HUB.root, (HUB_KEY,), HUB.items[HUB_KEY]),
        ((SMT_SPEC,), HUB_ABSENT, HUB.root, (ABSENT,), None),
    ],
    ids=["sdk member", "sdk absent", "hub member", "hub absent"],
)
def test_every_changed_bit_of_a_proof_is_refused(specs, proof, root, path, value):
    """The accepted set is exactly the original: no byte of a proof is left unread."""
    verify_chained(specs, proof, root, path, value)
    for bit in range(8 * len(proof)):
        changed = bytearray(proof)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerificationError):
            verify_chained(specs, bytes(changed), root, path, value)


@given(st.binary(max_size=400))
def test_any_bytes_give_a_verdict(data):
    with pytest.raises(VerificationError):
        verify_chained((SMT_SPEC,), data, HUB.root, (HUB_KEY,), b"value")
    for decode in (ics23.decode_commitment_proof, ics23.decode_merkle_proof, ics23.decode_proof_spec):
        try:
            decode(data)
        except VerificationError:
            continue


@settings(max_examples=300)
@given(st.integers(0, len(HUB_MEMBER) - 1), st.integers(0, 40), st.binary(max_size=12))
def test_splices_of_a_proof_are_refused(start, length, replacement):
    changed = HUB_MEMBER[:start] + replacement + HUB_MEMBER[start + length :]
    if changed != HUB_MEMBER:
        with pytest.raises(VerificationError):
            verify_chained((SMT_SPEC,), changed, HUB.root, (HUB_KEY,), HUB.items[HUB_KEY])


@pytest.mark.parametrize("name", ["iavl", "tendermint", "smt"])
def test_specs_survive_their_encoding(name):
    spec = ics23.STANDARD_SPECS[name]
    assert ics23.decode_proof_spec(ics23.encode_proof_spec(spec)) == spec
    assert ics23.same_kind(spec, replace(spec, max_depth=9))
    assert [ics23.same_kind(spec, other) for other in ics23.STANDARD_SPECS.values()].count(True) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: m.ClearField("leaf_spec"),
        lambda m: m.ClearField("inner_spec"),
        lambda m: m.inner_spec.child_order.append(1),
        lambda m: m.inner_spec.ClearField("child_order"),
        lambda m: setattr(m.inner_spec, "child_size", 0),
        lambda m: setattr(m.inner_spec, "child_size", -1),
        lambda m: setattr(m.inner_spec, "min_prefix_length", -1),
        lambda m: setattr(m.inner_spec, "max_prefix_length", 0),
        lambda m: setattr(m.inner_spec, "empty_child", b"short"),
        lambda m: setattr(m, "max_depth", 257),
        lambda m: setattr(m, "min_depth", -1),
    ],
)
def test_a_spec_that_makes_no_tree_is_refused(spoil):
    message = ics23.spec_to_message(SMT_SPEC)
    ics23.spec_from_message(message)
    spoil(message)
    with pytest.raises(MalformedInput):
        ics23.spec_from_message(message)
