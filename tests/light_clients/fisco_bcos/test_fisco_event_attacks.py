"""Attack checklist lines against event proofs and Merkle paths of the fisco-bcos client."""

from dataclasses import replace

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.fisco_bcos import (
    CryptoSuite,
    EventProof,
    FiscoBcosClient,
    Generation,
    MerkleStep,
    decode_event_proof,
    encode_event_proof,
    steps_from_rpc,
)
from hutong.light_clients.fisco_bcos.merkle import MAX_STEPS, leaf_v2, verify_v2, verify_v3
from hutong.light_clients.fisco_bcos.receipt import decode_receipt
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
)
from hutong.light_clients.ibc.packet import Acknowledgement
from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation, VerificationError
from hutong.light_clients.protobuf import fisco_bcos_pb2
from tests.light_clients.fisco_bcos.fisco_chain import (
    REVERTED,
    ROUTER,
    SimulatedChain,
    acknowledged,
    packet,
    receipt,
    sent,
)
from tests.light_clients.fisco_bcos.trees import leaves_v2, tree_v2, tree_v3

CLIENT = FiscoBcosClient()
ECDSA, GM = CryptoSuite.ECDSA, CryptoSuite.GM
PACKET = packet(7)
KEY, VALUE = commitment_key(PACKET), packet_commitment(PACKET)
SENT = receipt([sent(PACKET)])


def chain_with(*receipts: bytes, suite: CryptoSuite = ECDSA) -> SimulatedChain:
    """Block 2 holds these receipts after the filler."""
    chain = SimulatedChain(suite=suite)
    for data in receipts:
        chain.include(data)
    chain.advance()
    return chain


def member(chain: SimulatedChain, proof: EventProof | bytes, key: bytes = KEY, value: bytes = VALUE, **state) -> None:
    data = proof if isinstance(proof, bytes) else encode_event_proof(proof)
    CLIENT.verify_membership(chain.client_state(2, **state), chain.consensus_state(2), data, (key,), value)


def refused(predicate: str, *arguments, **more):
    with pytest.raises(PredicateFailed) as caught:
        member(*arguments, **more)
    assert caught.value.predicate == predicate, caught.value
    return caught.value


@pytest.mark.parametrize("suite", [ECDSA, GM])
@pytest.mark.parametrize("with_remaining_gas", [False, True])
def test_packets_and_acknowledgements_are_proven_by_their_events(suite, with_remaining_gas):
    acknowledgement = Acknowledgement((b"some bytes",))
    digest = SimulatedChain(suite=suite).digest
    logs = [sent(PACKET, digest=digest), acknowledged(PACKET, acknowledgement, digest)]
    both = receipt(logs, with_remaining_gas=with_remaining_gas)
    chain = chain_with(*[SENT] * 20, both, suite=suite)
    member(chain, chain.event_proof(2, 21))
    key, value = acknowledgement_key(PACKET), acknowledgement_commitment(acknowledgement)
    member(chain, chain.event_proof(2, 21, log_index=1), key, value)
    refused("commitment_is_logged", chain, chain.event_proof(2, 21, log_index=1))
    refused("log_is_the_routers", chain, chain.event_proof(2, 21, log_index=2))


def test_attack_B10_fisco_wrong_value_for_the_key_and_right_value_for_another():
    chain = chain_with(SENT)
    proof = chain.event_proof(2, 1)
    member(chain, proof)
    refused("commitment_is_logged", chain, proof, value=packet_commitment(packet(7, timeout_timestamp_s=1)))
    refused("commitment_is_logged", chain, proof, key=commitment_key(packet(8)))
    refused("commitment_is_logged", chain, proof, key=commitment_key(packet(7, client="client-1")))


def test_attack_B11_fisco_proof_under_another_root():
    chain, other = chain_with(SENT), chain_with(SENT, SENT)
    member(chain, chain.event_proof(2, 1))
    refused("receipt_included", chain, other.event_proof(2, 1))
    with pytest.raises(PredicateFailed, match="root is not set"):
        verify_v2(ECDSA, bytes(32), 0, VALUE, (MerkleStep((), ()),), "included")
    with pytest.raises(PredicateFailed, match="root is not set"):
        verify_v3(ECDSA, bytes(32), bytes(32), (), "included")


def test_attack_B27_fisco_absence_is_never_proven():
    chain = chain_with(SENT)
    for proof in (chain.proof_of(2, SENT), b""):
        with pytest.raises(UnsupportedOperation, match="absence"):
            CLIENT.verify_non_membership(chain.client_state(2), chain.consensus_state(2), proof, (KEY,))


