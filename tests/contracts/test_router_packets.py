"""E lines against the Router: life cycle, boundaries, replays, changed fields."""

from dataclasses import replace

import pytest

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import ABI_ENCODING, encode_packet_abi, packet_to_tuple
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Acknowledgement, Payload
from tests.contracts.evm import Reverted
from tests.contracts.lane import (
    APP_PORT,
    HUB_SIDE_CLIENT,
    LOCAL_CLIENT,
    MERKLE_PREFIX,
    RELAYER,
    Lane,
    deploy_hub_client,
    new_lane,
    relay_call,
)
from tests.light_clients.tendermint.simulated_chain import SimulatedChain

DAY_S = 86_400


@pytest.fixture
def lane():
    return new_lane(Lane)


def refused(action, name):
    """The action reverts with this error; returns the error."""
    with pytest.raises(Reverted) as caught:
        action()
    assert caught.value.name == name, str(caught.value)
    return caught.value


def test_stored_values_are_those_of_the_standard(lane):
    packet = lane.send()
    assert lane.stored(commitment_key(packet)) == packet_commitment(packet)
    incoming = lane.incoming()
    lane.receive(incoming)
    assert lane.stored(receipt_key(incoming)) == keccak256(encode_packet_abi(incoming))
    assert lane.stored(acknowledgement_key(incoming)) == acknowledgement_commitment(Acknowledgement((b"ok",)))


def test_commitments_lie_where_light_clients_of_this_chain_look(lane):
    base = bytes.fromhex("1260944489272988d9df285149b5aa1b0f48f2136d6f416159f840a3e0747600")
    packet = lane.send()
    slot = int.from_bytes(keccak256(keccak256(commitment_key(packet)) + base), "big")
    assert lane.evm.storage(lane.router.address, slot) == int.from_bytes(packet_commitment(packet), "big")


def test_event_topics_are_hashes_of_the_client_id(lane):
    packet = lane.incoming()
    (written,) = lane.receive(packet).named("WriteAcknowledgement")
    assert written["clientId"] == keccak256(LOCAL_CLIENT.encode())
    assert written["sequence"] == 1
    assert written["packet"][0] == 1


# E1: receive twice


def test_attack_E1_contract_receive_twice(lane):
    packet = lane.incoming()
    message = lane.receive_message(packet)
    assert lane.router.transact("recvPacket", message).named("WriteAcknowledgement")
    again = lane.router.transact("recvPacket", message, sender=RELAYER)
    assert again.named("Noop") and not again.named("WriteAcknowledgement")
    assert lane.app.call("received") == 1


def test_attack_E1_contract_receive_twice_in_one_batch(lane):
    message = lane.receive_message(lane.incoming())
    outcome = lane.router.transact(
        "relayBatch", (relay_call(lane, "recvPacket", message), relay_call(lane, "recvPacket", message))
    )
    assert outcome.value == (True, True)
    assert len(outcome.named("WriteAcknowledgement")) == 1
    assert len(outcome.named("Noop")) == 1
    assert lane.app.call("received") == 1


def test_attack_E1_contract_receive_after_the_hub_forgot_the_commitment(lane):
    packet = lane.incoming()
    old = lane.receive_message(packet)
    lane.router.transact("recvPacket", old)
    lane.chain.delete(commitment_key(packet))
    lane.publish({})
    assert lane.router.transact("recvPacket", old).named("Noop")
    assert lane.app.call("received") == 1


def test_attack_E1_contract_other_packet_under_a_used_sequence(lane):
    packet = lane.incoming()
    lane.receive(packet)
    other = replace(packet, payloads=(replace(packet.payloads[0], value=b"\x09"),))
    refused(lambda: lane.receive(other), "IBCPacketReceiptMismatch")
    assert lane.app.call("received") == 1


# E2: boundaries


def test_attack_E2_contract_receive_at_the_timeout(lane):
    packet = lane.incoming()
    message = lane.receive_message(packet)
    for late in (packet.timeout_timestamp_s, packet.timeout_timestamp_s + 1):
        with lane.evm.at(late):
            error = refused(lambda: lane.router.transact("recvPacket", message), "IBCInvalidTimeoutTimestamp")
            assert error.arguments == (packet.timeout_timestamp_s, late)
    with lane.evm.at(packet.timeout_timestamp_s - 1):
        assert lane.router.transact("recvPacket", message).named("WriteAcknowledgement")


