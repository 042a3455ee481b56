"""Attacks of a second reading: what one party could make look like another's, and what bulk costs."""

from dataclasses import replace

import pytest
from eth_abi.abi import decode, encode

from hutong.adapters.evm.hub_client import HEADER_UPDATE_TUPLE, encode_update
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.commitment import receipt_key
from hutong.light_clients.ibc.gmp import encode_gmp_acknowledgement
from hutong.light_clients.ibc.packet import Payload
from tests.contracts.evm import Evm, Reverted, signature_of, type_of
from tests.contracts.lane import (
    APP_PORT,
    HUB_SIDE_CLIENT,
    LOCAL_CLIENT,
    MERKLE_PREFIX,
    ORIGIN_CHAIN,
    ORIGIN_CLIENT,
    RELAYER,
    REMOTE_SENDER,
    STRANGER,
    Lane,
    deploy_hub_client,
    new_lane,
    now_s,
    relay_call,
)
from tests.contracts.test_router_packets import refused
from tests.light_clients.tendermint.simulated_chain import SimulatedChain

INFO = (HUB_SIDE_CLIENT, MERKLE_PREFIX)


@pytest.fixture
def lane():
    return new_lane(Lane)


def peer_client(lane, counterparty, chain=None):
    """Another client, whose chain (the lane's hub) calls this one `counterparty`."""
    chain = chain or lane.chain
    client = deploy_hub_client(lane.evm, chain, chain.latest.header.height)
    return lane.router.transact("addClient", (counterparty, MERKLE_PREFIX), client.address).value


# batches


def test_attack_E11_contract_receiver_cannot_make_other_calls_of_a_batch_look_failed(lane):
    """`BatchCallFailed` is what a relayer reads of its batch: a batch within a batch would write verdicts over it."""
    hostile = lane.receive_message(lane.forwarded_packet(sequence=1))
    honest = lane.receive_message(lane.incoming(2))
    junk = lane.router.calldata(
        "relayBatch", tuple(relay_call(lane, "updateClient", "x", b"", gas=0) for _ in range(2))
    )
    lane.receiver.transact("set", 6, 0, lane.router.address, junk)
    calls = (relay_call(lane, "recvPacket", hostile), relay_call(lane, "recvPacket", honest))
    outcome = lane.router.transact("relayBatch", calls, sender=RELAYER)
    assert outcome.value == (True, True)
    assert outcome.named("BatchCallFailed") == []
    assert lane.receiver.call("callSucceeded") is False
    # outside of callbacks the same contract may relay
    assert len(lane.receiver.transact("execute", lane.router.address, junk).named("BatchCallFailed")) == 2


def test_attack_E11_contract_sender_cannot_make_other_calls_of_a_batch_look_failed(lane):
    """The same from `onMessageSettled`, through multicall."""
    send = lane.mailbox.calldata(
        "sendForwarded", LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"x", lane.evm.timestamp_s + 3600
    )
    packet = lane.sent(lane.receiver.transact("execute", lane.mailbox.address, send))
    batch = lane.router.calldata("relayBatch", (relay_call(lane, "updateClient", "x", b"", gas=0),))
    junk = lane.router.calldata("multicall", (batch,))
    lane.receiver.transact("set", 6, 0, lane.router.address, junk)
    message = lane.acknowledge_message(packet, encode_gmp_acknowledgement(b"result"))
    outcome = lane.router.transact("relayBatch", (relay_call(lane, "ackPacket", message),))
    assert outcome.value == (True,) and outcome.named("AckPacket")
    assert outcome.named("BatchCallFailed") == []
    assert lane.receiver.transact("execute", lane.router.address, junk).named("BatchCallFailed")


def memory_bomb(lane, message, copies):
    """recvPacket whose payload list names one long payload `copies` times: decoded, memory grows far beyond calldata."""
    data = bytearray(lane.router.calldata("recvPacket", message))
    body = bytes(data[4:])

    def word(at):
        return int.from_bytes(body[at : at + 32], "big")

    packet = 32 + word(32)
    payloads = packet + word(packet + 128)
    offset = word(payloads + 32)
    heads = b"".join((offset + 32 * (copies - 1)).to_bytes(32, "big") for _ in range(copies))
    grown = body[:payloads] + copies.to_bytes(32, "big") + heads + body[payloads + 64 :]
    shift = 32 * (copies - 1)
    # what follows the list moves: the proof's offset in the message
    proof = 32 + 32
    moved = (word(proof) + shift).to_bytes(32, "big")
    grown = grown[:proof] + moved + grown[proof + 32 :]
    return bytes(data[:4]) + grown


