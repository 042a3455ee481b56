"""Mailbox: who may speak in whose name, what may be called, and how messages end."""

from dataclasses import replace

import pytest

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.commitment import commitment_key, receipt_key
from hutong.light_clients.ibc.forward import (
    FORWARD_PORT,
    FORWARD_VERSION,
    ForwardRequest,
    OriginStamp,
    StampedPayload,
    decode_forward_request,
    encode_forward_request,
    encode_stamped_payload,
)
from hutong.light_clients.ibc.gmp import (
    GMP_PORT,
    GMP_VERSION,
    GmpPacketData,
    decode_gmp,
    encode_gmp,
    encode_gmp_acknowledgement,
)
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Payload
from tests.contracts.evm import SENDER, Reverted
from tests.contracts.lane import (
    LOCAL_CLIENT,
    ORIGIN_CHAIN,
    ORIGIN_CLIENT,
    RELAYER,
    REMOTE_SENDER,
    STRANGER,
    Lane,
    new_lane,
)
from tests.contracts.test_router_packets import refused

GOOD_STAMP = OriginStamp(1, ORIGIN_CLIENT, GMP_PORT, FORWARD_PORT, 7, 1)


@pytest.fixture
def lane():
    return new_lane(Lane)


def delivered(lane, packet):
    """Whether the message reached its receiver; the reason is left in `lane.reason` where it did not."""
    outcome = lane.receive(packet)
    errors = outcome.named("IBCAppRecvPacketCallbackError")
    (written,) = outcome.named("WriteAcknowledgement")
    assert (written["acknowledgements"] == (ERROR_ACKNOWLEDGEMENT,)) == bool(errors)
    lane.reason = Reverted.of(errors[0]["reason"], 0) if errors else None
    assert len(outcome.named("MessageDelivered")) == (0 if errors else 1)
    return not errors


# formats


def test_forwarded_message_is_sent_in_the_frozen_format(lane):
    timeout_s = lane.evm.timestamp_s + 3600
    outcome = lane.mailbox.transact(
        "sendForwarded", LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"payload", timeout_s, sender=STRANGER
    )
    packet = lane.sent(outcome)
    (payload,) = packet.payloads
    assert (payload.source_port, payload.destination_port) == (GMP_PORT, FORWARD_PORT)
    assert (payload.version, payload.encoding) == (FORWARD_VERSION, ABI_ENCODING)
    assert packet.timeout_timestamp_s == timeout_s - 600
    data = GmpPacketData("0x" + STRANGER.hex(), REMOTE_SENDER, b"", b"payload", "")
    request = ForwardRequest(ORIGIN_CLIENT, GMP_PORT, GMP_VERSION, ABI_ENCODING, timeout_s, encode_gmp(data))
    assert payload.value == encode_forward_request(request)
    assert decode_gmp(decode_forward_request(payload.value).value) == data
    (sent,) = outcome.named("MessageSent")
    assert sent["messageId"] == outcome.value[0] == lane.mailbox.call("messageIdOf", True, "bft-evm-0", 1)
    assert sent["nextClient"] == ORIGIN_CLIENT


def test_direct_message_both_ways(lane):
    lane.mailbox.transact("setHubClient", "")
    lane.mailbox.transact("setDirectPeer", LOCAL_CLIENT, "neighbour")
    timeout_s = lane.evm.timestamp_s + 3600
    outcome = lane.mailbox.transact("sendMessage", LOCAL_CLIENT, REMOTE_SENDER, b"payload", timeout_s, sender=STRANGER)
    (payload,) = lane.sent(outcome).payloads
    data = GmpPacketData("0x" + STRANGER.hex(), REMOTE_SENDER, b"", b"payload", "")
    assert payload == Payload(GMP_PORT, GMP_PORT, GMP_VERSION, ABI_ENCODING, encode_gmp(data))
    assert outcome.value[0] == lane.mailbox.call("messageIdOf", False, "client-0/bft-evm-0", 1)
    back = GmpPacketData(REMOTE_SENDER, lane.receiver.text, b"", b"hi", "")
    packet = lane.incoming(3, Payload(GMP_PORT, GMP_PORT, GMP_VERSION, ABI_ENCODING, encode_gmp(back)))
    received = lane.receive(packet)
    (event,) = received.named("MessageDelivered")
    assert event["origin"] == ("neighbour", LOCAL_CLIENT, GMP_PORT, 3, False)
    assert event["messageId"] == lane.mailbox.call("messageIdOf", False, "bft-evm-0/client-0", 3)
    assert received.named("WriteAcknowledgement")[0]["acknowledgements"] == (encode_gmp_acknowledgement(b"hi"),)