def test_attack_E2_contract_timeout_before_its_time(lane):
    packet = lane.send()
    early = lane.pass_time_to(packet.timeout_timestamp_s - 2)
    early_s = lane.chain.block(early).header.time_ns // 10**9
    assert early_s == packet.timeout_timestamp_s - 2
    error = refused(
        lambda: lane.router.transact("timeoutPacket", lane.timeout_message(packet, early)), "IBCInvalidTimeoutTimestamp"
    )
    assert error.arguments == (packet.timeout_timestamp_s, early_s)
    in_the_last_second = lane.pass_time_to(packet.timeout_timestamp_s - 1)
    refused(
        lambda: lane.router.transact("timeoutPacket", lane.timeout_message(packet, in_the_last_second)),
        "IBCInvalidTimeoutTimestamp",
    )
    exact = lane.pass_time_to(packet.timeout_timestamp_s)
    assert lane.chain.block(exact).header.time_ns == packet.timeout_timestamp_s * 10**9
    assert lane.router.transact("timeoutPacket", lane.timeout_message(packet, exact)).named("TimeoutPacket")


def test_attack_E2_contract_receive_and_timeout_exclude_each_other():
    """Every order of receive and timeout around the boundary: by the same clock exactly one is ever possible."""
    for offset_s in (-2, -1, 0, 1, 2):
        lane = new_lane(Lane)
        incoming = lane.incoming(timeout_in_s=100)
        outgoing = lane.send(timeout_timestamp_s=incoming.timeout_timestamp_s)
        receive = lane.receive_message(incoming)
        height = lane.pass_time_to(incoming.timeout_timestamp_s + offset_s)
        timeout = lane.timeout_message(outgoing, height)
        outcomes = []
        for function, message in (("recvPacket", receive), ("timeoutPacket", timeout)):
            try:
                with lane.evm.at(incoming.timeout_timestamp_s + offset_s):
                    lane.router.transact(function, message)
                outcomes.append(True)
            except Reverted:
                outcomes.append(False)
        assert outcomes == [offset_s < 0, offset_s >= 0]


# E3: timeouts and stale proofs


def test_attack_E3_contract_timeout_by_a_proof_from_before_the_receive(lane):
    packet = lane.send(timeout_in_s=60)
    before = lane.publish({})
    lane.publish({receipt_key(packet): b"\x02"})
    after = lane.pass_time_to(packet.timeout_timestamp_s)
    refused(
        lambda: lane.router.transact("timeoutPacket", lane.timeout_message(packet, before)),
        "IBCInvalidTimeoutTimestamp",
    )
    stale, _, _ = lane.chain.prove(receipt_key(packet), before)
    from hutong.adapters.evm.hub_client import encode_non_membership_proof

    forged = (packet_to_tuple(packet), encode_non_membership_proof(stale), lane.proof_height(after))
    refused(lambda: lane.router.transact("timeoutPacket", forged), "InvalidProof")
    assert lane.stored(commitment_key(packet)) != bytes(32)


def test_attack_E3_contract_timeout_of_a_received_packet(lane):
    packet = lane.send(timeout_in_s=60)
    lane.publish({receipt_key(packet): b"\x02"})
    height = lane.pass_time_to(packet.timeout_timestamp_s)
    from hutong.adapters.evm.hub_client import encode_membership_proof

    exists = lane.chain.prove(receipt_key(packet), height)[0]
    message = (packet_to_tuple(packet), encode_membership_proof(exists), lane.proof_height(height))
    with pytest.raises(Reverted):
        lane.router.transact("timeoutPacket", message)
    assert lane.app.call("timedOut") == 0


# E4: settle twice


