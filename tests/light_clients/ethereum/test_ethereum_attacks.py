"""Attack checklist C30 to C34 against the ethereum client: participation, slots, committees, finality, forks.

Each refusal stands beside a twin that differs in the attacked part only.
"""

from dataclasses import replace

import pytest

from hutong.light_clients.crypto import bls
from hutong.light_clients.ethereum import (
    MAINNET_PRESET,
    Fork,
    LightClientStore,
    SyncAggregate,
    decode_client_state,
    decode_consensus_state,
    encode_header_message,
    sync_committee_root,
)
from hutong.light_clients.ethereum.codec import MAX_HEADER_BYTES
from hutong.light_clients.ethereum.forks import signing_root, sync_committee_domain
from hutong.light_clients.ethereum.ssz import decode_update, encode_update
from hutong.light_clients.interface import MalformedInput, NoOp, Updated
from hutong.light_clients.protobuf import ethereum_pb2
from tests.light_clients.ethereum.simulated_beacon import (
    FIRST_SLOT,
    SimulatedBeacon,
    bits_of,
    hashed,
    network_of,
    secret_of,
)
from tests.light_clients.ethereum.verifying import CLIENT, Verifier, chain_of, with_update

G1_OUTSIDE_SUBGROUP = bytes.fromhex("8123456789abcdef" + "0123456789abcdef" * 5)
G2_OUTSIDE_SUBGROUP = bytes.fromhex("8123456789abcdef" + "0123456789abcdef" * 11)
G1_INFINITY = bytes([0xC0]) + bytes(47)
G2_INFINITY = bytes([0xC0]) + bytes(95)
PERIOD_SLOTS = 64


@pytest.fixture(scope="module")
def large() -> SimulatedBeacon:
    """A chain with committees of 512, as mainnet's."""
    return chain_of(1, network=network_of(preset=MAINNET_PRESET))


# C30


@pytest.mark.parametrize(("members", "enough"), [(341, False), (342, True)])
def test_attack_C30_participation_of_two_thirds_exactly(large, members, enough):
    verifier = Verifier(large)
    header = large.header(FIRST_SLOT + 1, members=range(members))
    if enough:
        verifier.accepted(header)
    else:
        error = verifier.refused("enough_participants", header)
        assert (error.got, error.expected) == (341, ">= 342")


def test_attack_C30_higher_threshold_of_the_client_state(large):
    header = large.header(FIRST_SLOT + 1, members=range(400))
    Verifier(large, min_participants=400).accepted(header)
    Verifier(large, min_participants=401).refused("enough_participants", header)


def test_attack_C30_bitfield_that_claims_members_who_did_not_sign():
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1, members=range(25))
    Verifier(chain).accepted(header)
    claimed = replace(header.update.sync_aggregate, bits=bits_of(range(26), chain.size))
    Verifier(chain).refused("signed_by_committee", with_update(header, sync_aggregate=claimed))
    fewer = replace(header.update.sync_aggregate, bits=bits_of(range(24), chain.size))
    Verifier(chain).refused("signed_by_committee", with_update(header, sync_aggregate=fewer))


@pytest.mark.parametrize("size", [0, 3, 5, 64])
def test_attack_C30_bitfield_of_another_length(size):
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1)
    Verifier(chain).accepted(header)
    aggregate = SyncAggregate(b"\xff" * size, header.update.sync_aggregate.signature)
    Verifier(chain).error(MalformedInput, with_update(header, sync_aggregate=aggregate))


def test_attack_C30_no_participants():
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1)
    empty = SyncAggregate(bytes(4), G2_INFINITY)
    Verifier(chain).refused("enough_participants", with_update(header, sync_aggregate=empty))


# C31


@pytest.mark.parametrize("signed_later", [0, -1])
def test_attack_C31_signature_slot_not_after_the_attested_slot(signed_later):
    chain = chain_of()
    attested = FIRST_SLOT + 2
    Verifier(chain).accepted(chain.header(FIRST_SLOT + 1, attested_slot=attested, signature_slot=attested + 1))
    header = chain.header(FIRST_SLOT + 1, attested_slot=attested, signature_slot=attested + signed_later)
    Verifier(chain).refused("slots_in_order", header)