# the stamp


@pytest.mark.parametrize(
    "stamp",
    [
        replace(GOOD_STAMP, source_port="evil.port"),
        replace(GOOD_STAMP, source_port=FORWARD_PORT),
        replace(GOOD_STAMP, destination_port=GMP_PORT),
        replace(GOOD_STAMP, client_id="bft-evm-9"),
    ],
    ids=["another app's port", "forward port", "stamped destination", "unknown origin"],
)
def test_attack_stamp_forgery_contract(lane, stamp):
    """Anyone may own a port on the origin: the hub stamps it truly, and the Mailbox must look at it."""
    assert not delivered(lane, lane.forwarded_packet(stamp=stamp))
    assert lane.reason.name in {"InvalidStamp", "UnknownPeer"}
    assert lane.receiver.call("calls") == 0
    assert delivered(lane, lane.forwarded_packet(sequence=2))


def stamped_value(**changes):
    """Stamped payloads that the honest encoder refuses to write."""
    from eth_abi.abi import encode

    fields = {
        "version": 1,
        "client_id": ORIGIN_CLIENT,
        "source_port": GMP_PORT,
        "destination_port": FORWARD_PORT,
        "sequence": 7,
        "hops": 1,
    }
    fields |= changes
    inner = encode_gmp(GmpPacketData(REMOTE_SENDER, "0x" + "00" * 20, b"", b"x", ""))
    return encode(
        ["((uint8,string,string,string,uint64,uint8),string,string,bytes)"],
        [(tuple(fields.values()), GMP_VERSION, ABI_ENCODING, inner)],
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": 2}, "version"),
        ({"version": 0}, "version"),
        ({"hops": 0}, "hops"),
        ({"hops": 2}, "hops"),
        ({"sequence": 0}, "sequence"),
    ],
)
def test_attack_stamp_forgery_contract_versions_and_hops(lane, changes, field):
    payload = Payload(FORWARD_PORT, GMP_PORT, FORWARD_VERSION, ABI_ENCODING, stamped_value(**changes))
    assert not delivered(lane, lane.incoming(1, payload))
    assert (lane.reason.name, lane.reason.arguments) == ("InvalidStamp", (field,))


def test_attack_stamp_forgery_contract_forwarder_of_another_chain(lane):
    """The same bytes over a client that is not the hub's, or from another port than the hub's forwarder."""
    assert not delivered(lane, lane.forwarded_packet(source_port=GMP_PORT))
    assert lane.reason.name == "WrongSourcePort"
    assert not delivered(lane, lane.forwarded_packet(sequence=2, source_port="forward2"))
    lane.mailbox.transact("setHubClient", "client-5")
    assert not delivered(lane, lane.forwarded_packet(sequence=3))
    assert lane.reason.name == "NotHubClient"
    lane.mailbox.transact("setHubClient", "")
    assert not delivered(lane, lane.forwarded_packet(sequence=4))
    lane.mailbox.transact("setHubClient", LOCAL_CLIENT)
    assert delivered(lane, lane.forwarded_packet(sequence=5))