def test_attack_D10_contract_memory_bomb_sinks_only_its_own_call(lane):
    message = lane.receive_message(lane.incoming(1))
    assert memory_bomb(lane, message, 1) == lane.router.calldata("recvPacket", message)
    long = lane.incoming(2, Payload("remote.port", APP_PORT, "v1", ABI_ENCODING, b"\x01" * 8192))
    bomb = memory_bomb(lane, lane.receive_message(long), 1000)
    with pytest.raises(Reverted) as error:
        lane.evm.send(lane.router.address, bomb, gas=10_000_000)
    assert error.value.gas_used == 10_000_000
    honest = lane.receive_message(lane.incoming(3))
    calls = ((1_000_000, bomb), relay_call(lane, "recvPacket", honest, gas=1_000_000))
    outcome = lane.router.transact("relayBatch", calls, gas=2_500_000)
    assert outcome.value == (False, True)
    assert lane.stored(receipt_key(long)) == bytes(32)


# identifiers of messages, and what a peer is


def test_attack_E15_contract_direct_peers_that_call_this_chain_alike_do_not_share_message_ids(lane):
    """Every Solidity router names its first client client-0: the identifier must hold both ends of the packet."""
    ids = []
    sender = lane.evm.deploy("HostileReceiver")
    for chain in ("chain-x", "chain-y"):
        client = peer_client(lane, "client-0", SimulatedChain(chain_id=f"{chain}-1"))
        lane.mailbox.transact("setDirectPeer", client, chain)
        call = lane.mailbox.calldata("sendMessage", client, REMOTE_SENDER, b"pay", lane.evm.timestamp_s + 600)
        (event,) = sender.transact("execute", lane.mailbox.address, call).named("MessageSent")
        assert event["messageId"] == lane.mailbox.call("messageIdOf", False, f"{client}/client-0", 1)
        ids.append(event["messageId"])
    assert len(set(ids)) == 2


def test_attack_E15_contract_direct_and_forwarded_message_ids_never_meet(lane):
    """The flag is hashed, and no identifier holds the separator of a direct route."""
    forwarded = lane.mailbox.call("messageIdOf", True, "client-1/client-0", 1)
    assert forwarded != lane.mailbox.call("messageIdOf", False, "client-1/client-0", 1)
    client = deploy_hub_client(lane.evm, lane.chain, lane.chain.latest.header.height).address
    refused(lambda: lane.router.transact("addClient", "hub/main-1", INFO, client), "IBCInvalidClientId")
    refused(lambda: lane.router.transact("addClient", ("bft/evm-1", MERKLE_PREFIX), client), "IBCInvalidClientId")
    assert lane.router.transact("addClient", "hub-main-1", ("bft-evm-8", MERKLE_PREFIX), client).value


def test_attack_stamp_forgery_contract_peers_of_one_hub_are_not_peers_of_another(lane):
    """Each hub numbers its clients itself: `bft-evm-1` of a new hub is another chain, until the admin names it."""
    other = peer_client(lane, "bft-evm-8")
    lane.mailbox.transact("setHubClient", other)
    packet = replace(lane.forwarded_packet(), source_client="bft-evm-8")
    message = lane.receive_message(replace(packet, destination_client=other))

    def receive():
        return lane.router.transact("recvPacket", message, sender=RELAYER, keep=False)

    client = lane.evm.contracts[bytes.fromhex(lane.router.call("getClient", other)[2:])]
    lane.router.transact("updateClient", other, latest_update(lane, client))
    outcome = receive()
    assert outcome.named("IBCAppRecvPacketCallbackError") and not outcome.named("MessageDelivered")
    assert lane.mailbox.call("forwardedPeer", ORIGIN_CLIENT) == ""
    lane.mailbox.transact("setForwardedPeer", ORIGIN_CLIENT, "chain-of-the-new-hub")
    (delivered,) = receive().named("MessageDelivered")
    assert delivered["origin"][0] == "chain-of-the-new-hub"
    lane.mailbox.transact("setHubClient", LOCAL_CLIENT)
    assert lane.mailbox.call("forwardedPeer", ORIGIN_CLIENT) == ORIGIN_CHAIN
    lane.mailbox.transact("setHubClient", "")
    refused(lambda: lane.mailbox.transact("setForwardedPeer", ORIGIN_CLIENT, "nobody"), "NotHubClient")


def latest_update(lane, client):
    _, trusted = client.call("latestHeight")
    return encode_update(lane.chain.update(lane.chain.latest.header.height, trusted))


def test_attack_E12_contract_long_result_cannot_hide_the_outcome_from_the_example(lane):
    """A receiver chooses up to 8 KiB of result; storing it does not fit the fixed gas of a settlement."""
    sender = lane.evm.deploy("ExampleSender", lane.mailbox.address)
    for length, stored in ((96, True), (97, False), (8192, False)):
        sent = sender.transact("send", ORIGIN_CLIENT, REMOTE_SENDER, b"x")
        result = b"\xff" * length
        settled = lane.acknowledge(lane.sent(sent), encode_gmp_acknowledgement(result))
        assert settled.named("SettlementCallbackFailed") == [], length
        assert settled.named("MessageAcknowledged")[0]["result"] == result
        assert sender.call("outcomes", sent.value) == 2
        assert sender.call("results", sent.value) == (result if stored else b"")


