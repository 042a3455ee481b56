"""SSZ and roots of the light client containers against remerkleable, and every parser against damage."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from remerkleable.basic import uint64, uint256
from remerkleable.bitfields import Bitvector
from remerkleable.byte_arrays import ByteList, Bytes32, Bytes48, Bytes96, ByteVector
from remerkleable.complex import Container, Vector

from hutong.light_clients.ethereum import (
    MAINNET_PRESET,
    MINIMAL_PRESET,
    Fork,
    Update,
    beacon_block_root,
    execution_payload_root,
    ssz,
    sync_committee_root,
)
from hutong.light_clients.ethereum.snappy import compress, decompress
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, VerificationError
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon, network_of
from tests.light_clients.ethereum.verifying import chain_of

FORKS = [Fork.ALTAIR, Fork.BELLATRIX, Fork.CAPELLA, Fork.DENEB, Fork.ELECTRA, Fork.FULU]
PRESET = MINIMAL_PRESET
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def chains() -> dict[Fork, SimulatedBeacon]:
    return {fork: chain_of(network=network_of(fork)) for fork in FORKS}


class Beacon(Container):
    slot: uint64
    proposer_index: uint64
    parent_root: Bytes32
    state_root: Bytes32
    body_root: Bytes32


class Committee(Container):
    pubkeys: Vector[Bytes48, 32]
    aggregate_pubkey: Bytes48


class Aggregate(Container):
    sync_committee_bits: Bitvector[32]
    sync_committee_signature: Bytes96


def container(name: str, fields: dict[str, type]) -> type:
    return type(Container)(name, (Container,), {"__annotations__": fields})


def oracle_types(fork: Fork) -> dict[str, type]:
    """The containers as the specification writes them."""
    header = {"beacon": Beacon}
    if fork >= Fork.CAPELLA:
        payload = {
            "parent_hash": Bytes32,
            "fee_recipient": ByteVector[20],
            "state_root": Bytes32,
            "receipts_root": Bytes32,
            "logs_bloom": ByteVector[256],
            "prev_randao": Bytes32,
            "block_number": uint64,
            "gas_limit": uint64,
            "gas_used": uint64,
            "timestamp": uint64,
            "extra_data": ByteList[32],
            "base_fee_per_gas": uint256,
            "block_hash": Bytes32,
            "transactions_root": Bytes32,
            "withdrawals_root": Bytes32,
        }
        if fork >= Fork.DENEB:
            payload |= {"blob_gas_used": uint64, "excess_blob_gas": uint64}
        header |= {"execution": container("Payload", payload), "execution_branch": Vector[Bytes32, 4]}
    header_type = container("LightClientHeader", header)
    committee_depth, finality_depth = (6, 7) if fork >= Fork.ELECTRA else (5, 6)
    attested, signed = {"attested_header": header_type}, {"sync_aggregate": Aggregate, "signature_slot": uint64}
    finality = {"finalized_header": header_type, "finality_branch": Vector[Bytes32, finality_depth]}
    brought = {"next_sync_committee": Committee, "next_sync_committee_branch": Vector[Bytes32, committee_depth]}
    bootstrap = {
        "header": header_type,
        "current_sync_committee": Committee,
        "current_sync_committee_branch": Vector[Bytes32, committee_depth],
    }
    return {
        "header": header_type,
        "bootstrap": container("Bootstrap", bootstrap),
        "update": container("Update", attested | brought | finality | signed),
        "finality_update": container("FinalityUpdate", attested | finality | signed),
        "optimistic_update": container("OptimisticUpdate", attested | signed),
    }


def optimistic(update: Update) -> Update:
    return replace(
        update,
        finalized_header=None,
        finality_branch=(),
        next_sync_committee=None,
        next_sync_committee_branch=(),
    )


def encodings(chain: SimulatedBeacon, fork: Fork) -> dict[str, tuple[object, bytes]]:
    update = chain.update(FIRST_SLOT + 1, with_committee=True)
    finality = replace(update, next_sync_committee=None, next_sync_committee_branch=())
    bootstrap = chain.bootstrap(FIRST_SLOT)
    return {
        "header": (update.attested_header, ssz.encode_light_client_header(update.attested_header, fork)),
        "bootstrap": (bootstrap, ssz.encode_bootstrap(bootstrap, fork)),
        "update": (update, ssz.encode_update(update, fork, PRESET)),
        "finality_update": (finality, ssz.encode_finality_update(finality, fork)),
        "optimistic_update": (optimistic(update), ssz.encode_optimistic_update(optimistic(update), fork)),
    }


DECODERS = {
    "header": lambda data, fork: ssz.decode_light_client_header(data, fork),
    "bootstrap": lambda data, fork: ssz.decode_bootstrap(data, fork, PRESET),
    "update": lambda data, fork: ssz.decode_update(data, fork, PRESET),
    "finality_update": lambda data, fork: ssz.decode_finality_update(data, fork, PRESET),
    "optimistic_update": lambda data, fork: ssz.decode_optimistic_update(data, fork, PRESET),
}
ENCODERS = {
    "header": lambda value, fork: ssz.encode_light_client_header(value, fork),
    "bootstrap": lambda value, fork: ssz.encode_bootstrap(value, fork),
    "update": lambda value, fork: ssz.encode_update(value, fork, PRESET),
    "finality_update": lambda value, fork: ssz.encode_finality_update(value, fork),
    "optimistic_update": lambda value, fork: ssz.encode_optimistic_update(value, fork),
}


@pytest.mark.parametrize("fork", FORKS)
def test_bytes_are_those_of_the_library_and_come_back(chains, fork):
    types = oracle_types(fork)
    for kind, (value, data) in encodings(chains[fork], fork).items():
        read = types[kind].decode_bytes(data)
        assert read.encode_bytes() == data, kind
        assert DECODERS[kind](data, fork) == value, kind


@pytest.mark.parametrize("fork", FORKS)
def test_roots_are_those_of_the_library(chains, fork):
    update, data = encodings(chains[fork], fork)["update"]
    read = oracle_types(fork)["update"].decode_bytes(data)
    assert beacon_block_root(update.attested_header.beacon) == bytes(read.attested_header.beacon.hash_tree_root())
    assert sync_committee_root(update.next_sync_committee) == bytes(read.next_sync_committee.hash_tree_root())
    if fork >= Fork.CAPELLA:
        expected = bytes(read.attested_header.execution.hash_tree_root())
        assert execution_payload_root(update.attested_header.execution, fork) == expected


def test_default_values_say_nothing(chains):
    """What an update does not bring is the default value, and a default value without its branch comes back as nothing."""
    for fork in FORKS:
        bare = optimistic(chains[fork].update(FIRST_SLOT + 1))
        assert ssz.decode_update(ssz.encode_update(bare, fork, PRESET), fork, PRESET) == bare
        genesis = chains[fork].update(None)
        assert genesis.finality_branch and genesis.finalized_header is None
        assert ssz.decode_update(ssz.encode_update(genesis, fork, PRESET), fork, PRESET) == genesis


def test_parts_without_their_branch_are_malformed(chains):
    fork = Fork.ELECTRA
    update = chains[fork].update(FIRST_SLOT + 1, with_committee=True)
    zeros = (bytes(32),) * 7
    for changed, field in (
        ({"finality_branch": zeros}, "finalized_header"),
        ({"next_sync_committee_branch": zeros[:6]}, "next_sync_committee"),
        (
            {
                "finalized_header": replace(
                    update.finalized_header, beacon=replace(update.finalized_header.beacon, slot=0)
                )
            },
            "finalized_header",
        ),
    ):
        with pytest.raises(MalformedInput) as caught:
            ssz.decode_update(ssz.encode_update(replace(update, **changed), fork, PRESET), fork, PRESET)
        assert field in caught.value.field


@pytest.mark.parametrize("fork", [Fork.PHASE0, Fork.GLOAS])
def test_forks_without_light_client_containers_are_not_supported(fork):
    for decode in DECODERS.values():
        with pytest.raises(UnsupportedOperation):
            decode(bytes(200), fork)


def test_sizes_are_bounded(chains):
    data = encodings(chains[Fork.ELECTRA], Fork.ELECTRA)["update"][1]
    for kind, decode in DECODERS.items():
        with pytest.raises(MalformedInput):
            decode(data + bytes(ssz.MAX_SSZ_BYTES), Fork.ELECTRA)
        assert kind
    with pytest.raises(MalformedInput):
        ssz.decode_update(data, Fork.ELECTRA, MAINNET_PRESET)


@FUZZ
@given(data=st.data())
def test_attack_H_damaged_bytes_end_in_the_value_they_say_or_a_typed_error(chains, data):
    """Whatever decodes has exactly one encoding: the bytes themselves."""
    fork = data.draw(st.sampled_from(FORKS))
    kind = data.draw(st.sampled_from(sorted(DECODERS)))
    damaged = bytearray(encodings(chains[fork], fork)[kind][1])
    at = data.draw(st.integers(0, len(damaged) - 1))
    how = data.draw(st.sampled_from(("flip", "cut", "insert", "delete", "offset")))
    if how == "flip":
        damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    elif how == "cut":
        del damaged[at:]
    elif how == "insert":
        damaged[at:at] = data.draw(st.binary(min_size=1, max_size=4))
    elif how == "delete":
        del damaged[at : at + data.draw(st.integers(1, 4))]
    else:
        place = data.draw(st.sampled_from([0, 4, 112]))
        damaged[place : place + 4] = data.draw(st.integers(0, 2**32 - 1)).to_bytes(4, "little")
    try:
        value = DECODERS[kind](bytes(damaged), fork)
    except VerificationError:
        return
    assert ENCODERS[kind](value, fork) == bytes(damaged)


@FUZZ
@given(data=st.binary(max_size=1200), fork=st.sampled_from(FORKS), kind=st.sampled_from(sorted(DECODERS)))
def test_attack_H_any_bytes_end_in_a_value_or_a_typed_error(data, fork, kind):
    try:
        DECODERS[kind](data, fork)
    except VerificationError:
        pass


def test_snappy_comes_back_and_is_bounded_before_it_unpacks():
    data = bytes(range(256)) * 100
    assert decompress(compress(data)) == data
    bomb = compress(bytes(ssz.MAX_SSZ_BYTES + 1))
    assert len(bomb) < 4_096
    with pytest.raises(MalformedInput) as caught:
        decompress(bomb)
    assert caught.value.got == ssz.MAX_SSZ_BYTES + 1
    with pytest.raises(MalformedInput):
        decompress(bytes(ssz.MAX_SSZ_BYTES + 1))


@FUZZ
@given(st.binary(max_size=300))
def test_attack_H_any_snappy_block_ends_in_bytes_or_a_typed_error(data):
    for block in (data, compress(data)[:-1], compress(data) + b"\0", b"\xff\xff\xff\xff\x0f" + data):
        try:
            assert len(decompress(block)) <= ssz.MAX_SSZ_BYTES
        except MalformedInput:
            pass
