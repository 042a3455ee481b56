"""Caps, windows and the delay queue of Transfer (attack line E19 and the outflow limits of list A)."""

import pytest

from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT
from hutong.light_clients.ibc.transfer import SUCCESS_ACKNOWLEDGEMENT
from tests.contracts.lane import LOCAL_CLIENT, ORIGIN_CLIENT, STRANGER, new_lane
from tests.contracts.test_router_packets import refused
from tests.contracts.transfer.transfer_lane import ALICE, BOB, NO_LIMIT, REMOTE_TOKEN, SUPPLY, TransferLane, text

pytestmark = pytest.mark.safety

WINDOW_S = 1000
DAY_S = 86_400


@pytest.fixture
def lane():
    """At the beginning of a window."""
    lane = new_lane(TransferLane)
    lane.pass_time_to((lane.evm.timestamp_s // WINDOW_S + 1) * WINDOW_S)
    return lane


def limit(
    lane,
    *,
    send=NO_LIMIT,
    receive=NO_LIMIT,
    above=NO_LIMIT,
    window_s=WINDOW_S,
    delay_s=0,
    token=None,
    client=LOCAL_CLIENT,
):
    fields = (send, receive, above, window_s, delay_s)
    lane.transfer.transact("setClientLimit", client, (token or lane.token).address, fields)


def used(lane, token=None):
    """(sent, received) of the current window."""
    _, sent, received = lane.transfer.call("clientLimit", LOCAL_CLIENT, (token or lane.token).address)
    return sent, received


def next_window(lane):
    lane.pass_time_to((lane.evm.timestamp_s // WINDOW_S + 1) * WINDOW_S)


@pytest.mark.parametrize("timed_out", [False, True])
def test_attack_E19_contract_refund_is_paid_whatever_the_cap_and_gives_its_room_back(lane, timed_out):
    limit(lane, send=100)
    lane.advance()
    packet = lane.sent(lane.send_tokens(100, timeout_in_s=60))
    error = refused(lambda: lane.send_tokens(1), "LimitExceeded")
    assert error.arguments == (LOCAL_CLIENT, lane.token.text, 0, 1)
    assert used(lane) == (100, 0)
    assert (lane.time_out(packet) if timed_out else lane.fail(packet)).named("TransferRefunded")
    assert (lane.balance(ALICE), used(lane)) == (SUPPLY, (0, 0))
    assert lane.send_tokens(100).named("TransferSent")
    refused(lambda: lane.send_tokens(1), "LimitExceeded")


def test_attack_E19_contract_refund_gives_room_to_its_own_window_alone_and_once(lane):
    """A refund in a later window must not make that window larger, and a second settlement gives nothing."""
    limit(lane, send=100)
    lane.advance()
    old = lane.sent(lane.send_tokens(100))
    next_window(lane)
    lane.send_tokens(100)
    message = lane.acknowledge_message(old, ERROR_ACKNOWLEDGEMENT)
    assert lane.router.transact("ackPacket", message).named("TransferRefunded")
    assert used(lane) == (100, 0)
    refused(lambda: lane.send_tokens(1), "LimitExceeded")
    assert lane.router.transact("ackPacket", message).named("Noop")
    assert used(lane) == (100, 0)


def test_attack_E19_contract_what_was_sent_before_the_limit_gives_no_room(lane):
    """Also not within the same block: the limit counts from when it was set."""
    before = lane.sent(lane.send_tokens(100))
    limit(lane, send=100)
    lane.send_tokens(60)
    lane.fail(before)
    assert used(lane) == (60, 0)
    again = lane.sent(lane.send_tokens(30))
    limit(lane, send=100)
    lane.send_tokens(90)
    lane.fail(again)
    assert used(lane) == (90, 0)


def test_attack_E19_contract_success_keeps_the_room_used(lane):
    limit(lane, send=100)
    lane.advance()
    packet = lane.sent(lane.send_tokens(70))
    lane.acknowledge(packet, SUCCESS_ACKNOWLEDGEMENT)
    assert used(lane) == (70, 0)
    next_window(lane)
    assert used(lane) == (0, 0)
    assert lane.send_tokens(100).named("TransferSent")


def test_attack_E19_contract_receive_over_the_cap_is_refused_and_uses_no_room(lane):
    lane.send_tokens(500)
    limit(lane, receive=100)
    assert lane.arrives(lane.tokens(lane.home(), 60))
    assert not lane.arrives(lane.tokens(lane.home(), 41))
    assert (lane.reason.name, lane.reason.arguments) == ("LimitExceeded", (LOCAL_CLIENT, lane.token.text, 40, 41))
    assert (used(lane), lane.escrow()) == ((0, 60), 440)
    assert lane.arrives(lane.tokens(lane.home(), 40))
    assert not lane.arrives(lane.tokens(lane.home(), 1))
    next_window(lane)
    assert lane.arrives(lane.tokens(lane.home(), 100))


def test_caps_of_an_origin_count_each_of_its_tokens(lane):
    """An operator limits, or shuts out, a chain behind the hub without knowing its tokens."""
    trace = f"transfer/{LOCAL_CLIENT}/transfer/{ORIGIN_CLIENT}"
    lane.transfer.transact("setOriginLimit", trace, (NO_LIMIT, 100, NO_LIMIT, WINDOW_S, 0))
    denom, other = f"transfer/{ORIGIN_CLIENT}/{REMOTE_TOKEN}", f"transfer/{ORIGIN_CLIENT}/usd"
    assert lane.arrives(lane.tokens(denom, 100)) and lane.arrives(lane.tokens(other, 100))
    assert not lane.arrives(lane.tokens(denom, 1))
    assert lane.reason.arguments == (trace, lane.voucher(denom).text, 0, 1)
    assert lane.arrives(lane.tokens("transfer/bft-evm-2/usd", 5000))
    assert lane.transfer.call("originLimit", trace, lane.voucher(denom).address)[2] == 100
    lane.transfer.transact("setOriginLimit", trace, (0, 0, NO_LIMIT, WINDOW_S, 0))
    assert not lane.arrives(lane.tokens(f"transfer/{ORIGIN_CLIENT}/eur", 1))
    refused(lambda: lane.send_tokens(1, token=lane.voucher(denom), sender=BOB), "LimitExceeded")
    lane.transfer.transact("setOriginLimit", trace, (0, 0, 0, 0, 0))
    assert lane.arrives(lane.tokens(denom, 1000))


def test_caps_of_this_chains_own_tokens(lane):
    lane.transfer.transact("setOriginLimit", "", (100, NO_LIMIT, NO_LIMIT, WINDOW_S, 0))
    lane.send_tokens(100)
    error = refused(lambda: lane.send_tokens(1), "LimitExceeded")
    assert error.arguments == ("", lane.token.text, 0, 1)
    assert lane.send_tokens(100, token=lane.new_token()).named("TransferSent")


def test_large_receive_waits_and_anyone_releases_it(lane):
    """The other side is told of success; the escrow is spent and the owner is fixed."""
    lane.send_tokens(500)
    limit(lane, above=100, delay_s=600)
    assert lane.arrives(lane.tokens(lane.home(), 100))
    assert lane.balance(BOB) == 100
    outcome = lane.receive(packet := lane.tokens(lane.home(), 101))
    (held,) = outcome.named("TransferHeld")
    assert outcome.named("WriteAcknowledgement")[0]["acknowledgements"] == (SUCCESS_ACKNOWLEDGEMENT,)
    held_id, amount, at_s = lane.held(False, packet.sequence)
    assert (held["heldId"], held["owner"], amount, at_s) == (held_id, text(BOB), 101, lane.evm.timestamp_s + 600)
    assert (lane.balance(BOB), lane.escrow(), lane.balance(lane.transfer.address)) == (100, 299, 400)
    error = refused(lambda: lane.transfer.transact("release", held_id, sender=STRANGER), "StillHeld")
    assert error.arguments == (held_id, at_s)
    refused(lambda: lane.transfer.transact("releaseTo", held_id, ALICE, sender=BOB), "StillHeld")
    lane.evm.timestamp_s = at_s - 1
    refused(lambda: lane.transfer.transact("release", held_id, sender=STRANGER), "StillHeld")
    lane.evm.timestamp_s = at_s
    assert lane.transfer.transact("release", held_id, sender=STRANGER).named("TransferReleased")[0]["to"] == text(BOB)
    assert lane.balance(BOB) == 201
    refused(lambda: lane.transfer.transact("release", held_id, sender=STRANGER), "NothingHeld")


def test_large_vouchers_wait_as_well_and_count_in_the_supply(lane):
    voucher = lane.voucher(REMOTE_TOKEN)
    limit(lane, above=100, delay_s=600, token=voucher)
    assert lane.arrives(packet := lane.tokens(REMOTE_TOKEN, 1000))
    assert (lane.balance(BOB, voucher), voucher.call("totalSupply")) == (0, 1000)
    held_id, _, at_s = lane.held(False, packet.sequence)
    lane.evm.timestamp_s = at_s
    lane.transfer.transact("releaseTo", held_id, ALICE, sender=BOB)
    assert lane.balance(ALICE, voucher) == voucher.call("totalSupply") == 1000


def test_pause_stops_releases_and_a_forged_receive_is_taken_back(lane):
    """What the delay is for: a broken client let something in, and somebody looks in time."""
    voucher = lane.voucher(REMOTE_TOKEN)
    lane.send_tokens(500)
    limit(lane, above=0, delay_s=600)
    limit(lane, above=0, delay_s=600, token=voucher)
    assert lane.arrives(home := lane.tokens(lane.home(), 400))
    assert lane.arrives(minted := lane.tokens(REMOTE_TOKEN, 10**18))
    lane.transfer.transact("pause")
    held_id, _, at_s = lane.held(False, home.sequence)
    lane.evm.timestamp_s = at_s
    refused(lambda: lane.transfer.transact("release", held_id), "EnforcedPause")
    refused(
        lambda: lane.transfer.transact("cancelHeld", LOCAL_CLIENT, home.sequence, sender=BOB),
        "AccessManagedUnauthorized",
    )
    lane.transfer.transact("cancelHeld", LOCAL_CLIENT, home.sequence)
    assert lane.transfer.transact("cancelHeld", LOCAL_CLIENT, minted.sequence).named("TransferCancelled")
    refused(lambda: lane.transfer.transact("cancelHeld", LOCAL_CLIENT, minted.sequence), "NothingHeld")
    assert (lane.escrow(), voucher.call("totalSupply")) == (500, 0)
    lane.transfer.transact("unpause")
    refused(lambda: lane.transfer.transact("release", held_id), "NothingHeld")


def test_refunds_are_never_cancelled_or_delayed(lane):
    limit(lane, above=0, delay_s=600)
    packet = lane.sent(lane.send_tokens(500))
    lane.token.transact("blockAccount", ALICE, True)
    lane.fail(packet)
    refused(lambda: lane.transfer.transact("cancelHeld", LOCAL_CLIENT, packet.sequence), "NothingHeld")
    lane.transfer.transact("releaseTo", lane.held(True, packet.sequence)[0], BOB, sender=ALICE)
    assert lane.balance(BOB) == 500


@pytest.mark.parametrize("target", ["zero", "token", "transfer", "router"])
def test_owner_cannot_throw_a_held_amount_away(lane, target):
    packet = lane.sent(lane.send_tokens(500))
    lane.token.transact("blockAccount", ALICE, True)
    lane.fail(packet)
    to = {
        "zero": bytes(20),
        "token": lane.token.address,
        "transfer": lane.transfer.address,
        "router": lane.router.address,
    }
    held_id = lane.held(True, packet.sequence)[0]
    refused(lambda: lane.transfer.transact("releaseTo", held_id, to[target], sender=ALICE), "InvalidReceiver")
    assert lane.transfer.transact("releaseTo", held_id, BOB, sender=ALICE).named("TransferReleased")


def test_limits_that_are_invalid(lane):
    error = refused(lambda: limit(lane, delay_s=7 * DAY_S + 1), "InvalidLimit")
    assert error.arguments == ("delaySeconds", 7 * DAY_S + 1, 7 * DAY_S)
    limit(lane, delay_s=7 * DAY_S)
    assert lane.transfer.call("clientLimit", LOCAL_CLIENT, lane.token.address)[0] == (
        NO_LIMIT,
        NO_LIMIT,
        NO_LIMIT,
        WINDOW_S,
        7 * DAY_S,
    )


def test_cap_holds_whatever_the_amount(lane):
    """Amounts beyond 128 bits meet the cap before they meet the window's counter."""
    voucher = lane.voucher("usd")
    limit(lane, receive=NO_LIMIT - 1, token=voucher)
    for amount in (NO_LIMIT, 2**128, 2**256 - 1):
        assert not lane.arrives(lane.tokens("usd", amount))
        assert lane.reason.name == "LimitExceeded"
    assert lane.arrives(lane.tokens("usd", NO_LIMIT - 1))
    assert not lane.arrives(lane.tokens("usd", 1))