def test_attack_E4_contract_settlement_happens_once(lane):
    packet = lane.send(timeout_in_s=60)
    acknowledged = lane.acknowledge_message(packet, b"done")
    lane.router.transact("ackPacket", acknowledged)
    assert lane.router.transact("ackPacket", acknowledged).named("Noop")
    height = lane.pass_time_to(packet.timeout_timestamp_s)
    assert lane.router.transact("timeoutPacket", lane.timeout_message(packet, height)).named("Noop")
    assert (lane.app.call("acknowledged"), lane.app.call("timedOut")) == (1, 0)


def test_attack_E4_contract_acknowledgement_after_timeout(lane):
    packet = lane.send(timeout_in_s=60)
    height = lane.pass_time_to(packet.timeout_timestamp_s)
    timed_out = lane.timeout_message(packet, height)
    lane.router.transact("timeoutPacket", timed_out)
    assert lane.router.transact("timeoutPacket", timed_out).named("Noop")
    assert lane.acknowledge(packet, b"done").named("Noop")
    assert (lane.app.call("acknowledged"), lane.app.call("timedOut")) == (0, 1)


def test_attack_E4_contract_acknowledgement_for_a_packet_never_sent(lane):
    packet = lane.send()
    never = replace(packet, sequence=9)
    assert lane.acknowledge(never, b"done").named("Noop")
    assert lane.app.call("acknowledged") == 0


def test_attack_E4_contract_acknowledgement_with_other_packet_fields(lane):
    packet = lane.send()
    message = lane.acknowledge_message(packet, b"done")
    for changed in changed_packets(packet):
        if (changed.source_client, changed.destination_client, changed.sequence) != (
            packet.source_client,
            packet.destination_client,
            packet.sequence,
        ):
            continue
        refused(
            lambda changed=changed: lane.router.transact("ackPacket", (packet_to_tuple(changed), *message[1:])),
            "IBCPacketCommitmentMismatch",
        )
    refused(lambda: lane.router.transact("ackPacket", (message[0], b"other", *message[2:])), "InvalidProof")
    assert lane.router.transact("ackPacket", message).named("AckPacket")


# E5, E6: changed fields


def changed_packets(packet):
    payload = packet.payloads[0]
    yield replace(packet, timeout_timestamp_s=packet.timeout_timestamp_s + 1)
    yield replace(packet, sequence=packet.sequence + 1)
    yield replace(packet, source_client="bft-evm-7")
    yield replace(packet, destination_client="client-7")
    for name, value in (
        ("source_port", "other.port"),
        ("destination_port", "other.port"),
        ("version", "v2"),
        ("encoding", "application/json"),
        ("value", b"\x05"),
    ):
        yield replace(packet, payloads=(replace(payload, **{name: value}),))


def test_attack_E5_contract_every_field_is_bound(lane):
    packet = lane.incoming()
    message = lane.receive_message(packet)
    for changed in changed_packets(packet):
        with pytest.raises(Reverted) as caught:
            lane.router.transact("recvPacket", (packet_to_tuple(changed), *message[1:]))
        assert caught.value.name in {"InvalidProof", "IBCInvalidCounterparty", "IBCCounterpartyClientNotFound"}
    for payloads in ((), packet.payloads * 2):
        forged = (*packet_to_tuple(packet)[:4], [tuple(getattr(p, n) for n in Payload.__slots__) for p in payloads])
        refused(
            lambda forged=forged: lane.router.transact("recvPacket", (forged, *message[1:])),
            "IBCMultiPayloadPacketNotSupported",
        )
    assert lane.router.transact("recvPacket", message).named("WriteAcknowledgement")


def test_attack_E6_contract_byte_moved_between_fields(lane):
    packet = lane.incoming(payload=Payload("remote.port", APP_PORT, "v1x", ABI_ENCODING, b"\x01"))
    message = lane.receive_message(packet)
    payload = packet.payloads[0]
    for moved in (
        replace(payload, destination_port=APP_PORT + "v", version="1x"),
        replace(payload, version="v1", encoding="x" + ABI_ENCODING),
        replace(payload, encoding=ABI_ENCODING[:-1], value=b"i\x01"),
        replace(payload, source_port="remote.porta", destination_port=APP_PORT[1:]),
    ):
        forged = replace(packet, payloads=(moved,))
        refused(
            lambda forged=forged: lane.router.transact("recvPacket", (packet_to_tuple(forged), *message[1:])),
            "InvalidProof",
        )
    assert lane.router.transact("recvPacket", message).named("WriteAcknowledgement")


