"""The Router over an attestation client: packets both ways, what freezes and recovers, and what it costs."""

from dataclasses import replace

import pytest

from hutong.light_clients.attestation import AttestationKind, Misbehaviour, Scope, encode_misbehaviour
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.packet import Acknowledgement
from tests.contracts.attested_lane import INFO, AttestedLane
from tests.contracts.clients.attestation_twin import EVM_SCOPE
from tests.contracts.lane import LOCAL_CLIENT, MERKLE_PREFIX, RELAYER, STRANGER, new_lane, relay_call
from tests.contracts.test_router_packets import refused
from tests.light_clients.attestation.attested_chain import AttestedChain, address_of, attestor_keys

OTHER_INFO = ("bft-evm-8", MERKLE_PREFIX)


@pytest.fixture
def lane():
    return new_lane(AttestedLane)


def frozen(lane: AttestedLane) -> AttestedLane:
    """Two commitments under one path."""
    key = b"client-9\x01" + bytes(8)
    pair = (lane.chain.packet_attestation(1, key), lane.chain.packet_attestation(1, key, lies={key: b"\x01" * 32}))
    evidence = encode_misbehaviour(Misbehaviour(AttestationKind.PACKETS, *pair))
    lane.router.transact("submitMisbehaviour", LOCAL_CLIENT, evidence, sender=STRANGER)
    assert lane.client.call("status") == 1
    return lane


def test_packets_pass_both_ways_on_attestations(lane):
    assert lane.receive(lane.incoming()).named("WriteAcknowledgement")
    packet = lane.send()
    assert lane.acknowledge(packet, b"ok").named("AckPacket")
    late = lane.send(timeout_in_s=60)
    height = lane.pass_time_to(late.timeout_timestamp_s)
    assert lane.router.transact("timeoutPacket", lane.timeout_message(late, height)).named("TimeoutPacket")
    assert lane.stored(commitment_key(packet)) == lane.stored(commitment_key(late)) == bytes(32)


def test_attack_D5_contract_router_takes_a_client_only_under_its_own_identifier(lane):
    """Otherwise what is attested to client-0 would be good for client-1, with the same keys."""
    for scope in (
        lane.scope("client-0"),
        lane.scope("client-2"),
        replace(lane.scope("client-1"), destination_router=b"\x0d" * 20),
    ):
        client = lane.light_client(scope=scope)
        refused(lambda client=client: lane.router.transact("addClient", INFO, client.address), "InvalidLightClient")
        refused(
            lambda client=client: lane.router.transact("addClient", "attested-7", INFO, client.address),
            "InvalidLightClient",
        )
    named = lane.light_client(scope=lane.scope("attested-7"))
    assert lane.router.transact("addClient", "attested-7", OTHER_INFO, named.address).value == "attested-7"
    second = lane.light_client(scope=lane.scope("client-1"))
    third = ("bft-evm-9", MERKLE_PREFIX)
    assert lane.router.transact("addClient", third, second.address).value == "client-1"


def test_attack_D5_contract_packet_of_one_client_at_another_with_the_same_keys(lane):
    twin = lane.light_client(scope=lane.scope("client-1"))
    lane.router.transact("addClient", OTHER_INFO, twin.address)
    packet = lane.incoming()
    other = replace(packet, source_client=OTHER_INFO[0], destination_client="client-1")
    height = lane.publish({commitment_key(packet): packet_commitment(packet)})
    chain = lane.chain
    lane.router.transact("updateClient", "client-1", chain.update(height, scope=lane.scope("client-1")))
    lied = {commitment_key(other): packet_commitment(other)}
    for scope, name in ((lane.scope(), "UnknownAttestor"), (lane.scope("client-1"), None)):
        proof = chain.proof(height, commitment_key(other), lies=lied, scope=scope)
        message = (lane.receive_message(other, height)[0], proof, (0, height))
        if name:
            refused(lambda message=message: lane.router.transact("recvPacket", message), name)
        else:
            assert lane.router.transact("recvPacket", message).named("WriteAcknowledgement")


def test_attack_D8_contract_router_over_a_frozen_client_does_nothing_until_recovery(lane):
    """C17 of an attested chain: send, receive, acknowledge, time out and update all fail; then a substitute settles."""
    packet, incoming = lane.send(), lane.incoming()
    acknowledged = {acknowledgement_key(packet): acknowledgement_commitment(Acknowledgement((b"ok",)))}
    height = lane.publish(acknowledged | {commitment_key(incoming): packet_commitment(incoming)})
    frozen(lane)
    for attempt in (
        lambda: lane.router.transact("recvPacket", lane.receive_message(incoming, height)),
        lambda: lane.router.transact("ackPacket", lane.acknowledge_message(packet, b"ok", height)),
        lambda: lane.router.transact("timeoutPacket", lane.timeout_message(packet, height)),
        lane.update,
    ):
        refused(attempt, "FrozenClient")
    refused(lane.send, "IBCClientNotActive")
    lane.advance()
    substitute = lane.light_client()
    lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, substitute.address)
    refused(lambda: lane.router.transact("recvPacket", lane.receive_message(incoming, height)), "UnknownHeight")
    height = lane.chain.height
    assert lane.router.transact("recvPacket", lane.receive_message(incoming, height)).named("WriteAcknowledgement")
    assert lane.router.transact("ackPacket", lane.acknowledge_message(packet, b"ok", height)).named("AckPacket")


