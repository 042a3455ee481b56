"""Tokens over the hub: A → hub account, A → hub → B, home again, and every way in which they come back."""

import json

import pytest

from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.commitment import acknowledgement_commitment, acknowledgement_key
from hutong.light_clients.ibc.forward_failure import ForwardFailure, failure_of
from hutong.light_clients.ibc.packet import ERROR, ERROR_ACKNOWLEDGEMENT, Acknowledgement
from hutong.light_clients.ibc.transfer import (
    ABI_ENCODING,
    JSON_ENCODING,
    SUCCESS_ACKNOWLEDGEMENT,
    Denom,
    TransferData,
    encode_transfer,
)
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.module import ROUTER_ADDRESS, TRANSFER_ADDRESS
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.state import keys
from tests.relay.hub.application.clients.tendermint_remote import TendermintRemote
from tests.relay.hub.application.transfer.token_chain import (
    ALICE,
    BOB,
    TOKEN,
    TokenChain,
    escrowed,
    forward_failure,
    held,
    homeward,
    supply,
    transfer_of,
    transfer_payload,
)
from tests.relay.hub.simulated_hub import DAPP, STRANGER, address_of, sent_packet, written_acknowledgement

SUCCESS = Acknowledgement((SUCCESS_ACKNOWLEDGEMENT,))
DAPP_TEXT = "0x" + address_of(DAPP).hex()


@pytest.fixture
def chain_a(hub):
    return TokenChain(hub, salt=1)


@pytest.fixture
def chain_b(hub, chain_a):
    return TokenChain(hub, salt=2)


@pytest.mark.parametrize("encoding", [ABI_ENCODING, JSON_ENCODING])
def test_tokens_go_to_a_hub_account_and_home_again(hub, chain_a, encoding):
    packet = chain_a.send_transfer(100, receiver=DAPP_TEXT, encoding=encoding)
    received = chain_a.deliver(packet)
    assert written_acknowledgement(received) == (packet, SUCCESS)
    denom = chain_a.on_hub()
    assert (held(hub, denom, address_of(DAPP)), supply(hub, denom)) == (100, 100)
    assert hub.read(TRANSFER_ADDRESS, interface.TRACE_OF, denom.digest) == denom.path

    call = interface.SEND_TRANSFER.call(chain_a.client, denom.path, 40, ALICE, hub.time_s + 500, "")
    outcome = hub.send(TRANSFER_ADDRESS, call, DAPP)
    assert outcome.ok, outcome.data
    home = sent_packet(outcome)
    assert transfer_of(home) == TransferData(denom.path, DAPP_TEXT, ALICE, 40)
    assert (held(hub, denom, address_of(DAPP)), homeward(hub, denom), supply(hub, denom)) == (60, 40, 100)
    assert chain_a.take(home).ok
    assert (homeward(hub, denom), supply(hub, denom), chain_a.escrow[TOKEN]) == (0, 60, 60)


def test_tokens_go_over_the_hub_and_home_the_same_way(hub, chain_a, chain_b):
    leg_1 = chain_a.send_transfer(100, chain_b.client)
    received = chain_a.deliver(leg_1)
    assert received.events(abi.WRITE_ACKNOWLEDGEMENT_EVENT) == []
    leg_2 = sent_packet(received)
    denom = chain_a.on_hub()
    assert transfer_of(leg_2) == TransferData(denom.path, f"{chain_a.client}/{ALICE}", BOB, 100)
    assert escrowed(hub, chain_b.client, denom) == supply(hub, denom) == 100
    assert written_acknowledgement(chain_b.take(leg_2)) == (leg_1, SUCCESS)
    on_b = chain_b.voucher_here(denom)
    assert on_b == f"transfer/client-0/transfer/{chain_a.client}/{TOKEN}"
    assert chain_b.vouchers == {on_b: 100}

    back = chain_b.send_transfer(70, chain_a.client, denom=on_b)
    last = sent_packet(chain_b.deliver(back))
    assert transfer_of(last).denom == denom.path
    assert (escrowed(hub, chain_b.client, denom), homeward(hub, denom), supply(hub, denom)) == (30, 70, 100)
    assert written_acknowledgement(chain_a.take(last)) == (back, SUCCESS)
    assert (escrowed(hub, chain_b.client, denom), homeward(hub, denom), supply(hub, denom)) == (30, 0, 30)
    assert (chain_a.escrow, chain_b.vouchers) == ({TOKEN: 30}, {on_b: 30})
    assert hub.view().get(keys.forward_key(chain_a.client, 1)) is None