# E7: clients


def second_client(lane, counterparty="bft-evm-0", chain_id="hutang-1"):
    other = SimulatedChain(chain_id=chain_id)
    other.advance(lane.chain.latest.header.height - 1)
    contract = deploy_hub_client(lane.evm, other, other.latest.header.height)
    lane.router.transact("addClient", (counterparty, MERKLE_PREFIX), contract.address)
    return other


def test_attack_E7_contract_packet_at_another_client_with_the_same_counterparty(lane):
    second_client(lane)
    packet = lane.incoming()
    message = lane.receive_message(packet)
    elsewhere = replace(packet, destination_client="client-1")
    forged = (packet_to_tuple(elsewhere), *message[1:])
    with pytest.raises(Reverted):
        lane.router.transact("recvPacket", forged)
    assert lane.router.transact("recvPacket", message).named("WriteAcknowledgement")


def test_attack_E7_contract_source_and_destination_swapped(lane):
    packet = lane.incoming()
    message = lane.receive_message(packet)
    swapped = replace(packet, source_client=LOCAL_CLIENT, destination_client=HUB_SIDE_CLIENT)
    refused(
        lambda: lane.router.transact("recvPacket", (packet_to_tuple(swapped), *message[1:])),
        "IBCCounterpartyClientNotFound",
    )
    other_source = replace(packet, source_client="bft-evm-1")
    refused(
        lambda: lane.router.transact("recvPacket", (packet_to_tuple(other_source), *message[1:])),
        "IBCInvalidCounterparty",
    )
    assert lane.router.transact("recvPacket", message).named("WriteAcknowledgement")


def test_attack_E7_contract_equal_sequences_of_two_clients_do_not_collide(lane):
    other = second_client(lane)
    lane.receive(lane.incoming())
    first = lane.send()
    second = lane.send(source_client="client-1")
    assert (first.sequence, second.sequence) == (1, 1)
    assert lane.stored(commitment_key(first)) == lane.stored(commitment_key(second)) != bytes(32)
    assert other.chain_id != lane.chain.chain_id


# E8: acknowledgements


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (b"", "IBCAsyncAcknowledgementNotSupported"),
        (ERROR_ACKNOWLEDGEMENT, "IBCErrorUniversalAcknowledgement"),
        (b"x" * (16 * 1024 + 1), "IBCInvalidAcknowledgement"),
    ],
    ids=["empty", "sentinel", "too long"],
)
def test_attack_E8_contract_acknowledgements_that_an_app_may_not_give(lane, answer, name):
    lane.app.transact("set", 0, answer, 0, bytes(20), b"")
    packet = lane.incoming()
    message = lane.receive_message(packet)
    refused(lambda: lane.router.transact("recvPacket", message), name)
    assert lane.stored(receipt_key(packet)) == bytes(32)
    assert lane.app.call("received") == 0
    lane.app.transact("set", 0, b"x" * (16 * 1024), 0, bytes(20), b"")
    (written,) = lane.router.transact("recvPacket", message).named("WriteAcknowledgement")
    assert written["acknowledgements"] == (b"x" * (16 * 1024),)


def test_attack_E8_contract_error_acknowledgement_has_one_form(lane):
    lane.app.transact("set", 1, b"", 42, bytes(20), b"")
    packet = lane.incoming()
    outcome = lane.receive(packet)
    (written,) = outcome.named("WriteAcknowledgement")
    assert written["acknowledgements"] == (ERROR_ACKNOWLEDGEMENT,)
    assert lane.stored(acknowledgement_key(packet)) == acknowledgement_commitment(
        Acknowledgement((ERROR_ACKNOWLEDGEMENT,))
    )
    assert lane.app.call("written") == 0
    (error,) = outcome.named("IBCAppRecvPacketCallbackError")
    assert error["reason"][:4] == keccak256(b"Refused(uint256)")[:4]