def test_attack_C31_attested_before_finalized():
    chain = chain_of()
    Verifier(chain).accepted(chain.header(FIRST_SLOT + 2, attested_slot=FIRST_SLOT + 2, signature_slot=FIRST_SLOT + 3))
    header = chain.header(FIRST_SLOT + 2, attested_slot=FIRST_SLOT + 1, signature_slot=FIRST_SLOT + 3)
    Verifier(chain).refused("slots_in_order", header)


def test_attack_C31_signature_slot_in_the_future():
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 3)
    edge_ns = chain.time_ns(header.update.signature_slot) - 15 * 10**9
    error = Verifier(chain).refused("header_not_from_future", header, now_ns=edge_ns)
    assert error.got == header.update.signature_slot
    Verifier(chain).accepted(header, now_ns=edge_ns + 1)


def test_attack_C31_nothing_final_yet_or_no_finality_shown():
    chain = chain_of()
    genesis = chain.update(None)
    header = chain.header(FIRST_SLOT + 1)
    assert genesis.finalized_header is None and genesis.finality_branch
    Verifier(chain).refused("shows_finality", replace(header, update=genesis))
    shown = with_update(header, finalized_header=None, finality_branch=())
    Verifier(chain).refused("shows_finality", shown)
    Verifier(chain).accepted(header)


# C32


def test_attack_C32_period_skipped():
    chain = chain_of(first_slot=3 * PERIOD_SLOTS - 2, blocks=2 * PERIOD_SLOTS + 4)
    first, second = 3 * PERIOD_SLOTS + 1, 4 * PERIOD_SLOTS + 1
    verifier = Verifier(chain)
    error = verifier.refused("signature_period_known", chain.header(second, with_committee=True))
    assert (error.got, error.expected) == (4, "2 or 3")
    verifier.update(chain.header(first, with_committee=True))
    verifier.update(chain.header(second, with_committee=True))


def test_attack_C32_next_committee_needed_and_not_known():
    chain = chain_of(first_slot=3 * PERIOD_SLOTS - 5, blocks=8)
    verifier = Verifier(chain, committees=chain.trusted(chain.first_slot, next_known=False))
    later = 3 * PERIOD_SLOTS + 1
    error = verifier.refused("signature_period_known", chain.header(later))
    assert (error.got, error.expected) == (3, "2")
    verifier.update(chain.header(chain.first_slot + 1, with_committee=True))
    verifier.update(chain.header(later))


def test_attack_C32_next_committee_without_its_branch():
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1, with_committee=True)
    verifier = Verifier(chain, committees=chain.trusted(FIRST_SLOT, next_known=False))
    verifier.accepted(header)
    unproven = with_update(header, next_sync_committee_branch=(bytes(32),) * 6)
    assert "without its branch" in str(verifier.error(MalformedInput, unproven))
    other = with_update(header, next_sync_committee=chain.committee(77))
    verifier.refused("next_committee_proven", other)


def test_attack_C32_next_committee_is_not_the_known_one():
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1, with_committee=True, next_committee=chain.committee(77))
    error = Verifier(chain).refused("next_committee_as_known", header)
    assert error.expected == sync_committee_root(chain.committee(3))
    Verifier(chain).accepted(chain.header(FIRST_SLOT + 1, with_committee=True))


def test_attack_C32_current_committee_signs_in_the_next_period():
    chain = chain_of(first_slot=3 * PERIOD_SLOTS - 3, blocks=5)
    later = 3 * PERIOD_SLOTS + 1
    header = chain.header(later)
    verifier = Verifier(chain)
    verifier.accepted(header)
    block, slot = chain.blocks[later], header.update.signature_slot
    witness = chain.propose(later + 1, finalized_root=block.root, label="witness")
    old = chain.sign(witness, slot, period=2)
    verifier.refused("signed_by_committee", with_update(header, sync_aggregate=old))
    verifier.refused(
        "committee_is_trusted", replace(with_update(header, sync_aggregate=old), sync_committee=chain.committee(2))
    )


def test_attack_C32_keys_of_an_earlier_committee_open_nothing_after_rotation():
    chain = chain_of(first_slot=3 * PERIOD_SLOTS - 5, blocks=7)
    old = chain.header(chain.first_slot + 1)
    verifier = Verifier(chain)
    verifier.accepted(old)
    verifier.update(chain.header(3 * PERIOD_SLOTS + 1, with_committee=True))
    error = verifier.refused("signature_period_known", old)
    assert error.got == 2


