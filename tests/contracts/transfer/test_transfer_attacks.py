"""Transfer under attack: traces, receivers, amounts, callers, and every order in which a packet can end."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from hutong.contracts.artifacts import artifact_names, load_artifact
from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.commitment import acknowledgement_key, commitment_key, packet_commitment, receipt_key
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Payload
from hutong.light_clients.ibc.transfer import SUCCESS_ACKNOWLEDGEMENT
from tests.contracts.evm import Reverted
from tests.contracts.lane import (
    HUB_SIDE_CLIENT,
    LOCAL_CLIENT,
    MERKLE_PREFIX,
    RELAYER,
    REMOTE_SENDER,
    STRANGER,
    deploy_hub_client,
    new_lane,
)
from tests.contracts.test_router_packets import refused
from tests.contracts.transfer.transfer_lane import ALICE, BOB, REMOTE_TOKEN, SUPPLY, TransferLane, text


@pytest.fixture
def lane():
    return new_lane(TransferLane)


def second_client(lane, counterparty="bft-evm-7"):
    """Another client on the same router, of another chain; its packets need no proof of ours in these tests."""
    contract = deploy_hub_client(lane.evm, lane.chain, lane.chain.latest.header.height)
    return lane.router.transact("addClient", (counterparty, MERKLE_PREFIX), contract.address).value


def data_of(denom, amount=100, receiver=text(BOB), sender=REMOTE_SENDER, memo=""):
    """Packet data that the honest encoder refuses to write."""
    return encode(["(string,string,string,uint256,string)"], [(denom, sender, receiver, amount, memo)])


# rule 1 and F2: what a client can bring home


def test_attack_F2_contract_client_never_brings_home_more_than_it_was_sent(lane):
    lane.send_tokens(100)
    assert not lane.arrives(lane.tokens(lane.home(), 101))
    assert (lane.reason.name, lane.reason.arguments) == ("EscrowExceeded", (LOCAL_CLIENT, lane.token.text, 100, 101))
    assert (lane.escrow(), lane.balance(BOB)) == (100, 0)
    assert lane.arrives(lane.tokens(lane.home(), 100))
    assert not lane.arrives(lane.tokens(lane.home(), 1))


def test_attack_F2_contract_escrow_of_one_client_is_out_of_reach_of_another(lane):
    """Hostile chain C: the right trace over the wrong client drains nothing (rule 1)."""
    victim = second_client(lane)
    lane.send_tokens(500, client=victim)
    for denom in (
        lane.home(),
        f"transfer/{victim}/{lane.token.text}",
        f"transfer/bft-evm-7/{lane.token.text}",
        f"transfer/{HUB_SIDE_CLIENT}/transfer/{victim}/{lane.token.text}",
    ):
        arrived = lane.arrives(lane.tokens(denom, 500))
        assert lane.escrow(client=victim) == 500
        assert lane.balance(BOB) == 0
        # what is not refused is a voucher that names its true way
        assert arrived == (not denom.startswith(f"transfer/{HUB_SIDE_CLIENT}/"))
    voucher = lane.voucher(f"transfer/{victim}/{lane.token.text}")
    assert voucher.call("denom") == f"transfer/{LOCAL_CLIENT}/transfer/{victim}/{lane.token.text}"
    lane.send_tokens(500)
    assert lane.arrives(lane.tokens(lane.home(), 500))


def test_attack_F2_contract_voucher_goes_home_only_over_the_client_that_it_came_from(lane):
    """Over another client it is escrowed, and comes back as itself."""
    lane.arrives(lane.tokens(REMOTE_TOKEN, 70, ALICE))
    voucher = lane.voucher(REMOTE_TOKEN)
    other = second_client(lane)
    voucher.transact("approve", lane.transfer.address, 70, sender=ALICE)
    outcome = lane.send_tokens(70, token=voucher, client=other)
    assert outcome.named("TransferSent")[0]["denom"] == f"transfer/{LOCAL_CLIENT}/{REMOTE_TOKEN}"
    assert (voucher.call("totalSupply"), lane.escrow(voucher, other), lane.escrow(voucher)) == (70, 70, 0)
    refused(lambda: lane.send_tokens(1, token=voucher), "ERC20InsufficientBalance")
    # the other client's escrow of the voucher cannot be had by its address, nor over this client
    assert not lane.arrives(lane.tokens(f"transfer/{HUB_SIDE_CLIENT}/{voucher.text}", 70))
    assert lane.reason.name == "UnknownToken"
    assert not lane.arrives(lane.tokens(f"transfer/{HUB_SIDE_CLIENT}/transfer/{LOCAL_CLIENT}/{REMOTE_TOKEN}", 70))
    assert lane.reason.name == "EscrowExceeded"


def test_attack_F2_contract_same_token_address_on_two_chains_gives_two_vouchers(lane):
    first, second = f"transfer/bft-evm-1/{REMOTE_TOKEN}", f"transfer/bft-evm-2/{REMOTE_TOKEN}"
    assert lane.arrives(lane.tokens(first, 10)) and lane.arrives(lane.tokens(second, 20))
    assert lane.voucher(first).address != lane.voucher(second).address
    assert lane.balance(BOB, lane.voucher(first)) == 10
    assert lane.balance(BOB, lane.voucher(second)) == 20


def test_attack_F9_contract_no_two_clients_or_traces_share_an_escrow_or_a_voucher(lane):
    """`a/bc` against `ab/c`: texts with the same bytes in a row, cut elsewhere."""
    denoms = [
        "transfer/bft-evm-1/x1",
        "transfer/bft-evm-11/x",
        "transfer/bft-evm-1/x-1",
        "x1",
        "transferx/bft-evm-1/x1",
    ]
    for denom in denoms:
        assert lane.arrives(lane.tokens(denom, 5))
    assert len({lane.voucher(denom).address for denom in denoms}) == len(denoms)
    clients = [second_client(lane, f"bft-evm-{number}") for number in range(2, 13)]
    assert {"client-1", "client-10", "client-11"} <= set(clients)
    lane.send_tokens(7, client="client-1")
    assert [lane.escrow(client=client) for client in ("client-1", "client-10", "client-11", LOCAL_CLIENT)] == [
        7,
        0,
        0,
        0,
    ]


# F3: denominations


@pytest.mark.parametrize(
    "denom",
    [
        "",
        "/",
        "a/b",
        "transfer/bft-evm-1/",
        "transfer//x",
        "/bft-evm-1/x",
        "transfer/bft-evm-1",
        "transfer/evil/x",
        "transfer/channel-0/ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2",
        "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2",
        "usd\u0441",
        "us d",
        "-usd",
        "usd\n",
        "u" * 129,
        "u" * 10_000,
        "transfer/bft-evm-1/" * 16 + "x",
        "transfer/" + "a" * 56 + "-1/x" * 300,
    ],
)
def test_attack_F3_contract_denoms_that_are_invalid(lane, denom):
    assert not lane.arrives(lane.tokens("", value=data_of(denom)))
    assert lane.reason.name == ("InvalidText" if len(denom) > 1024 else "InvalidDenom")
    assert lane.arrives(lane.tokens("usd"))


def test_attack_F3_contract_longest_denoms(lane):
    for denom in ("u" * 128, "transfer/bft-evm-1/" * 15 + "x", "transfer/channel-0/gamm.pool:1_a-b"):
        assert lane.arrives(lane.tokens("", value=data_of(denom)))
        assert lane.voucher(denom).call("denom") == f"transfer/{LOCAL_CLIENT}/{denom}"


@pytest.mark.parametrize("name_length", [1005, 1006, 1024])
def test_attack_F3_contract_longest_denom_comes_home_over_another_client(lane, name_length):
    """A stock chain takes a name of any length; what it sends back has its hop in front, and is longer than any name here."""
    way = f"transfer/{LOCAL_CLIENT}/"
    ports = name_length - len(way) - len("/channel-0/") * 8 - 1
    sizes = [ports // 8 + (index < ports % 8) for index in range(8)]
    denom = "".join(f"{'p' * size}/channel-0/" for size in sizes) + "x"
    assert len(way + denom) == name_length
    assert lane.arrives(lane.tokens("", value=data_of(denom, receiver=text(ALICE))))
    voucher = lane.voucher(denom)
    homeward = Payload(
        "transfer", "transfer", "ics20-1", ABI_ENCODING, data_of(f"transfer/bft-evm-7/{way}{denom}", amount=60)
    )
    packet = replace(lane.incoming(1, homeward), source_client="bft-evm-7", destination_client="client-1")
    height = lane.publish({commitment_key(packet): packet_commitment(packet)})
    assert second_client(lane) == "client-1"
    voucher.transact("approve", lane.transfer.address, 60, sender=ALICE)
    lane.send_tokens(60, token=voucher, client="client-1")
    assert lane.escrow(voucher, "client-1") == 60
    outcome = lane.router.transact("recvPacket", lane.receive_message(packet, height), sender=RELAYER)
    assert outcome.named("WriteAcknowledgement")[0]["acknowledgements"] == (SUCCESS_ACKNOWLEDGEMENT,)
    assert (lane.balance(BOB, voucher), lane.escrow(voucher, "client-1")) == (60, 0)


@pytest.mark.parametrize(
    "spell", [str.upper, lambda t: "0X" + t[2:], lambda t: "0x0" + t[2:], lambda t: t + "/", lambda t: ""]
)
def test_attack_F3_contract_token_of_this_chain_has_one_spelling(lane, spell):
    lane.send_tokens(100)
    denom = f"transfer/{HUB_SIDE_CLIENT}/{spell(lane.token.text)}"
    assert not lane.arrives(lane.tokens("", value=data_of(denom)))
    assert lane.reason.name == "UnknownToken"
    upper = f"transfer/{HUB_SIDE_CLIENT}/0x{lane.token.text[2:].upper()}"
    assert not lane.arrives(lane.tokens("", value=data_of(upper)))
    assert lane.arrives(lane.tokens(lane.home(), 100))


# F4: amounts


def test_attack_F4_contract_amounts(lane):
    assert not lane.arrives(lane.tokens("", value=data_of("usd", 0)))
    assert lane.reason.name == "ZeroAmount"
    refused(lambda: lane.send_tokens(0), "ZeroAmount")
    most = 2**256 - 1
    assert lane.arrives(lane.tokens("", value=data_of("usd", most)))
    assert lane.balance(BOB, lane.voucher("usd")) == most
    # one more than fits: refused, and nothing wraps around
    assert not lane.arrives(lane.tokens("", value=data_of("usd", 1)))
    assert lane.reason.name == "Panic"
    assert lane.balance(BOB, lane.voucher("usd")) == most


def test_attack_F4_contract_only_canonical_abi_is_read(lane):
    value = data_of("usd", 100)
    forged = {
        "trailing": value + bytes(32),
        "one byte more": value + b"\x00",
        "cut": value[:-32],
        "tuple without its offset": value[32:],
        "offset": value[:31] + b"\x40" + value[32:],
        "dirty padding": value.replace(b"usd" + bytes(29), b"usd" + bytes(28) + b"\x01"),
        "huge length": value[: 6 * 32] + (2**255).to_bytes(32, "big") + value[7 * 32 :],
        "empty": b"\x00",
        "json": b'{"denom":"usd","amount":"100","sender":"a","receiver":"b"}',
    }
    for name, data in forged.items():
        assert data != value, name
        assert not lane.arrives(lane.tokens("", value=data)), name
        assert lane.reason.name == "MalformedPayload", name
    assert lane.arrives(lane.tokens("", value=value))


# F6


def test_attack_F6_contract_native_coins_and_decimals(lane):
    """No payable door; and an amount is the same number of smallest units on both sides, whatever wallets show."""
    abi = load_artifact("Transfer").abi
    assert not [
        entry for entry in abi if entry.get("stateMutability") == "payable" or entry["type"] in {"receive", "fallback"}
    ]
    refused(
        lambda: lane.transfer.transact(
            "sendTransfer", LOCAL_CLIENT, bytes(20), 1, REMOTE_SENDER, "", lane.evm.timestamp_s + 60, sender=ALICE
        ),
        "NotAToken",
    )
    assert lane.arrives(lane.tokens(REMOTE_TOKEN, 10**18, ALICE))
    voucher = lane.voucher(REMOTE_TOKEN)
    assert (voucher.call("decimals"), voucher.call("symbol")) == (0, "0xcdcd..cdcd")
    assert voucher.call("name") == f"transfer/{LOCAL_CLIENT}/{REMOTE_TOKEN}"
    trace = voucher.call("denom")
    refused(
        lambda: lane.transfer.transact("describeVoucher", trace, "B", "B", 18, sender=STRANGER),
        "AccessManagedUnauthorized",
    )
    refused(lambda: lane.transfer.transact("describeVoucher", "transfer/client-0/none", "B", "B", 18), "UnknownToken")
    refused(lambda: voucher.transact("describe", "B", "B", 18), "OnlyTransfer")
    assert lane.transfer.transact("describeVoucher", trace, "Beta coin", "BETA", 18).named("VoucherDescribed")
    assert (voucher.call("decimals"), voucher.call("symbol"), voucher.call("name")) == (18, "BETA", "Beta coin")
    assert voucher.call("denom") == trace
    refused(lambda: lane.transfer.transact("describeVoucher", trace, "C", "C", 6), "AlreadyDescribed")
    sent = lane.send_tokens(7, token=voucher)
    assert lane.data_of(lane.sent(sent)).amount == 7


# F7, F8: who is paid


def test_attack_F7_contract_refund_to_a_contract_and_to_nobody(lane):
    """A contract gets its tokens as anyone does; what nobody can take is held, and the packet is settled."""
    contract = lane.receiver
    lane.token.transact("mint", contract.address, 100)
    contract.transact("execute", lane.token.address, lane.token.calldata("approve", lane.transfer.address, 100))
    timeout_s = lane.evm.timestamp_s + 3600
    call = lane.transfer.calldata("sendTransfer", LOCAL_CLIENT, lane.token.address, 100, REMOTE_SENDER, "", timeout_s)
    packet = lane.sent(contract.transact("execute", lane.transfer.address, call))
    assert not lane.fail(packet).named("TransferHeld")
    assert lane.balance(contract.address) == 100
    nobody = bytes(20)
    lane.arrives(lane.tokens(REMOTE_TOKEN, 70, ALICE))
    voucher = lane.voucher(REMOTE_TOKEN)
    lane.token.transact("mint", nobody, 50)
    lane.token.transact("approve", lane.transfer.address, 50, sender=nobody)
    packet = lane.sent(lane.send_tokens(50, sender=nobody))
    lane.token.transact("blockAccount", nobody, True)
    assert lane.fail(packet).named("TransferHeld")[0]["amount"] == 50
    assert (lane.escrow(), lane.balance(lane.transfer.address)) == (0, 50)
    assert voucher.call("totalSupply") == 70


def test_attack_F7_contract_voucher_refund_that_cannot_be_minted_is_held(lane):
    """To the zero address nothing is minted; the supply is whole again all the same."""
    lane.arrives(lane.tokens(REMOTE_TOKEN, 70, ALICE))
    voucher = lane.voucher(REMOTE_TOKEN)
    packet = lane.sent(lane.send_tokens(70, token=voucher))
    (payload,) = packet.payloads
    forged = data_of(voucher.call("denom"), 70, REMOTE_SENDER, text(bytes(20)))
    callback = (
        LOCAL_CLIENT,
        HUB_SIDE_CLIENT,
        9,
        tuple(replace(payload, value=forged).__getattribute__(n) for n in Payload.__slots__),
        RELAYER,
    )
    outcome = lane.transfer.transact("onTimeoutPacket", callback, sender=lane.router.address)
    assert outcome.named("TransferHeld")[0]["owner"] == text(bytes(20))
    assert voucher.call("totalSupply") == lane.balance(lane.transfer.address, voucher) == 70


@pytest.mark.parametrize("first", ["error", "timeout", "success"])
def test_attack_F7_contract_one_packet_is_refunded_once(lane, first):
    """Refund after the error acknowledgement and after the timeout, in every order; and never after a success."""
    packet = lane.sent(lane.send_tokens(100, timeout_in_s=60))
    lane.send_tokens(900)
    error = lane.acknowledge_message(packet, ERROR_ACKNOWLEDGEMENT)
    success = lane.acknowledge_message(replace(packet), SUCCESS_ACKNOWLEDGEMENT) if first == "success" else None
    height = lane.pass_time_to(packet.timeout_timestamp_s)
    late = lane.timeout_message(packet, height)
    calls = {"error": ("ackPacket", error), "timeout": ("timeoutPacket", late), "success": ("ackPacket", success)}
    order = [first, *(name for name in ("error", "timeout") if name != first)]
    refunds = 0
    for name in order:
        outcome = lane.router.transact(*calls[name])
        refunds += len(outcome.named("TransferRefunded"))
        assert bool(outcome.named("Noop")) == (name != first)
    assert refunds == (first != "success")
    assert lane.balance(ALICE) == SUPPLY - 900 - (100 if first == "success" else 0)
    assert lane.escrow() == 900 + (100 if first == "success" else 0)


def test_attack_F8_contract_sender_is_the_caller(lane):
    """Allowances given to Transfer are spent by their owners' own calls alone."""
    refused(lambda: lane.send_tokens(100, sender=BOB), "")
    assert lane.balance(ALICE) == SUPPLY
    assert lane.data_of(lane.sent(lane.send_tokens(100))).sender == text(ALICE)
    lane.arrives(lane.tokens(REMOTE_TOKEN, 70, ALICE))
    refused(lambda: lane.send_tokens(70, token=lane.voucher(REMOTE_TOKEN), sender=BOB), "ERC20InsufficientBalance")
    voucher = lane.voucher(REMOTE_TOKEN)
    for call in (("mint", BOB, 1), ("burn", ALICE, 1)):
        refused(lambda call=call: voucher.transact(*call, sender=ALICE), "OnlyTransfer")