def test_attack_E8_contract_empty_acknowledgement_is_no_proof_of_anything(lane):
    packet = lane.send()
    message = lane.acknowledge_message(packet, b"done")
    refused(lambda: lane.router.transact("ackPacket", (message[0], b"", *message[2:])), "IBCInvalidAcknowledgement")
    assert lane.router.transact("ackPacket", message).named("AckPacket")


# E11: re-entrancy


def test_attack_E11_contract_receive_callback_calls_back(lane):
    """Every entry point, from inside a receive: refused, and the receive itself goes on."""
    first = lane.incoming(1)
    sent = lane.send()
    acknowledge = lane.acknowledge_message(sent, b"done")
    timed = lane.send(timeout_in_s=30)
    height = lane.pass_time_to(timed.timeout_timestamp_s)
    timeout = lane.timeout_message(timed, height)
    receive = lane.receive_message(first)
    lane.advance()
    update = lane.update_message(lane.chain.latest.header.height)
    calls = {
        "recvPacket": (receive,),
        "ackPacket": (acknowledge,),
        "timeoutPacket": (timeout,),
        "updateClient": (LOCAL_CLIENT, update),
        "sendPacket": (
            (LOCAL_CLIENT, lane.evm.timestamp_s + 60, (APP_PORT, "remote.port", "v1", ABI_ENCODING, b"\x01")),
        ),
        "submitMisbehaviour": (LOCAL_CLIENT, b""),
    }
    for number, (function, arguments) in enumerate(calls.items(), start=2):
        lane.app.transact("set", 6, b"ok", 0, lane.router.address, lane.router.calldata(function, *arguments))
        outer = lane.receive_message(lane.incoming(number))
        assert lane.router.transact("recvPacket", outer).named("WriteAcknowledgement")
        assert lane.app.call("callSucceeded") is False, function
        assert lane.app.call("callResult")[:4] == keccak256(b"ReentrancyGuardReentrantCall()")[:4], function
    assert lane.app.call("acknowledged") == 0 and lane.app.call("timedOut") == 0
    lane.app.transact("set", 0, b"ok", 0, bytes(20), b"")
    assert lane.router.transact("ackPacket", acknowledge).named("AckPacket")
    assert lane.router.transact("timeoutPacket", timeout).named("TimeoutPacket")


def test_attack_E11_contract_batch_inside_a_callback(lane):
    message = lane.receive_message(lane.incoming(1))
    batch = lane.router.calldata("relayBatch", (relay_call(lane, "recvPacket", message, gas=200_000),))
    lane.app.transact("set", 6, b"ok", 0, lane.router.address, batch)
    outer = lane.receive_message(lane.incoming(2))
    outcome = lane.router.transact("recvPacket", outer)
    assert lane.app.call("callResult")[:4] == keccak256(b"ReentrancyGuardReentrantCall()")[:4]
    assert len(outcome.named("WriteAcknowledgement")) == 1


def test_attack_E11_contract_commitment_is_gone_before_the_callback(lane):
    """ASA-2024-007: what the app sees of its own packet while it hears of the end."""
    packet = lane.send()
    view = lane.router.calldata("getCommitment", keccak256(commitment_key(packet)))
    lane.app.transact("set", 6, b"ok", 0, lane.router.address, view)
    lane.acknowledge(packet, b"done")
    assert lane.app.call("callResult") == bytes(32)
    timed = lane.send(timeout_in_s=30)
    view = lane.router.calldata("getCommitment", keccak256(commitment_key(timed)))
    lane.app.transact("set", 6, b"ok", 0, lane.router.address, view)
    height = lane.pass_time_to(timed.timeout_timestamp_s)
    lane.router.transact("timeoutPacket", lane.timeout_message(timed, height))
    assert lane.app.call("callResult") == bytes(32)


# E12: callbacks that misbehave


