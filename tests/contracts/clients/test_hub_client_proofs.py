"""B lines (SMT) against HubClient: protobuf proofs through both clients, and ABI proofs as only an attacker writes them."""

import random
from dataclasses import replace
from hashlib import sha256

import pytest
from eth_abi.abi import decode, encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.adapters.evm.hub_client import (
    EXISTENCE_TUPLE,
    NON_EXISTENCE_TUPLE,
    encode_membership_proof,
    encode_non_membership_proof,
)
from hutong.light_clients.interface import VerificationError
from hutong.light_clients.proofs.ics23 import (
    ExistenceProof,
    HashOp,
    InnerOp,
    LengthOp,
    NonExistenceProof,
    decode_merkle_proof,
    encode_merkle_proof,
)
from hutong.light_clients.protobuf import ics23_pb2
from tests.contracts.clients.hub_twin import HubTwin
from tests.light_clients.tendermint import smt_model
from tests.light_clients.tendermint.simulated_chain import SimulatedChain

HEIGHT = 3
KEYS = tuple(b"client-0\x01" + number.to_bytes(8, "big") for number in range(1, 13))
ABSENT = tuple(b"client-0\x02" + number.to_bytes(8, "big") for number in range(1, 13))


def value_of(key):
    return sha256(b"value of " + key).digest()


@pytest.fixture(scope="module")
def twin():
    chain = SimulatedChain(chain_id="hutong-1")
    for key in KEYS:
        chain.put(key, value_of(key))
    chain.advance(2)
    twin = HubTwin(chain)
    assert twin.update(chain.update(HEIGHT, 1)) == "update"
    return twin


def state(twin):
    return twin.chain.states[HEIGHT - 1]


def existence(twin, key=KEYS[0]):
    return smt_model.existence(state(twin), key)


def absence(twin, key):
    return smt_model.absence(state(twin), key)


def accepts(twin, proof, key=KEYS[0], value="own"):
    value = value_of(key) if value == "own" else value
    return twin.proves(key, value, encode_merkle_proof((proof,)), HEIGHT)


def accepts_absence(twin, proof, key):
    return twin.proves(key, None, encode_merkle_proof((proof,)), HEIGHT)


def two_sided(twin):
    """A key between two others."""
    return next(key for key in ABSENT if (proof := absence(twin, key)).left and proof.right)


def abi_existence(twin, key=KEYS[0]):
    encoded = encode_membership_proof(encode_merkle_proof((existence(twin, key),)))
    return decode([EXISTENCE_TUPLE], encoded)[0]


def contract_accepts(twin, fields, key=KEYS[0], value="own"):
    value = value_of(key) if value == "own" else value
    return twin.contract_accepts(key, value, encode([EXISTENCE_TUPLE], [fields]), (1, HEIGHT))


def abi_absence(twin, key):
    encoded = encode_non_membership_proof(encode_merkle_proof((absence(twin, key),)))
    return decode([NON_EXISTENCE_TUPLE], encoded)[0]


def contract_accepts_absence(twin, fields, key):
    return twin.contract_accepts(key, None, encode([NON_EXISTENCE_TUPLE], [fields]), (1, HEIGHT))


def test_every_key_is_proven_and_every_other_absent(twin):
    for key in (*KEYS, b"hub/genesis"):
        assert twin.proves(key, state(twin)[key], twin.chain.prove(key, HEIGHT)[0], HEIGHT)
    for key in ABSENT:
        assert twin.proves(key, None, twin.chain.prove(key, HEIGHT)[0], HEIGHT)


def test_proof_returns_the_block_time_in_seconds(twin):
    encoded = encode_membership_proof(twin.chain.prove(KEYS[0], HEIGHT)[0])
    seconds = twin.contract.call("verifyMembership", (encoded, (1, HEIGHT), (KEYS[0],), value_of(KEYS[0])))
    assert seconds == twin.chain.block(HEIGHT).header.time_ns // 10**9


@pytest.mark.parametrize("prefix", [b"\x00\x00", b"\x00\x20", b"", b"\x00" * 40, b"\x01"])
def test_attack_B1_contract_leaf_prefix(twin, prefix):
    proof = existence(twin)
    assert not accepts(twin, replace(proof, leaf=replace(proof.leaf, prefix=prefix)))
    assert accepts(twin, proof)