@pytest.mark.parametrize(
    "receiver",
    ["", "bob", "0x", text(BOB)[:-1], text(BOB) + "0", "0X" + text(BOB)[2:], " " + text(BOB)[1:], text(bytes(20))],
)
@pytest.mark.parametrize("home", [False, True])
def test_attack_F8_contract_receivers_that_are_invalid(lane, receiver, home):
    lane.send_tokens(100)
    denom = lane.home() if home else "usd"
    assert not lane.arrives(lane.tokens("", value=data_of(denom, 100, receiver)))
    assert lane.reason.name == "InvalidReceiver"
    assert lane.escrow() == 100
    mixed = text(BOB)[:30] + text(BOB)[30:].upper()
    assert lane.arrives(lane.tokens("", value=data_of(denom, 100, mixed)))


@pytest.mark.long
def test_attack_F12_contract_tokens_for_contracts_of_the_bridge_are_refused(lane):
    """They could never leave again."""
    lane.arrives(lane.tokens("usd", 1))
    bridge = [lane.transfer, lane.router, lane.manager, lane.client, lane.mailbox, lane.app, lane.voucher("usd")]
    implementation = bytes.fromhex(lane.transfer.call("VOUCHER")[2:])
    lane.send_tokens(100)
    for target in [*(contract.address for contract in bridge), implementation, lane.token.address]:
        for denom in (lane.home(), "eur") if target == lane.token.address else (lane.home(), "usd"):
            arrived = lane.arrives(lane.tokens(denom, 10, target))
            # vouchers for another token's contract are that contract's own affair
            assert arrived == (denom == "eur")
    assert lane.escrow() == 100
    lane.token.transact("blockAccount", ALICE, True)
    lane.fail(lane.sent(lane.send_tokens(0 + 1, token=lane.new_token())))
    assert lane.arrives(lane.tokens(lane.home(), 10, lane.receiver.address))