@pytest.mark.parametrize("next_known", [True, False])
def test_attack_C32_next_committee_that_no_final_header_elected(next_known):
    """An attested header of the period is no reason to believe its next committee: it may be reorganised away."""
    chain = chain_of(first_slot=3 * PERIOD_SLOTS - 3, blocks=6)
    trusted = chain.trusted(3 * PERIOD_SLOTS, next_known=next_known)
    verifier = Verifier(chain, 3 * PERIOD_SLOTS, committees=trusted)
    header = chain.header(3 * PERIOD_SLOTS - 2, attested_slot=3 * PERIOD_SLOTS + 1, with_committee=True)
    verdict = verifier.accepted(header)
    assert decode_client_state(verdict.client_state).committees == trusted
    final = chain.header(3 * PERIOD_SLOTS + 1, with_committee=True)
    learnt = decode_client_state(verifier.accepted(final).client_state).committees
    assert learnt == chain.trusted(3 * PERIOD_SLOTS + 1)


def test_rotation_takes_the_next_committee_and_learns_the_one_after():
    chain = chain_of(first_slot=3 * PERIOD_SLOTS - 3, blocks=5)
    later = 3 * PERIOD_SLOTS + 1
    verifier = Verifier(chain)
    verdict = verifier.accepted(chain.header(later, with_committee=True))
    assert decode_client_state(verdict.client_state).committees == chain.trusted(later)
    verdict = verifier.accepted(chain.header(later))
    assert decode_client_state(verdict.client_state).committees == chain.trusted(later, next_known=False)


def test_update_of_a_known_state_that_brings_the_next_committee_is_no_no_op():
    chain = chain_of()
    verifier = Verifier(chain, committees=chain.trusted(FIRST_SLOT, next_known=False))
    verdict = verifier.accepted(chain.header(FIRST_SLOT, with_committee=True))
    assert verdict.consensus_state == chain.consensus_state(FIRST_SLOT)
    assert decode_client_state(verdict.client_state).committees == chain.trusted(FIRST_SLOT)
    verifier.update(chain.header(FIRST_SLOT, with_committee=True))
    assert isinstance(verifier.judge(chain.header(FIRST_SLOT, with_committee=True)), NoOp)


# C33


def test_attack_C33_finality_branch_of_another_header():
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1)
    other = chain.header(FIRST_SLOT + 2)
    verifier = Verifier(chain)
    verifier.accepted(header)
    verifier.refused("finality_proven", with_update(header, finality_branch=other.update.finality_branch))
    verifier.refused("finality_proven", with_update(header, finalized_header=chain.blocks[FIRST_SLOT].header))


def test_attack_C33_execution_branch_of_another_body():
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1)
    other = chain.blocks[FIRST_SLOT + 3].header
    finalized = header.update.finalized_header
    verifier = Verifier(chain)
    for part in ("execution", "execution_branch"):
        swapped = replace(finalized, **{part: getattr(other, part)})
        verifier.refused("finalized_header_valid", with_update(header, finalized_header=swapped))
        witness = replace(header.update.attested_header, **{part: getattr(other, part)})
        verifier.refused("attested_header_valid", with_update(header, attested_header=witness))


@pytest.mark.parametrize("field", ["state_root", "timestamp_s", "block_number", "blob_gas_used", "extra_data"])
def test_attack_C33_field_of_the_execution_payload_changed(field):
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1)
    finalized = header.update.finalized_header
    value = getattr(finalized.execution, field)
    changed = value[::-1] + b"" if isinstance(value, bytes) else value + 1
    execution = replace(finalized.execution, **{field: changed})
    forged = with_update(header, finalized_header=replace(finalized, execution=execution))
    Verifier(chain).refused("finalized_header_valid", forged)
    Verifier(chain).accepted(header)


def test_attack_C33_attested_header_used_as_the_finalized_one():
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1)
    forged = with_update(header, finalized_header=header.update.attested_header)
    Verifier(chain).refused("finality_proven", forged)


def test_attack_C33_consensus_state_is_the_finalized_execution_block():
    """Root, time and number are the finalized execution block's: not the attested one's, and no beacon slot's."""
    chain = chain_of()
    block = chain.propose(FIRST_SLOT + 1, time_s=chain.network.slot_time_s(FIRST_SLOT + 1) + 3, label="own time")
    state = decode_consensus_state(Verifier(chain).accepted(chain.header(block)).consensus_state)
    execution = block.header.execution
    assert (state.timestamp_s, state.state_root) == (execution.timestamp_s, execution.state_root)
    assert (state.block_number, state.beacon_root) == (FIRST_SLOT - 2, block.root)
    assert state.timestamp_s != chain.network.slot_time_s(block.slot)


