"""The simulated chain behind the conformance suite's harness."""

from hutong.light_clients.fisco_bcos import CryptoSuite, FiscoBcosClient, Generation, encode_header_message
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from tests.light_clients.conformance.harness import Proven
from tests.light_clients.fisco_bcos.fisco_chain import ROUTER, SimulatedChain, packet, receipt, sent

PACKETS: dict[bytes, Packet] = {commitment_key(packet(n)): packet(n) for n in (1, 2)}
KEY, OTHER_KEY = PACKETS
VALUE = packet_commitment(PACKETS[KEY])


class FiscoBcosHarness:
    client = FiscoBcosClient()
    trusting_period_ns = 1_000 * NANOSECONDS_PER_SECOND
    max_clock_drift_ns = 15 * NANOSECONDS_PER_SECOND
    generation = Generation.V2
    suite = CryptoSuite.ECDSA
    weights: list[int] | None = None

    def __init__(self) -> None:
        self.chain = SimulatedChain(self.generation, self.suite, weights=self.weights)
        self.receipts: dict[bytes, bytes] = {}

    @property
    def latest_height(self) -> Height:
        return Height(0, self.chain.height)

    def time_ns(self, height: Height) -> int:
        return self.chain.blocks[height.revision_height].header.timestamp_ms * 1_000_000

    def advance(self, blocks: int = 1) -> Height:
        self.chain.advance(blocks)
        return self.latest_height

    def put(self, key: bytes, value: bytes) -> None:
        """The packet of that key is sent in the block after the next: events are proven at their own block only."""
        assert packet_commitment(PACKETS[key]) == value
        self.receipts[key] = receipt([sent(PACKETS[key], digest=self.chain.digest)])
        self.chain.include(self.receipts[key], self.chain.height + 2)

    def replace_validators(self) -> None:
        self.chain.advance()
        self.chain.replace_sealers(range(100, 104), self.weights)

    def states(self, height: Height) -> tuple[bytes, bytes]:
        number = height.revision_height
        return self.chain.client_state(number), self.chain.consensus_state(number)

    def states_with_other_parameters(self, height: Height) -> tuple[bytes, bytes]:
        number = height.revision_height
        return self.chain.client_state(number, router_address=ROUTER[::-1]), self.chain.consensus_state(number)

    def header(self, height: Height, trusted: Height) -> bytes:
        return self.chain.header(height.revision_height, trusted.revision_height)

    def _other(self, height: Height, trusted: Height, **changes: object) -> bytes:
        block = self.chain.propose(height.revision_height, **changes)
        return encode_header_message(block.message(trusted.revision_height))

    def header_with_few_signatures(self, height: Height, trusted: Height) -> bytes:
        return self._other(height, trusted, signers=[0, 1])

    def _fork(self, height: Height):
        return self.chain.propose(height.revision_height, receipts=(receipt([]),))

    def conflicting_header(self, height: Height, trusted: Height) -> bytes:
        return encode_header_message(self._fork(height).message(trusted.revision_height))

    def header_with_time(self, height: Height, trusted: Height, time_ns: int) -> bytes:
        return self._other(height, trusted, timestamp_ms=time_ns // 1_000_000)

    def misbehaviour(self, height: Height, trusted: Height) -> bytes:
        own = self.chain.update(height.revision_height, trusted.revision_height)
        return self.chain.misbehaviour(own, self._fork(height).message(trusted.revision_height))

    def harmless_misbehaviour(self, height: Height, trusted: Height) -> bytes:
        own = self.chain.update(height.revision_height, trusted.revision_height)
        return self.chain.misbehaviour(own, own)

    def prove(self, key: bytes, height: Height) -> Proven:
        number = height.revision_height
        receipt_rlp = self.receipts.get(key)
        if receipt_rlp in self.chain.blocks[number].receipts:
            return Proven(self.chain.proof_of(number, receipt_rlp), (key,), packet_commitment(PACKETS[key]))
        return Proven(self.chain.proof_of(number, self.chain.blocks[number].receipts[0]), (key,), None)


class WeightedHarness(FiscoBcosHarness):
    generation = Generation.V3
    weights = [1, 2, 3, 4]


class GmHarness(FiscoBcosHarness):
    suite = CryptoSuite.GM


class GmV3Harness(FiscoBcosHarness):
    generation, suite = Generation.V3, CryptoSuite.GM