def test_attack_F12_contract_administration_is_out_of_reach_of_packets_and_strangers(lane):
    limit = (1, 1, 1, 60, 0)
    restricted = (
        ("pause", ()),
        ("unpause", ()),
        ("setHubClient", ("client-1",)),
        ("setClientLimit", (LOCAL_CLIENT, lane.token.address, limit)),
        ("setOriginLimit", ("", limit)),
        ("cancelHeld", (LOCAL_CLIENT, 1)),
        ("describeVoucher", ("a", "b", "c", 1)),
    )
    for name, arguments in restricted:
        refused(
            lambda name=name, arguments=arguments: lane.transfer.transact(name, *arguments, sender=STRANGER),
            "AccessManagedUnauthorized",
        )
    refused(
        lambda: lane.transfer.transact("payRefund", lane.token.address, STRANGER, 1, False, sender=STRANGER), "OnlySelf"
    )
    for target in (lane.transfer, lane.manager):
        assert not lane.arrives(
            lane.tokens(
                "", value=target.calldata("authority") + bytes(300) if target is lane.transfer else b"\xde\xad" * 200
            )
        )
    payload = ("transfer", "transfer", "ics20-1", ABI_ENCODING, data_of("usd"))
    for function, message in (
        ("onRecvPacket", (HUB_SIDE_CLIENT, LOCAL_CLIENT, 1, payload, RELAYER)),
        ("onAcknowledgementPacket", (LOCAL_CLIENT, HUB_SIDE_CLIENT, 1, payload, ERROR_ACKNOWLEDGEMENT, RELAYER)),
        ("onTimeoutPacket", (LOCAL_CLIENT, HUB_SIDE_CLIENT, 1, payload, RELAYER)),
    ):
        refused(
            lambda function=function, message=message: lane.transfer.transact(function, message, sender=STRANGER),
            "OnlyRouter",
        )