# C34


@pytest.mark.parametrize("part", ["fork version", "genesis root", "domain type"])
def test_attack_C34_signature_under_another_domain(part):
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1)
    Verifier(chain).accepted(header)
    network, slot = chain.network, header.update.signature_slot
    root = hashed("genesis validators")
    if part == "fork version":
        domain = replace(
            network, forks=(*network.forks[:-1], replace(network.forks[-1], version=b"\x77\0\0\0"))
        ).sync_committee_domain(slot)
    elif part == "genesis root":
        domain = replace(network, genesis_validators_root=root[::-1]).sync_committee_domain(slot)
    else:
        domain = b"\x00\x00\x00\x00" + network.sync_committee_domain(slot)[4:]
    witness = chain.propose(FIRST_SLOT + 2, finalized_root=chain.blocks[FIRST_SLOT + 1].root, label="witness")
    message = signing_root(witness.root, domain)
    signature = bls.sign_aggregate((secret_of(2, member) for member in range(32)), message)
    forged = replace(header.update.sync_aggregate, signature=signature)
    Verifier(chain).refused("signed_by_committee", with_update(header, sync_aggregate=forged))


ELECTRA_EPOCH = 20
ELECTRA_SLOT = 8 * ELECTRA_EPOCH


@pytest.mark.parametrize("signed_later", [0, 1])
def test_attack_C34_fork_version_at_the_boundary_is_that_of_the_slot_before(signed_later):
    """At the fork's first slot the committee still signs under the old version, a slot later under the new one."""
    network = network_of(epochs={Fork.ELECTRA: ELECTRA_EPOCH})
    chain = chain_of(network=network, first_slot=ELECTRA_SLOT - 6, blocks=6)
    attested, slot = ELECTRA_SLOT - 1, ELECTRA_SLOT + signed_later
    header = chain.header(ELECTRA_SLOT - 3, attested_slot=attested, signature_slot=slot)
    expected = network.forks[-1 if signed_later else -2].version
    assert network.activation_at(slot - 1).version == expected
    Verifier(chain).accepted(header)
    wrong = network.forks[-2 if signed_later else -1].version
    witness = chain.propose(attested, finalized_root=chain.blocks[ELECTRA_SLOT - 3].root, label="witness")
    message = signing_root(witness.root, sync_committee_domain(wrong, network.genesis_validators_root))
    signature = bls.sign_aggregate((secret_of(2, member) for member in range(32)), message)
    forged = replace(header.update.sync_aggregate, signature=signature)
    Verifier(chain).refused("signed_by_committee", with_update(header, sync_aggregate=forged))


@pytest.mark.parametrize("attested_later", [-1, 0, 1])
def test_attack_C34_generalized_indices_at_the_fork_are_those_of_the_attested_slot(attested_later):
    network = network_of(epochs={Fork.ELECTRA: ELECTRA_EPOCH})
    chain = chain_of(network=network, first_slot=ELECTRA_SLOT - 6, blocks=8)
    attested = ELECTRA_SLOT + attested_later
    header = chain.header(ELECTRA_SLOT - 2, attested_slot=attested, with_committee=True)
    depth = 6 if attested_later < 0 else 7
    assert len(header.update.finality_branch) == depth
    assert header.fork is (Fork.DENEB if attested_later < 0 else Fork.ELECTRA)
    Verifier(chain).accepted(header)
    for fork in {Fork.DENEB, Fork.ELECTRA} - {header.fork}:
        longer = fork is Fork.ELECTRA
        update = header.update
        moved = with_update(
            replace(header, fork=fork),
            finality_branch=(bytes(32), *update.finality_branch) if longer else update.finality_branch[1:],
            next_sync_committee_branch=(bytes(32), *update.next_sync_committee_branch)
            if longer
            else update.next_sync_committee_branch[1:],
        )
        if longer:  # a later fork's container with the earlier branch, normalized, is the specification's own form
            Verifier(chain).accepted(moved)
            noise = with_update(moved, finality_branch=(b"\1" * 32, *update.finality_branch))
            Verifier(chain).refused("finality_proven", noise)
        else:
            Verifier(chain).error(MalformedInput, moved)


