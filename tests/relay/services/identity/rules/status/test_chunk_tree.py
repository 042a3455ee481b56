"""The chunk tree of a list record: what is proven of it, and what passes for a proof."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.status import (
    MAX_LIST_SIZE,
    ChunkChange,
    ChunkProof,
    ListUpdate,
    TreeShape,
    chunk_stands_under_root,
    decode_chunk_proof,
    decode_update,
    empty_root,
    encode_chunk_proof,
    encode_update,
    index_is_below_size,
    judge_update,
    list_root,
    pack_statuses,
    path_has_the_trees_depth,
)
from hutong.relay.services.identity.rules.status.chunk_tree import layers_of, prove_chunk
from hutong.relay.services.identity.rules.status.chunk_update import prove_update
from tests.relay.services.identity.rules.status.status_strategies import lists

SHAPE = TreeShape(1, 2048)
OCTETS = pack_statuses(1, 2048, {3: 1, 300: 1, 1023: 1, 2047: 1}).octets
ROOT = list_root(SHAPE, OCTETS)
LAYERS = layers_of(SHAPE, OCTETS)


def judge_chunk(shape: TreeShape, root: bytes, index: int, proof: ChunkProof) -> None:
    number = shape.chunk_of(index)
    path_has_the_trees_depth(shape, proof)
    chunk_stands_under_root(root, number, proof)


def raised(octets: bytes, number: int, chunk: bytes) -> bytes:
    old = octets[32 * number : 32 * number + 32]
    return bytes(one | other for one, other in zip(old, chunk, strict=True))


@settings(max_examples=15, deadline=None)
@given(lists(), st.data())
def test_every_chunk_is_proven_and_no_other_stands_in_its_place(made, data):
    shape, octets = made
    layers = layers_of(shape, octets)
    index = data.draw(st.integers(0, shape.size - 1))
    proof = prove_chunk(layers, shape.chunk_of(index))
    judge_chunk(shape, layers[-1][0], index, decode_chunk_proof(encode_chunk_proof(proof)))
    forged = replace(proof, chunk=bytes([proof.chunk[0] ^ 1]) + proof.chunk[1:])
    with pytest.raises(PredicateFailed):
        judge_chunk(shape, layers[-1][0], index, forged)


@settings(max_examples=15, deadline=None)
@given(lists(), st.data())
def test_every_update_that_raises_bits_leads_to_the_root_of_the_new_list(made, data):
    shape, octets = made
    masks = st.binary(min_size=32, max_size=32)
    drawn = data.draw(st.dictionaries(st.integers(0, shape.chunks - 1), masks, min_size=1, max_size=5))
    after = {number: raised(octets, number, mask) for number, mask in drawn.items()}
    after = {number: chunk for number, chunk in after.items() if chunk != octets[32 * number : 32 * number + 32]}
    update = decode_update(encode_update(prove_update(shape, octets, after)))
    new = bytearray(octets)
    for number, chunk in after.items():
        new[32 * number : 32 * number + 32] = chunk
    if after:
        assert judge_update(VERIFY, shape, list_root(shape, octets), update) == list_root(shape, bytes(new))
    else:
        with pytest.raises(PredicateFailed, match="changes nothing"):
            judge_update(VERIFY, shape, list_root(shape, octets), update)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_proof_or_update_to_the_byte_or_refused(data):
    for decode, encode in ((decode_chunk_proof, encode_chunk_proof), (decode_update, encode_update)):
        try:
            value = decode(data)
        except MalformedInput:
            continue
        assert encode(value) == data


def test_an_empty_list_has_the_root_that_it_is_opened_with():
    for bits, size in ((1, 256), (8, 32), (4, 2**12)):
        shape = TreeShape(bits, size)
        assert empty_root(shape) == list_root(shape, bytes(size * bits // 8))


@pytest.mark.parametrize("bits", [0, 3, 5, 16, -1, True, 1.0, "1", None])
def test_attack_N24_no_list_has_statuses_of_another_width(bits):
    with pytest.raises(MalformedInput, match=r"1, 2, 4 or 8"):
        TreeShape(bits, 2048)
    TreeShape(8, 2048)


@pytest.mark.parametrize("size", [0, -256, 255, 257, 1000, MAX_LIST_SIZE * 2, 2**32, 2048.0, True])
def test_a_size_is_a_power_of_two_within_bounds(size):
    with pytest.raises(MalformedInput):
        TreeShape(1, size)


@pytest.mark.parametrize("index", [2048, 2049, 2**32, 2**64, -1])
def test_attack_N22_tree_index_at_or_after_the_end(index):
    with pytest.raises(PredicateFailed) as refused:
        SHAPE.chunk_of(index)
    assert (refused.value.predicate, refused.value.got, refused.value.expected) == ("index_is_below_size", index, 2048)
    index_is_below_size(SHAPE, 2047)


def test_attack_N23_the_chunk_of_another_index_or_list():
    proof = prove_chunk(LAYERS, SHAPE.chunk_of(300))
    judge_chunk(SHAPE, ROOT, 300, proof)
    with pytest.raises(PredicateFailed, match="another root"):
        judge_chunk(SHAPE, ROOT, 600, proof)
    other = list_root(SHAPE, pack_statuses(1, 2048, {300: 1}).octets)
    with pytest.raises(PredicateFailed, match="another root"):
        judge_chunk(SHAPE, other, 300, proof)


def test_attack_N28_a_node_of_the_tree_as_chunk():
    """A parent is 32 bytes as a chunk is; under the shorter path it leads to the root, and only the depth tells."""
    parent = ChunkProof(LAYERS[1][0], prove_chunk(LAYERS, 0).siblings[1:])
    chunk_stands_under_root(ROOT, 0, parent)
    with pytest.raises(PredicateFailed, match="path_has_the_trees_depth"):
        judge_chunk(SHAPE, ROOT, 0, parent)
    with pytest.raises(PredicateFailed, match="path_has_the_trees_depth"):
        judge_chunk(SHAPE, ROOT, 0, ChunkProof(ROOT, ()))


def test_attack_N28_a_path_longer_than_the_tree():
    """A chunk's 32 bytes as the hash of two halves that the forger knows: it cannot, but the length is refused before."""
    long = ChunkProof(bytes(32), (bytes(32), *prove_chunk(LAYERS, 0).siblings))
    with pytest.raises(PredicateFailed, match="path_has_the_trees_depth"):
        judge_chunk(SHAPE, ROOT, 0, long)
    judge_chunk(SHAPE, ROOT, 0, prove_chunk(LAYERS, 0))