@pytest.mark.parametrize(("mode", "size"), [(3, 0), (2, 0)], ids=["loop", "revert without reason"])
def test_attack_E12_contract_callback_without_a_reason_leaves_the_packet(lane, mode, size):
    packet = lane.incoming()
    message = lane.receive_message(packet)
    lane.app.transact("set", mode, b"", size, bytes(20), b"")
    refused(lambda: lane.router.transact("recvPacket", message, gas=1_000_000), "IBCFailedCallback")
    assert lane.stored(receipt_key(packet)) == bytes(32)
    lane.app.transact("set", 0, b"ok", 0, bytes(20), b"")
    assert lane.router.transact("recvPacket", message).named("WriteAcknowledgement")


def test_attack_E12_contract_huge_revert_data_becomes_an_error_acknowledgement(lane):
    lane.app.transact("set", 5, b"", 100_000, bytes(20), b"")
    outcome = lane.receive(lane.incoming(), gas=1_500_000)
    (error,) = outcome.named("IBCAppRecvPacketCallbackError")
    assert len(error["reason"]) == 1024
    assert outcome.named("WriteAcknowledgement")[0]["acknowledgements"] == (ERROR_ACKNOWLEDGEMENT,)


def test_attack_E12_contract_huge_or_malformed_answer_reverts_whole(lane):
    packet = lane.incoming()
    message = lane.receive_message(packet)
    for mode, size in ((4, 100_000), (7, 0)):
        lane.app.transact("set", mode, b"", size, bytes(20), b"")
        refused(lambda: lane.router.transact("recvPacket", message, gas=2_000_000), "IBCInvalidAcknowledgement")
    assert lane.stored(receipt_key(packet)) == bytes(32)


def test_attack_E12_contract_settlement_callback_that_reverts_keeps_the_commitment(lane):
    packet = lane.send()
    message = lane.acknowledge_message(packet, b"done")
    lane.app.transact("set", 1, b"", 1, bytes(20), b"")
    refused(lambda: lane.router.transact("ackPacket", message), "Refused")
    assert lane.stored(commitment_key(packet)) != bytes(32)
    lane.app.transact("set", 0, b"ok", 0, bytes(20), b"")
    assert lane.router.transact("ackPacket", message).named("AckPacket")


# E13: timeouts at send


@pytest.mark.parametrize(
    ("timeout", "name"),
    [
        (lambda now: 0, "IBCInvalidTimeoutTimestamp"),
        (lambda now: now, "IBCInvalidTimeoutTimestamp"),
        (lambda now: now - 1, "IBCInvalidTimeoutTimestamp"),
        (lambda now: now + DAY_S + 1, "IBCInvalidTimeoutDuration"),
        (lambda now: 2**63, "IBCInvalidTimeoutDuration"),
        (lambda now: 2**64 - 1, "IBCInvalidTimeoutDuration"),
        (lambda now: (now + 60) * 10**9, "IBCInvalidTimeoutDuration"),
    ],
)
def test_attack_E13_contract_timeouts_at_send(lane, timeout, name):
    refused(lambda: lane.send(timeout_timestamp_s=timeout(lane.evm.timestamp_s)), name)
    assert lane.send(timeout_timestamp_s=lane.evm.timestamp_s + 1).sequence == 1
    assert lane.send(timeout_timestamp_s=lane.evm.timestamp_s + DAY_S).sequence == 2


def test_attack_E13_contract_timeout_that_the_counterparty_has_passed(lane):
    """The client knows a hub time ahead of this chain's clock: a timeout up to it could be proven at once."""
    lane.advance(2)
    lane.update()
    hub_s = lane.chain.latest.header.time_ns // 10**9
    lane.evm.timestamp_s = hub_s - 3
    error = refused(lambda: lane.send(timeout_timestamp_s=hub_s), "IBCInvalidTimeoutTimestamp")
    assert error.arguments == (hub_s, hub_s)
    assert lane.send(timeout_timestamp_s=hub_s + 1).sequence == 1


# E14: clients that must not carry packets


