"""Hostile tokens: what they can do to their own holders, and that they can do nothing to others (attack lines F5, E11)."""

import pytest

from hutong.light_clients.ibc.commitment import commitment_key, receipt_key
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT
from hutong.light_clients.ibc.transfer import SUCCESS_ACKNOWLEDGEMENT
from tests.contracts.evm import Reverted
from tests.contracts.lane import LOCAL_CLIENT, RELAYER, REMOTE_SENDER, new_lane
from tests.contracts.test_router_packets import refused
from tests.contracts.transfer.transfer_lane import ALICE, BOB, SUPPLY, TransferLane, text

(PLAIN, NO_RETURN, FALSE_RETURN, FEE, PRETENDS, HOOK, REVERTS, REVERTS_EMPTY, LOOPS, REVERT_LENGTH, BAD_BALANCE) = (
    range(11)
)


@pytest.fixture
def lane():
    return new_lane(TransferLane)


def become(token, kind, size=0, target=bytes(20), data=b""):
    token.transact("set", kind, size, target, data)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (FALSE_RETURN, "SafeERC20FailedOperation"),
        (FEE, "BalanceMismatch"),
        (PRETENDS, "BalanceMismatch"),
        (REVERTS, "Refused"),
        (REVERTS_EMPTY, ""),
        (BAD_BALANCE, ""),
    ],
)
def test_attack_F5_contract_token_that_does_not_pay_in_full_is_not_escrowed(lane, kind, name):
    become(lane.token, kind)
    with pytest.raises(Reverted) as caught:
        lane.send_tokens(1000)
    assert caught.value.name == name
    if name == "BalanceMismatch":
        assert caught.value.arguments == (lane.token.text, 1000, 990 if kind == FEE else 0)
    assert lane.escrow() == 0
    become(lane.token, PLAIN)
    assert lane.send_tokens(1000).value == 1
    assert lane.escrow() == 1000


def test_attack_F5_contract_token_without_return_value_works_both_ways(lane):
    become(lane.token, NO_RETURN)
    packet = lane.sent(lane.send_tokens(100))
    assert lane.arrives(lane.tokens(lane.home(), 40))
    lane.fail(lane.sent(lane.send_tokens(5)))
    lane.acknowledge(packet, SUCCESS_ACKNOWLEDGEMENT)
    assert (lane.balance(BOB), lane.balance(ALICE), lane.escrow()) == (40, SUPPLY - 100, 60)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (FALSE_RETURN, "SafeERC20FailedOperation"),
        (FEE, "BalanceMismatch"),
        (PRETENDS, "BalanceMismatch"),
        (REVERTS, "Refused"),
    ],
)
def test_attack_F5_contract_token_that_turns_bad_is_not_paid_from_the_escrow(lane, kind, name):
    """The error acknowledgement refunds the vouchers on the other side, so the escrow must stay what it was."""
    lane.send_tokens(1000)
    become(lane.token, kind)
    assert not lane.arrives(lane.tokens(lane.home(), 100))
    assert lane.reason.name == name
    assert (lane.balance(BOB), lane.escrow()) == (0, 1000)
    become(lane.token, PLAIN)
    assert lane.arrives(lane.tokens(lane.home(), 100))