@pytest.mark.parametrize("fails_by", ["error", "timeout"])
def test_a_failed_second_leg_is_undone_exactly_and_refunded(hub, chain_a, chain_b, fails_by):
    leg_1 = chain_a.send_transfer(100, chain_b.client, deadline_s=hub.time_s + 60)
    leg_2 = sent_packet(chain_a.deliver(leg_1))
    outcome = chain_b.answer(leg_2, ERROR_ACKNOWLEDGEMENT) if fails_by == "error" else chain_b.expire(leg_2)
    assert written_acknowledgement(outcome) == (leg_1, ERROR)
    denom = chain_a.on_hub()
    assert (escrowed(hub, chain_b.client, denom), supply(hub, denom)) == (0, 0)
    assert hub.view().get(acknowledgement_key(leg_1)) == acknowledgement_commitment(ERROR)
    reason = forward_failure(hub, leg_1)
    assert ("answered with an error" if fails_by == "error" else "timed out") in reason
    expected = ForwardFailure.REFUSED if fails_by == "error" else ForwardFailure.LATE
    assert failure_of(reason, chain_b.client) is expected
    chain_a.settle_at_home(leg_1, ERROR)
    assert chain_a.escrow == {TOKEN: 0}


def test_a_failed_way_home_gives_the_escrow_back_to_the_chain_that_sent(hub, chain_a, chain_b):
    assert chain_b.take(sent_packet(chain_a.deliver(chain_a.send_transfer(100, chain_b.client)))).ok
    denom = chain_a.on_hub()
    on_b = chain_b.voucher_here(denom)
    back = chain_b.send_transfer(70, chain_a.client, denom=on_b)
    last = sent_packet(chain_b.deliver(back))
    assert written_acknowledgement(chain_a.answer(last, ERROR_ACKNOWLEDGEMENT)) == (back, ERROR)
    chain_b.settle_at_home(back, ERROR)
    assert (escrowed(hub, chain_b.client, denom), homeward(hub, denom), supply(hub, denom)) == (100, 0, 100)
    assert (chain_a.escrow, chain_b.vouchers) == ({TOKEN: 100}, {on_b: 100})


@pytest.mark.parametrize("fails_by", ["error", "timeout"])
def test_a_hub_account_gets_back_what_did_not_arrive(hub, chain_a, chain_b, fails_by):
    chain_a.deliver(chain_a.send_transfer(100, receiver=DAPP_TEXT))
    denom = chain_a.on_hub()
    call = interface.SEND_TRANSFER.call(chain_b.client, denom.path, 40, BOB, hub.time_s + 60, "")
    sent = sent_packet(hub.send(TRANSFER_ADDRESS, call, DAPP))
    assert (held(hub, denom, address_of(DAPP)), escrowed(hub, chain_b.client, denom)) == (60, 40)
    outcome = chain_b.answer(sent, ERROR_ACKNOWLEDGEMENT) if fails_by == "error" else chain_b.expire(sent)
    assert outcome.ok
    assert outcome.events(abi.WRITE_ACKNOWLEDGEMENT_EVENT) == []
    assert (held(hub, denom, address_of(DAPP)), escrowed(hub, chain_b.client, denom)) == (100, 0)