# what may carry tokens


@pytest.mark.parametrize(
    "change",
    [
        {"source_port": "evil.port"},
        {"source_port": "forward"},
        {"version": "ics20-2"},
        {"version": "ics721-1"},
        {"encoding": "application/json"},
        {"encoding": "application/x-protobuf"},
    ],
)
def test_attack_E7_contract_tokens_come_from_the_transfer_port_alone(lane, change):
    """Anyone may own a port on the other chain: tokens that this port sent are not brought home by another."""
    lane.send_tokens(100)
    assert not lane.arrives(lane.tokens(lane.home(), 100, **change))
    assert lane.reason.name == "UnsupportedPayload"
    assert lane.escrow() == 100
    denom = f"evil.port/{HUB_SIDE_CLIENT}/{lane.token.text}"
    assert not lane.arrives(lane.tokens(denom, 100, source_port="evil.port"))
    assert lane.arrives(lane.tokens(lane.home(), 100))


def test_attack_F10_contract_tokens_without_fungibility_are_not_offered(lane):
    """No port for NFTs exists, and an ERC-721 is no ERC-20: `transferFrom` of one moves no balance by its id."""
    refused(lambda: lane.router.call("getIBCApp", "nft-transfer"), "IBCAppNotFound")
    assert not [name for name in artifact_names() if "721" in name or "1155" in name]
    packet = lane.incoming(1, Payload("nft-transfer", "nft-transfer", "ics721-1", ABI_ENCODING, b"\x01"))
    message = lane.receive_message(packet)
    refused(lambda: lane.router.transact("recvPacket", message), "IBCAppNotFound")
    assert lane.stored(receipt_key(packet)) == bytes(32)
    assert not lane.arrives(replace(lane.tokens("usd", version="ics721-1"), sequence=2))


