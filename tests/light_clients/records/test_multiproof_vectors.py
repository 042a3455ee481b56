"""The multiproof of docs/spec/records.md is what the tree makes, what ICS-23 proofs make, and what the verifier takes."""

import json
import re
from pathlib import Path

import pytest

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.proofs.ics23 import decode_merkle_proof
from hutong.light_clients.records.gathering import ShownKey, gather
from hutong.light_clients.records.multiproof import Claim, Multiproof, claims_are_proven
from hutong.relay.hub.state.multiproof import prove_many
from hutong.relay.hub.state.proofs import merkle_proof
from hutong.relay.hub.state.tree import EMPTY_ROOT, SparseMerkleTree

PAGE = Path(__file__).resolve().parents[3] / "docs" / "spec" / "records.md"
BLOCK = re.compile(r"```json\n(.*?)\n```", re.DOTALL)
HELD = {b"held %d" % number: b"value %d" % number for number in range(6)}
ASKED = [b"held 0", b"held 1", b"missing 0", b"missing 3"]


def made():
    """What the page prints."""
    root, nodes = SparseMerkleTree({}).update(EMPTY_ROOT, HELD)
    claims, proof = prove_many(SparseMerkleTree(nodes), root, ASKED)
    return {
        "root": root.hex(),
        "claims": [[claim.key.hex(), claim.value.hex()] for claim in claims],
        "terminals": proof.terminals.hex(),
        "siblings": [sibling.hex() for sibling in proof.siblings],
    }


def printed():
    (block,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    return json.loads(block)["multiproof"]


def test_page_holds_the_multiproof_that_the_tree_makes():
    assert printed() == made()


def test_the_proofs_of_a_node_make_the_same():
    root, nodes = SparseMerkleTree({}).update(EMPTY_ROOT, HELD)
    tree = SparseMerkleTree(nodes)
    shown = [ShownKey(key, decode_merkle_proof(merkle_proof(tree, root, key))[0]) for key in ASKED]
    assert gather(shown) == prove_many(tree, root, ASKED)


@pytest.mark.long
def test_attack_J12_multiproof_of_the_page_with_any_byte_changed():
    vector = printed()
    root = bytes.fromhex(vector["root"])
    claims = [Claim(bytes.fromhex(key), bytes.fromhex(value)) for key, value in vector["claims"]]
    terminals, siblings = bytes.fromhex(vector["terminals"]), [bytes.fromhex(one) for one in vector["siblings"]]
    claims_are_proven(root, claims, Multiproof(terminals, tuple(siblings)))
    changed = [Multiproof(one, tuple(siblings)) for one in changes(terminals)]
    for index, sibling in enumerate(siblings):
        changed += [Multiproof(terminals, (*siblings[:index], one, *siblings[index + 1 :])) for one in changes(sibling)]
    for forged in changed:
        with pytest.raises(PredicateFailed):
            claims_are_proven(root, claims, forged)
    for one in changes(root):
        with pytest.raises(PredicateFailed, match="root_matches"):
            claims_are_proven(one, claims, Multiproof(terminals, tuple(siblings)))


def changes(data):
    """`data` with each byte changed to each other one, in turn."""
    for index in range(len(data)):
        for other in range(1, 256):
            yield data[:index] + bytes([data[index] ^ other]) + data[index + 1 :]