def test_attack_stamp_forgery_contract_direct_payload_over_the_hub_client(lane):
    """A payload of the direct version needs a direct peer, and the hub's client is never one."""
    data = encode_gmp(GmpPacketData(REMOTE_SENDER, lane.receiver.text, b"", b"x", ""))
    payload = Payload(GMP_PORT, GMP_PORT, GMP_VERSION, ABI_ENCODING, data)
    assert not delivered(lane, lane.incoming(1, payload))
    assert lane.reason.name == "UnknownPeer"
    refused(lambda: lane.mailbox.transact("setDirectPeer", LOCAL_CLIENT, "hub"), "NotHubClient")
    lane.mailbox.transact("setHubClient", "")
    lane.mailbox.transact("setDirectPeer", LOCAL_CLIENT, "neighbour")
    refused(lambda: lane.mailbox.transact("setHubClient", LOCAL_CLIENT), "UnknownPeer")
    assert not delivered(lane, lane.incoming(2, replace(payload, source_port="evil.port")))
    assert lane.reason.name == "WrongSourcePort"
    assert delivered(lane, lane.incoming(3, payload))


def test_attack_F11_contract_sender_text_never_acts_as_an_account(lane):
    """No account is made for a remote sender: whatever text it is, the receiver is called by the Mailbox."""
    for number, sender in enumerate(
        (lane.mailbox.text, lane.router.text, "0x" + SENDER.hex(), "a/b", "é" * 10), start=1
    ):
        assert delivered(lane, lane.forwarded_packet(sequence=number, sender=sender))
    assert lane.receiver.call("calls") == 5


def test_attack_F11_contract_salt_and_memo_are_refused(lane):
    for number, data in enumerate(
        (
            GmpPacketData(REMOTE_SENDER, lane.receiver.text, b"\x01" * 32, b"x", ""),
            GmpPacketData(REMOTE_SENDER, lane.receiver.text, b"", b"x", "memo"),
        ),
        start=1,
    ):
        assert not delivered(lane, lane.forwarded_packet(sequence=number, value=encode_gmp(data)))
        assert lane.reason.name == "UnsupportedField"
    assert delivered(lane, lane.forwarded_packet(sequence=3))


def test_attack_F11_contract_same_sender_on_two_chains_is_told_apart(lane):
    lane.mailbox.transact("setForwardedPeer", "bft-evm-2", "chain-c")
    outcomes = [
        lane.receive(lane.forwarded_packet(sequence=number, stamp=replace(GOOD_STAMP, client_id=client)))
        for number, client in enumerate((ORIGIN_CLIENT, "bft-evm-2"), start=1)
    ]
    origins = [outcome.named("MessageDelivered")[0]["origin"] for outcome in outcomes]
    assert [origin[0] for origin in origins] == [ORIGIN_CHAIN, "chain-c"]
    assert len({outcome.named("MessageDelivered")[0]["messageId"] for outcome in outcomes}) == 2


def test_attack_F11_contract_callbacks_are_the_routers(lane):
    payload = ("a.port", "gmpport", GMP_VERSION, ABI_ENCODING, b"x")
    for function, message in (
        ("onRecvPacket", ("bft-evm-0", LOCAL_CLIENT, 1, payload, RELAYER)),
        ("onAcknowledgementPacket", (LOCAL_CLIENT, "bft-evm-0", 1, payload, b"ack", RELAYER)),
        ("onTimeoutPacket", (LOCAL_CLIENT, "bft-evm-0", 1, payload, RELAYER)),
    ):
        refused(
            lambda function=function, message=message: lane.mailbox.transact(function, message, sender=STRANGER),
            "OnlyRouter",
        )


# what may be called: the Poly line


def test_attack_A_contract_poly_system_contracts_are_never_called(lane):
    targets = (lane.mailbox, lane.router, lane.manager, lane.client, lane.app)
    for number, target in enumerate(targets, start=1):
        payload = target.calldata("getClientState") if target is lane.client else b"\xde\xad\xbe\xef"
        assert not delivered(lane, lane.forwarded_packet(target.text, payload, number))
        assert (lane.reason.name, lane.reason.arguments) == ("InvalidReceiver", (target.text,))
    assert delivered(lane, lane.forwarded_packet(sequence=9))