def test_attack_E17_contract_ordered_delivery_is_not_offered(lane):
    """v2 knows no ordering: a later packet arrives first, and nothing waits for the one before it."""
    first, second = lane.tokens("usd", 1), lane.tokens("usd", 2)
    assert lane.arrives(second) and lane.arrives(first)
    assert lane.balance(BOB, lane.voucher("usd")) == 3
    assert not [entry for entry in load_artifact("Router").abi if "order" in entry.get("name", "").lower()]
    refused(lambda: lane.send_tokens(1, client="channel-0"), "IBCCounterpartyClientNotFound")


# E: how packets end


def test_attack_E8_contract_acknowledgements_of_transfers(lane):
    """The sentinel alone is a failure. Other texts, also those that call themselves errors, are not, and pay nothing back."""
    for acknowledgement in (
        SUCCESS_ACKNOWLEDGEMENT,
        b'{"error":"ABCI code: 1"}',
        b"\x00",
        ERROR_ACKNOWLEDGEMENT + b"\x00",
    ):
        outcome = lane.acknowledge(lane.sent(lane.send_tokens(10)), acknowledgement)
        assert outcome.named("TransferCompleted") and not outcome.named("TransferRefunded")
    assert lane.escrow() == 40
    assert lane.fail(lane.sent(lane.send_tokens(10))).named("TransferRefunded")
    assert lane.escrow() == 40


