"""Gas of Transfer: no amount of it makes a relayer's receive a refusal, or a refund a claim; and what a relay pays.

Figures are printed with `pytest -s` and bounded so that a regression fails.
"""

import pytest

from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT
from hutong.light_clients.ibc.transfer import SUCCESS_ACKNOWLEDGEMENT
from tests.contracts.evm import Outcome, Reverted
from tests.contracts.test_gas_sweep import Sweep, check, receive_sweep
from tests.contracts.transfer.transfer_lane import ALICE, BOB, REMOTE_TOKEN, TransferLane

GAS_STEP = 1500


def judge_receive(result: Outcome | Reverted) -> str:
    """The tokens arrived, or nothing happened at all."""
    if isinstance(result, Reverted):
        return "reverted"
    assert not result.named("IBCAppRecvPacketCallbackError"), "an error acknowledgement was bought with gas"
    assert result.named("TransferReceived")
    return "received"


def judge_refund(result: Outcome | Reverted) -> str:
    if isinstance(result, Reverted):
        return "reverted"
    assert result.named("TransferRefunded")
    assert not result.named("TransferHeld"), "the refund was starved of its gas"
    return "refunded"


def receive_of(name: str) -> Sweep:
    lane = TransferLane()
    if name == "home":
        lane.send_tokens(100)
        return receive_sweep(lane, lane.tokens(lane.home(), 50), (lane.transfer.address, lane.token.address))
    if name == "known voucher":
        lane.arrives(lane.tokens(REMOTE_TOKEN, 1))
    packet = lane.tokens(REMOTE_TOKEN, 50)
    return receive_sweep(lane, packet, (lane.transfer.address, lane.voucher(REMOTE_TOKEN).address))


@pytest.mark.long
@pytest.mark.parametrize("name", ["home", "new voucher", "known voucher"])
def test_attack_E12_contract_gas_sweep_of_received_tokens(name):
    check(receive_of(name), judge_receive, GAS_STEP)


@pytest.mark.long
@pytest.mark.parametrize("burnt", [False, True])
def test_attack_E12_contract_gas_sweep_of_a_refund(burnt):
    lane = TransferLane()
    if burnt:
        lane.arrives(lane.tokens(REMOTE_TOKEN, 100, ALICE))
    token = lane.voucher(REMOTE_TOKEN) if burnt else lane.token
    packet = lane.sent(lane.send_tokens(100, token=token))
    message = lane.acknowledge_message(packet, ERROR_ACKNOWLEDGEMENT)
    sweep = Sweep(
        lambda gas: lane.router.transact("ackPacket", message, gas=gas, keep=False),
        (lane.transfer.address, token.address),
    )
    check(sweep, judge_refund, GAS_STEP)


@pytest.mark.long
def test_attack_E12_contract_token_gets_at_least_what_is_promised():
    """At every amount of gas with which tokens arrive at all, the paying token had 150 000."""
    lane = TransferLane()
    lane.send_tokens(100)
    message = lane.receive_message(lane.tokens(lane.home(), 50))
    lane.token.transact("set", 8, 0, bytes(20), b"")
    for gas in (300_000, 400_000, 600_000, 1_500_000):
        with pytest.raises(Reverted) as caught:
            lane.router.transact("recvPacket", message, gas=gas)
        assert caught.value.name in {"", "IBCFailedCallback"}
    lane.token.transact("set", 0, 0, bytes(20), b"")
    least = next(gas for gas in range(250_000, 900_000, 10_000) if arrives_with(lane, message, gas))
    lane.token.transact("set", 11, 0, bytes(20), b"")
    lane.router.transact("recvPacket", message, gas=least + 30_000)
    assert lane.token.call("gasSeen") >= 150_000


def arrives_with(lane, message, gas):
    try:
        lane.router.transact("recvPacket", message, gas=gas, keep=False)
    except Reverted:
        return False
    return True


@pytest.mark.long
def test_gas_of_transfers():
    lane = TransferLane()
    # a hub with a thousand other keys: proofs of a realistic depth
    lane.publish({b"other/" + number.to_bytes(4, "big"): b"\x01" * 32 for number in range(1000)})
    token = lane.evm.deploy("ExampleToken", "Example", "EX", 10**24)
    owner = b"\x11" * 20
    token.transact("approve", lane.transfer.address, 2**256 - 1)
    figures = {}
    lane.send_tokens(10**18, token=token, sender=owner)
    sent = lane.forward_tokens(10**18, token=token, sender=owner)
    figures["sendForwarded"] = sent.gas_used
    figures["ackPacket, success"] = lane.acknowledge(lane.sent(sent), SUCCESS_ACKNOWLEDGEMENT).gas_used
    figures["ackPacket, refund"] = lane.fail(lane.sent(lane.forward_tokens(10**18, token=token, sender=owner))).gas_used
    late = lane.sent(lane.send_tokens(10**18, token=token, sender=owner, timeout_in_s=60))
    figures["timeoutPacket"] = lane.time_out(late).gas_used
    denom = f"transfer/bft-evm-1/{REMOTE_TOKEN}"
    figures["recvPacket, first voucher of a trace"] = lane.receive(lane.tokens(denom, 10**18, ALICE)).gas_used
    figures["recvPacket, voucher"] = lane.receive(lane.tokens(denom, 10**18, BOB)).gas_used
    figures["recvPacket, home"] = lane.receive(lane.tokens(lane.home(token), 10**18, BOB)).gas_used
    lane.transfer.transact("setClientLimit", "client-0", token.address, (10**24, 10**24, 10**24, 3600, 60))
    lane.transfer.transact("setOriginLimit", "", (10**24, 10**24, 10**24, 3600, 60))
    figures["recvPacket, home, with two limits"] = lane.receive(lane.tokens(lane.home(token), 10**17, BOB)).gas_used
    figures["sendForwarded, with two limits"] = lane.forward_tokens(10**18, token=token, sender=owner).gas_used
    voucher = lane.voucher(denom)
    figures["sendForwarded, voucher"] = lane.forward_tokens(10**17, token=voucher, sender=ALICE).gas_used
    print()
    for name, gas in figures.items():
        print(f"{name}: {gas}")
    assert figures["recvPacket, voucher"] < 400_000
    assert figures["recvPacket, first voucher of a trace"] < 650_000
    assert figures["ackPacket, success"] < 300_000
    assert figures["ackPacket, refund"] < 320_000
    assert figures["timeoutPacket"] < 330_000