def test_attack_F12_contract_receivers_without_code_and_malformed_ones(lane):
    texts = (
        "0x" + "00" * 20,
        "0x" + "12" * 20,
        "0x" + (4).to_bytes(20, "big").hex(),
        lane.receiver.text[:-1],
        lane.receiver.text + "0",
        "0X" + lane.receiver.text[2:],
        lane.receiver.text.replace("0x", "  "),
        "receiver",
        " ",
    )
    for number, text in enumerate(texts, start=1):
        assert not delivered(lane, lane.forwarded_packet(text, sequence=number))
        assert lane.reason.name == "InvalidReceiver"
    assert delivered(lane, lane.forwarded_packet("0x" + lane.receiver.text[2:].upper(), sequence=20))


def test_attack_F12_contract_receiver_is_called_by_one_method_only(lane):
    """The selector is fixed, the sender controls arguments alone (Poly Network: a brute-forced selector)."""
    selector = keccak256(b"onMessage((string,string,string,uint64,bool),string,bytes)")[:4]
    code = lane.mailbox.compiled.deployed_bytecode
    assert lane.receiver.selector("onMessage", 3) == selector
    assert selector in code
    outcome = lane.receive(lane.forwarded_packet(payload=lane.manager.calldata("grantRole", 0, STRANGER, 0)))
    assert outcome.named("MessageDelivered") and lane.receiver.call("calls") == 1
    assert lane.manager.call("hasRole", 0, STRANGER) == (False, 0)


def test_attack_F12_contract_new_clients_and_apps_become_untouchable(lane):
    fresh = lane.evm.deploy("HostileApp")
    assert lane.router.call("isSystemContract", fresh.address) is False
    lane.router.transact("addIBCApp", fresh.address)
    assert lane.router.call("isSystemContract", fresh.address) is True
    assert lane.router.call("getIBCApp", fresh.text) == fresh.text


# malformed payloads


def test_attack_D10_contract_only_canonical_abi_is_read(lane):
    good = lane.forwarded_packet()
    value = good.payloads[0].value
    inner = encode_gmp(GmpPacketData(REMOTE_SENDER, lane.receiver.text, b"", b"hello", ""))
    forged = {
        "trailing": value + bytes(32),
        "one byte more": value + b"\x00",
        "cut": value[:-32],
        "empty tail": value[:64],
        "offset": value[:31] + b"\x40" + value[32:],
        "dirty padding": value[:-1] + b"\x01",
        "huge length": value.replace(len(inner).to_bytes(32, "big"), (2**255).to_bytes(32, "big")),
    }
    for number, (name, data) in enumerate(forged.items(), start=1):
        assert data != value, name
        assert not delivered(lane, lane.incoming(number, replace(good.payloads[0], value=data))), name
        assert lane.reason.name == "MalformedPayload", name
    for number, data in enumerate((inner + bytes(32), inner[:-32], b"\x00" * 31 + b"\x20", b"\x01"), start=20):
        assert not delivered(lane, lane.forwarded_packet(sequence=number, value=data))
        assert lane.reason.name == "MalformedPayload"
    assert delivered(lane, lane.incoming(40, good.payloads[0]))


def test_versions_and_encodings_that_are_not_ours(lane):
    for number, changes in enumerate(
        ({"version": "ics27-1"}, {"version": "hutong-forward-2"}, {"encoding": "application/json"}), start=1
    ):
        assert not delivered(lane, lane.forwarded_packet(sequence=number, **changes))
        assert lane.reason.name == "UnsupportedPayload"
    inner = StampedPayload(GOOD_STAMP, "ics27-1", ABI_ENCODING, b"x")
    good = lane.forwarded_packet(sequence=9)
    assert not delivered(
        lane, replace(good, payloads=(replace(good.payloads[0], value=encode_stamped_payload(inner)),))
    )
    assert lane.reason.name == "UnsupportedPayload"


# results and refusals


