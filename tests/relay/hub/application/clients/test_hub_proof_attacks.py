"""Attack lines B through the hub's membership door: forged ICS-23 and MPT proofs of packets revert, state untouched."""

from dataclasses import replace

import pytest
import rlp

from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment, receipt_key
from hutong.light_clients.ibc.evm_router import StorageProof, encode_storage_proof
from hutong.light_clients.protobuf import evm_router_pb2
from hutong.light_clients.protobuf import ics23_pb2 as pb
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from tests.light_clients.tendermint import smt_model
from tests.relay.hub.application.clients.tendermint_remote import TendermintRemote
from tests.relay.hub.application.packets.test_hub_packet_attacks import refused
from tests.relay.hub.simulated_hub import forward_payload, sent_packet


def mutate_prefix(leaf_prefix: bytes):
    def change(proof: pb.MerkleProof) -> None:
        proof.proofs[0].exist.leaf.prefix = leaf_prefix

    return change


def set_leaf(**fields):
    def change(proof: pb.MerkleProof) -> None:
        for name, value in fields.items():
            setattr(proof.proofs[0].exist.leaf, name, value)

    return change


def set_exist(**fields):
    def change(proof: pb.MerkleProof) -> None:
        for name, value in fields.items():
            setattr(proof.proofs[0].exist, name, value)

    return change


def edit_path(edit):
    def change(proof: pb.MerkleProof) -> None:
        path = list(proof.proofs[0].exist.path)
        edited = edit(path)
        del proof.proofs[0].exist.path[:]
        proof.proofs[0].exist.path.extend(edited)

    return change


def set_inner(**fields):
    def edit(path):
        for name, value in fields.items():
            setattr(path[0], name, value)
        return path

    return edit_path(edit)


def duplicate(proof: pb.MerkleProof) -> None:
    proof.proofs.append(proof.proofs[0])


def empty(proof: pb.MerkleProof) -> None:
    del proof.proofs[:]


def as_batch(proof: pb.MerkleProof) -> None:
    exist = proof.proofs[0].exist
    proof.proofs[0].batch.entries.add().exist.CopyFrom(exist)


def move_key(proof: pb.MerkleProof) -> None:
    exist = proof.proofs[0].exist
    exist.leaf.prefix = b"\x00" + exist.key[:4]
    exist.key = exist.key[4:]


ICS23_FORGERIES = {
    "B1_leaf_prefix_padded": mutate_prefix(b"\x00\x00"),
    "B1_leaf_prefix_empty": mutate_prefix(b""),
    "B2_key_in_the_leaf_prefix": move_key,
    "B3_length_op": set_leaf(length=pb.VAR_PROTO),
    "B3_value_not_hashed": set_leaf(prehash_value=pb.NO_HASH),
    "B3_other_hash": set_leaf(hash=pb.KECCAK256),
    "B7_suffix_of_33_bytes": set_inner(suffix=b"\x01" * 33),
    "B7_suffix_of_64_bytes": set_inner(suffix=b"\x01" * 64),
    "B8_inner_prefix_of_a_leaf": set_inner(prefix=b"\x00"),
    "B8_other_inner_prefix": set_inner(prefix=b"\x02"),
    "B9_no_steps": edit_path(lambda path: []),
    "B9_257_steps": edit_path(lambda path: (path * 300)[:257]),
    "B9_10000_steps": edit_path(lambda path: (path * 10_000)[:1_500]),
    "B10_empty_key": set_exist(key=b""),
    "B10_empty_value": set_exist(value=b""),
    "B10_other_value": set_exist(value=b"\x01" * 32),
    "B12_one_proof_too_many": duplicate,
    "B12_no_proof": empty,
    "B15_batch_proof": as_batch,
}


@pytest.fixture
def sent(hub, chain_b):
    remote = TendermintRemote(hub)
    for filler in range(5):
        remote.chain.put(b"filler-%d" % filler, b"\x01" * 32)
    packet = remote.send(forward_payload(chain_b.client, hub.time_s + 500))
    height = remote.update()
    return remote, packet, height


def of(code: str, forgeries=ICS23_FORGERIES) -> list[str]:
    return [name for name in forgeries if name.startswith(f"{code}_")]


def forged_ics23(hub, sent, name: str) -> None:
    remote, packet, height = sent
    message = pb.MerkleProof.FromString(remote.proof(commitment_key(packet), height))
    ICS23_FORGERIES[name](message)
    forged = message.SerializeToString(deterministic=True)
    refused(hub, remote.receive_call(packet, height, forged), abi.VERIFICATION_FAILED)
    assert sent_packet(hub.send(ROUTER_ADDRESS, remote.receive_call(packet, height)))