@pytest.mark.parametrize("fork", [Fork.DENEB, Fork.ELECTRA])
@pytest.mark.parametrize("finalized_earlier", [1, 2])
def test_attack_C34_finalized_header_of_the_fork_before_is_judged_by_its_own_rules(fork, finalized_earlier):
    """A payload header of Capella has 15 fields, in later containers too: fields that it does not have stay zero."""
    network = network_of(fork, epochs={fork: ELECTRA_EPOCH})
    chain = chain_of(network=network, first_slot=ELECTRA_SLOT - 6, blocks=8)
    slot = ELECTRA_SLOT - finalized_earlier
    header = chain.header(slot, attested_slot=ELECTRA_SLOT + 1)
    assert header.fork is fork and network.fork_at(slot) is Fork(fork - 1)
    Verifier(chain).accepted(header)
    if fork is Fork.DENEB:
        finalized = header.update.finalized_header
        execution = replace(finalized.execution, blob_gas_used=1)
        forged = with_update(header, finalized_header=replace(finalized, execution=execution))
        Verifier(chain).refused("finalized_header_valid", forged)


def test_attack_C34_finalized_header_from_before_capella_in_later_containers():
    network = network_of(Fork.CAPELLA, epochs={Fork.CAPELLA: ELECTRA_EPOCH})
    chain = chain_of(network=network, first_slot=ELECTRA_SLOT - 6, blocks=8)
    later = chain_of(network=network, first_slot=ELECTRA_SLOT + 2)
    update = chain.update(ELECTRA_SLOT - 2, attested_slot=ELECTRA_SLOT + 1, with_committee=True)
    assert update.finalized_header.execution is None
    assert decode_update(encode_update(update, Fork.CAPELLA, network.preset), Fork.CAPELLA, network.preset) == update
    start = LightClientStore.initialize(network, chain.blocks[ELECTRA_SLOT - 6].root, chain.bootstrap(ELECTRA_SLOT - 6))
    assert start.process_update(update, update.signature_slot).finalized_slot == ELECTRA_SLOT - 2
    header = replace(later.header(ELECTRA_SLOT + 3), update=update, sync_committee=chain.committee(2))
    Verifier(later).refused("shows_finality", header)


# Bytes


def test_attack_H_messages_of_ten_megabytes_are_refused_by_their_length():
    chain = chain_of()
    verifier = Verifier(chain)
    for size in (MAX_HEADER_BYTES + 1, 10_000_000):
        assert f"more than {MAX_HEADER_BYTES} bytes" in str(verifier.error(MalformedInput, bytes(size)))
        with pytest.raises(MalformedInput):
            CLIENT.check_misbehaviour(verifier.state, verifier.states, bytes(3 * size), chain.now_ns)


def test_attack_H_header_message_has_one_form():
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1)
    verifier = Verifier(chain)
    with_committee = encode_header_message(chain.header(FIRST_SLOT + 1, with_committee=True))
    verifier.accepted(with_committee)
    update = ethereum_pb2.Header.FromString(with_committee).update
    for name, value in (("update", update), ("finality_update", b""), ("fork", 99), ("fork", 0)):
        changed = ethereum_pb2.Header.FromString(encode_header_message(header))
        setattr(changed, name, value)
        with pytest.raises(Exception) as caught:
            verifier.judge(changed.SerializeToString(deterministic=True))
        assert type(caught.value).__name__ in ("MalformedInput", "UnsupportedOperation")
    bare = ethereum_pb2.Header.FromString(encode_header_message(header))
    bare.update, bare.finality_update = encode_update(header.update, header.fork, chain.network.preset), b""
    assert "finality_update" in str(verifier.error(MalformedInput, bare.SerializeToString(deterministic=True)))
    assert isinstance(verifier.judge(encode_header_message(header)), Updated)


def test_attack_H_extra_data_is_bounded_before_it_is_hashed():
    """Beyond its type's bound there is no root: the hub would stop at what hashing says to it."""
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1)
    finalized = header.update.finalized_header
    for size in (33, 64, 20_000):
        long = replace(finalized, execution=replace(finalized.execution, extra_data=bytes(size)))
        error = Verifier(chain).error(MalformedInput, with_update(header, finalized_header=long))
        assert error.field.endswith("extra_data")