def test_attack_B2_contract_bytes_moved_between_key_and_prefix(twin):
    proof = existence(twin)
    hashed = sha256(KEYS[0]).digest()
    forged = replace(proof, key=KEYS[0][1:], leaf=replace(proof.leaf, prefix=b"\x00" + hashed[:1]))
    assert not accepts(twin, forged, KEYS[0][1:], value_of(KEYS[0]))
    assert accepts(twin, proof)


@pytest.mark.parametrize("field", ["hash", "prehash_key", "prehash_value", "length"])
def test_attack_B3_contract_leaf_operations(twin, field):
    proof = existence(twin)
    numbers = set(LengthOp if field == "length" else HashOp) | {10, 2**31 - 1}
    for number in numbers - {getattr(proof.leaf, field)}:
        assert not accepts(twin, replace(proof, leaf=replace(proof.leaf, **{field: int(number)})))
    assert accepts(twin, proof)


@pytest.mark.parametrize("number", [0, 2, 3, 9, 10, 2**31 - 1])
def test_attack_B3_contract_inner_hash(twin, number):
    proof = existence(twin)
    assert not accepts(twin, replace(proof, path=(proof.path[0]._replace(hash=number), *proof.path[1:])))


def test_attack_B4_contract_inner_node_as_leaf_and_reverse(twin):
    proof = existence(twin)
    op = proof.path[-1]
    child = smt_model.node(smt_model.leaves_of(state(twin)), 0)
    left, right = (op.prefix[1:], op.suffix) if op.suffix else (op.prefix[1:], b"")
    for key, value in ((left or child, right or child), (child, child)):
        forged = ExistenceProof(key, value, replace(proof.leaf, prefix=b"\x01"), ())
        assert not accepts(twin, forged, key, value)
    as_inner = InnerOp(1, b"\x00" + sha256(KEYS[0]).digest(), b"")
    assert not accepts(twin, replace(proof, path=(as_inner, *proof.path)))
    assert accepts(twin, proof)


def test_attack_B4_contract_a_node_hash_is_no_value(twin):
    """Leaf and inner preimages begin with different bytes, so 64 bytes of children are no key and value."""
    fields = abi_existence(twin)
    _, _, bits, siblings = fields
    inner = siblings[-1] + siblings[-2]
    assert not contract_accepts(twin, (inner[:32], inner[32:], bits >> 1, siblings[1:]), inner[:32], inner[32:])
    assert contract_accepts(twin, fields)


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64, 66])
def test_attack_B7_contract_inner_suffix_length(twin, length):
    proof = next(p for p in (existence(twin, key) for key in KEYS) if any(op.suffix for op in p.path))
    step = next(i for i, op in enumerate(proof.path) if op.suffix)
    op = proof.path[step]._replace(suffix=(proof.path[step].suffix * 3)[:length])
    assert not accepts(twin, replace(proof, path=(*proof.path[:step], op, *proof.path[step + 1 :])), proof.key)
    assert accepts(twin, proof, proof.key)


@pytest.mark.parametrize("prefix", [b"\x00", b"\x02", b"", b"\x01\x01", b"\x00\x01"])
def test_attack_B8_contract_inner_prefix(twin, prefix):
    proof = existence(twin)
    op = proof.path[0]
    forged = op._replace(prefix=prefix + op.prefix[1:])
    assert not accepts(twin, replace(proof, path=(forged, *proof.path[1:])))
    assert accepts(twin, proof)


def test_attack_B9_contract_depths(twin):
    proof = existence(twin)
    assert not accepts(twin, replace(proof, path=()))
    assert not accepts(twin, replace(proof, path=proof.path[:-1]))
    for depth in (256, 257, 10_000):
        assert not accepts(twin, replace(proof, path=(proof.path * depth)[:depth]))
    key, value, bits, siblings = abi_existence(twin)
    for depth in (256, 257, 2000):
        assert not contract_accepts(twin, (key, value, bits, (siblings * depth)[:depth]))
    assert twin.arguments == ("depth",)
    assert contract_accepts(twin, (key, value, bits, siblings))


def test_attack_B9_contract_right_bits_beyond_the_path(twin):
    key, value, bits, siblings = abi_existence(twin)
    assert not contract_accepts(twin, (key, value, bits | 1 << len(siblings), siblings))
    assert twin.arguments == ("right bits",)
    assert not contract_accepts(twin, (key, value, bits | 1 << 255, siblings))
    assert not contract_accepts(twin, (key, value, bits ^ 1, siblings))
    assert contract_accepts(twin, (key, value, bits, siblings))