def test_hub_accounts_pay_each_other(hub, chain_a):
    chain_a.deliver(chain_a.send_transfer(100, receiver=DAPP_TEXT))
    denom = chain_a.on_hub()
    stranger = address_of(STRANGER)
    outcome = hub.send(TRANSFER_ADDRESS, interface.TRANSFER.call(denom.path, stranger, 30), DAPP)
    assert outcome.events(interface.TOKENS_MOVED_EVENT) == [(30, denom.path)]
    assert (held(hub, denom, address_of(DAPP)), held(hub, denom, stranger), supply(hub, denom)) == (70, 30, 100)
    too_much = hub.send(TRANSFER_ADDRESS, interface.TRANSFER.call(denom.path, stranger, 71), DAPP)
    assert too_much.reverted_with(interface.INSUFFICIENT_TOKENS) == (denom.path, 70, 71)
    nobody = hub.send(TRANSFER_ADDRESS, interface.TRANSFER.call(denom.path, bytes(20), 1), DAPP)
    assert nobody.reverted_with(interface.INVALID_RECEIVER) is not None


def stock_memo(receiver: str, client: str, timeout: str) -> str:
    """As packet-forward middlewares are asked, with a client where they have a channel."""
    forward = {"receiver": receiver, "port": "transfer", "channel": client, "timeout": timeout, "retries": 0}
    return json.dumps({"forward": forward})


def test_a_stock_chain_s_ordinary_transfer_goes_on_and_comes_home_in_json(hub, chain_a):
    """A `07-tendermint` chain with a stock transfer module: JSON, durations in the memo, the 17 bytes of success."""
    stock = TendermintRemote(hub)
    data = TransferData("uatom", "cosmos1sender", "pfm", 500, stock_memo(BOB, chain_a.client, "10m"))
    leg_1 = stock.send(transfer_payload(data, JSON_ENCODING))
    height = stock.update()
    leg_2 = sent_packet(hub.send(ROUTER_ADDRESS, stock.receive_call(leg_1, height)))
    on_hub = f"transfer/{stock.client}/uatom"
    assert leg_2.payloads[0].encoding == ABI_ENCODING
    assert transfer_of(leg_2) == TransferData(on_hub, f"{stock.client}/cosmos1sender", BOB, 500)
    assert hub.time_s + 590 < leg_2.timeout_timestamp_s <= hub.time_s + 600
    assert written_acknowledgement(chain_a.take(leg_2)) == (leg_1, SUCCESS)

    back = chain_a.send_transfer(200, stock.client, denom=f"transfer/client-0/{on_hub}")
    home = sent_packet(chain_a.deliver(back))
    payload = home.payloads[0]
    assert payload.encoding == JSON_ENCODING
    assert json.loads(payload.value) == {
        "denom": on_hub,
        "amount": "200",
        "sender": f"{chain_a.client}/{ALICE}",
        "receiver": BOB,
    }
    stock.chain.put(acknowledgement_key(home), acknowledgement_commitment(SUCCESS))
    height = stock.update()
    proof = stock.proof(acknowledgement_key(home), height)
    call = abi.ACK_PACKET.call((packet_to_tuple(home), SUCCESS_ACKNOWLEDGEMENT, proof, (1, height)))
    assert written_acknowledgement(hub.send(ROUTER_ADDRESS, call)) == (back, SUCCESS)
    assert supply(hub, Denom.parse(on_hub)) == 300