# rights

OPEN = {
    "Router": {"sendPacket", "submitMisbehaviour", "relayBatch", "multicall", "setAuthority"},
    "Mailbox": {
        "sendMessage",
        "sendMessageWithGas",
        "sendForwarded",
        "sendForwardedWithGas",
        "onRecvPacket",
        "onAcknowledgementPacket",
        "onTimeoutPacket",
        "setAuthority",
    },
}
"""Without a role: guarded by port, by proof, or by the caller's own rights."""


@pytest.mark.parametrize("open_relaying", [True, False])
def test_attack_G16_contract_everything_else_is_restricted_after_deployment(open_relaying):
    """Every function that writes, called by a stranger, on contracts as `deploy` leaves them."""
    lane = Lane(open_relaying=open_relaying)
    relayed = {"updateClient", "recvPacket", "ackPacket", "timeoutPacket"} if open_relaying else set()
    for contract in (lane.router, lane.mailbox):
        for entry in contract.compiled.abi:
            if entry["type"] != "function" or entry["stateMutability"] != "nonpayable":
                continue
            name = entry["name"]
            arguments = [zero(parameter) for parameter in entry["inputs"]]
            data = calldata(entry, arguments)
            try:
                lane.evm.send(contract.address, data, sender=STRANGER, keep=False)
                reason = ""
            except Reverted as error:
                reason = error.name or "no reason"
            restricted = reason == "AccessManagedUnauthorized"
            free = name in OPEN[contract.compiled.name] or (contract is lane.router and name in relayed)
            assert restricted != (free and name != "setAuthority"), (name, reason)
            if name in ("onRecvPacket", "onAcknowledgementPacket", "onTimeoutPacket"):
                assert reason == "OnlyRouter"


def zero(parameter):
    kind = parameter["type"]
    if kind.endswith("[]"):
        return ()
    if kind == "tuple":
        return tuple(map(zero, parameter["components"]))
    return {"string": "", "bytes": b"", "bool": False, "address": bytes(20)}.get(kind, 0)


def calldata(entry, arguments):
    types = [type_of(parameter) for parameter in entry["inputs"]]
    return keccak256(signature_of(entry).encode())[:4] + encode(types, arguments)


# stored heights


@pytest.mark.long
def test_attack_C15_contract_many_stored_heights_cost_an_old_update_little():
    """Anyone may fill in heights; each costs the sender a whole update and a later walker one slot."""
    lane = new_lane(Lane)
    first = lane.trusted
    last = lane.advance(26)
    plain = lane.router.transact("updateClient", LOCAL_CLIENT, lane.update_message(last), keep=False).gas_used
    cheapest = min(lane.update(height).gas_used for height in range(first + 1, last))
    lane.trusted = first
    walked = lane.router.transact("updateClient", LOCAL_CLIENT, lane.update_message(last), keep=False)
    step = (walked.gas_used - plain) / (last - first - 1)
    assert walked.value == 0
    assert 2_000 < step < 3_000 and cheapest > 60 * step
    # whoever starts from the newest state walks nothing
    lane.trusted = last - 1
    assert lane.update(last).gas_used < plain + 10_000


# heights that stock clients cannot hold


def test_attack_C11_contract_height_beyond_int64_is_no_height():
    """Stock clients read heights as int64, where this one is negative; its bytes are signed here by everyone."""
    chain = SimulatedChain(chain_id="hutong-1")
    chain.advance(3)
    client = deploy_hub_client(Evm(timestamp_s=now_s(chain)), chain, 1)
    honest = encode_update(chain.update(3, 1))
    for height, refusal in ((2**63 - 1, None), (2**63, "CommitMismatch"), (2**64 - 1, "CommitMismatch")):
        signed = height if height < 2**63 else height - 2**64
        block = chain.block(3)
        forged = chain.sign(replace(block.header, height=signed), block.validators).commit
        ((trusted, header, commit, validators, others),) = decode([HEADER_UPDATE_TUPLE], honest)
        entries = tuple(
            (int(entry.block_id_flag), divmod(entry.timestamp_ns, 10**9), entry.signature[:32], entry.signature[32:])
            for entry in forged.signatures
        )
        parts = forged.block_id.part_set_header
        block_id = (forged.block_id.hash, parts.total, parts.hash)
        moved = (
            trusted,
            (*header[:3], height, *header[4:]),
            (height, commit[1], block_id, entries),
            validators,
            others,
        )
        message = encode([HEADER_UPDATE_TUPLE], [moved])
        if refusal is None:
            assert client.transact("updateClient", message, keep=False).value == 0
        else:
            refused(lambda message=message: client.transact("updateClient", message), refusal)
    assert client.transact("updateClient", honest).value == 0
