"""Rule 9 in full, on a real node: every amount of gas within 3 000 of each callback boundary, and 200 amounts elsewhere."""

from dataclasses import dataclass
from functools import cache

import pytest

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.commitment import acknowledgement_commitment, acknowledgement_key
from hutong.light_clients.ibc.gmp import encode_gmp_acknowledgement
from hutong.light_clients.ibc.packet import ERROR
from tests.contracts.lane import LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, Lane, now_s
from tests.contracts.test_gas_sweep import Sweep
from tests.contracts.transfer.test_transfer_gas import receive_of
from tests.contracts.transfer.transfer_lane import BOB, TransferLane
from tests.light_clients.tendermint.simulated_chain import SimulatedChain
from tests.nodes.evm.anvil import AnvilEvm

pytestmark = pytest.mark.nodes

NEAR = 3000
ELSEWHERE = 200
LEAST, MOST = 30_000, 3_000_000
CHUNK = 500
PROBE_GAS = 5_000_000_000
SETTLEMENT = "a settlement"
TOKENS = "tokens that come home"


@pytest.fixture(params=["paris", "prague"])
def lane(request):
    chain = SimulatedChain(chain_id="hutong-1")
    evm = AnvilEvm(request.param, now_s(chain))
    try:
        yield Lane(chain=chain, evm=evm)
    finally:
        evm.close()


@pytest.fixture(params=["paris", "prague"])
def token_lane(request):
    chain = SimulatedChain(chain_id="hutong-1")
    evm = AnvilEvm(request.param, now_s(chain))
    try:
        yield TransferLane(chain=chain, evm=evm)
    finally:
        evm.close()


@dataclass
class Probed:
    """One call, tried with any gas; `watch` is a view whose word is read after it."""

    lane: Lane
    data: bytes
    observer: bytes
    watch: bytes

    def __post_init__(self) -> None:
        self.probe = self.lane.evm.deploy("GasProbe")

    def sweep(self, start: int, count: int, step: int = 1) -> list[tuple[int, bool, bytes]]:
        found = []
        for offset in range(0, count, CHUNK):
            size = min(CHUNK, count - offset)
            first = start + offset * step
            observed, succeeded = self.probe.transact(
                "sweep",
                *(self.lane.router.address, self.data, self.observer, self.watch, first, size, step),
                gas=PROBE_GAS,
                keep=False,
            ).value
            found += [
                (first + i * step, ok, word) for i, (word, ok) in enumerate(zip(observed, succeeded, strict=True))
            ]
        return found

    def least_that_succeeds(self) -> int:
        low, high = LEAST, MOST
        while low < high:
            middle = (low + high) // 2
            _, ok, _ = self.sweep(middle, 1)[0]
            low, high = (low, middle) if ok else (middle + 1, high)
        return low


SCENARIOS = {
    "an app that asks for little": None,
    "a receiver that asks for little": (0, 0),
    "a receiver that burns 150 000 gas": (8, 150_000),
    "a receiver that burns 600 000 gas": (8, 600_000),
    "a receiver that wraps a failure four calls down": (9, 600_000),
}


def incoming_packet(lane: Lane, name: str):
    mode = SCENARIOS[name]
    if mode is None:
        return lane.incoming()
    lane.receiver.transact("set", *mode, bytes(20), b"")
    return lane.forwarded_packet()


def acknowledge_call(lane: Lane):
    """An acknowledgement whose sender uses up most of its promised gas."""
    timeout_s = lane.evm.timestamp_s + 3600
    call = lane.mailbox.calldata("sendForwarded", LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, b"x", timeout_s)
    packet = lane.sent(lane.receiver.transact("execute", lane.mailbox.address, call))
    lane.receiver.transact("set", 8, 100_000, bytes(20), b"")
    return lane.acknowledge_message(packet, encode_gmp_acknowledgement(b"result"))


@cache
def boundaries(name: str) -> tuple[int, ...]:
    """Least gas that reaches the app, the receiver or sender, and the end: seen in py-evm, where a reverted call shows
    what it had called."""
    if name == TOKENS:
        return tuple(receive_of("home").boundaries())
    lane = Lane()
    if name == SETTLEMENT:
        function, message = "ackPacket", acknowledge_call(lane)
    else:
        function, message = "recvPacket", lane.receive_message(incoming_packet(lane, name))
    called = (lane.app.address,) if SCENARIOS.get(name, ()) is None else (lane.mailbox.address, lane.receiver.address)
    return tuple(Sweep(lambda gas: lane.router.transact(function, message, gas=gas, keep=False), called).boundaries())


def everything(probed: Probed, name: str) -> list[tuple[int, bool, bytes]]:
    found = probed.sweep(LEAST, ELSEWHERE, (MOST - LEAST) // ELSEWHERE)
    *reached, done = boundaries(name)
    assert abs(probed.least_that_succeeds() - done) < NEAR // 2, "both EVMs price the same call alike"
    for boundary in (*reached, done):
        found += probed.sweep(boundary - NEAR, 2 * NEAR + 1)
    assert {ok for _, ok, _ in found} == {True, False}
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_attack_E12_contract_gas_sweep_of_a_receive(lane, name):
    """An error acknowledgement is never bought with gas."""
    packet = incoming_packet(lane, name)
    data = lane.router.calldata("recvPacket", lane.receive_message(packet))
    watch = lane.router.calldata("getCommitment", keccak256(acknowledgement_key(packet)))
    refusal = acknowledgement_commitment(ERROR)
    for gas, ok, word in everything(Probed(lane, data, lane.router.address, watch), name):
        assert word != refusal, f"an error acknowledgement was bought with {gas} gas"
        assert (word != bytes(32)) == ok, gas


def test_attack_E12_contract_gas_sweep_of_tokens_that_come_home(token_lane):
    """Nor for tokens: they are paid, or nothing happened."""
    lane = token_lane
    lane.send_tokens(100)
    packet = lane.tokens(lane.home(), 50)
    data = lane.router.calldata("recvPacket", lane.receive_message(packet))
    probed = Probed(lane, data, lane.token.address, lane.token.calldata("balanceOf", BOB))
    for gas, ok, word in everything(probed, TOKENS):
        assert (int.from_bytes(word, "big") == 50) == ok, f"received without payment with {gas} gas"


def test_attack_E12_contract_gas_sweep_of_a_settlement(lane):
    """No amount of gas settles a packet without its sender's callback."""
    data = lane.router.calldata("ackPacket", acknowledge_call(lane))
    probed = Probed(lane, data, lane.receiver.address, lane.receiver.calldata("calls"))
    for gas, ok, word in everything(probed, SETTLEMENT):
        assert (int.from_bytes(word, "big") == 1) == ok, f"settled without its callback with {gas} gas"


def test_packets_and_messages_on_a_real_node(lane):
    """The smoke of tests/contracts, outside py-evm."""
    received = lane.receive(lane.incoming())
    assert received.named("WriteAcknowledgement")[0]["acknowledgements"] == (b"ok",)
    assert lane.receive(lane.forwarded_packet(sequence=2)).named("MessageDelivered")
    packet = lane.send()
    assert lane.acknowledge(packet, b"done").named("AckPacket")
    late = lane.send(timeout_in_s=60)
    height = lane.pass_time_to(late.timeout_timestamp_s)
    timed_out = lane.router.transact("timeoutPacket", lane.timeout_message(late, height))
    assert timed_out.named("TimeoutPacket")
    print("gas on a real node:", {"receive": received.gas_used, "timeout": timed_out.gas_used})