def test_attack_F5_contract_blocked_receiver_is_refused_and_blocked_sender_claims_elsewhere(lane):
    packet = lane.sent(lane.send_tokens(100))
    lane.token.transact("blockAccount", BOB, True)
    assert not lane.arrives(lane.tokens(lane.home(), 10))
    assert (lane.reason.name, lane.reason.arguments) == ("Blocked", (text(BOB),))
    lane.token.transact("blockAccount", ALICE, True)
    outcome = lane.fail(packet)
    (held,) = outcome.named("TransferHeld")
    assert outcome.named("AckPacket") and outcome.named("TransferRefunded")
    assert (held["owner"], held["amount"], held["refund"]) == (text(ALICE), 100, True)
    assert Reverted.of(held["reason"], 0).name == "Blocked"
    held_id, amount, _ = lane.held(True, 1)
    assert (held["heldId"], amount, lane.escrow()) == (held_id, 100, 0)
    refused(lambda: lane.transfer.transact("release", held_id), "Blocked")
    refused(lambda: lane.transfer.transact("releaseTo", held_id, BOB, sender=BOB), "OnlyOwner")
    lane.token.transact("blockAccount", BOB, False)
    (released,) = lane.transfer.transact("releaseTo", held_id, BOB, sender=ALICE).named("TransferReleased")
    assert (released["to"], released["amount"]) == (text(BOB), 100)
    assert lane.balance(BOB) == 100
    refused(lambda: lane.transfer.transact("release", held_id, sender=ALICE), "NothingHeld")
    refused(lambda: lane.transfer.transact("releaseTo", held_id, BOB, sender=ALICE), "OnlyOwner")


@pytest.mark.parametrize("kind", [FALSE_RETURN, PRETENDS, REVERTS, REVERTS_EMPTY, LOOPS, REVERT_LENGTH, BAD_BALANCE])
def test_attack_F7_contract_token_that_refuses_cannot_keep_a_packet_from_being_settled(lane, kind):
    packet = lane.sent(lane.send_tokens(100))
    become(lane.token, kind, 60_000)
    outcome = lane.fail(packet)
    assert outcome.named("AckPacket") and len(outcome.named("TransferHeld")) == 1
    assert lane.stored(commitment_key(packet)) == bytes(32)
    assert lane.held(True, 1)[1] == 100
    become(lane.token, PLAIN)
    lane.transfer.transact("release", lane.held(True, 1)[0], sender=RELAYER)
    assert (lane.balance(ALICE), lane.held(True, 1)[1]) == (SUPPLY, 0)


def test_attack_F5_contract_refund_of_a_token_that_takes_a_fee_by_now_loses_the_fee_only(lane):
    """Exactly the amount leaves; what the token keeps of it on the way is between the token and its holder."""
    packet = lane.sent(lane.send_tokens(1000))
    lane.send_tokens(5000)
    become(lane.token, FEE)
    assert not lane.fail(packet).named("TransferHeld")
    assert lane.balance(ALICE) == SUPPLY - 6000 + 990
    assert lane.balance(lane.transfer.address) == lane.escrow() == 5000


def test_attack_F5_contract_rebase_that_takes_half_away_harms_no_other_token(lane):
    """The escrow is nominal: who comes last waits for tokens that are not there, and no packet waits with it."""
    other = lane.new_token()
    lane.send_tokens(500, token=other)
    first, second = lane.sent(lane.send_tokens(1000)), lane.sent(lane.send_tokens(1000))
    lane.token.transact("rebase", 500)
    assert not lane.fail(first).named("TransferHeld")
    assert lane.fail(second).named("TransferHeld")
    held_id, amount, _ = lane.held(True, 3)
    assert (amount, lane.escrow(), lane.balance(lane.transfer.address)) == (1000, 0, 0)
    with pytest.raises(Reverted):
        lane.transfer.transact("release", held_id)
    assert lane.balance(lane.transfer.address, other) == lane.escrow(other) == 500
    lane.token.transact("mint", lane.transfer.address, 1000)
    assert lane.transfer.transact("release", held_id).named("TransferReleased")


@pytest.mark.parametrize("amount", [1, 100])
def test_attack_F5_contract_addresses_without_code_are_no_tokens(lane, amount):
    for token in (bytes(20), b"\x12" * 20, (4).to_bytes(20, "big"), ALICE):
        refused(
            lambda token=token: lane.transfer.transact(
                "sendTransfer", LOCAL_CLIENT, token, amount, REMOTE_SENDER, "", lane.evm.timestamp_s + 60, sender=ALICE
            ),
            "NotAToken",
        )
    assert lane.send_tokens(amount).value == 1