def test_attack_E14_contract_send_on_frozen_expired_and_unknown_clients(lane):
    refused(lambda: lane.send(source_client="client-9"), "IBCCounterpartyClientNotFound")
    expired_at = (lane.chain.latest.header.time_ns + lane.chain.trusting_period_ns) // 10**9 + 1
    with lane.evm.at(expired_at - 1):
        lane.send()
    with lane.evm.at(expired_at):
        refused(lane.send, "IBCClientNotActive")
    height = lane.advance(3)
    one = lane.chain.update(height, lane.trusted)
    two = lane.chain.update(height, lane.trusted, lane.chain.fork(height, app_hash=b"\xee" * 32))
    packet, message = lane.incoming(), None
    message = lane.receive_message(packet)
    outgoing = lane.send()
    acknowledge = lane.acknowledge_message(outgoing, b"done")
    lane.router.transact("submitMisbehaviour", LOCAL_CLIENT, lane.misbehaviour_message(one, two), sender=RELAYER)
    refused(lane.send, "IBCClientNotActive")
    refused(lambda: lane.router.transact("recvPacket", message), "FrozenClient")
    refused(lambda: lane.router.transact("ackPacket", acknowledge), "FrozenClient")


# E15: sequences


def test_attack_E15_contract_sequences_count_from_one_without_gaps(lane):
    assert [lane.send().sequence for _ in range(3)] == [1, 2, 3]
    refused(lambda: lane.send(timeout_timestamp_s=0), "IBCInvalidTimeoutTimestamp")
    assert lane.send().sequence == 4


def test_attack_E15_contract_sequence_zero(lane):
    packet = lane.incoming()
    message = lane.receive_message(packet)
    zero = (0, *packet_to_tuple(packet)[1:])
    refused(lambda: lane.router.transact("recvPacket", (zero, *message[1:])), "IBCInvalidSequence")


def test_attack_E16_contract_receipts_are_never_deleted(lane):
    """No function writes a receipt but recvPacket, and none deletes one: the replay stays a no-op for ever."""
    packet = lane.incoming(timeout_in_s=DAY_S)
    message = lane.receive_message(packet)
    lane.router.transact("recvPacket", message)
    acknowledgement = lane.stored(acknowledgement_key(packet))
    receipt = lane.stored(receipt_key(packet))
    for number in range(2, 5):
        lane.receive(lane.incoming(number))
    assert lane.router.transact("recvPacket", message).named("Noop")
    assert (lane.stored(receipt_key(packet)), lane.stored(acknowledgement_key(packet))) == (receipt, acknowledgement)


# E20: pause


def test_attack_E20_contract_pause_loses_nothing(lane):
    from hutong.contracts.roles import PAUSER_ROLE, UNPAUSER_ROLE
    from tests.contracts.evm import SENDER
    from tests.contracts.lane import STRANGER

    lane.manager.transact("grantRole", PAUSER_ROLE, SENDER, 0)
    lane.manager.transact("grantRole", UNPAUSER_ROLE, SENDER, 0)
    incoming, outgoing = lane.incoming(), lane.send()
    late = lane.send(timeout_in_s=30)
    receive = lane.receive_message(incoming)
    acknowledge = lane.acknowledge_message(outgoing, b"done")
    height = lane.pass_time_to(late.timeout_timestamp_s)
    timeout = lane.timeout_message(late, height)
    refused(lambda: lane.router.transact("pause", sender=STRANGER), "AccessManagedUnauthorized")
    lane.router.transact("pause")
    assert lane.router.call("paused") is True
    for function, message in (("recvPacket", receive), ("ackPacket", acknowledge), ("timeoutPacket", timeout)):
        refused(lambda function=function, message=message: lane.router.transact(function, message), "EnforcedPause")
    refused(lane.send, "EnforcedPause")
    lane.advance()
    lane.update()
    refused(lambda: lane.router.transact("unpause", sender=STRANGER), "AccessManagedUnauthorized")
    lane.router.transact("unpause")
    assert lane.router.transact("recvPacket", receive).named("WriteAcknowledgement")
    assert lane.router.transact("ackPacket", acknowledge).named("AckPacket")
    assert lane.router.transact("timeoutPacket", timeout).named("TimeoutPacket")