@pytest.mark.parametrize("name", of("B1"))
def test_attack_B1_hub_leaf_prefix(hub, sent, name):
    forged_ics23(hub, sent, name)


@pytest.mark.parametrize("name", of("B2"))
def test_attack_B2_hub_key_moved_into_the_leaf_prefix(hub, sent, name):
    forged_ics23(hub, sent, name)


@pytest.mark.parametrize("name", of("B3"))
def test_attack_B3_hub_leaf_operation(hub, sent, name):
    forged_ics23(hub, sent, name)


@pytest.mark.parametrize("name", of("B7"))
def test_attack_B7_hub_inner_suffix(hub, sent, name):
    forged_ics23(hub, sent, name)


@pytest.mark.parametrize("name", of("B8"))
def test_attack_B8_hub_inner_prefix(hub, sent, name):
    forged_ics23(hub, sent, name)


@pytest.mark.parametrize("name", of("B9"))
def test_attack_B9_hub_path_length(hub, sent, name):
    forged_ics23(hub, sent, name)


@pytest.mark.parametrize("name", of("B10"))
def test_attack_B10_hub_empty_or_other_key_and_value(hub, sent, name):
    forged_ics23(hub, sent, name)


@pytest.mark.parametrize("name", of("B12"))
def test_attack_B12_hub_number_of_proofs(hub, sent, name):
    forged_ics23(hub, sent, name)


@pytest.mark.parametrize("name", of("B15"))
def test_attack_B15_hub_batch_proof(hub, sent, name):
    forged_ics23(hub, sent, name)


def test_attack_B11_hub_right_proof_at_another_height_or_key(hub, sent):
    remote, packet, height = sent
    proof = remote.proof(commitment_key(packet), height)
    later = remote.update()
    remote.chain.put(b"more", b"\x01" * 32)
    newest = remote.update()
    refused(hub, remote.receive_call(packet, newest, proof), abi.VERIFICATION_FAILED)
    refused(hub, remote.receive_call(packet, height, remote.proof(b"filler-1", height)), abi.VERIFICATION_FAILED)
    refused(hub, remote.receive_call(packet, height + 1_000, proof), abi.VERIFICATION_FAILED)
    assert later < newest
    assert sent_packet(hub.send(ROUTER_ADDRESS, remote.receive_call(packet, height)))


def test_attack_B12_hub_absence_where_presence_is_needed(hub, sent):
    remote, packet, height = sent
    absence = remote.proof(receipt_key(packet), height)
    refused(hub, remote.receive_call(packet, height, absence), abi.VERIFICATION_FAILED)
    assert sent_packet(hub.send(ROUTER_ADDRESS, remote.receive_call(packet, height)))


@pytest.mark.parametrize("junk", [b"", b"\x00", b"\xff" * 64, b"\x0a\x00"])
def test_attack_B15_hub_bytes_that_are_no_proof(hub, sent, junk):
    remote, packet, height = sent
    refused(hub, remote.receive_call(packet, height, junk), abi.VERIFICATION_FAILED)
    real = remote.proof(commitment_key(packet), height)
    for trailing in (b"\x00", b"\x7a\x00", b"\x0a\x00"):
        refused(hub, remote.receive_call(packet, height, real + trailing), abi.VERIFICATION_FAILED)
    assert sent_packet(hub.send(ROUTER_ADDRESS, remote.receive_call(packet, height)))


# --- Merkle-Patricia, over the bft-evm client


def mpt_call(packet, nodes, height: int) -> bytes:
    proof = encode_storage_proof(StorageProof(tuple(nodes)))
    return abi.RECV_PACKET.call((packet_to_tuple(packet), proof, (0, height)))


@pytest.fixture
def stored(hub, chain_a, chain_b):
    for number in range(20):
        chain_a.chain.commit(b"filler-%d" % number, b"\x01" * 32)
    packet = chain_a.send_forward(chain_b.client)
    other = chain_a.send_forward(chain_b.client)
    height = chain_a.update()
    nodes = tuple(evm_router_pb2.StorageProof.FromString(chain_a.chain.proof(height, commitment_key(packet))).nodes)
    return packet, other, height, nodes


def branch_with(nodes, items: int):
    raw = rlp.decode(nodes[0])
    return [rlp.encode((raw + [b""] * 4)[:items]), *nodes[1:]]