def test_attack_N28_proofs_in_another_encoding():
    data = encode_chunk_proof(prove_chunk(LAYERS, 1))
    assert decode_chunk_proof(data) == prove_chunk(LAYERS, 1)
    changed = [data + bytes(32), data[:-1], data[:-32], b"", data.replace(bytes([1]), bytes([2]), 1)]
    changed.append(data[:31] + b"\x40" + data[32:])
    for forged in changed:
        with pytest.raises(MalformedInput):
            decode_chunk_proof(forged)
    with pytest.raises(MalformedInput, match="1024 bytes"):
        decode_chunk_proof(data + bytes(1024))


def honest_update() -> ListUpdate:
    after = {1: raised(OCTETS, 1, b"\x80" + bytes(31)), 4: b"\xff" * 32, 5: raised(OCTETS, 5, b"\x01" * 32)}
    return prove_update(SHAPE, OCTETS, after)


def refused_update(update: ListUpdate, rule: str) -> None:
    with pytest.raises(PredicateFailed) as refused:
        judge_update(VERIFY, SHAPE, ROOT, update)
    assert refused.value.predicate == rule


def test_attack_N29_an_update_that_lowers_a_bit():
    judge_update(VERIFY, SHAPE, ROOT, honest_update())
    refused_update(prove_update(SHAPE, OCTETS, {0: bytes(32)}), "bits_only_rise")
    swapped = pack_statuses(1, 2048, {4: 1}).octets[:32]
    refused_update(prove_update(SHAPE, OCTETS, {0: swapped}), "bits_only_rise")


def test_attack_N29_invalid_does_not_become_suspended():
    shape, octets = TreeShape(2, 128), pack_statuses(2, 128, {9: 1}).octets
    for value, rises in ((3, True), (2, False)):
        update = prove_update(shape, octets, {0: pack_statuses(2, 128, {9: value}).octets})
        if rises:
            judge_update(VERIFY, shape, list_root(shape, octets), update)
        else:
            with pytest.raises(PredicateFailed, match="a bit falls"):
                judge_update(VERIFY, shape, list_root(shape, octets), update)


def test_attack_N29_an_update_of_what_the_list_does_not_hold():
    update = honest_update()
    lied = tuple(replace(change, before=bytes(32)) for change in update.changes)
    refused_update(replace(update, changes=lied), "update_leads_from_root")
    other = pack_statuses(1, 2048, {5: 1}).octets
    refused_update(prove_update(SHAPE, other, {0: b"\xff" * 32}), "update_leads_from_root")


def test_attack_N29_an_update_with_parts_out_of_order_unused_or_missing():
    update = honest_update()
    first, *rest = update.changes
    refused_update(replace(update, changes=()), "changes_ascend_within_list")
    refused_update(replace(update, changes=update.changes[::-1]), "changes_ascend_within_list")
    refused_update(replace(update, changes=(first, first, *rest)), "changes_ascend_within_list")
    beyond = ChunkChange(SHAPE.chunks, bytes(32), b"\1" * 32)
    refused_update(replace(update, changes=(*update.changes, beyond)), "changes_ascend_within_list")
    idle = ChunkChange(0, OCTETS[:32], OCTETS[:32])
    refused_update(replace(update, changes=(idle, *update.changes)), "bits_only_rise")
    refused_update(replace(update, siblings=update.siblings[:-1]), "update_leads_from_root")
    refused_update(replace(update, siblings=(*update.siblings, bytes(32))), "update_leads_from_root")
    refused_update(replace(update, siblings=update.siblings[::-1]), "update_leads_from_root")


def test_attack_N29_updates_in_another_encoding():
    data = encode_update(honest_update())
    assert decode_update(data) == honest_update()
    for forged in (data + bytes(32), data[:-1], data[32:], data.replace(bytes([1]), bytes([2]), 1)):
        with pytest.raises(VerificationError):
            decode_update(forged)


def test_a_whole_list_is_sealed_by_one_update():
    shape = TreeShape(1, 2**16)
    octets = bytes(2**13)
    update = prove_update(shape, octets, dict.fromkeys(range(shape.chunks), b"\xff" * 32))
    assert update.siblings == ()
    sealed = judge_update(VERIFY, shape, empty_root(shape), decode_update(encode_update(update)))
    node = b"\xff" * 32
    for _ in range(shape.depth):
        node = hashlib.sha256(node + node).digest()
    assert sealed == node