def test_attack_E12_contract_receiver_modes(lane):
    """Each way a receiver can end, with what becomes of the packet."""
    cases = (
        (1, 7, "ReceiverReverted"),
        (4, 8193, "InvalidResult"),
        (4, 60_000, "InvalidResult"),
        (5, 60_000, "ReceiverReverted"),
        (7, 0, "InvalidResult"),
    )
    for number, (mode, size, name) in enumerate(cases, start=1):
        lane.receiver.transact("set", mode, size, bytes(20), b"")
        assert not delivered(lane, lane.forwarded_packet(sequence=number))
        assert lane.reason.name == name
        assert lane.receiver.call("calls") == 0
    lane.receiver.transact("set", 4, 8192, bytes(20), b"")
    assert delivered(lane, lane.forwarded_packet(sequence=10))
    for mode in (2, 3):
        lane.receiver.transact("set", mode, 0, bytes(20), b"")
        packet = lane.forwarded_packet(sequence=11)
        message = lane.receive_message(packet)
        refused(lambda message=message: lane.router.transact("recvPacket", message, gas=1_500_000), "IBCFailedCallback")
        assert lane.stored(receipt_key(packet)) == bytes(32)
    lane.receiver.transact("set", 0, 0, bytes(20), b"")
    assert lane.router.transact("recvPacket", message).named("MessageDelivered")


def test_attack_E11_contract_receiver_sends_inside_its_call(lane):
    call = lane.mailbox.calldata(
        "sendForwarded", LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"x", lane.evm.timestamp_s + 3600
    )
    lane.receiver.transact("set", 6, 0, lane.mailbox.address, call)
    assert delivered(lane, lane.forwarded_packet())
    assert lane.receiver.call("callSucceeded") is False
    assert lane.receiver.transact("execute", lane.mailbox.address, call).named("MessageSent")


# sending


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("client-9", ORIGIN_CLIENT, REMOTE_SENDER, b"x", 3600), "NotHubClient"),
        (("", ORIGIN_CLIENT, REMOTE_SENDER, b"x", 3600), "NotHubClient"),
        ((LOCAL_CLIENT, "nonsense", REMOTE_SENDER, b"x", 3600), "UnknownPeer"),
        ((LOCAL_CLIENT, ORIGIN_CLIENT, "", b"x", 3600), "InvalidMessage"),
        ((LOCAL_CLIENT, ORIGIN_CLIENT, "r" * 2049, b"x", 3600), "InvalidMessage"),
        ((LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"", 3600), "InvalidMessage"),
        ((LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"x" * 65_537, 3600), "InvalidMessage"),
        ((LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"x", 600), "InvalidTimeout"),
        ((LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"x", 86_401), "InvalidTimeout"),
        ((LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"x", -1), "InvalidTimeout"),
    ],
)
def test_messages_that_cannot_be_sent(lane, arguments, name):
    *rest, in_s = arguments
    refused(lambda: lane.mailbox.transact("sendForwarded", *rest, lane.evm.timestamp_s + in_s), name)


@pytest.mark.parametrize("in_s", [601, 86_400])
def test_timeouts_at_their_bounds(lane, in_s):
    outcome = lane.mailbox.transact(
        "sendForwarded", LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"x" * 65_536, lane.evm.timestamp_s + in_s
    )
    assert lane.sent(outcome).timeout_timestamp_s == lane.evm.timestamp_s + in_s - 600


def test_direct_message_needs_a_peer(lane):
    refused(
        lambda: lane.mailbox.transact("sendMessage", LOCAL_CLIENT, REMOTE_SENDER, b"x", lane.evm.timestamp_s + 60),
        "UnknownPeer",
    )


def test_peers_are_set_by_the_admin_only(lane):
    for function, arguments in (
        ("setHubClient", (LOCAL_CLIENT,)),
        ("setDirectPeer", ("client-1", "x")),
        ("setForwardedPeer", ("bft-evm-3", "x")),
    ):
        refused(
            lambda function=function, arguments=arguments: lane.mailbox.transact(function, *arguments, sender=STRANGER),
            "AccessManagedUnauthorized",
        )
    refused(lambda: lane.mailbox.transact("setForwardedPeer", "x", "y"), "UnknownPeer")
    refused(lambda: lane.mailbox.transact("setForwardedPeer", "bft-evm-3", "two words"), "InvalidMessage")
    lane.mailbox.transact("setForwardedPeer", ORIGIN_CLIENT, "")
    assert not delivered(lane, lane.forwarded_packet())
    assert lane.mailbox.call("hubClientId") == LOCAL_CLIENT


