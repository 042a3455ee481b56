"""Many keys by one proof (checklist B15): a batch believes exactly what each of its proofs would show by itself.

Sharing is where a batch could go wrong: a path that joins the one before it is judged below the joint only. So batches are
forged one proof at a time after honest ones that share its tail, and each verdict is held to the proof's own.
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed, VerificationError, audit
from hutong.light_clients.proofs import ics23
from hutong.light_clients.proofs.ics23 import IAVL_SPEC, ExistenceProof, HashOp, InnerOp, NonExistenceProof
from hutong.light_clients.proofs.ics23.absence import judge_absence
from hutong.light_clients.proofs.ics23.claim import ExistenceClaim, judge_existence
from hutong.light_clients.proofs.ics23.codec import MAX_BATCH_ENTRIES
from hutong.light_clients.proofs.ics23.predicates import inner_nodes_conform_to_spec, inner_nodes_have_one_place
from hutong.light_clients.proofs.ics23.standard_form import has_standard_form
from hutong.light_clients.protobuf import ics23_pb2 as pb
from tests.light_clients.proofs.reference_trees import TREES, items, varint

FOREST = {name: kind(items(13)) for name, kind in TREES.items()}
KINDS = pytest.mark.parametrize("tree", FOREST.values(), ids=FOREST)
ABSENT = (b"a", b"key/003x", b"z")


def claims_of(tree):
    return [*tree.items.items(), *((key, None) for key in ABSENT)]


def proof_of(tree, key, value):
    return tree.non_existence(key) if value is None else tree.existence(key)


def batch_of(tree, claims):
    return ics23.encode_batch_proof(proof_of(tree, *claim) for claim in claims)


def fails(question):
    """The failed predicate or the kind of error; None where all held."""
    try:
        question()
    except PredicateFailed as error:
        return error.predicate
    except VerificationError as error:
        return type(error).__name__
    return None


@KINDS
def test_batch_shows_what_each_of_its_proofs_shows(tree):
    claims = claims_of(tree)
    data = batch_of(tree, claims)
    for order in (claims, claims[::-1], claims[3:5], [claims[0]] * 3):
        ics23.verify_batch(tree.spec, data, tree.root, order)
    plain = pb.CommitmentProof()
    for key, value in claims:
        single = pb.CommitmentProof.FromString(ics23.encode_commitment_proof(proof_of(tree, key, value)))
        entry = plain.batch.entries.add()
        field = "exist" if value is not None else "nonexist"
        getattr(entry, field).CopyFrom(getattr(single, field))
    ics23.verify_batch(tree.spec, plain.SerializeToString(deterministic=True), tree.root, claims)
    assert ics23.decode_commitment_proof(data) == ics23.decode_commitment_proof(plain.SerializeToString())
    alone = ics23.encode_commitment_proof(tree.existence(tree.keys[0]))
    ics23.verify_batch(tree.spec, alone, tree.root, [(tree.keys[0], tree.items[tree.keys[0]])])


@KINDS
def test_attack_B15_batch_with_one_lie(tree):
    claims = claims_of(tree)
    data = batch_of(tree, claims)
    ics23.verify_batch(tree.spec, data, tree.root, claims)
    for place, (key, value) in enumerate(claims):
        for lie in {b"other"} if value is None else {b"other", None, b""}:
            wrong = [*claims[:place], (key, lie), *claims[place + 1 :]]
            assert fails(lambda wrong=wrong: ics23.verify_batch(tree.spec, data, tree.root, wrong)), (key, lie)
    unasked = [*claims, (b"key/004x", None)]
    assert fails(lambda: ics23.verify_batch(tree.spec, data, tree.root, unasked)) == "batch_holds_key"
    for root in (bytes(32), tree.root[:31], tree.root[::-1]):
        assert fails(lambda root=root: ics23.verify_batch(tree.spec, data, root, claims)) in (
            "root_is_well_formed",
            "root_matches",
        )


@KINDS
def test_audit_of_a_batch_names_the_rules_of_single_proofs(tree):
    claims = [claims_of(tree)[at] for at in (0, 1, -1)]
    verdicts = audit(ics23.judge_batch, tree.spec, batch_of(tree, claims), tree.root, claims)
    assert all(verdict.held for verdict in verdicts)
    single = []
    for place, (key, value) in enumerate(claims):
        proof = ics23.encode_merkle_proof((proof_of(tree, key, value),))
        names = [v.name for v in audit(ics23.judge_chained, (tree.spec,), proof, tree.root, (key,), value)]
        single += [name.replace("tree_0.", f"item_{place}.") for name in names if name.startswith("tree_0.")]
    assert [verdict.name for verdict in verdicts] == ["items_are_well_formed", "batch_well_formed", *single]


@KINDS
def test_attack_B15_batch_bounds(tree):
    key = tree.keys[0]
    data = batch_of(tree, [(key, tree.items[key])])
    for asked in ([], [(key, tree.items[key])] * (MAX_BATCH_ENTRIES + 1), [(b"", b"v")], [(b"k" * 4097, b"v")]):
        with pytest.raises(MalformedInput):
            ics23.verify_batch(tree.spec, data, tree.root, asked)
    many = ics23.encode_batch_proof([tree.existence(key)] * (MAX_BATCH_ENTRIES + 1))
    for spoiled in (many, data[:-1], data + b"\x00", b"", b"\x22\x00"):
        assert fails(lambda spoiled=spoiled: ics23.verify_batch(tree.spec, spoiled, tree.root, [(key, b"v")]))


OPS = st.sampled_from(("prefix", "suffix", "hash", "drop", "double", "swap", "foreign"))


@st.composite
def forged_paths(draw, path, others):
    """One to three changes of a path; tails stay equal where nothing near the root is changed."""
    path = list(path)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(path) - 1)) if path else 0
        match draw(OPS):
            case "hash":
                path[at : at + 1] = [op._replace(hash=draw(st.integers(0, 11))) for op in path[at : at + 1]]
            case ("prefix" | "suffix") as field:
                for op in path[at : at + 1]:
                    data = bytearray(getattr(op, field))
                    cut = draw(st.integers(0, len(data)))
                    data[cut : cut + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
                    path[at] = op._replace(**{field: bytes(data)})
            case "drop":
                del path[at : at + 1]
            case "double":
                path[at:at] = path[at : at + 1]
            case "swap":
                path[at : at + 2] = path[at : at + 2][::-1]
            case "foreign":
                path[at : at + 1] = [draw(st.sampled_from(others))]
    return tuple(path)


@KINDS
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_attack_B15_forged_proof_after_an_honest_one_is_judged_as_alone(tree, data):
    keys = tree.keys
    honest, key = data.draw(st.sampled_from(keys)), data.draw(st.sampled_from(keys))
    others = [op for other in keys for op in tree.existence(other).path]
    proof = tree.existence(key)
    leaf = replace(proof.leaf, prefix=data.draw(st.sampled_from((proof.leaf.prefix, b"", b"\0\2\x0f", b"\0\2\x0e\0"))))
    forged = replace(proof, path=data.draw(forged_paths(proof.path, others)), leaf=leaf)
    root = data.draw(st.sampled_from((tree.root, None)))
    if root is None:
        root = tree.root if fails(lambda: ics23.calculate_root(forged)) else ics23.calculate_root(forged)
    first = tree.existence(honest)
    before = judge_existence(VERIFY, ExistenceClaim(tree.spec, first, tree.root, honest, first.value))
    alone = fails(lambda: ics23.verify_membership(tree.spec, forged, root, key, proof.value))
    after = ExistenceClaim(tree.spec, forged, root, key, proof.value, before)
    assert fails(lambda: judge_existence(VERIFY, after)) == alone
    if alone is None:
        assert after.nodes()[-1] == root


@KINDS
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_attack_B15_forged_neighbours_after_an_honest_proof_are_judged_as_alone(tree, data):
    key = data.draw(st.sampled_from([*ABSENT, *tree.keys]))
    sides = st.none() | st.sampled_from(tree.keys).map(tree.existence)
    proof = NonExistenceProof(key, data.draw(sides), data.draw(sides))
    first = tree.existence(data.draw(st.sampled_from(tree.keys)))
    before = judge_existence(VERIFY, ExistenceClaim(tree.spec, first, tree.root, first.key, first.value))
    alone = fails(lambda: ics23.verify_non_membership(tree.spec, proof, tree.root, key))
    assert fails(lambda: judge_absence(VERIFY, tree.spec, proof, tree.root, key, before)) == alone
    if alone is None:
        assert key not in tree.items


@KINDS
def test_claims_that_were_made_before_any_was_judged_are_judged_by_themselves(tree):
    """Collected first and run afterwards, in any order: what one joins is what had held when it was made."""
    claims = [ExistenceClaim(tree.spec, tree.existence(key), tree.root, key, tree.items[key]) for key in tree.keys]
    before = judge_existence(VERIFY, claims[5])
    claims += [ExistenceClaim(tree.spec, tree.existence(key), tree.root, key, b"lie", before) for key in tree.keys]
    for claim in claims[::-1]:
        refused = fails(lambda claim=claim: judge_existence(VERIFY, claim))
        assert refused == (None if claim.value != b"lie" else "value_matches")
        assert claim.nodes()[-1] == tree.root


@KINDS
def test_attack_B15_forged_value_after_an_honest_neighbour(tree):
    """All steps above are those of an honest proof; only the leaf below them is another."""
    for left, right in zip(tree.keys, tree.keys[1:], strict=False):
        honest = tree.existence(left)
        for proof in (tree.existence(right), honest):
            forged = replace(proof, value=b"forged")
            before = judge_existence(VERIFY, ExistenceClaim(tree.spec, honest, tree.root, left, honest.value))
            true = ExistenceClaim(tree.spec, proof, tree.root, proof.key, proof.value, before)
            assert fails(lambda true=true: judge_existence(VERIFY, true)) is None
            claim = ExistenceClaim(tree.spec, forged, tree.root, proof.key, forged.value, before)
            assert fails(lambda claim=claim: judge_existence(VERIFY, claim)) == "root_matches"


def test_attack_B5_steps_that_a_longer_path_lifts_are_judged_at_their_new_layers():
    """A node of height 2 may be the second step of a path but not the third."""
    leaf = FOREST["iavl"].existence_of_leaf(FOREST["iavl"].keys[0])
    low = InnerOp(HashOp.SHA256, varint(1) + varint(2) + varint(7) + b"\x20", b"\x20" + b"\7" * 32)
    high = InnerOp(HashOp.SHA256, varint(2) + varint(4) + varint(7) + b"\x20", b"\x20" + b"\7" * 32)

    def claim(proof, before=None):
        return ExistenceClaim(IAVL_SPEC, proof, ics23.calculate_root(proof), leaf.key, leaf.value, before)

    before = judge_existence(VERIFY, claim(replace(leaf, path=(low, high))))
    long, shorter = replace(leaf, path=(low, low, high)), replace(leaf, path=(high,))
    assert fails(lambda: judge_existence(VERIFY, claim(long, before))) == "inner_nodes_conform_to_spec"
    assert fails(lambda: judge_existence(VERIFY, claim(shorter, before))) is None


BYTES = st.sampled_from(
    [b"\1", b"\0", b"\2", b"\x04", b"\x0e", b"\x80\x01", b"\x82\x80\x01", b"\x20", b"\x80\0", b"\x81\x01"]
)
PREFIXES = st.builds(
    lambda head, body, tail: head + body + tail,
    st.lists(BYTES, min_size=1, max_size=4).map(b"".join),
    st.sampled_from([b"", b"\x20", b"\x20" + b"\n" * 32, b"\n" * 32, b"\n" * 31]),
    st.sampled_from([b"", b"\x20"]),
)
SUFFIXES = st.sampled_from([b"", b"\x20" + b"\n" * 32, b"\n" * 32, b"\n" * 33, b"\x20" + b"\n" * 31, b"\n" * 66])


@KINDS
@settings(max_examples=150, deadline=None)
@given(st.lists(st.builds(InnerOp, st.sampled_from((1, 1, 1, 2)), PREFIXES, SUFFIXES), max_size=3).map(tuple))
def test_standard_form_keeps_the_rules_that_it_stands_for(tree, path):
    proof = ExistenceProof(b"k", b"v", tree.spec.leaf_spec, path)
    kept = not fails(lambda: inner_nodes_conform_to_spec(proof, tree.spec)) and not fails(
        lambda: inner_nodes_have_one_place(proof, tree.spec)
    )
    if has_standard_form(tree.spec, path, len(path)):
        assert kept
    elif kept:
        # Only varints longer than any real one are left to the rules.
        assert any(len(op.prefix) > 6 for op in path)


@KINDS
def test_every_honest_path_has_the_standard_form(tree):
    for key in tree.keys:
        path = tree.existence(key).path
        assert has_standard_form(tree.spec, path, len(path))
    assert not has_standard_form(
        replace(tree.spec, inner_spec=replace(tree.spec.inner_spec, child_size=31)), path, len(path)
    )
    assert has_standard_form(replace(tree.spec, max_depth=17), path, len(path))
