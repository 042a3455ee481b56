"""The vectors of docs/spec/identity-status.md are what the code makes and reads, and what SSZ makes of the same bytes."""

import json
from pathlib import Path

from remerkleable.byte_arrays import ByteVector

from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.status import (
    TreeShape,
    chunk_stands_under_root,
    decode_chunk_proof,
    decode_update,
    encode_chunk_proof,
    encode_update,
    judge_update,
    list_root,
    pack_statuses,
    path_has_the_trees_depth,
    status_in_chunk,
)
from hutong.relay.services.identity.rules.status.chunk_tree import layers_of, prove_chunk
from hutong.relay.services.identity.rules.status.chunk_update import changed_chunks, prove_update

PAGE = Path(__file__).resolve().parents[6] / "docs" / "spec" / "identity-status.md"
LISTS = json.loads(PAGE.read_text().partition("```json")[2].partition("```")[0])


def by_index(values: dict[str, int]) -> dict[int, int]:
    return {int(index): value for index, value in values.items()}


def test_roots_are_those_of_ssz():
    for listed in LISTS:
        octets = pack_statuses(listed["bits"], listed["size"], by_index(listed["statuses"])).octets
        assert list_root(TreeShape(listed["bits"], listed["size"]), octets).hex() == listed["root"]
        assert ByteVector[len(octets)](octets).hash_tree_root().hex() == listed["root"]


def test_chunk_proofs_are_made_read_and_believed():
    for listed in LISTS:
        shape, statuses, index = (
            TreeShape(listed["bits"], listed["size"]),
            by_index(listed["statuses"]),
            listed["index"],
        )
        layers = layers_of(shape, pack_statuses(shape.bits, shape.size, statuses).octets)
        assert encode_chunk_proof(prove_chunk(layers, shape.chunk_of(index))).hex() == listed["chunk_proof"]
        proof = decode_chunk_proof(bytes.fromhex(listed["chunk_proof"]))
        path_has_the_trees_depth(shape, proof)
        chunk_stands_under_root(bytes.fromhex(listed["root"]), shape.chunk_of(index), proof)
        assert status_in_chunk(shape, proof.chunk, index) == statuses[index]


def test_updates_are_made_read_and_lead_to_the_next_root():
    for listed in LISTS:
        shape, before = TreeShape(listed["bits"], listed["size"]), by_index(listed["statuses"])
        after = dict(before)
        for index, value in by_index(listed["risen"]).items():
            after[index] = after.get(index, 0) | value
        old, new = (pack_statuses(shape.bits, shape.size, values).octets for values in (before, after))
        assert encode_update(prove_update(shape, old, changed_chunks(old, new))).hex() == listed["update"]
        update = decode_update(bytes.fromhex(listed["update"]))
        assert judge_update(VERIFY, shape, bytes.fromhex(listed["root"]), update).hex() == listed["next_root"]
        assert list_root(shape, new).hex() == listed["next_root"]
