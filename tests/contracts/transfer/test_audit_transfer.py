"""Caps that nobody uses up by sending to and fro (audit L1), and how a contract learns the end of its transfer (trial T12)."""

import pytest
from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.transfer import SUCCESS_ACKNOWLEDGEMENT
from tests.contracts.lane import LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, new_lane
from tests.contracts.test_router_packets import refused
from tests.contracts.transfer.test_transfer_limits import WINDOW_S, limit, next_window, used
from tests.contracts.transfer.transfer_lane import ALICE, NO_LIMIT, REMOTE_TOKEN, TransferLane

pytestmark = pytest.mark.safety

MALLORY = b"\x3d" * 20
UNSETTLED, COMPLETED, REFUSED, TIMED_OUT = range(4)
SETTLEMENT_GAS = 150_000


@pytest.fixture
def lane():
    """At the beginning of a window; MALLORY has a hundredth of the caps that the tests set."""
    lane = new_lane(TransferLane)
    lane.token.transact("transfer", MALLORY, 100, sender=ALICE)
    lane.token.transact("approve", lane.transfer.address, 2**256 - 1, sender=MALLORY)
    next_window(lane)
    return lane


def completed(lane, amount, sender=ALICE, **fields):
    packet = lane.sent(lane.send_tokens(amount, sender=sender, **fields))
    assert lane.acknowledge(packet, SUCCESS_ACKNOWLEDGEMENT).named("TransferCompleted")
    return packet


# L1, the victim's view: an honest redemption


@pytest.mark.long
def test_audit_L1_contract_round_trips_of_ones_own_tokens_take_nobodys_room(lane):
    completed(lane, 20_000)
    next_window(lane)
    limit(lane, send=10_000, receive=10_000)
    lane.advance()
    for _ in range(6):
        completed(lane, 100, MALLORY)
        assert lane.arrives(lane.tokens(lane.home(), 100, MALLORY))
    assert used(lane) == (0, 0)
    assert lane.arrives(lane.tokens(lane.home(), 10_000))
    assert lane.send_tokens(10_000).named("TransferSent")


def test_audit_L1_contract_with_vouchers_as_well(lane):
    voucher = lane.voucher(REMOTE_TOKEN)
    limit(lane, send=1000, receive=1000, token=voucher)
    lane.advance()
    for _ in range(4):
        assert lane.arrives(lane.tokens(REMOTE_TOKEN, 700, MALLORY))
        completed(lane, 700, MALLORY, token=voucher)
    assert used(lane, voucher) == (0, 0)
    assert lane.arrives(lane.tokens(REMOTE_TOKEN, 1000))


def test_audit_L1_contract_also_of_an_origin(lane):
    trace = f"transfer/{LOCAL_CLIENT}/transfer/{ORIGIN_CLIENT}"
    lane.transfer.transact("setOriginLimit", trace, (1000, 1000, NO_LIMIT, WINDOW_S, 0))
    lane.advance()
    denom = f"transfer/{ORIGIN_CLIENT}/usd"
    for _ in range(3):
        assert lane.arrives(lane.tokens(denom, 900, MALLORY))
        completed(lane, 900, MALLORY, token=lane.voucher(denom))
    assert lane.arrives(lane.tokens(denom, 1000))
    assert not lane.arrives(lane.tokens(denom, 1))


def test_audit_L1_contract_who_holds_the_whole_cap_can_still_take_it(lane):
    """What it costs now: as much as the cap, locked over the window's end, instead of a hundredth of it and fees."""
    completed(lane, 10_000)
    next_window(lane)
    limit(lane, receive=10_000)
    assert lane.arrives(lane.tokens(lane.home(), 10_000, MALLORY))
    assert not lane.arrives(lane.tokens(lane.home(), 1))
    next_window(lane)
    assert not lane.arrives(lane.tokens(lane.home(), 1))
    assert lane.reason.name == "EscrowExceeded"


# L1, the thief's view: a broken client lets in what it likes


@pytest.mark.long
def test_audit_L1_contract_escrow_never_falls_by_more_than_the_cap_in_a_window(lane):
    """With capital of its own: what is sent and settled makes room, and was paid in before."""
    completed(lane, 50_000)
    next_window(lane)
    limit(lane, receive=1000)
    lane.advance()
    before = lane.escrow()
    for amount in (100, 100, 100):
        if lane.balance(MALLORY) >= amount:
            completed(lane, amount, MALLORY)
        while lane.arrives(lane.tokens(lane.home(), 100, MALLORY)):
            pass
    assert lane.reason.name == "LimitExceeded"
    assert before - lane.escrow() == 1000