def test_attack_B37_fisco_event_of_another_contract():
    chain = chain_with(receipt([sent(PACKET, router=ROUTER[::-1]), sent(PACKET)]))
    member(chain, chain.event_proof(2, 1, log_index=1))
    error = refused("log_is_the_routers", chain, chain.event_proof(2, 1))
    assert error.got == ROUTER[::-1]
    member(chain, chain.event_proof(2, 1), router_address=ROUTER[::-1])


def test_attack_B37_fisco_event_of_a_transaction_that_failed():
    failed = receipt([sent(PACKET)], status=REVERTED)
    chain = chain_with(SENT, failed)
    member(chain, chain.event_proof(2, 1))
    assert refused("transaction_succeeded", chain, chain.event_proof(2, 2)).got == REVERTED


@pytest.mark.parametrize("part", ["kind", "client", "sequence", "missing", "more"])
def test_attack_B37_fisco_topics_that_contradict_the_packet(part):
    router, topics, data = sent(PACKET)
    changed = {
        "kind": [keccak256(b"AckPacket"), *topics[1:]],
        "client": [topics[0], keccak256(b"client-1"), topics[2]],
        "sequence": [*topics[:2], (8).to_bytes(32, "big")],
        "missing": topics[:2],
        "more": [*topics, bytes(32)],
    }[part]
    chain = chain_with(receipt([[router, changed, data], [router, topics, data]]))
    member(chain, chain.event_proof(2, 1, log_index=1))
    refused("commitment_is_logged", chain, chain.event_proof(2, 1))


def test_attack_B37_fisco_receipt_read_from_the_output():
    """Generation 2 hashes receipts as RLP: what a contract returns stays in its field. Generation 3 would read it as logs."""
    forged = receipt([], output=rlp.encode([sent(PACKET)]))
    chain = chain_with(forged, SENT)
    member(chain, chain.event_proof(2, 2))
    refused("log_is_the_routers", chain, chain.event_proof(2, 1))


def test_attack_B37_fisco_events_of_generation_3_are_refused_by_name():
    chain = SimulatedChain(Generation.V3)
    state = chain.client_state(1), chain.consensus_state(1)
    for proof in (b"", encode_event_proof(EventProof(0, SENT, (MerkleStep((), ()),), 0))):
        with pytest.raises(UnsupportedOperation, match="attestors"):
            CLIENT.verify_membership(*state, proof, (KEY,), VALUE)


def test_attack_B37_fisco_indexed_strings_are_hashed_by_the_chain():
    for suite, other in ((ECDSA, GM), (GM, ECDSA)):
        own, foreign = (SimulatedChain(suite=one).digest for one in (suite, other))
        chain = chain_with(receipt([sent(PACKET, digest=own)]), receipt([sent(PACKET, digest=foreign)]), suite=suite)
        member(chain, chain.event_proof(2, 1))
        refused("commitment_is_logged", chain, chain.event_proof(2, 2))


@pytest.mark.parametrize("value", [b"", VALUE[:31], VALUE + b"\0"])
def test_attack_B38_fisco_value_that_is_no_word(value):
    chain = chain_with(SENT)
    with pytest.raises(MalformedInput):
        member(chain, chain.event_proof(2, 1), value=value)


def test_attack_B38_fisco_zero_word_is_no_member():
    chain = chain_with(SENT)
    refused("value_is_one_word", chain, chain.event_proof(2, 1), value=bytes(32))


@pytest.mark.parametrize("path", [(), (KEY, KEY), (b"",), (b"\0" * 1025,)])
def test_attack_B37_fisco_path_of_another_shape(path):
    chain = chain_with(SENT)
    proof = chain.proof_of(2, SENT)
    CLIENT.verify_membership(chain.client_state(2), chain.consensus_state(2), proof, (KEY,), VALUE)
    with pytest.raises(MalformedInput):
        CLIENT.verify_membership(chain.client_state(2), chain.consensus_state(2), proof, path, VALUE)


