"""Area ics23: single and batch proofs, and the reference's tables for ops and specs."""

import base64
from collections.abc import Iterator
from dataclasses import replace

from google.protobuf.json_format import ParseDict

from hutong.light_clients.interface import VERIFY, VerificationError
from hutong.light_clients.proofs import ics23
from hutong.light_clients.proofs.ics23 import codec, neighbours, operations, predicates
from hutong.light_clients.protobuf import ics23_pb2 as pb
from tests.vectors.vector_registry import Entry, Group, Verification, runs


def refused(call) -> bool:
    try:
        call()
    except VerificationError:
        return True
    return False


def verify_item(spec, proof, root, key, value):
    """Membership, or with an empty value non-membership."""
    if value:
        assert isinstance(proof, ics23.ExistenceProof)
        ics23.verify_membership(spec, proof, root, key, value)
    else:
        assert isinstance(proof, ics23.NonExistenceProof)
        ics23.verify_non_membership(spec, proof, root, key)


def flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


@runs("ics23-single")
def single(entry: Entry, group: Group) -> Iterator[Verification]:
    case = {name: bytes.fromhex(text) for name, text in entry.json().items()}
    spec = ics23.STANDARD_SPECS[entry.params["spec"]]
    proof = ics23.decode_commitment_proof(case["proof"])
    key, value, root = case["key"], case["value"], case["root"]

    def run():
        verify_item(spec, proof, root, key, value)
        wrapped = pb.MerkleProof(proofs=[pb.CommitmentProof.FromString(case["proof"])]).SerializeToString()
        ics23.verify_chained((spec,), wrapped, root, (key,), value or None)
        assert refused(lambda: verify_item(spec, proof, flipped(root), key, value)), "changed root"
        if value:
            assert refused(lambda: verify_item(spec, proof, root, flipped(key), value)), "changed key"
            assert refused(lambda: verify_item(spec, proof, root, key, flipped(value))), "changed value"
        for neighbour in () if value else filter(None, (proof.left, proof.right)):
            assert refused(lambda k=neighbour.key: verify_item(spec, replace(proof, key=k), root, k, b""))

    yield Verification("membership" if value else "non-membership", run)


def entry_for(spec, batch, key, value):
    wanted = ics23.comparison_key(spec, key)
    for proof in batch.entries:
        if value and isinstance(proof, ics23.ExistenceProof) and proof.key == key:
            return proof
        if not value and isinstance(proof, ics23.NonExistenceProof):
            left = proof.left is None or ics23.comparison_key(spec, proof.left.key) < wanted
            right = proof.right is None or wanted < ics23.comparison_key(spec, proof.right.key)
            if left and right:
                return proof
    raise AssertionError("no proof of the item in the batch")


@runs("ics23-batch")
def batch(entry: Entry, group: Group) -> Iterator[Verification]:
    case = entry.json()
    spec = ics23.STANDARD_SPECS[entry.params["spec"]]
    root = bytes.fromhex(case["root"])
    proofs = ics23.decode_commitment_proof(bytes.fromhex(case["proof"]))
    for item in case["items"]:
        key, value = bytes.fromhex(item["key"]), bytes.fromhex(item["value"] or "")

        def run(key=key, value=value):
            verify_item(spec, entry_for(spec, proofs, key, value), root, key, value)

        yield Verification(f"item {key.hex()}", run)


def bytes_of(case: dict, name: str) -> bytes:
    return base64.b64decode(case.get(name) or "")


def message(message_type, raw):
    return ParseDict(raw or {}, message_type(), ignore_unknown_fields=True)


@runs("ics23-vec-leaf-op")
def leaf_op(entry: Entry, group: Group) -> Iterator[Verification]:
    for name, case in entry.json().items():
        op = codec.leaf_from_message(message(pb.LeafOp, case["Op"]))

        def run(case=case, op=op):
            got = operations.apply_leaf(op, bytes_of(case, "Key"), bytes_of(case, "Value"))
            assert got == bytes_of(case, "Expected")

        yield Verification(name, run, valid=not case["IsErr"])


@runs("ics23-vec-inner-op")
def inner_op(entry: Entry, group: Group) -> Iterator[Verification]:
    for name, case in entry.json().items():
        (op,) = codec.path_from_messages([message(pb.InnerOp, case["Op"])])

        def run(case=case, op=op):
            assert operations.apply_inner(op, bytes_of(case, "Child")) == bytes_of(case, "Expected")

        yield Verification(name, run, valid=not case["IsErr"])


@runs("ics23-vec-do-hash")
def do_hash(entry: Entry, group: Group) -> Iterator[Verification]:
    for name, raw in entry.json().items():
        case = {field.lower(): value for field, value in raw.items()}

        def run(case=case):
            got = operations.apply_hash(case["hashop"], case["preimage"].encode())
            assert got == bytes.fromhex(case["expectedhash"])

        yield Verification(name, run)


@runs("ics23-vec-existence")
def existence(entry: Entry, group: Group) -> Iterator[Verification]:
    for name, case in entry.json().items():

        def run(case=case):
            proof = codec.existence_from_message(message(pb.ExistenceProof, case["Proof"]))
            assert ics23.calculate_root(proof) == bytes_of(case, "Expected")

        yield Verification(name, run, valid=not case["IsErr"])


@runs("ics23-vec-check-leaf")
def check_leaf(entry: Entry, group: Group) -> Iterator[Verification]:
    for name, case in entry.json().items():

        def run(case=case):
            leaf = codec.leaf_from_message(message(pb.LeafOp, case["Leaf"]))
            predicates.leaf_conforms(leaf, codec.leaf_from_message(message(pb.LeafOp, case["Spec"])))

        yield Verification(name, run, valid=not case["IsErr"])


@runs("ics23-vec-check-spec")
def check_spec(entry: Entry, group: Group) -> Iterator[Verification]:
    """The reference's rules alone: its fixtures hold paths that no real tree has, which our stricter rules refuse."""
    for name, case in entry.json().items():

        def run(case=case):
            proof = codec.existence_from_message(message(pb.ExistenceProof, case["Proof"]))
            spec = codec.spec_from_message(message(pb.ProofSpec, case["Spec"]))
            claim = ics23.ExistenceClaim(spec, proof, b"", proof.key, proof.value)
            ics23.judge_reference_shape(VERIFY, claim)

        yield Verification(name, run, valid=not case["Err"])


@runs("ics23-vec-empty-branch")
def empty_branch(entry: Entry, group: Group) -> Iterator[Verification]:
    for index, case in enumerate(entry.json()):

        def run(case=case):
            spec = codec.spec_from_message(message(pb.ProofSpec, case["Spec"])).inner_spec
            (op,) = codec.path_from_messages([message(pb.InnerOp, case["Op"])])
            assert neighbours.left_branches_are_empty(spec, op) == case["IsLeft"]
            assert neighbours.right_branches_are_empty(spec, op) == case["IsRight"]

        yield Verification(f"case {index}", run)
