"""Multiproofs through the Python verifier and the Solidity library: one verdict, by one name."""

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.proofs.ics23 import decode_merkle_proof
from hutong.light_clients.records.gathering import ShownKey, gather
from hutong.light_clients.records.multiproof import (
    Claim,
    Multiproof,
    claimed_terminal,
    claims_are_proven,
    neighbour_terminal,
    void_terminal,
)
from hutong.relay.hub.state.multiproof import prove_many
from hutong.relay.hub.state.proofs import merkle_proof
from tests.contracts.evm import Evm, Reverted
from tests.contracts.records.record_tree import tree_of

HELD = {b"held %d" % number: b"value %d" % number for number in range(40)}
MISSING = [b"missing %d" % number for number in range(40)]
ACCEPTED = "accepted"
CONTENT = st.dictionaries(
    st.binary(min_size=1, max_size=3), st.binary(min_size=1, max_size=40), min_size=1, max_size=30
)


class Twin:
    """Both verifiers; `verdict` is what they agree on."""

    def __init__(self):
        self.probe = Evm().deploy("MultiproofProbe")

    def verdict(self, root, claims, proof):
        try:
            claims_are_proven(root, claims, proof)
            library = ACCEPTED
        except PredicateFailed as error:
            library = error.predicate
        records = [(claim.key, claim.value) for claim in claims]
        try:
            self.probe.call("verify", root, records, (proof.terminals, proof.siblings))
            contract = ACCEPTED
        except Reverted as error:
            assert error.name == "InvalidProof", str(error)
            (contract,) = error.arguments
        assert library == contract
        return library


@pytest.fixture(scope="module")
def twin():
    return Twin()


@pytest.fixture(scope="module")
def large():
    return tree_of(HELD)


def flipped(data):
    """`data` with each bit changed, one after another."""
    for index in range(len(data)):
        for bit in range(8):
            yield data[:index] + bytes([data[index] ^ 1 << bit]) + data[index + 1 :]


@pytest.mark.parametrize("present", [0, 1, 2, 7, 40])
@pytest.mark.parametrize("absent", [0, 1, 2, 7, 40])
def test_any_number_of_claims_is_proven(twin, large, present, absent):
    keys = [*HELD][:present] + MISSING[:absent]
    if not keys:
        return
    tree, root = large
    claims, proof = prove_many(tree, root, keys)
    assert {claim.key: claim.value or None for claim in claims} == {key: HELD.get(key) for key in keys}
    assert twin.verdict(root, claims, proof) == ACCEPTED