def test_attack_B34_fisco_receipts_in_lax_rlp():
    receipts = [
        SENT + b"\0",
        rlp.encode([*rlp.decode(SENT), b""]),
        rlp.encode(rlp.decode(SENT)[:-1]),
        rlp.encode([*rlp.decode(SENT)[:-1], b"logs"]),
        rlp.encode([*rlp.decode(SENT)[:4], b"\0", *rlp.decode(SENT)[5:]]),
        receipt([[ROUTER[:19], [], b""]]),
        receipt([[ROUTER, [bytes(31)], b""]]),
        receipt([[ROUTER, [bytes(32)] * 5, b""]]),
        receipt([[ROUTER, [bytes(32)]]]),
        b"",
    ]
    chain = chain_with(SENT, *receipts)
    member(chain, chain.event_proof(2, 1))
    for place in range(2, 2 + len(receipts)):
        with pytest.raises(MalformedInput):
            member(chain, chain.event_proof(2, place))


# paths


HASHES = [keccak256(b"%d" % n) for n in range(300)]


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 33, 128, 129, 256, 257, 300])
@pytest.mark.parametrize("suite", [ECDSA, GM])
def test_path_of_every_kind_of_place_leads_to_the_root(count, suite):
    digest = SimulatedChain(suite=suite).digest
    for place in {0, count - 1, count // 2, 15 % count, 16 % count}:
        root, steps = tree_v2(digest, HASHES[:count], place)
        verify_v2(suite, root, place, HASHES[place], steps, "included")
        root, steps = tree_v3(digest, HASHES[:count], place)
        assert verify_v3(suite, root, HASHES[place], steps, "included") == place


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(0, 39), st.integers(0, 300))
def test_attack_B45_fisco_a_path_is_good_for_one_index_only(count, place, claimed):
    place %= count
    root, steps = tree_v2(keccak256, HASHES[:count], place)
    if claimed == place:
        verify_v2(ECDSA, root, claimed, HASHES[place], steps, "included")
        return
    with pytest.raises(PredicateFailed):
        verify_v2(ECDSA, root, claimed, HASHES[place], steps, "included")


def test_attack_B45_fisco_paths_that_are_too_short_or_too_long():
    root, steps = tree_v2(keccak256, HASHES[:40], 20)
    verify_v2(ECDSA, root, 20, HASHES[20], steps, "included")
    for changed in (steps[:-1], steps[1:], (*steps, MerkleStep((), ())), (*steps[:-1], MerkleStep((), ()), steps[-1])):
        with pytest.raises(PredicateFailed):
            verify_v2(ECDSA, root, 20, HASHES[20], changed, "included")
    for changed in ((), (MerkleStep((), ()),) * (MAX_STEPS + 1), (MerkleStep((), ()),) * 10_000):
        with pytest.raises(MalformedInput):
            verify_v2(ECDSA, root, 20, HASHES[20], changed, "included")


def test_attack_B12_fisco_siblings_exchanged_missing_doubled_or_of_another_size():
    root, (first, second, last) = tree_v2(keccak256, HASHES[:40], 20)
    for changed in (
        replace(first, left=first.left[::-1]),
        replace(first, left=first.left[1:]),
        replace(first, right=first.right[:-1]),
        replace(first, left=first.right, right=first.left),
        replace(first, right=(*first.right[:-1], first.right[-1][:-1])),
        replace(first, right=(*first.right[:-1], first.right[-1] + b"\0")),
        replace(first, left=(first.left[0][1:], *first.left[1:])),
    ):
        with pytest.raises(PredicateFailed):
            verify_v2(ECDSA, root, 20, HASHES[20], (changed, second, last), "included")
    with pytest.raises(MalformedInput):
        verify_v2(ECDSA, root, 20, HASHES[20], (replace(first, right=(bytes(33),) * 16), second, last), "included")
    verify_v2(ECDSA, root, 20, HASHES[20], (first, second, last), "included")


def test_attack_B47_fisco_inner_node_or_shifted_bytes_as_a_leaf():
    """Bytes that lie across two leaves hash to the same parent; they stand at no leaf's place."""
    hashes = [b"\x01" * 32, *HASHES[:2]]
    root, good = tree_v2(keccak256, hashes, 1)
    joined = b"".join(leaves_v2(hashes))
    top = keccak256(joined)
    at = 7
    shifted = joined[at : at + 33]
    assert shifted[:1] == leaf_v2(1, b""), "it even begins with its index"
    steps = (MerkleStep((joined[:at],), (joined[at + 33 :],)), MerkleStep((), ()))
    with pytest.raises(PredicateFailed, match="no node of this place"):
        verify_v2(ECDSA, root, 1, shifted[1:], steps, "included")
    verify_v2(ECDSA, root, 1, hashes[1], good, "included")
    with pytest.raises(PredicateFailed):
        verify_v2(ECDSA, root, 0, top, (MerkleStep((), ()),), "included")
    assert leaf_v2(0, b"") == b"\x80" and leaf_v2(128, b"") == b"\x81\x80"
    pair_root, steps = tree_v3(keccak256, HASHES[:2])
    with pytest.raises(MalformedInput):
        verify_v3(ECDSA, pair_root, b"", (MerkleStep((b"".join(HASHES[:2]),), ()),), "included")
    assert verify_v3(ECDSA, pair_root, HASHES[0], steps, "included") == 0


