"""What the Cosmos demo's checker makes of a chain's transactions: the events as ibc-go v10 emits them."""

import json

import pytest

from hutong.light_clients.ibc.packet import (
    ERROR_ACKNOWLEDGEMENT,
    Acknowledgement,
    Packet,
    Payload,
    encode_acknowledgement,
    encode_packet,
)
from hutong.light_clients.ibc.transfer import JSON_ENCODING, SUCCESS_ACKNOWLEDGEMENT
from hutong.relay.demo.books import Books, tokens
from hutong.relay.demo.cosmos.books import CosmosBooks
from hutong.relay.demo.cosmos.chain import Event, Transaction

RELAYER, USER = "cosmos1relayer", "cosmos1user"
OWN, ERC20 = "courtyard", "0x" + "ab" * 20
HOME = f"transfer/07-tendermint-0/{OWN}"
VOUCHER = f"transfer/07-tendermint-0/transfer/bft-evm-0/{ERC20}"


def packet_event(kind: str, denom: str, amount: int, **more: str) -> Event:
    data = {"denom": denom, "amount": str(amount), "sender": "a", "receiver": "b"}
    payload = Payload("transfer", "transfer", "ics20-1", JSON_ENCODING, json.dumps(data).encode())
    packet = Packet(amount, "07-tendermint-0", "07-tendermint-1", 100, (payload,))
    return Event(kind, {"encoded_packet_hex": encode_packet(packet).hex(), **more})


def received(denom: str, amount: int, entry: bytes = SUCCESS_ACKNOWLEDGEMENT) -> list[Event]:
    written = encode_acknowledgement(Acknowledgement((entry,))).hex()
    return [
        action("MsgRecvPacket"),
        packet_event("recv_packet", denom, amount),
        packet_event("write_acknowledgement", denom, amount, encoded_acknowledgement_hex=written),
    ]


def acknowledged(denom: str, amount: int, verdict: str) -> list[Event]:
    return [
        action("MsgAcknowledgement"),
        packet_event("acknowledge_packet", denom, amount),
        Event("fungible_token_packet", {"sender": "a", "acknowledgement": "…"}),
        Event("fungible_token_packet", {verdict: "…"}),
    ]


def action(message: str) -> Event:
    return Event("message", {"action": f"/ibc.core.channel.v2.{message}"})


def transaction(*events: Event, payer: str = RELAYER, code: int = 0) -> Transaction:
    return Transaction(1, code, 90_000, (Event("tx", {"fee": "250stake", "fee_payer": payer}), *events))


@pytest.fixture
def read():
    def reading(*transactions: Transaction) -> tuple[CosmosBooks, Books]:
        of_chain, books = CosmosBooks(OWN, RELAYER), Books()
        of_chain.read_transactions(transactions, books)
        return of_chain, books

    return reading


def test_own_tokens_go_out_and_come_home_vouchers_arrive_and_go_home(read):
    _, books = read(
        transaction(packet_event("send_packet", OWN, 1), packet_event("send_packet", VOUCHER, 2), payer=USER),
        transaction(*received(HOME, 3), *received(f"transfer/bft-evm-0/{ERC20}", 4)),
    )
    assert books.sent == {tokens(OWN, True, 1), tokens(ERC20, False, 2)}
    assert set(books.deliveries) == {tokens(OWN, False, 3), tokens(ERC20, True, 4)}


def test_an_acknowledgement_counts_as_the_application_took_it(read):
    _, books = read(transaction(*acknowledged(OWN, 1, "success"), *acknowledged(OWN, 2, "error")))
    assert books.acknowledged == {tokens(OWN, True, 1)}
    assert books.refunded == {tokens(OWN, True, 2)}


def test_a_timeout_is_a_refund(read):
    of_chain, books = read(transaction(action("MsgTimeout"), packet_event("timeout_packet", OWN, 1)))
    assert (of_chain.timed_out, books.refunded) == (1, {tokens(OWN, True, 1)})


def test_what_the_application_refused_is_no_delivery(read):
    _, books = read(transaction(*received(HOME, 3, ERROR_ACKNOWLEDGEMENT)))
    assert not books.deliveries


def test_a_second_delivery_and_one_of_what_nobody_sent_are_duplicates(read):
    _, books = read(transaction(packet_event("send_packet", OWN, 1), payer=USER), transaction(*received(HOME, 1)))
    assert books.duplicates == 1  # nobody sent 1 home
    books.sent.add(tokens(OWN, False, 1))
    assert books.duplicates == 0
    books.deliveries[tokens(OWN, False, 1)] += 1
    assert books.duplicates == 1


def test_what_was_sent_and_neither_delivered_nor_refunded_is_lost(read):
    _, books = read(transaction(packet_event("send_packet", OWN, 1), payer=USER))
    assert books.lost == {tokens(OWN, True, 1)}


def test_a_message_without_its_event_was_paid_in_vain_and_so_was_a_failed_transaction(read):
    of_chain, books = read(
        transaction(*received(HOME, 3), action("MsgRecvPacket")),
        transaction(*received(HOME, 4), code=5),
    )
    assert of_chain.paid_in_vain == 2
    assert list(books.deliveries) == [tokens(OWN, False, 3)]
    assert (of_chain.transactions, of_chain.gas, of_chain.fee) == (2, 180_000, 500)


def test_users_pay_for_themselves(read):
    of_chain, _ = read(transaction(packet_event("send_packet", OWN, 1), payer=USER))
    assert of_chain.transactions == of_chain.fee == 0