# settlement


def sent_by(lane, contract):
    call = lane.mailbox.calldata(
        "sendForwarded", LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"x", lane.evm.timestamp_s + 3600
    )
    return lane.sent(contract.transact("execute", lane.mailbox.address, call))


@pytest.mark.parametrize("mode", [1, 2, 3, 5, 8])
def test_attack_E12_contract_sender_cannot_keep_its_packet_from_being_settled(lane, mode):
    packet = sent_by(lane, lane.receiver)
    lane.receiver.transact("set", mode, 60_000, bytes(20), b"")
    outcome = lane.acknowledge(packet, encode_gmp_acknowledgement(b"result"))
    assert outcome.named("AckPacket") and outcome.named("MessageAcknowledged")[0]["delivered"]
    assert bool(outcome.named("SettlementCallbackFailed")) == (mode != 8)
    assert lane.stored(commitment_key(packet)) == bytes(32)


def test_attack_E12_contract_relayer_cannot_starve_the_senders_callback(lane):
    """With too little gas for the fixed callback the whole acknowledgement reverts and can be repeated."""
    packet = sent_by(lane, lane.receiver)
    message = lane.acknowledge_message(packet, encode_gmp_acknowledgement(b"result"))
    needed = lane.router.transact("ackPacket", message, keep=False).gas_used
    for gas in range(150_000, needed + 160_000, 10_000):
        try:
            outcome = lane.router.transact("ackPacket", message, gas=gas, keep=False)
        except Reverted:
            continue
        assert not outcome.named("SettlementCallbackFailed")
    assert lane.router.transact("ackPacket", message).named("AckPacket")
    assert 140_000 < lane.receiver.call("gasSeen") <= 150_000


def test_attack_E11_contract_sender_calls_back_while_it_learns_the_end(lane):
    packet = sent_by(lane, lane.receiver)
    message = lane.acknowledge_message(packet, encode_gmp_acknowledgement(b"result"))
    lane.receiver.transact("set", 6, 0, lane.router.address, lane.router.calldata("ackPacket", message))
    outcome = lane.router.transact("ackPacket", message)
    assert len(outcome.named("MessageAcknowledged")) == 1
    assert lane.receiver.call("callSucceeded") is False


def test_timeout_tells_the_sender(lane):
    sender = lane.evm.deploy("ExampleSender", lane.mailbox.address)
    outcome = sender.transact("send", ORIGIN_CLIENT, REMOTE_SENDER, b"x")
    packet = lane.sent(outcome)
    height = lane.pass_time_to(packet.timeout_timestamp_s)
    settled = lane.router.transact("timeoutPacket", lane.timeout_message(packet, height))
    assert settled.named("MessageTimedOut")[0]["messageId"] == outcome.value
    assert sender.call("outcomes", outcome.value) == 3
    refused(lambda: sender.transact("onMessageSettled", outcome.value, True, b"", sender=STRANGER), "OnlyMailbox")


@pytest.mark.parametrize(
    "acknowledgement", [b"\x01", b"x" * 95, (32).to_bytes(32, "big") * 2 + (2**255).to_bytes(32, "big"), b"x" * 200]
)
def test_acknowledgement_of_another_form_still_settles(lane, acknowledgement):
    packet = sent_by(lane, lane.receiver)
    (event,) = lane.acknowledge(packet, acknowledgement).named("MessageAcknowledged")
    assert (event["delivered"], event["result"]) == (True, acknowledgement)


def test_examples_work_as_the_quickstart_shows_them(lane):
    receiver = lane.evm.deploy("ExampleReceiver", lane.mailbox.address)
    outcome = lane.receive(lane.forwarded_packet(receiver.text, b"hello"))
    assert outcome.named("Received") == [{"chain": ORIGIN_CHAIN, "sender": REMOTE_SENDER, "payload": b"hello"}]
    assert receiver.call("received", ORIGIN_CHAIN, REMOTE_SENDER) == 1
    refused(lambda: receiver.transact("onMessage", ("a", "b", "c", 1, True), "d", b"e", sender=STRANGER), "OnlyMailbox")