def test_attack_B10_contract_keys_and_values(twin):
    proof, other = existence(twin), existence(twin, KEYS[1])
    assert not accepts(twin, other)
    assert not accepts(twin, proof, KEYS[1])
    assert not accepts(twin, proof, value=value_of(KEYS[1]))
    assert not accepts(twin, proof, value=b"")
    assert not accepts(twin, replace(proof, key=b""))
    assert not accepts(twin, replace(proof, value=b""), value=b"")
    key, value, bits, siblings = abi_existence(twin)
    assert not contract_accepts(twin, (b"", value, bits, siblings), key=b"")
    assert not contract_accepts(twin, (key, b"", bits, siblings), value=b"")
    assert accepts(twin, proof)


def test_attack_B11_contract_wrong_root_and_unknown_height(twin):
    proof = twin.chain.prove(KEYS[0], HEIGHT)[0]
    encoded = encode_membership_proof(proof)
    for height in ((1, 1), (1, 2), (1, 4), (0, HEIGHT), (2, HEIGHT), (1, 2**64 - 1)):
        assert not twin.contract_accepts(KEYS[0], value_of(KEYS[0]), encoded, height)
    assert twin.reason == "UnknownHeight"
    assert twin.contract_accepts(KEYS[0], value_of(KEYS[0]), encoded, (1, HEIGHT))


def test_attack_B12_contract_number_and_kind_of_proofs(twin):
    proof, absent = existence(twin), absence(twin, ABSENT[0])
    for proofs in ((), (proof, proof), (absent,)):
        encoded = ics23_pb2.MerkleProof().SerializeToString() if not proofs else encode_merkle_proof(proofs)
        assert not twin.proves(KEYS[0], value_of(KEYS[0]), encoded, HEIGHT)
    assert not twin.proves(ABSENT[0], None, encode_merkle_proof((proof,)), HEIGHT)
    exists, lacks = (
        encode([EXISTENCE_TUPLE], [abi_existence(twin)]),
        encode([NON_EXISTENCE_TUPLE], [abi_absence(twin, ABSENT[0])]),
    )
    assert not twin.contract_accepts(KEYS[0], value_of(KEYS[0]), lacks, (1, HEIGHT))
    assert not twin.contract_accepts(ABSENT[0], None, exists, (1, HEIGHT))
    assert twin.contract_accepts(ABSENT[0], None, lacks, (1, HEIGHT))


def test_attack_B13_contract_paths_of_another_shape(twin):
    from tests.contracts.evm import Reverted

    encoded = encode([EXISTENCE_TUPLE], [abi_existence(twin)])
    value = value_of(KEYS[0])
    for path in ((), (b"",), (b"ibc", KEYS[0]), (KEYS[0], KEYS[0])):
        with pytest.raises(Reverted) as refused:
            twin.contract.call("verifyMembership", (encoded, (1, HEIGHT), path, value))
        assert refused.value.name == "InvalidPath"
    assert twin.contract.call("verifyMembership", (encoded, (1, HEIGHT), (KEYS[0],), value))


def test_attack_B14_contract_takes_no_specification_from_a_message(twin):
    """Nothing in the encoding names a hash, a prefix or a length: key, value, sides and siblings are all of it."""
    assert EXISTENCE_TUPLE == "(bytes,bytes,uint256,bytes32[])"
    assert NON_EXISTENCE_TUPLE == f"(bytes,bool,{EXISTENCE_TUPLE},bool,{EXISTENCE_TUPLE})"
    assert accepts(twin, existence(twin))


def test_attack_B15_contract_other_proof_messages(twin):
    single = ics23_pb2.MerkleProof.FromString(encode_merkle_proof((existence(twin),))).proofs[0]
    batch = ics23_pb2.CommitmentProof()
    batch.batch.entries.add().exist.CopyFrom(single.exist)
    compressed = ics23_pb2.CommitmentProof()
    compressed.compressed.SetInParent()
    for other in (batch, compressed, ics23_pb2.CommitmentProof()):
        encoded = ics23_pb2.MerkleProof(proofs=[other]).SerializeToString()
        assert not twin.proves(KEYS[0], value_of(KEYS[0]), encoded, HEIGHT)
    good = encode_merkle_proof((existence(twin),))
    for forged in (good + b"\x12\x00", good + b"\x00", good[:-1], b"\xff" * 40):
        assert not twin.proves(KEYS[0], value_of(KEYS[0]), forged, HEIGHT)
    assert twin.proves(KEYS[0], value_of(KEYS[0]), good, HEIGHT)