def test_attack_F5_contract_destroyed_token(lane):
    """Nothing is paid with a token that is gone, and no packet waits for it."""
    packet = lane.sent(lane.send_tokens(100))
    lane.evm.delete_code(lane.token.address)
    assert not lane.arrives(lane.tokens(lane.home(), 10))
    assert lane.reason.name == "NotAToken"
    assert lane.fail(packet).named("TransferHeld")
    refused(lambda: lane.send_tokens(1), "NotAToken")
    with pytest.raises(Reverted):
        lane.transfer.transact("release", lane.held(True, 1)[0])
    assert lane.held(True, 1)[1] == 100


def hooked_calls(lane, message):
    """What a token's hook may try: everything of Transfer and of the router that moves value."""
    timeout_s = lane.evm.timestamp_s + 3600
    transfer, router = lane.transfer, lane.router
    held_id = bytes(32)
    return {
        "send": (transfer, transfer.calldata("sendTransfer", LOCAL_CLIENT, lane.token.address, 1, "x", "", timeout_s)),
        "release": (transfer, transfer.calldata("release", held_id)),
        "releaseTo": (transfer, transfer.calldata("releaseTo", held_id, BOB)),
        "pay": (transfer, transfer.calldata("payRefund", lane.token.address, BOB, 1, False)),
        "settle": (router, router.calldata("recvPacket" if len(message) == 3 else "ackPacket", message)),
    }


@pytest.mark.parametrize("call", ["send", "release", "releaseTo", "pay", "settle"])
def test_attack_E11_contract_token_hook_re_enters_while_tokens_are_taken(lane, call):
    other = lane.tokens(lane.home(), 1)
    message = lane.receive_message(other)
    target, data = hooked_calls(lane, message)[call]
    become(lane.token, HOOK, target=target.address, data=data)
    assert lane.send_tokens(100).named("TransferSent")
    assert lane.token.call("callSucceeded") is False
    assert lane.token.call("calls") == 1
    assert (lane.escrow(), lane.balance(lane.transfer.address)) == (100, 100)
    # a stranger's packet that was dragged into the hook is not refused by it: it arrives later
    assert lane.stored(receipt_key(other)) == bytes(32)
    become(lane.token, PLAIN)
    assert lane.router.transact("recvPacket", message).named("TransferReceived")


@pytest.mark.parametrize("call", ["send", "release", "releaseTo", "pay", "settle"])
def test_attack_E11_contract_token_hook_re_enters_while_tokens_are_paid(lane, call):
    lane.send_tokens(100)
    packet = lane.tokens(lane.home(), 30)
    message = lane.receive_message(packet)
    target, data = hooked_calls(lane, message)[call]
    become(lane.token, HOOK, target=target.address, data=data)
    outcome = lane.router.transact("recvPacket", message)
    assert len(outcome.named("TransferReceived")) == 1
    assert lane.token.call("callSucceeded") is False
    assert (lane.balance(BOB), lane.escrow()) == (30, 70)


@pytest.mark.parametrize("call", ["send", "release", "pay", "settle"])
def test_attack_E11_contract_token_hook_re_enters_while_a_refund_is_paid(lane, call):
    """The class of ASA-2024-007: the second refund of one packet, from inside the first."""
    packet = lane.sent(lane.send_tokens(100))
    lane.send_tokens(100)
    message = lane.acknowledge_message(packet, ERROR_ACKNOWLEDGEMENT)
    target, data = hooked_calls(lane, message)[call]
    become(lane.token, HOOK, target=target.address, data=data)
    outcome = lane.router.transact("ackPacket", message)
    assert len(outcome.named("TransferRefunded")) == 1
    assert lane.token.call("callSucceeded") is False
    # a hook that burns the refund's gas leaves the amount to be claimed
    assert lane.balance(ALICE) + lane.held(True, 1)[1] == SUPPLY - 100
    assert lane.escrow() == 100