def test_attack_C18_contract_substitutes_of_an_attested_client():
    lane = frozen(new_lane(AttestedLane))
    lane.advance()
    changed = {
        "another source chain": {"scope": replace(lane.scope(), source_chain_id="31338")},
        "another source router": {"scope": replace(lane.scope(), source_router=b"\x01" * 20)},
        "another drift": {"max_clock_drift_s": 16},
    }
    for name, changes in changed.items():
        contract = lane.light_client(**changes)
        error = refused(
            lambda contract=contract: lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, contract.address),
            "SubstituteMismatch",
        )
        assert error.arguments == (contract.text,), name
    other = lane.light_client(scope=lane.scope("client-1"))
    refused(lambda: lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, other.address), "InvalidLightClient")


def test_attack_D3_contract_set_changes_by_recovery_alone_and_the_old_one_is_worth_nothing():
    lane = frozen(new_lane(AttestedLane))
    lane.advance()
    old, new = lane.chain.keys, attestor_keys(4, first=40)
    substitute = lane.light_client(attestors=tuple(map(address_of, new)), threshold=3)
    lane.router.transact("migrateClient", LOCAL_CLIENT, INFO, substitute.address)
    lane.advance()
    height = lane.chain.height
    refused(
        lambda: lane.router.transact("updateClient", LOCAL_CLIENT, lane.chain.update(height, keys=old)),
        "UnknownAttestor",
    )
    outcome = lane.router.transact("updateClient", LOCAL_CLIENT, lane.chain.update(height, keys=new[:3]))
    assert outcome.value == 0


def test_attack_E2_contract_attested_time_decides_a_timeout(lane):
    """The block's own time as attested, not this chain's clock."""
    packet = lane.send(timeout_in_s=60)
    lane.evm.timestamp_s += 100
    early = lane.pass_time_to(packet.timeout_timestamp_s - 1)
    refused(
        lambda: lane.router.transact("timeoutPacket", lane.timeout_message(packet, early)), "IBCInvalidTimeoutTimestamp"
    )
    due = lane.pass_time_to(packet.timeout_timestamp_s)
    assert lane.router.transact("timeoutPacket", lane.timeout_message(packet, due)).named("TimeoutPacket")


def test_attack_E3_contract_absence_attested_before_the_receipt_is_not_absence_after(lane):
    packet = lane.send(timeout_in_s=60)
    before = lane.publish({})
    lane.chain.put(receipt_key(packet), b"\x01" * 32)
    due = lane.pass_time_to(packet.timeout_timestamp_s)
    old_proof = lane.proof(receipt_key(packet), before)
    fields = lane.timeout_message(packet, due)[0]
    refused(lambda: lane.router.transact("timeoutPacket", (fields, old_proof, (0, due))), "InvalidProof")
    refused(
        lambda: lane.router.transact("timeoutPacket", (fields, old_proof, (0, before))), "IBCInvalidTimeoutTimestamp"
    )
    refused(lambda: lane.router.transact("timeoutPacket", lane.timeout_message(packet, due)), "InvalidProof")
    unreceived = lane.send(timeout_in_s=60)
    later = lane.pass_time_to(unreceived.timeout_timestamp_s)
    assert lane.router.transact("timeoutPacket", lane.timeout_message(unreceived, later)).named("TimeoutPacket")


GAS_BOUNDS = {1: (106_000, 198_000), 3: (120_000, 213_000), 7: (150_000, 243_000)}
"""Of an update and of a receive at n of n signers."""


@pytest.mark.parametrize("signers", GAS_BOUNDS)
def test_gas_of_attestations(signers):
    lane = AttestedLane(attestors=signers, threshold=signers)
    for number in (1, 2):
        lane.receive(lane.incoming(number))
    lane.advance()
    update = lane.update().gas_used
    packet = lane.incoming(3)
    receive = lane.receive(packet).gas_used
    acknowledge = lane.acknowledge(lane.send(), b"ok").gas_used
    late = lane.send(timeout_in_s=60)
    height = lane.pass_time_to(late.timeout_timestamp_s)
    timeout = lane.router.transact("timeoutPacket", lane.timeout_message(late, height)).gas_used
    packets = [lane.incoming(number) for number in range(10, 20)]
    height = lane.publish({commitment_key(p): packet_commitment(p) for p in packets})
    lane.advance()
    calls = [relay_call(lane, "recvPacket", lane.receive_message(p, height), gas=600_000) for p in packets]
    calls.append(relay_call(lane, "updateClient", LOCAL_CLIENT, lane.update_message(lane.chain.height), gas=600_000))
    batch = lane.router.transact("relayBatch", calls, sender=RELAYER)
    assert all(batch.value)
    print(
        f"\n{signers} signers: update {update}, recvPacket {receive}, ackPacket {acknowledge}, timeoutPacket {timeout},"
        f" update and 10 receives {batch.gas_used}; proof {len(lane.proof(b'x', 1))} bytes"
    )
    assert update < GAS_BOUNDS[signers][0]
    assert receive < GAS_BOUNDS[signers][1]


def test_gas_of_an_old_update_grows_with_the_states_above_it(lane):
    """Whoever stores one pays for the walk; the newest is always found at once."""
    lane.advance(40)
    costs = [lane.update(height).gas_used for height in (41, *range(3, 41, 2))]
    newest = lane.advance()
    assert lane.update(newest).gas_used < costs[1]
    oldest = lane.update(2).gas_used
    print(f"\nold update below 20 states: {oldest}, newest: {costs[0]}")
    assert oldest < costs[0] + 21 * 2_600


def test_scope_of_the_lane_is_that_of_its_router(lane):
    assert isinstance(lane.scope(), Scope)
    assert lane.client.call("servesClient", lane.router.address, LOCAL_CLIENT)
    assert not lane.client.call("servesClient", EVM_SCOPE.destination_router, LOCAL_CLIENT)
    assert lane.client.call("getClientState") == lane.chain.client_state(1)
    assert isinstance(lane.chain, AttestedChain)