def test_attack_B20_contract_neighbours_under_different_roots(twin):
    key = two_sided(twin)
    proof = absence(twin, key)
    older = twin.chain.states[0] | {proof.right.key: b"\x05" * 32}
    assert not accepts_absence(twin, replace(proof, right=smt_model.existence(older, proof.right.key)), key)
    assert not accepts_absence(
        twin, replace(proof, left=smt_model.existence(older | {proof.left.key: b"\x06" * 32}, proof.left.key)), key
    )
    assert accepts_absence(twin, proof, key)


def test_attack_B21_contract_lone_neighbour_that_is_not_the_outermost(twin):
    key = two_sided(twin)
    proof = absence(twin, key)
    assert not accepts_absence(twin, replace(proof, right=None), key)
    assert twin.arguments == ("not right-most",)
    assert not accepts_absence(twin, replace(proof, left=None), key)
    assert twin.arguments == ("not left-most",)
    outermost = sorted(state(twin), key=lambda known: sha256(known).digest())
    for number in range(10_000):
        candidate = b"outermost" + number.to_bytes(4, "big")
        if sha256(candidate).digest() > sha256(outermost[-1]).digest():
            assert accepts_absence(twin, absence(twin, candidate), candidate)
            assert absence(twin, candidate).right is None
            break


def test_attack_B22_contract_neighbours_with_a_key_between_swapped_identical(twin):
    ordered = sorted(state(twin), key=lambda known: sha256(known).digest())
    hidden = ordered[4]
    around = NonExistenceProof(hidden, existence(twin, ordered[3]), existence(twin, ordered[5]))
    assert not accepts_absence(twin, around, hidden)
    key = two_sided(twin)
    proof = absence(twin, key)
    assert not accepts_absence(twin, replace(proof, left=proof.right, right=proof.left), key)
    assert not accepts_absence(twin, replace(proof, left=proof.right), key)
    assert not accepts_absence(twin, replace(proof, right=proof.left), key)
    assert accepts_absence(twin, proof, key)


def test_attack_B23_contract_target_present_or_equal_to_a_neighbour(twin):
    ordered = sorted(state(twin), key=lambda known: sha256(known).digest())
    present = ordered[4]
    for left, right in ((ordered[4], ordered[5]), (ordered[3], ordered[4])):
        assert not accepts_absence(
            twin, NonExistenceProof(present, existence(twin, left), existence(twin, right)), present
        )
    key = two_sided(twin)
    assert not accepts_absence(twin, replace(absence(twin, key), key=KEYS[0]), KEYS[0])
    assert not accepts_absence(twin, absence(twin, key), key + b"\x00")
    prefix = absence(twin, key).left.key[:-1]
    assert accepts_absence(twin, absence(twin, prefix), prefix)


def test_attack_B24_contract_no_neighbours_and_empty_paths(twin):
    key = two_sided(twin)
    proof = absence(twin, key)
    assert not accepts_absence(twin, replace(proof, left=None, right=None), key)
    for side in ("left", "right"):
        bare = replace(getattr(proof, side), path=())
        assert not accepts_absence(twin, replace(proof, **{side: bare}), key)
    fields = abi_absence(twin, key)
    none = (b"", b"", 0, ())
    assert not contract_accepts_absence(twin, (key, False, none, False, none), key)
    assert not contract_accepts_absence(twin, (key, True, none, True, none), key)
    assert contract_accepts_absence(twin, fields, key)


def test_attack_B24_contract_identical_paths_do_not_run_out_of_range(twin):
    """Both sides the same proof, under keys that only the order check could tell apart."""
    key = two_sided(twin)
    _, _, left, _, _ = abi_absence(twin, key)
    assert not contract_accepts_absence(twin, (key, True, left, True, left), key)