@pytest.mark.long
@given(CONTENT, st.sets(st.binary(min_size=1, max_size=3), min_size=1, max_size=20), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_drawn_trees_are_proven_and_drawn_lies_refused(twin, content, others, data):
    tree, root = tree_of(content)
    keys = sorted(others | set(data.draw(st.lists(st.sampled_from(sorted(content)), max_size=8))))
    claims, proof = prove_many(tree, root, keys)
    assert twin.verdict(root, claims, proof) == ACCEPTED
    shown = [ShownKey(key, decode_merkle_proof(merkle_proof(tree, root, key))[0]) for key in keys]
    assert gather(shown) == (claims, proof)
    place = data.draw(st.integers(0, len(claims) - 1))
    lie = claims[place].value[1:] or b"" if claims[place].value and data.draw(st.booleans()) else b"lie"
    lies = [*claims[:place], Claim(claims[place].key, lie), *claims[place + 1 :]]
    assert (twin.verdict(root, lies, proof) == ACCEPTED) == (lies == list(claims))


@pytest.mark.long
@given(CONTENT, st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_drawn_bytes_are_a_proof_or_a_named_refusal(twin, content, data):
    tree, root = tree_of(content)
    keys = data.draw(st.sets(st.sampled_from([*sorted(content), b"absent", b"absent too"]), min_size=1, max_size=6))
    claims, proof = prove_many(tree, root, keys)
    word = st.sampled_from([*proof.siblings, bytes(32), root]) | st.binary(min_size=32, max_size=32)
    terminal = st.one_of(
        st.builds(claimed_terminal, st.integers(0, 8)),
        st.builds(void_terminal, st.integers(0, 8)),
        st.builds(neighbour_terminal, st.integers(0, 8), word, word),
        st.binary(max_size=3),
    )
    drawn = Multiproof(
        b"".join(data.draw(st.lists(terminal, max_size=5))), tuple(data.draw(st.lists(word, max_size=6)))
    )
    assert (twin.verdict(root, claims, drawn) == ACCEPTED) == (drawn == proof)


@pytest.mark.long
@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.long), 7])
def test_attack_J12_contract_every_bit_of_a_multiproof_counts(twin, large, step):
    """CI changes each bit (`long`); the ordinary run every seventh, which is at least one of every byte."""
    tree, root = large
    claims, proof = prove_many(tree, root, [*[*HELD][:3], *MISSING[:3]])
    assert twin.verdict(root, claims, proof) == ACCEPTED
    for changed in [*flipped(proof.terminals)][::step]:
        assert twin.verdict(root, claims, Multiproof(changed, proof.siblings)) != ACCEPTED
    for index, sibling in enumerate(proof.siblings):
        for changed in list(flipped(sibling))[:: 37 if index else step]:
            siblings = (*proof.siblings[:index], changed, *proof.siblings[index + 1 :])
            assert twin.verdict(root, claims, Multiproof(proof.terminals, siblings)) == "root_matches"
    for index, claim in enumerate(claims):
        for changed in [*flipped(claim.value)][::step]:
            lies = [*claims[:index], Claim(claim.key, changed), *claims[index + 1 :]]
            assert twin.verdict(root, lies, proof) == "root_matches"
        # a changed key of an absence may be absent too
        for changed in list(flipped(claim.key))[::5] if claim.value else ():
            lies = [*claims[:index], Claim(changed, claim.value), *claims[index + 1 :]]
            assert twin.verdict(root, lies, proof) != ACCEPTED


def test_attack_J12_contract_nothing_of_a_multiproof_is_left_over(twin, large):
    tree, root = large
    claims, proof = prove_many(tree, root, [*[*HELD][:3], *MISSING[:3]])
    siblings, terminals = proof.siblings, proof.terminals
    for changed in ((*siblings, bytes(32)), (bytes(32), *siblings), siblings[:-1], siblings[1:], siblings[::-1], ()):
        assert twin.verdict(root, claims, Multiproof(terminals, changed)) in ("every_sibling_is_used", "root_matches")
    for changed in (terminals + b"\x00", terminals[:-1], b"", terminals + terminals, terminals + void_terminal(9)):
        assert twin.verdict(root, claims, Multiproof(changed, siblings)) in (
            "terminal_is_whole",
            "terminal_ends_a_claim",
            "every_claim_ends",
            "claim_is_absent",
            "claim_ends_at_its_place",
            "terminals_ascend",
        )
    for shorter in (claims[1:], claims[:-1]):
        assert twin.verdict(root, shorter, proof) != ACCEPTED
    assert twin.verdict(root, claims, proof) == ACCEPTED


def test_attack_J12_contract_claims_in_another_order_or_twice(twin, large):
    tree, root = large
    claims, proof = prove_many(tree, root, [*HELD][:3])
    assert twin.verdict(root, claims[::-1], proof) == "claims_ascend"
    assert twin.verdict(root, (claims[0], claims[0], *claims[1:]), proof) == "claims_ascend"
    assert twin.verdict(root, (), proof) == "claims_are_bounded"
    assert twin.verdict(root, claims, proof) == ACCEPTED