# bytes


SIBLINGS = st.lists(st.binary(max_size=37), max_size=15).map(tuple)
PROOFS = st.builds(
    EventProof,
    st.integers(0, 2**32 - 1),
    st.binary(max_size=60),
    st.lists(st.builds(MerkleStep, SIBLINGS, SIBLINGS), max_size=4).map(tuple),
    st.integers(0, 2**32 - 1),
)


@settings(max_examples=40)
@given(PROOFS)
def test_proofs_round_trip(proof):
    assert decode_event_proof(encode_event_proof(proof)) == proof


@settings(max_examples=60)
@given(st.binary(max_size=120))
def test_attack_H_fisco_any_bytes_are_a_proof_or_malformed(data):
    for decode in (decode_event_proof, decode_receipt):
        try:
            decode(data)
        except MalformedInput:
            continue


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_attack_H_fisco_damaged_proofs_prove_nothing_else(data):
    chain = _CHAIN
    damaged = bytearray(_PROOF)
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VerificationError):
        member(chain, bytes(damaged))


_CHAIN = chain_with(SENT)
_PROOF = _CHAIN.proof_of(2, SENT)


def test_attack_B9_fisco_proofs_above_their_bounds():
    message = fisco_bcos_pb2.EventProof.FromString(_PROOF)
    member(_CHAIN, _PROOF)
    for change in (
        lambda m: m.steps.extend([fisco_bcos_pb2.MerkleStep()] * 10_000),
        lambda m: m.steps[0].left.extend([bytes(32)] * 16),
        lambda m: m.steps[0].left.append(bytes(38)),
        lambda m: setattr(m, "receipt_rlp", bytes(384 * 1024 + 1)),
        lambda m: setattr(m, "receipt_rlp", bytes(10 * 1024 * 1024)),
    ):
        changed = fisco_bcos_pb2.EventProof()
        changed.CopyFrom(message)
        change(changed)
        with pytest.raises(MalformedInput):
            member(_CHAIN, changed.SerializeToString(deterministic=True))


def served_v2(steps: tuple[MerkleStep, ...]) -> list:
    return [{"left": [s.hex() for s in step.left], "right": [s.hex() for s in step.right]} for step in steps]


def served_v3(leaf: bytes, steps: tuple[MerkleStep, ...]) -> list:
    """As nodes write it: a count, then the group with the node in its place."""
    out, node = [], leaf
    for step in steps:
        group = (*step.left, node, *step.right)
        out += [len(group).to_bytes(4, "big").ljust(32, b"\0").hex(), *(member.hex() for member in group)]
        node = keccak256(b"".join(group))
    return out or [leaf.hex()]


@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_paths_as_nodes_serve_them(count):
    for place in {0, count - 1, count // 2}:
        _, wide = tree_v2(keccak256, HASHES[:count], place)
        assert steps_from_rpc(served_v2(wide), HASHES[place], ECDSA) == wide
        _, narrow = tree_v3(keccak256, HASHES[:count], place)
        assert steps_from_rpc(served_v3(HASHES[place], narrow), HASHES[place], ECDSA) == narrow


@pytest.mark.parametrize(
    "proof",
    [
        None,
        "00",
        [1],
        [{}],
        [{"left": [], "right": "00"}],
        [{"left": ["0"], "right": []}],
        [{"left": ["00"] * 16, "right": []}],
        ["00" * 33],
        ["00000002" + "00" * 28],
        ["00000002" + "00" * 28, "11" * 32, "22" * 32],
        ["00000003" + "00" * 28, HASHES[0].hex(), "22" * 32, "33" * 32],
        ["00000001" + "01" * 28, HASHES[0].hex()],
        ["00"] * 10_000,
    ],
)
def test_attack_H_fisco_paths_that_no_node_serves(proof):
    with pytest.raises(MalformedInput):
        steps_from_rpc(proof, HASHES[0], ECDSA)
