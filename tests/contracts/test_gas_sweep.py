"""Rule 9: no amount of gas makes a relayer's receive end in an error acknowledgement, or a settlement lose its callback.

The boundaries are where the application is reached, where the receiver or sender is, and where all is done. Here amounts
around them are sampled; tests/nodes/evm/test_anvil_gas_sweep.py tries every amount within 3 000 gas and 200 elsewhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from hutong.light_clients.ibc.gmp import encode_gmp_acknowledgement
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT
from tests.contracts.evm import Outcome, Reverted
from tests.contracts.lane import LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, Lane, new_lane

NEAR = 3000
ELSEWHERE = 10
MOST = 3_000_000


@dataclass
class Sweep:
    """`run` tries one amount of gas and changes nothing; `called` are the contracts whose calls are boundaries."""

    run: Callable[[int], Outcome]
    called: tuple[bytes, ...]
    tried: dict[int, Outcome | Reverted] = field(default_factory=dict)

    def attempt(self, gas: int) -> Outcome | Reverted:
        if gas not in self.tried:
            try:
                self.tried[gas] = self.run(gas)
            except Reverted as error:
                self.tried[gas] = error
        return self.tried[gas]

    def boundary(self, holds: Callable[[Outcome | Reverted], bool]) -> int:
        """Least gas at which `holds`."""
        low, high = 21_000, MOST
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if holds(self.attempt(middle)) else (middle + 1, high)
        return low

    def boundaries(self) -> list[int]:
        def reached(address: bytes) -> Callable[[Outcome | Reverted], bool]:
            return lambda result: isinstance(result, Outcome) or address in result.reached

        done = self.boundary(lambda result: isinstance(result, Outcome))
        return [*(self.boundary(reached(address)) for address in self.called), done]

    def amounts(self, step: int) -> Iterator[int]:
        boundaries = self.boundaries()
        assert boundaries == sorted(boundaries)
        for boundary in boundaries:
            yield from range(boundary - NEAR, boundary + NEAR + 1, step)
            yield from range(boundary - 1, boundary + 2)
        yield from range(21_000, MOST, (MOST - 21_000) // ELSEWHERE)


def receive_sweep(lane: Lane, packet, called) -> Sweep:
    message = lane.receive_message(packet)
    return Sweep(lambda gas: lane.router.transact("recvPacket", message, gas=gas, keep=False), called)


def judge_receive(result: Outcome | Reverted) -> str:
    """Delivered, or nothing happened at all."""
    if isinstance(result, Reverted):
        return "reverted"
    (written,) = result.named("WriteAcknowledgement")
    assert written["acknowledgements"] != (ERROR_ACKNOWLEDGEMENT,), "an error acknowledgement was bought with gas"
    assert not result.named("IBCAppRecvPacketCallbackError")
    return "delivered"


SCENARIOS = {
    "an app that asks for little": None,
    "a receiver that asks for little": (0, 0),
}


def scenario(name: str) -> Sweep:
    lane = new_lane(Lane)
    mode = SCENARIOS[name]
    if mode is None:
        return receive_sweep(lane, lane.incoming(), (lane.app.address,))
    lane.receiver.transact("set", *mode, bytes(20), b"")
    return receive_sweep(lane, lane.forwarded_packet(), (lane.mailbox.address, lane.receiver.address))


def settlement() -> Sweep:
    lane = new_lane(Lane)
    call = lane.mailbox.calldata(
        "sendForwarded", LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"x", lane.evm.timestamp_s + 3600
    )
    packet = lane.sent(lane.receiver.transact("execute", lane.mailbox.address, call))
    lane.receiver.transact("set", 8, 100_000, bytes(20), b"")
    message = lane.acknowledge_message(packet, encode_gmp_acknowledgement(b"result"))
    return Sweep(
        lambda gas: lane.router.transact("ackPacket", message, gas=gas, keep=False),
        (lane.mailbox.address, lane.receiver.address),
    )


def judge_settlement(result: Outcome | Reverted) -> str:
    if isinstance(result, Reverted):
        return "reverted"
    assert result.named("AckPacket")
    assert not result.named("SettlementCallbackFailed"), "the sender was starved of its gas"
    return "settled"


def check(sweep: Sweep, judge: Callable[[Outcome | Reverted], str], step: int) -> None:
    verdicts = {judge(sweep.attempt(gas)) for gas in sweep.amounts(step)}
    assert len(verdicts) == 2 and "reverted" in verdicts


@pytest.mark.long
@pytest.mark.parametrize("name", ["an app that asks for little", "a receiver that asks for little"])
def test_attack_E12_contract_gas_sweep_of_a_receive_sampled(name):
    check(scenario(name), judge_receive, 1500)


@pytest.mark.long
def test_attack_E12_contract_gas_sweep_of_a_settlement_sampled():
    check(settlement(), judge_settlement, 1500)


def test_receiver_is_called_with_at_least_what_is_promised():
    """At the least gas that succeeds, and at every amount above it."""
    lane = new_lane(Lane)
    message = lane.receive_message(lane.forwarded_packet())
    least = None
    for gas in (*range(300_000, 700_000, 5_000), 3_000_000):
        try:
            lane.router.transact("recvPacket", message, gas=gas, keep=False)
        except Reverted:
            continue
        least = gas
        break
    lane.router.transact("recvPacket", message, gas=least)
    assert lane.receiver.call("gasSeen") >= 200_000


@pytest.mark.parametrize("mode", [8, 9], ids=["runs out", "wraps the failure"])
def test_attack_E12_contract_receiver_that_needs_more_gas_than_promised(mode):
    """With too little gas nothing happens, and the same message is delivered with enough."""
    lane = new_lane(Lane)
    lane.receiver.transact("set", mode, 600_000, bytes(20), b"")
    message = lane.receive_message(lane.forwarded_packet())
    for gas in (400_000, 500_000, 600_000, 700_000, 800_000):
        with pytest.raises(Reverted) as caught:
            lane.router.transact("recvPacket", message, gas=gas)
        assert caught.value.name in {"", "IBCFailedCallback"}
    assert judge_receive(lane.router.transact("recvPacket", message, gas=1_500_000)) == "delivered"


def test_refusal_with_a_reason_is_final_given_enough_gas():
    """The other side of the quarter rule: a receiver that works hard and then refuses is refused for good."""
    lane = new_lane(Lane)
    lane.receiver.transact("set", 1, 5, bytes(20), b"")
    message = lane.receive_message(lane.forwarded_packet())
    (written,) = lane.router.transact("recvPacket", message, gas=600_000).named("WriteAcknowledgement")
    assert written["acknowledgements"] == (ERROR_ACKNOWLEDGEMENT,)