def test_attack_E1_contract_tokens_are_received_once(lane):
    packet = lane.tokens("usd", 50)
    message = lane.receive_message(packet)
    assert lane.router.transact("recvPacket", message).named("TransferReceived")
    for sender in (RELAYER, STRANGER):
        outcome = lane.router.transact("recvPacket", message, sender=sender)
        assert outcome.named("Noop") and not outcome.named("TransferReceived")
    calls = ((3_000_000, lane.router.calldata("recvPacket", message)),) * 2
    assert not lane.router.transact("relayBatch", calls).named("TransferReceived")
    assert lane.balance(BOB, lane.voucher("usd")) == 50


def test_attack_E10_contract_refused_tokens_are_acknowledged_at_once_and_for_good(lane):
    packet = lane.tokens(lane.home(), 50)
    assert not lane.arrives(packet)
    written = lane.stored(acknowledgement_key(packet))
    lane.send_tokens(50)
    assert lane.receive(packet).named("Noop")
    assert lane.stored(acknowledgement_key(packet)) == written
    assert (lane.balance(BOB), lane.escrow()) == (0, 50)


@pytest.mark.parametrize("timed_out", [False, True])
def test_attack_E18_contract_forward_that_fails_comes_back_to_the_first_sender_once(lane, timed_out):
    """Whatever happens beyond the hub, it is leg 1's error acknowledgement or timeout that reaches this chain."""
    packet = lane.sent(lane.forward_tokens(100))
    message = lane.acknowledge_message(packet, ERROR_ACKNOWLEDGEMENT)
    if timed_out:
        height = lane.pass_time_to(packet.timeout_timestamp_s)
        outcome = lane.router.transact("timeoutPacket", lane.timeout_message(packet, height))
    else:
        outcome = lane.router.transact("ackPacket", message)
    (refunded,) = outcome.named("TransferRefunded")
    assert (refunded["sender"], refunded["amount"]) == (text(ALICE), 100)
    assert lane.router.transact("ackPacket", message).named("Noop")
    assert (lane.balance(ALICE), lane.escrow()) == (SUPPLY, 0)
    assert lane.stored(commitment_key(packet)) == bytes(32)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"client": "client-9"}, "NotHubClient"),
        ({"client": ""}, "NotHubClient"),
        ({"next_client": "nonsense"}, "InvalidNextClient"),
        ({"next_client": 'bft-evm-1"}'}, "InvalidNextClient"),
        ({"timeout_in_s": 600}, "InvalidTimeout"),
        ({"timeout_in_s": 86_401}, "InvalidTimeout"),
        ({"receiver": ""}, "InvalidText"),
        ({"receiver": "r" * 2049}, "InvalidText"),
        ({"receiver": 'x","channel":"bft-evm-9'}, "InvalidText"),
        ({"receiver": "back\\slash"}, "InvalidText"),
        ({"receiver": "two words"}, "InvalidText"),
    ],
)
def test_attack_E18_contract_forwards_that_cannot_be_sent(lane, fields, name):
    """Nothing that a sender chooses can write into the instruction around it."""
    refused(lambda: lane.forward_tokens(100, **fields), name)
    assert (lane.balance(ALICE), lane.escrow()) == (SUPPLY, 0)
    assert lane.forward_tokens(100, timeout_in_s=601).value == 1


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"timeout_in_s": 0}, "IBCInvalidTimeoutTimestamp"),
        ({"timeout_in_s": 86_401}, "IBCInvalidTimeoutDuration"),
        ({"client": "client-9"}, "IBCCounterpartyClientNotFound"),
        ({"receiver": ""}, "InvalidText"),
        ({"memo": "m" * 32_769}, "InvalidText"),
    ],
)
def test_attack_E13_contract_transfers_that_cannot_be_sent(lane, fields, name):
    refused(lambda: lane.send_tokens(100, **fields), name)
    assert (lane.balance(ALICE), lane.escrow()) == (SUPPLY, 0)
    assert lane.send_tokens(100, memo="m" * 32_768).value == 1