def test_attack_E20_contract_timeouts_run_on_during_a_pause(lane):
    """The clock is the destination's block time, which no pause stops: a packet that waits too long is not received."""
    from hutong.contracts.roles import PAUSER_ROLE, UNPAUSER_ROLE
    from tests.contracts.evm import SENDER

    lane.manager.transact("grantRole", PAUSER_ROLE, SENDER, 0)
    lane.manager.transact("grantRole", UNPAUSER_ROLE, SENDER, 0)
    packet = lane.incoming(timeout_in_s=60)
    message = lane.receive_message(packet)
    lane.router.transact("pause")
    with lane.evm.at(packet.timeout_timestamp_s):
        lane.router.transact("unpause")
        refused(lambda: lane.router.transact("recvPacket", message), "IBCInvalidTimeoutTimestamp")


# what may be sent at all


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"destination_port": "x"}, "destPort"),
        ({"destination_port": "with space"}, "destPort"),
        ({"version": ""}, "version"),
        ({"version": " "}, "version"),
        ({"version": "v" * 257}, "version"),
        ({"encoding": "é"}, "encoding"),
        ({"value": b""}, "value"),
        ({"value": b"x" * 262_145}, "value"),
    ],
)
def test_payloads_that_other_chains_cannot_decode_are_not_sent(lane, fields, field):
    error = refused(lambda: lane.send(**fields), "IBCInvalidPayload")
    assert error.arguments == (field,)


def test_longest_value_is_sent(lane):
    assert lane.send(value=b"x" * 262_144).sequence == 1


def test_only_the_owner_of_a_port_sends_from_it(lane):
    refused(
        lambda: lane.app.transact(
            "send",
            lane.router.address,
            (LOCAL_CLIENT, lane.evm.timestamp_s + 60, ("gmpport", "remote.port", "v1", "e", b"\x01")),
        ),
        "IBCUnauthorizedSender",
    )
    refused(
        lambda: lane.app.transact(
            "send",
            lane.router.address,
            (LOCAL_CLIENT, lane.evm.timestamp_s + 60, ("nobody", "remote.port", "v1", "e", b"\x01")),
        ),
        "IBCAppNotFound",
    )


def test_packet_for_an_unknown_port_waits_for_its_timeout(lane):
    packet = lane.incoming(payload=Payload("remote.port", "nobody.here", "v1", ABI_ENCODING, b"\x01"))
    refused(lambda: lane.receive(packet), "IBCAppNotFound")
    assert lane.stored(receipt_key(packet)) == bytes(32)


# what is not offered


def test_attack_E9_contract_several_payloads_are_refused_whole(lane):
    """One payload a packet, at send by the ABI and at receive by a rule: nothing of a first payload can remain."""
    packet = lane.incoming()
    two = replace(packet, payloads=packet.payloads * 2)
    height = lane.publish({commitment_key(two): packet_commitment(two)})
    message = (packet_to_tuple(two), lane.proof(commitment_key(two), height), lane.proof_height(height))
    for function, fields in (
        ("recvPacket", message),
        ("ackPacket", (message[0], b"ack", *message[1:])),
        ("timeoutPacket", message),
    ):
        refused(
            lambda function=function, fields=fields: lane.router.transact(function, fields),
            "IBCMultiPayloadPacketNotSupported",
        )
    assert lane.app.call("received") == 0
    assert lane.receive(lane.incoming(2)).named("WriteAcknowledgement")


def test_attack_E10_contract_acknowledgements_are_written_at_once_and_once(lane):
    """No function writes an acknowledgement later, and a second receive writes none."""
    writers = {entry["name"] for entry in lane.router.compiled.abi if entry["type"] == "function"}
    assert not any("write" in name.lower() for name in writers)
    packet = lane.incoming()
    message = lane.receive_message(packet)
    lane.app.transact("set", 0, b"", 0, bytes(20), b"")
    refused(lambda: lane.router.transact("recvPacket", message), "IBCAsyncAcknowledgementNotSupported")
    lane.app.transact("set", 0, b"first", 0, bytes(20), b"")
    lane.router.transact("recvPacket", message)
    stored = lane.stored(acknowledgement_key(packet))
    lane.app.transact("set", 0, b"second", 0, bytes(20), b"")
    assert lane.router.transact("recvPacket", message).named("Noop")
    assert lane.stored(acknowledgement_key(packet)) == stored
