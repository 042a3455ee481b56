"""Gas of an update, and of receives, acknowledgements and timeouts in batches, on an anvil with 10⁵ keys in each state."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.hub.lane import fill_router, filler
from bench.hub.large_hub import LargeHub
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
)
from hutong.light_clients.ibc.gmp import encode_gmp_acknowledgement
from hutong.light_clients.ibc.packet import Acknowledgement, Packet
from tests.contracts.lane import LOCAL_CLIENT, ORIGIN_CLIENT, RELAYER, REMOTE_SENDER, Lane, now_s, relay_call
from tests.nodes.evm.anvil import AnvilEvm

KEYS = 100_000
BATCH_SIZES = (1, 16, 64)
POOL_BYTES = 128 * 1024
"""What nodes' pools take in one transaction."""
PAYLOAD = b"x" * 100
LIFETIME_S = 3_600
CALL_GAS = 700_000
UPDATE_GAS = 1_000_000


@dataclass(frozen=True, slots=True)
class GasRow:
    """`gas` is of the whole transaction; a batch has one update, whose share is in `gas_each`."""

    what: str
    batch: int
    gas: int
    calldata_bytes: int

    @property
    def gas_each(self) -> int:
        return self.gas // self.batch

    @property
    def fits(self) -> bool:
        return self.calldata_bytes <= POOL_BYTES


@contextmanager
def _lane(keys: int) -> Iterator[Lane]:
    chain = LargeHub(chain_id="hutong-1")
    for number in range(keys):
        chain.put(*filler(number))
    evm = AnvilEvm("prague", now_s(chain))
    try:
        lane = Lane(chain=chain, evm=evm)
        fill_router(evm.url, lane.router.address, keys)
        yield lane
    finally:
        evm.close()


class Bench:
    """Batches of one kind each, built as the relay builds them."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._receiver = lane.evm.deploy("ExampleReceiver", lane.mailbox.address).text
        self._sequence = 0

    def rows(self) -> Iterator[GasRow]:
        """Every figure; the first packets of each kind are not measured: they write slots that later ones share."""
        lane = self._lane
        self._receive(1)
        self._settle(1, "acknowledgement")
        lane.advance()
        message = lane.update_message(lane.chain.latest.header.height)
        outcome = lane.router.transact("updateClient", LOCAL_CLIENT, message, sender=RELAYER)
        lane.trusted = lane.chain.latest.header.height
        yield GasRow("update", 1, outcome.gas_used, len(message))
        for size in BATCH_SIZES:
            yield self._receive(size)
        for what in ("acknowledgement", "timeout"):
            for size in BATCH_SIZES:
                yield self._settle(size, what)

    def _receive(self, size: int) -> GasRow:
        packets = []
        for _ in range(size):
            self._sequence += 1
            packets.append(self._lane.forwarded_packet(self._receiver, PAYLOAD, sequence=self._sequence))
        entries = {commitment_key(packet): packet_commitment(packet) for packet in packets}
        return self._batch("receive", entries, packets, "recvPacket", self._lane.receive_message)

    def _settle(self, size: int, what: str) -> GasRow:
        lane = self._lane
        timeout_s = lane.evm.timestamp_s + LIFETIME_S
        sent = [
            lane.sent(
                lane.mailbox.transact(
                    "sendForwarded", LOCAL_CLIENT, ORIGIN_CLIENT, REMOTE_SENDER, PAYLOAD, timeout_s, sender=RELAYER
                )
            )
            for _ in range(size)
        ]
        if what == "timeout":
            at_ns = max(packet.timeout_timestamp_s for packet in sent) * 10**9
            lane.chain.advance(time_ns=max(at_ns, lane.chain.latest.header.time_ns + 10**9))
            lane.evm.timestamp_s = max(lane.evm.timestamp_s, now_s(lane.chain))
            return self._batch(what, {}, sent, "timeoutPacket", lane.timeout_message)
        answer = encode_gmp_acknowledgement(PAYLOAD)
        entries = {acknowledgement_key(p): acknowledgement_commitment(Acknowledgement((answer,))) for p in sent}
        return self._batch(
            what, entries, sent, "ackPacket", lambda p, height: lane.acknowledge_message(p, answer, height)
        )

    def _batch(
        self,
        what: str,
        entries: dict[bytes, bytes],
        packets: list[Packet],
        function: str,
        message: Callable[[Packet, int], tuple[object, ...]],
    ) -> GasRow:
        lane = self._lane
        for key, value in entries.items():
            lane.chain.put(key, value)
        height = lane.advance(2)
        update = relay_call(lane, "updateClient", LOCAL_CLIENT, lane.update_message(height), gas=UPDATE_GAS)
        calls = [relay_call(lane, function, message(packet, height), gas=CALL_GAS) for packet in packets]
        outcome = lane.router.transact("relayBatch", (update, *calls), sender=RELAYER, gas=200_000_000)
        lane.trusted = height
        if not all(outcome.value):
            raise RuntimeError(f"a {what} of the batch failed")
        return GasRow(what, len(packets), outcome.gas_used, len(lane.router.calldata("relayBatch", (update, *calls))))


def run(keys: int = KEYS) -> list[GasRow]:
    """All rows. Needs the outside nodes (tests/nodes/provision.py)."""
    with _lane(keys) as lane:
        return list(Bench(lane).rows())