def test_attack_E14_contract_tokens_over_a_frozen_client(lane):
    """Nothing leaves, nothing arrives, nothing is refunded until the client is recovered (rule 3)."""
    packet = lane.sent(lane.send_tokens(100))
    message = lane.acknowledge_message(packet, ERROR_ACKNOWLEDGEMENT)
    arriving = lane.receive_message(lane.tokens(lane.home(), 10))
    trusting_s = 20 * 86_400
    lane.evm.timestamp_s += trusting_s
    refused(lambda: lane.send_tokens(1), "IBCClientNotActive")
    for call in (("ackPacket", message), ("recvPacket", arriving)):
        with pytest.raises(Reverted):
            lane.router.transact(*call)
    assert (lane.escrow(), lane.balance(ALICE)) == (100, SUPPLY - 100)


# E20: pause


def test_attack_E20_contract_pause_of_transfer_loses_nothing(lane):
    sent, late = lane.sent(lane.send_tokens(100)), lane.sent(lane.send_tokens(50, timeout_in_s=60))
    lane.send_tokens(30)
    arriving = lane.tokens(lane.home(), 30)
    arriving_message = lane.receive_message(arriving)
    error = lane.acknowledge_message(sent, ERROR_ACKNOWLEDGEMENT)
    height = lane.pass_time_to(late.timeout_timestamp_s)
    late_message = lane.timeout_message(late, height)
    refused(lambda: lane.transfer.transact("pause", sender=STRANGER), "AccessManagedUnauthorized")
    lane.transfer.transact("pause")
    refused(lambda: lane.send_tokens(1), "EnforcedPause")
    refused(lambda: lane.forward_tokens(1), "EnforcedPause")
    refused(lambda: lane.transfer.transact("release", bytes(32)), "EnforcedPause")
    refused(lambda: lane.router.transact("recvPacket", arriving_message), "IBCFailedCallback")
    refused(lambda: lane.router.transact("ackPacket", error), "EnforcedPause")
    refused(lambda: lane.router.transact("timeoutPacket", late_message), "EnforcedPause")
    # no packet was settled meanwhile: not refused, not refunded, not lost
    assert lane.stored(receipt_key(arriving)) == bytes(32)
    assert lane.stored(commitment_key(sent)) != bytes(32)
    lane.transfer.transact("unpause")
    assert lane.router.transact("recvPacket", arriving_message).named("TransferReceived")
    assert lane.router.transact("ackPacket", error).named("TransferRefunded")
    assert lane.router.transact("timeoutPacket", late_message).named("TransferRefunded")
    assert (lane.balance(ALICE), lane.balance(BOB), lane.escrow()) == (SUPPLY - 30, 30, 0)