def test_attack_B20_contract_absence_of_what_is_there(twin, large):
    """No terminal says of a key that the tree holds that it is not there."""
    tree, root = large
    key = [*HELD][0]
    (claim,), proof = prove_many(tree, root, [key])
    depth, path, value_hash = proof.terminals[1], sha256(key).digest(), sha256(HELD[key]).digest()
    denied = [Claim(key)]
    for terminal in (
        void_terminal(depth),
        neighbour_terminal(depth, path, value_hash),
        claimed_terminal(depth),
        neighbour_terminal(depth, bytes([path[0] ^ 1]) + path[1:], value_hash),
        neighbour_terminal(depth, path[:-1] + bytes([path[-1] ^ 1]), value_hash),
    ):
        assert twin.verdict(root, denied, Multiproof(terminal, proof.siblings)) != ACCEPTED
    assert twin.verdict(root, [claim], proof) == ACCEPTED


def test_attack_B22_contract_absence_by_a_leaf_elsewhere(twin, large):
    """A leaf shows the absence of those keys alone whose path ends at it."""
    tree, root = large
    ends = {key: prove_many(tree, root, [key])[1] for key in MISSING}
    for one, other in pairwise(MISSING):
        assert twin.verdict(root, [Claim(other)], ends[one]) == (
            ACCEPTED if ends[one] == ends[other] else _no_end(ends[one])
        )
        assert twin.verdict(root, [Claim(one)], ends[one]) == ACCEPTED


def _no_end(proof):
    return "root_matches" if proof.terminals[0] == 2 else "terminal_ends_a_claim"


def test_attack_B27_contract_absence_under_an_older_root(twin, large):
    tree, root = large
    key = MISSING[0]
    later, later_root = tree_of({**HELD, key: b"now it is"})
    claims, proof = prove_many(tree, root, [key])
    assert twin.verdict(later_root, claims, proof) == "root_matches"
    assert twin.verdict(later_root, *prove_many(later, later_root, [key])) == ACCEPTED
    assert twin.verdict(root, claims, proof) == ACCEPTED


def test_attack_B4_contract_inner_node_as_a_terminal(twin, large):
    """Leaf and inner preimages begin with different bytes: a node's children are no path and value hash."""
    tree, root = large
    (claim,), proof = prove_many(tree, root, [[*HELD][0]])
    top = tree.node(root)
    forged = Multiproof(neighbour_terminal(0, top.left, top.right), ())
    assert twin.verdict(root, [Claim(MISSING[0])], forged) == "root_matches"
    assert twin.verdict(root, [claim], proof) == ACCEPTED


def test_bounds_of_what_is_verified():
    with pytest.raises(MalformedInput):
        Multiproof(bytes(256 * 66 + 1), ())
    with pytest.raises(MalformedInput):
        Multiproof(b"", (bytes(32),) * 16_385)
    with pytest.raises(MalformedInput):
        Multiproof(b"", (bytes(31),))
    for key in (b"", bytes(201)):
        with pytest.raises(MalformedInput):
            Claim(key)


def test_more_claims_than_the_bound_are_refused(twin):
    content = {b"key %d" % number: b"v" for number in range(257)}
    tree, root = tree_of(content)
    claims, proof = prove_many(tree, root, [*content][:256])
    assert twin.verdict(root, claims, proof) == ACCEPTED
    with pytest.raises(ValueError, match="1 to 256"):
        prove_many(tree, root, [*content])
    last = Claim(b"key 256", b"v")
    assert twin.verdict(root, sorted([*claims, last], key=lambda claim: claim.path), proof) == "claims_are_bounded"


def test_proofs_of_two_roots_are_not_gathered(large):
    tree, root = large
    other, other_root = tree_of({**HELD, b"more": b"more"})
    keys = [*HELD][:8]
    one = [ShownKey(key, decode_merkle_proof(merkle_proof(tree, root, key))[0]) for key in keys]
    two = [ShownKey(key, decode_merkle_proof(merkle_proof(other, other_root, key))[0]) for key in keys]
    with pytest.raises(PredicateFailed):
        gather([*one[:4], *two[4:]])
    assert gather(one) == prove_many(tree, root, keys)
    with pytest.raises(MalformedInput):
        gather([one[0], one[0]])
    with pytest.raises(PredicateFailed):
        gather([ShownKey(keys[1], one[0].proof)])