REFUSALS = {
    "receiver that is no account": ({"receiver": "cosmos1xyz"}, "must be 0x and 40 hex digits"),
    "zero receiver": ({"receiver": "0x" + "00" * 20}, "can hold no tokens"),
    "receiver in a native module": ({"receiver": "0x" + "00" * 18 + "1003"}, "can hold no tokens"),
    "more than was sent": ({"denom": f"transfer/client-0/{TOKEN}"}, "more than was sent to this client"),
    "unknown next client": ({"to": "bft-evm-77"}, "the hub has no client bft-evm-77"),
    "back to where it came from": ({"to": "bft-evm-0"}, "the one that the packet came from"),
    "deadline in the past": ({"to": "bft-evm-1", "deadline_s": 1_000}, "must be after"),
    "deadline beyond a day": ({"to": "bft-evm-1", "deadline_s": 1_800_000_000}, "within 86400 s"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_taken_is_refused_at_once_with_its_reason(hub, chain_a, chain_b, name):
    changed, reason = REFUSALS[name]
    packet = chain_a.send_transfer(100, honest=False, **changed)
    outcome = chain_a.deliver(packet)
    assert written_acknowledgement(outcome) == (packet, ERROR)
    assert outcome.events(abi.SEND_PACKET_EVENT) == []
    assert outcome.events(interface.TOKENS_MOVED_EVENT) == []
    assert reason in forward_failure(hub, packet)
    assert supply(hub, chain_a.on_hub()) == 0
    assert hub.read(ROUTER_ADDRESS, abi.GET_NEXT_SEQUENCE, chain_b.client) == 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"version": "ics20-2"}, "payload version must be ics20-1"),
        ({"encoding": "application/x-protobuf"}, "not supported"),
        ({"source_port": "evilport"}, "the source port must be transfer"),
    ],
)
def test_payloads_of_other_kinds_are_refused(hub, chain_a, changed, reason):
    data = TransferData(TOKEN, ALICE, DAPP_TEXT, 100)
    value = encode_transfer(data, ABI_ENCODING)
    payload = transfer_payload(data)
    packet = chain_a.send(type(payload)(**({n: getattr(payload, n) for n in payload.__slots__} | changed)))
    assert packet.payloads[0].value == value
    outcome = chain_a.deliver(packet)
    assert written_acknowledgement(outcome) == (packet, ERROR)
    assert reason in forward_failure(hub, packet)
    assert supply(hub, chain_a.on_hub()) == 0


def test_a_send_that_cannot_go_takes_nothing(hub, chain_a, chain_b):
    chain_a.deliver(chain_a.send_transfer(100, receiver=DAPP_TEXT))
    denom = chain_a.on_hub()

    def send(client=chain_b.client, amount=10, timeout_s=None, receiver=BOB, account=DAPP):
        timeout_s = hub.time_s + 60 if timeout_s is None else timeout_s
        call = interface.SEND_TRANSFER.call(client, denom.path, amount, receiver, timeout_s, "")
        return hub.send(TRANSFER_ADDRESS, call, account)

    assert send(amount=101).reverted_with(interface.INSUFFICIENT_TOKENS) == (denom.path, 100, 101)
    assert send(account=STRANGER).reverted_with(interface.INSUFFICIENT_TOKENS) == (denom.path, 0, 10)
    assert send(amount=0).reverted_with(abi.VERIFICATION_FAILED)[0] == "transfer.amount"
    assert send(receiver=" ").reverted_with(abi.VERIFICATION_FAILED)[0] == "transfer.receiver"
    assert send(client="bft-evm-77").reverted_with(abi.CLIENT_NOT_FOUND) == ("bft-evm-77",)
    assert send(timeout_s=1).reverted_with(abi.INVALID_TIMEOUT_TIMESTAMP)[0] == 1
    assert send(timeout_s=hub.time_s + 25 * 3600).reverted_with(abi.INVALID_TIMEOUT_TIMESTAMP)
    assert (held(hub, denom, address_of(DAPP)), hub.read(ROUTER_ADDRESS, abi.GET_NEXT_SEQUENCE, chain_b.client)) == (
        100,
        1,
    )
    assert send().ok
    assert held(hub, denom, address_of(DAPP)) == 90


def test_the_router_sends_for_nobody_but_the_transfer_module(hub, chain_a):
    payload = ("transfer", "transfer", "ics20-1", ABI_ENCODING, b"x")
    call = abi.SEND_PACKET.call((chain_a.client, hub.time_s + 60, payload))
    assert hub.send(ROUTER_ADDRESS, call, DAPP).reverted_with(abi.NOT_SUPPORTED)
    assert hub.read(ROUTER_ADDRESS, abi.GET_IBC_APP, "transfer") == "0x" + TRANSFER_ADDRESS.hex()