MPT_FORGERIES = {
    "B31_branch_of_16": lambda nodes: branch_with(nodes, 16),
    "B31_branch_of_18": lambda nodes: branch_with(nodes, 18),
    "B34_trailing_byte": lambda nodes: [nodes[0] + b"\0", *nodes[1:]],
    "B34_not_rlp": lambda nodes: [b"\xff" * 40, *nodes[1:]],
    "B35_stops_early": lambda nodes: nodes[:-1],
    "B35_root_missing": lambda nodes: nodes[1:],
    "B35_empty": lambda nodes: [],
    "B38_value_changed": lambda nodes: [*nodes[:-1], nodes[-1][:-1] + bytes([nodes[-1][-1] ^ 1])],
    "B39_node_twice": lambda nodes: [*nodes, nodes[-1]],
    "B39_many_nodes": lambda nodes: (list(nodes) * 100)[:100],
}


def forged_mpt(hub, stored, name: str) -> None:
    packet, _, height, nodes = stored
    call = mpt_call(packet, MPT_FORGERIES[name](list(nodes)), height)
    refused(hub, call, abi.VERIFICATION_FAILED)
    assert sent_packet(hub.send(ROUTER_ADDRESS, mpt_call(packet, nodes, height)))


@pytest.mark.parametrize("name", of("B31", MPT_FORGERIES))
def test_attack_B31_hub_branch_of_another_size(hub, stored, name):
    forged_mpt(hub, stored, name)


@pytest.mark.parametrize("name", of("B34", MPT_FORGERIES))
def test_attack_B34_hub_rlp_that_is_not_canonical(hub, stored, name):
    forged_mpt(hub, stored, name)


@pytest.mark.parametrize("name", of("B35", MPT_FORGERIES))
def test_attack_B35_hub_nodes_missing(hub, stored, name):
    forged_mpt(hub, stored, name)


@pytest.mark.parametrize("name", of("B38", MPT_FORGERIES))
def test_attack_B38_hub_stored_value_changed(hub, stored, name):
    forged_mpt(hub, stored, name)


@pytest.mark.parametrize("name", of("B39", MPT_FORGERIES))
def test_attack_B39_hub_nodes_too_many(hub, stored, name):
    forged_mpt(hub, stored, name)


def test_attack_B37_hub_proof_of_another_slot(hub, stored):
    packet, other, height, nodes = stored
    refused(hub, mpt_call(other, nodes, height), abi.VERIFICATION_FAILED)
    changed = replace(packet, timeout_timestamp_s=packet.timeout_timestamp_s + 1)
    assert packet_commitment(changed) != packet_commitment(packet)
    refused(hub, mpt_call(changed, nodes, height), abi.VERIFICATION_FAILED)
    assert sent_packet(hub.send(ROUTER_ADDRESS, mpt_call(packet, nodes, height)))


# --- absence, over the 07-tendermint client: a forged one would refund a packet that was delivered


@pytest.fixture
def expiring(hub, chain_a):
    """Leg 2 to a CometBFT chain, past its timeout there; `delivered` says whether that chain received it."""

    def make(*, delivered: bool):
        remote = TendermintRemote(hub)
        for filler in range(6):
            remote.chain.put(b"filler-%d" % filler, b"\x01" * 32)
        leg_2 = sent_packet(chain_a.deliver(chain_a.send_forward(remote.client, timeout_s=hub.time_s + 30)))
        if delivered:
            remote.chain.put(receipt_key(leg_2), b"\x02")
        height = remote.update(60)
        assert remote.chain.latest.header.time_ns // 10**9 >= leg_2.timeout_timestamp_s
        return remote, leg_2, height

    return make


def timeout_call(packet, proof: bytes, height: int) -> bytes:
    return abi.TIMEOUT_PACKET.call((packet_to_tuple(packet), proof, (1, height)))


def serialized(message: pb.MerkleProof) -> bytes:
    return message.SerializeToString(deterministic=True)


def test_hub_timeout_over_the_tendermint_client(hub, expiring):
    remote, leg_2, height = expiring(delivered=False)
    proof = remote.proof(receipt_key(leg_2), height)
    outcome = hub.send(ROUTER_ADDRESS, timeout_call(leg_2, proof, height))
    assert outcome.events(abi.TIMEOUT_PACKET_EVENT)


def drop_left(proof) -> None:
    proof.ClearField("left")


def drop_right(proof) -> None:
    proof.ClearField("right")


def drop_both(proof) -> None:
    proof.ClearField("left")
    proof.ClearField("right")


def swap(proof) -> None:
    left, right = pb.ExistenceProof(), pb.ExistenceProof()
    left.CopyFrom(proof.left)
    right.CopyFrom(proof.right)
    proof.left.CopyFrom(right)
    proof.right.CopyFrom(left)


def same_twice(proof) -> None:
    proof.right.CopyFrom(proof.left)


def empty_paths(proof) -> None:
    del proof.left.path[:]
    del proof.right.path[:]


def other_root(proof) -> None:
    proof.left.path[-1].prefix = b"\x01"
    proof.left.path[-1].suffix = b"\x09" * 32