@pytest.mark.parametrize("timed_out", [False, True])
def test_audit_L1_contract_a_send_that_may_still_be_refunded_makes_no_room(lane, timed_out):
    """Else: send, redeem that much more, get the refund, and the cap was passed by one's own capital."""
    completed(lane, 50_000)
    next_window(lane)
    limit(lane, receive=1000)
    lane.advance()
    packet = lane.sent(lane.send_tokens(5000, timeout_in_s=60))
    assert not lane.arrives(lane.tokens(lane.home(), 1001))
    assert lane.arrives(lane.tokens(lane.home(), 1000))
    assert (lane.time_out(packet) if timed_out else lane.fail(packet)).named("TransferRefunded")
    assert not lane.arrives(lane.tokens(lane.home(), 1))
    assert lane.escrow() == 49_000


def test_audit_L1_contract_a_receive_that_waits_makes_no_room_for_sends(lane):
    """It may be cancelled; what is paid at once makes room."""
    completed(lane, 50_000)
    next_window(lane)
    limit(lane, send=1000, above=400, delay_s=600)
    assert lane.arrives(lane.tokens(lane.home(), 401))
    refused(lambda: lane.send_tokens(1001), "LimitExceeded")
    assert lane.arrives(lane.tokens(lane.home(), 400))
    assert lane.send_tokens(1400).named("TransferSent")
    refused(lambda: lane.send_tokens(1), "LimitExceeded")


def test_audit_L1_contract_room_that_was_made_ends_with_its_window(lane):
    completed(lane, 50_000)
    next_window(lane)
    limit(lane, receive=1000)
    lane.advance()
    late = lane.sent(lane.send_tokens(3000))
    completed(lane, 2000)
    assert lane.arrives(lane.tokens(lane.home(), 2500))
    next_window(lane)
    lane.acknowledge(late, SUCCESS_ACKNOWLEDGEMENT)
    assert not lane.arrives(lane.tokens(lane.home(), 1001))
    assert lane.arrives(lane.tokens(lane.home(), 1000))


def test_audit_L1_contract_a_cap_of_zero_shuts_whatever_moves_the_other_way(lane):
    completed(lane, 500)
    next_window(lane)
    limit(lane, receive=0)
    lane.advance()
    completed(lane, 500)
    assert not lane.arrives(lane.tokens(lane.home(), 1))


def test_audit_L1_contract_windows_hold_any_amount(lane):
    """Counters end at 2^128 - 1 and never turn over."""
    voucher = lane.voucher(REMOTE_TOKEN)
    limit(lane, send=NO_LIMIT - 1, receive=NO_LIMIT - 1, token=voucher)
    lane.advance()
    most = NO_LIMIT - 1
    assert lane.arrives(lane.tokens(REMOTE_TOKEN, most, MALLORY))
    completed(lane, most, MALLORY, token=voucher)
    assert lane.arrives(lane.tokens(REMOTE_TOKEN, 1, MALLORY))
    assert not lane.arrives(lane.tokens(REMOTE_TOKEN, 2**255, MALLORY))
    assert lane.reason.name == "LimitExceeded"
    assert not lane.arrives(lane.tokens(REMOTE_TOKEN, 1, MALLORY))


# T12


def contract_sends(lane, amount=100, **fields):
    """The test's contract pays for itself; the packet that it sent."""
    sender = lane.receiver
    lane.token.transact("transfer", sender.address, amount, sender=ALICE)
    allow = lane.token.calldata("approve", lane.transfer.address, amount)
    sender.transact("execute", lane.token.address, allow)
    send = lane.transfer.calldata(
        *("sendTransfer", LOCAL_CLIENT, lane.token.address, amount, REMOTE_SENDER, ""),
        lane.evm.timestamp_s + fields.get("timeout_in_s", 3600),
    )
    return lane.sent(sender.transact("execute", lane.transfer.address, send))


def outcome_of(lane, packet):
    return lane.transfer.call("outcomeOf", packet.source_client, packet.sequence)


def ends(lane, packet, outcome, **call):
    if outcome == COMPLETED:
        return lane.acknowledge(packet, SUCCESS_ACKNOWLEDGEMENT, **call)
    return lane.fail(packet, **call) if outcome == REFUSED else lane.time_out(packet)


