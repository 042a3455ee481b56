"""The simulated chain behind the conformance suite's harness."""

from hutong.light_clients.clique import CliqueClient, encode_header_message
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from tests.light_clients.clique.simulated_clique_chain import ROUTER, Branch, SimulatedCliqueChain
from tests.light_clients.conformance.harness import Proven


class CliqueHarness:
    client = CliqueClient()
    trusting_period_ns = 1_000 * NANOSECONDS_PER_SECOND
    max_clock_drift_ns = 15 * NANOSECONDS_PER_SECOND

    def __init__(self) -> None:
        self.chain = SimulatedCliqueChain()

    @property
    def latest_height(self) -> Height:
        return Height(0, self.chain.main.height)

    def time_ns(self, height: Height) -> int:
        return self.chain.time_ns(height.revision_height)

    def advance(self, blocks: int = 1) -> Height:
        self.chain.main.advance(blocks)
        return self.latest_height

    def put(self, key: bytes, value: bytes) -> None:
        self.chain.main.commit(key, value)

    def states(self, height: Height) -> tuple[bytes, bytes]:
        number = height.revision_height
        return self.chain.client_state(number), self.chain.consensus_state(number)

    def states_with_other_parameters(self, height: Height) -> tuple[bytes, bytes]:
        number = height.revision_height
        return self.chain.client_state(number, router_address=ROUTER[::-1]), self.chain.consensus_state(number)

    def _tip(self, height: Height) -> int:
        """Deep enough, and up to the newest block, whatever the client believes already."""
        return max(self.chain.main.height, height.revision_height + self.chain.confirmations)

    def header(self, height: Height, trusted: Height) -> bytes:
        return self.chain.header(height.revision_height, trusted.revision_height, tip=self._tip(height))

    def header_with_few_signatures(self, height: Height, trusted: Height) -> bytes:
        number = height.revision_height
        return self.chain.header(number, trusted.revision_height, tip=number + self.chain.confirmations - 1)

    def _fork(self, height: Height, **changed: object) -> Branch:
        """Another block at `height`, with blocks on top to reach as far as the chain itself."""
        branch = self.chain.main.fork(height.revision_height - 1)
        branch.commit(bytes(32), b"\x77" * 32)
        branch.advance(1, **changed)
        branch.advance(self._tip(height) + self.chain.confirmations - branch.height)
        return branch

    def _forked(self, height: Height, trusted: Height, **changed: object):
        branch = self._fork(height, **changed)
        return self.chain.update(height.revision_height, trusted.revision_height, branch, branch.height)

    def conflicting_header(self, height: Height, trusted: Height) -> bytes:
        return encode_header_message(self._forked(height, trusted))

    def header_with_time(self, height: Height, trusted: Height, time_ns: int) -> bytes:
        return encode_header_message(self._forked(height, trusted, timestamp_s=time_ns // NANOSECONDS_PER_SECOND))

    def misbehaviour(self, height: Height, trusted: Height) -> bytes:
        own = self.chain.update(height.revision_height, trusted.revision_height)
        return self.chain.misbehaviour(own, self._forked(height, trusted))

    def harmless_misbehaviour(self, height: Height, trusted: Height) -> bytes:
        own = self.chain.update(height.revision_height, trusted.revision_height)
        return self.chain.misbehaviour(own, own)

    def prove(self, key: bytes, height: Height) -> Proven:
        number = height.revision_height
        return Proven(self.chain.proof(number, key), (key,), self.chain.value(number, key))