def placeholder(proof) -> None:
    for step in (*proof.left.path, *proof.right.path):
        if any(step.suffix):
            step.suffix = bytes(32)
            return
        if any(step.prefix[1:]):
            step.prefix = b"\x01" + bytes(32)
            return


def padded_neighbour(proof) -> None:
    proof.left.path[0].prefix = b"\x01" + b"\x05" * 32
    proof.left.path[0].suffix = b"\x06" * 32


ABSENCE_FORGERIES = {
    "B20_left_from_another_root": other_root,
    "B21_left_alone": drop_right,
    "B21_right_alone": drop_left,
    "B22_swapped": swap,
    "B22_identical": same_twice,
    "B24_neither": drop_both,
    "B24_empty_paths": empty_paths,
    "B25_placeholder_for_a_sibling": placeholder,
    "B26_padded_neighbour": padded_neighbour,
}


def forged_absence(hub, expiring, name: str) -> None:
    remote, leg_2, height = expiring(delivered=False)
    honest = remote.proof(receipt_key(leg_2), height)
    message = pb.MerkleProof.FromString(honest)
    proof = message.proofs[0].nonexist
    if not (proof.HasField("left") and proof.HasField("right")):
        pytest.fail("the fixture's key must lie between two neighbours")
    ABSENCE_FORGERIES[name](proof)
    forged = serialized(message)
    assert forged != honest
    refused(hub, timeout_call(leg_2, forged, height), abi.VERIFICATION_FAILED)
    assert hub.send(ROUTER_ADDRESS, timeout_call(leg_2, honest, height)).events(abi.TIMEOUT_PACKET_EVENT)


@pytest.mark.parametrize("name", of("B20", ABSENCE_FORGERIES))
def test_attack_B20_hub_neighbours_of_two_roots(hub, expiring, name):
    forged_absence(hub, expiring, name)


@pytest.mark.parametrize("name", of("B21", ABSENCE_FORGERIES))
def test_attack_B21_hub_one_neighbour_that_is_not_outermost(hub, expiring, name):
    forged_absence(hub, expiring, name)


@pytest.mark.parametrize("name", of("B22", ABSENCE_FORGERIES))
def test_attack_B22_hub_neighbours_swapped_or_identical(hub, expiring, name):
    forged_absence(hub, expiring, name)


@pytest.mark.parametrize("name", of("B24", ABSENCE_FORGERIES))
def test_attack_B24_hub_no_neighbours_or_empty_paths(hub, expiring, name):
    forged_absence(hub, expiring, name)


@pytest.mark.parametrize("name", of("B25", ABSENCE_FORGERIES))
def test_attack_B25_hub_placeholder_where_a_sibling_is(hub, expiring, name):
    forged_absence(hub, expiring, name)


@pytest.mark.parametrize("name", of("B26", ABSENCE_FORGERIES))
def test_attack_B26_hub_padded_neighbour(hub, expiring, name):
    forged_absence(hub, expiring, name)


def test_attack_B23_hub_delivered_packet_cannot_be_timed_out(hub, expiring):
    """Its receipt is there: neither an existence proof, nor neighbours around it, nor an older absence serves."""
    remote, leg_2, height = expiring(delivered=True)
    receipt = receipt_key(leg_2)
    refused(hub, timeout_call(leg_2, remote.proof(receipt, height), height), abi.VERIFICATION_FAILED)
    without = {key: value for key, value in remote.chain.states[height - 1].items() if key != receipt}
    forged = smt_model.merkle_proof(without, receipt)
    refused(hub, timeout_call(leg_2, forged, height), abi.VERIFICATION_FAILED)
    around = pb.MerkleProof()
    nonexist = around.proofs.add().nonexist
    nonexist.CopyFrom(pb.MerkleProof.FromString(forged).proofs[0].nonexist)
    for side, key in (("left", nonexist.left.key), ("right", nonexist.right.key)):
        proven = pb.MerkleProof.FromString(remote.proof(key, height)).proofs[0].exist
        getattr(nonexist, side).CopyFrom(proven)
    refused(hub, timeout_call(leg_2, serialized(around), height), abi.VERIFICATION_FAILED)


def test_attack_B12_hub_presence_where_absence_is_needed(hub, expiring):
    remote, leg_2, height = expiring(delivered=False)
    presence = remote.proof(b"filler-1", height)
    refused(hub, timeout_call(leg_2, presence, height), abi.VERIFICATION_FAILED)
    other = remote.proof(receipt_key(leg_2)[:-1] + b"\x09", height)
    refused(hub, timeout_call(leg_2, other, height), abi.VERIFICATION_FAILED)