def test_lone_leaf_proves_every_other_key_absent():
    chain = SimulatedChain(chain_id="hutong-1")
    chain.advance(2)
    twin = HubTwin(chain)
    twin.update(chain.update(HEIGHT, 1))
    for key in (b"a", b"b", b"c", b"d"):
        assert twin.proves(key, None, chain.prove(key, HEIGHT)[0], HEIGHT)
    assert not twin.proves(b"hub/genesis", None, encode_merkle_proof((smt_model.absence({b"x": b"y"}, b"a"),)), HEIGHT)


def test_attack_B25_contract_order_is_of_hashed_keys(twin):
    """Neighbours by raw key are far apart in the tree."""
    ordered = sorted(state(twin))
    key = ordered[3] + b"\x00"
    forged = NonExistenceProof(key, existence(twin, ordered[3]), existence(twin, ordered[4]))
    assert not accepts_absence(twin, forged, key)
    assert accepts_absence(twin, absence(twin, key), key)


def test_attack_B25_contract_placeholder_where_a_sibling_stands(twin):
    key = two_sided(twin)
    proof = absence(twin, key)
    emptied = [InnerOp(1, b"\x01", bytes(32)) if op.suffix else op for op in proof.left.path]
    assert not accepts_absence(twin, replace(proof, left=replace(proof.left, path=tuple(emptied)), right=None), key)
    assert accepts_absence(twin, proof, key)


def test_attack_B26_contract_padding_cannot_hide_a_sibling(twin):
    key = two_sided(twin)
    proof = absence(twin, key)
    step = next(i for i, op in enumerate(proof.left.path) if op.suffix)
    op = proof.left.path[step]
    for prefix, suffix in (
        (b"\x01" + op.suffix, b""),
        (b"\x01" + op.suffix, op.suffix),
        (b"\x01" + bytes(31), op.suffix),
    ):
        path = (*proof.left.path[:step], InnerOp(1, prefix, suffix), *proof.left.path[step + 1 :])
        assert not accepts_absence(twin, replace(proof, left=replace(proof.left, path=path), right=None), key)


def test_attack_B27_contract_absence_at_a_stale_root():
    """The old root truly lacks the key; what protects is the router: its time is before the timeout."""
    chain = SimulatedChain(chain_id="hutong-1")
    key = KEYS[0]
    chain.advance(2)
    old = chain.latest.header.height
    stale = chain.prove(key, old)[0]
    chain.put(key, value_of(key))
    chain.advance(2)
    twin = HubTwin(chain)
    twin.update(chain.update(old, 1))
    twin.update(chain.update(chain.latest.header.height, old))
    assert twin.proves(key, None, stale, old)
    assert not twin.contract_accepts(key, None, encode_non_membership_proof(stale), (1, chain.latest.header.height))


def test_one_changed_bit_anywhere_is_refused(twin):
    """The accepted set around a valid ABI proof is the proof alone (padding aside, which the decoder ignores)."""
    encoded = encode([EXISTENCE_TUPLE], [abi_existence(twin)])
    padding = range(192 + len(KEYS[0]), 224)
    drawn = random.Random(7)
    for _ in range(150):
        place = drawn.randrange(len(encoded) * 8)
        mutated = bytearray(encoded)
        mutated[place // 8] ^= 1 << place % 8
        accepted = twin.contract_accepts(KEYS[0], value_of(KEYS[0]), bytes(mutated), (1, HEIGHT))
        assert accepted == (place // 8 in padding), place


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_encoder_is_total(data):
    """Property H: any bytes give a typed error or an encoding, never a crash."""
    for function in (encode_membership_proof, encode_non_membership_proof):
        try:
            function(data)
        except VerificationError:
            continue


@pytest.mark.long
@given(st.data())
@settings(max_examples=40, deadline=None)
def test_random_trees_agree_with_the_python_client(data):
    keys = data.draw(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=12, unique=True))
    wanted = data.draw(st.sampled_from(keys) | st.binary(min_size=1, max_size=12))
    chain = SimulatedChain(chain_id="hutong-1")
    for key in keys:
        chain.put(key, value_of(key))
    chain.advance(2)
    twin = HubTwin(chain)
    twin.update(chain.update(HEIGHT, 1))
    proof, _, value = chain.prove(wanted, HEIGHT)
    assert twin.proves(wanted, value, proof, HEIGHT)
    decoded = decode_merkle_proof(proof)[0]
    assert isinstance(decoded, ExistenceProof) == (wanted in chain.state)