@pytest.mark.parametrize("outcome", [COMPLETED, REFUSED, TIMED_OUT])
def test_trial_T12_contract_learns_how_its_transfer_ended(lane, outcome):
    packet = contract_sends(lane)
    assert outcome_of(lane, packet) == UNSETTLED
    assert not ends(lane, packet, outcome).named("SettlementCallbackFailed")
    told = encode(
        ["address", "string", "uint64", "uint8"],
        [lane.transfer.address, packet.source_client, packet.sequence, outcome],
    )
    assert lane.receiver.call("settled") == keccak256(told)
    assert SETTLEMENT_GAS - 2_000 < lane.receiver.call("gasSeen") <= SETTLEMENT_GAS
    assert outcome_of(lane, packet) == outcome
    assert lane.balance(lane.receiver.address) == (0 if outcome == COMPLETED else 100)


def test_trial_T12_contract_accounts_are_told_by_event_and_view(lane):
    for outcome in (COMPLETED, REFUSED, TIMED_OUT):
        packet = lane.sent(lane.send_tokens(100, timeout_in_s=60))
        assert not ends(lane, packet, outcome).named("SettlementCallbackFailed")
        assert outcome_of(lane, packet) == outcome
    assert lane.transfer.call("outcomeOf", LOCAL_CLIENT, 99) == UNSETTLED
    assert lane.transfer.call("outcomeOf", "client-9", 1) == UNSETTLED


@pytest.mark.parametrize("mode", ["RevertWithReason", "RevertWithoutReason", "Loop", "RevertLength", "ReturnLength"])
@pytest.mark.parametrize("outcome", [COMPLETED, REFUSED, TIMED_OUT])
def test_trial_T12_contract_a_failing_callback_holds_nothing_up(lane, mode, outcome):
    """Reverts, loops, returns a megabyte: the packet is settled, the refund paid, the outcome kept."""
    modes = ["Answer", "RevertWithReason", "RevertWithoutReason", "Loop", "ReturnLength", "RevertLength"]
    packet = contract_sends(lane)
    lane.receiver.transact("set", modes.index(mode), 1_000_000 if "Length" in mode else 0, bytes(20), b"")
    settled = ends(lane, packet, outcome)
    assert settled.gas_used < 1_000_000
    (failed,) = settled.named("SettlementCallbackFailed")
    assert (failed["sender"], failed["sequence"]) == (lane.receiver.text, packet.sequence)
    assert len(failed["reason"]) <= 896
    assert outcome_of(lane, packet) == outcome
    assert lane.balance(lane.receiver.address) == (0 if outcome == COMPLETED else 100)


def test_trial_T12_contract_too_little_gas_reverts_the_settlement_whole(lane):
    """A relayer cannot keep the end from its owner by paying too little: then nothing is settled, and it can be repeated."""
    packet = contract_sends(lane)
    message = lane.acknowledge_message(packet, SUCCESS_ACKNOWLEDGEMENT)
    needed = lane.router.transact("ackPacket", message, keep=False).gas_used
    failures = set()
    for gas in range(needed - 60_000, needed + 160_000, 10_000):
        try:
            outcome = lane.router.transact("ackPacket", message, gas=gas, keep=False)
        except Exception as error:  # noqa: BLE001 - whatever the EVM says
            failures.add(getattr(error, "name", ""))
            continue
        assert outcome.named("TransferCompleted") and not outcome.named("SettlementCallbackFailed")
    assert "InsufficientSettlementGas" in failures
    assert lane.router.transact("ackPacket", message).named("TransferCompleted")


def test_trial_T12_contract_the_callback_cannot_send_or_settle(lane):
    """Neither this packet again nor another: router and Transfer are entered."""
    packet = contract_sends(lane, 100)
    other = lane.sent(lane.send_tokens(50))
    acknowledged = lane.acknowledge_message(other, SUCCESS_ACKNOWLEDGEMENT)
    for target, data in (
        (lane.router, lane.router.calldata("ackPacket", acknowledged)),
        (lane.transfer, lane.transfer.calldata("release", bytes(32))),
        (
            lane.transfer,
            lane.transfer.calldata("sendTransfer", LOCAL_CLIENT, lane.token.address, 1, "x", "", 2**40),
        ),
    ):
        lane.receiver.transact("set", 6, 0, target.address, data)
        lane.router.transact("ackPacket", lane.acknowledge_message(packet, SUCCESS_ACKNOWLEDGEMENT), keep=False)
    lane.acknowledge(packet, SUCCESS_ACKNOWLEDGEMENT)
    assert not lane.receiver.call("callSucceeded")
    assert outcome_of(lane, other) == UNSETTLED


def test_trial_T12_contract_a_held_refund_is_told_as_its_outcome(lane):
    packet = contract_sends(lane)
    lane.token.transact("blockAccount", lane.receiver.address, True)
    lane.fail(packet)
    assert outcome_of(lane, packet) == REFUSED
    assert lane.held(True, packet.sequence)[1] == 100
