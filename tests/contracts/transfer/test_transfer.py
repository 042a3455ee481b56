"""Transfer: formats, both directions, and what comes back."""

import pytest

from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.packet import Payload
from hutong.light_clients.ibc.transfer import (
    SUCCESS_ACKNOWLEDGEMENT,
    TRANSFER_PORT,
    TRANSFER_VERSION,
    ForwardInstruction,
    TransferData,
    decode_forward_memo,
    encode_forward_memo,
    encode_transfer,
)
from tests.contracts.lane import LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, new_lane
from tests.contracts.transfer.transfer_lane import ALICE, BOB, REMOTE_TOKEN, SUPPLY, TransferLane, text


@pytest.fixture
def lane():
    return new_lane(TransferLane)


def test_direct_transfer_is_sent_in_the_frozen_format(lane):
    outcome = lane.send_tokens(100, memo="a remark")
    packet = lane.sent(outcome)
    data = TransferData(lane.token.text, text(ALICE), REMOTE_SENDER, 100, "a remark")
    assert packet.payloads == (
        Payload(TRANSFER_PORT, TRANSFER_PORT, TRANSFER_VERSION, ABI_ENCODING, encode_transfer(data, ABI_ENCODING)),
    )
    assert outcome.value == packet.sequence == 1
    (sent,) = outcome.named("TransferSent")
    assert (sent["clientId"], sent["sequence"], sent["nextClient"]) == (LOCAL_CLIENT, 1, "")
    assert (sent["sender"], sent["token"], sent["amount"]) == (text(ALICE), lane.token.text, 100)
    assert (lane.balance(ALICE), lane.escrow()) == (SUPPLY - 100, 100)
    outcome = lane.acknowledge(packet, SUCCESS_ACKNOWLEDGEMENT)
    assert outcome.named("TransferCompleted") == [{"clientId": LOCAL_CLIENT, "sequence": 1, "sender": text(ALICE)}]
    assert (lane.balance(ALICE), lane.escrow()) == (SUPPLY - 100, 100)


def test_forwarded_transfer_is_sent_in_the_frozen_format(lane):
    outcome = lane.forward_tokens(100, timeout_in_s=3600)
    packet = lane.sent(outcome)
    timeout_s = lane.evm.timestamp_s + 3600
    assert packet.timeout_timestamp_s == timeout_s - 600
    data = lane.data_of(packet)
    instruction = ForwardInstruction(REMOTE_SENDER, ORIGIN_CLIENT, timeout_s)
    assert decode_forward_memo(data.memo) == instruction
    assert data == TransferData(lane.token.text, text(ALICE), REMOTE_SENDER, 100, encode_forward_memo(instruction))
    (sent,) = outcome.named("TransferSent")
    assert (sent["nextClient"], sent["timeoutTimestamp"]) == (ORIGIN_CLIENT, timeout_s)


def test_tokens_come_home_and_are_paid_from_the_escrow(lane):
    lane.send_tokens(100)
    assert lane.arrives(lane.tokens(lane.home(), 60))
    assert (lane.balance(BOB), lane.escrow()) == (60, 40)
    assert lane.arrives(lane.tokens(lane.home(), 40))
    assert (lane.balance(BOB), lane.escrow()) == (100, 0)


def test_vouchers_out_and_home(lane):
    denom = f"transfer/{ORIGIN_CLIENT}/{REMOTE_TOKEN}"
    outcome = lane.receive(lane.tokens(denom, 70, ALICE))
    voucher = lane.voucher(denom)
    assert outcome.named("VoucherCreated") == [{"voucher": voucher.text, "denom": f"transfer/{LOCAL_CLIENT}/{denom}"}]
    (received,) = outcome.named("TransferReceived")
    assert (received["clientId"], received["sequence"], received["receiver"]) == (LOCAL_CLIENT, 1, text(ALICE))
    assert (received["token"], received["amount"], received["sender"]) == (voucher.text, 70, REMOTE_SENDER)
    assert lane.balance(ALICE, voucher) == voucher.call("totalSupply") == 70
    outcome = lane.send_tokens(30, token=voucher)
    assert lane.data_of(lane.sent(outcome)).denom == f"transfer/{LOCAL_CLIENT}/{denom}"
    assert lane.balance(ALICE, voucher) == voucher.call("totalSupply") == 40
    assert lane.escrow(voucher) == 0


@pytest.mark.parametrize("timed_out", [False, True])
def test_escrowed_tokens_are_refunded(lane, timed_out):
    packet = lane.sent(lane.forward_tokens(100))
    outcome = lane.time_out(packet) if timed_out else lane.fail(packet)
    assert outcome.named("TransferRefunded") == [
        {
            "clientId": LOCAL_CLIENT,
            "sequence": 1,
            "sender": text(ALICE),
            "token": lane.token.text,
            "amount": 100,
            "timedOut": timed_out,
        }
    ]
    assert (lane.balance(ALICE), lane.escrow()) == (SUPPLY, 0)


@pytest.mark.parametrize("timed_out", [False, True])
def test_burnt_vouchers_are_refunded(lane, timed_out):
    lane.arrives(lane.tokens(REMOTE_TOKEN, 70, ALICE))
    voucher = lane.voucher(REMOTE_TOKEN)
    packet = lane.sent(lane.send_tokens(70, token=voucher))
    assert voucher.call("totalSupply") == 0
    (refunded,) = (lane.time_out(packet) if timed_out else lane.fail(packet)).named("TransferRefunded")
    assert (refunded["token"], refunded["amount"], refunded["timedOut"]) == (voucher.text, 70, timed_out)
    assert lane.balance(ALICE, voucher) == voucher.call("totalSupply") == 70
