"""The simulated chain behind the conformance suite's harness.

Heights are those of blocks; what lies on them is mined where it is asked for, so that every update comes with another
unsettled tip, as on a chain whose last blocks are reorganised all the time.
"""

from hutong.light_clients.bitcoin import BitcoinClient
from hutong.light_clients.bitcoin.networks import MAX_FUTURE_BLOCK_TIME_S
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from tests.light_clients.bitcoin.bitcoin_chain import (
    DEPTH,
    SPACING_S,
    STRANGER,
    TRUSTING_PERIOD_S,
    SimulatedChain,
)
from tests.light_clients.conformance.harness import Proven

MEDIAN_LAG_S = 5 * SPACING_S
"""The median of 11 equally spaced blocks is the time of the one five before."""


class BitcoinHarness:
    client = BitcoinClient()
    trusting_period_ns = TRUSTING_PERIOD_S * NANOSECONDS_PER_SECOND
    # Times of states are medians, and the two hours are counted from the block's own time, which may be at the bound.
    max_clock_drift_ns = (MAX_FUTURE_BLOCK_TIME_S - MEDIAN_LAG_S) * NANOSECONDS_PER_SECOND + 1

    def __init__(self) -> None:
        self.chain = SimulatedChain()
        self._waiting: list[tuple[int, bytes, bytes]] = []

    @property
    def latest_height(self) -> Height:
        return Height(0, self.chain.height)

    def time_ns(self, height: Height) -> int:
        return self.chain.state(height.revision_height).timestamp_ns

    def advance(self, blocks: int = 1) -> Height:
        for _ in range(blocks):
            due = [(key, value) for at, key, value in self._waiting if at == self.chain.height + 1]
            if due:
                self.chain.publish(*due)
            else:
                self.chain.advance()
        return self.latest_height

    def put(self, key: bytes, value: bytes) -> None:
        self._waiting.append((self.chain.height + 2, key, value))

    def states(self, height: Height) -> tuple[bytes, bytes]:
        number = height.revision_height
        return self.chain.client_state(number), self.chain.consensus_state(number)

    def states_with_other_parameters(self, height: Height) -> tuple[bytes, bytes]:
        number = height.revision_height
        return self.chain.client_state(number, publisher_script=STRANGER), self.chain.consensus_state(number)

    def _run(self, trusted: Height, confirmations: int):
        settled = self.chain.run(trusted.revision_height)
        return settled + self.chain.confirmations(self.chain.height, confirmations)

    def header(self, height: Height, trusted: Height) -> bytes:
        return self.chain.header(height.revision_height, trusted.revision_height, self._run(trusted, DEPTH - 1))

    def header_with_few_signatures(self, height: Height, trusted: Height) -> bytes:
        """Too little work lies on the block."""
        below = self.chain.run(trusted.revision_height, height.revision_height)
        few = self.chain.confirmations(height.revision_height, DEPTH - 2)
        return self.chain.header(height.revision_height, trusted.revision_height, below + few)

    def _fork(self, height: Height, trusted: Height, blocks: int, time_s: int | None = None):
        below = self.chain.run(trusted.revision_height, height.revision_height - 1)
        return below + self.chain.fork(height.revision_height, blocks, time_s=time_s)

    def conflicting_header(self, height: Height, trusted: Height) -> bytes:
        """One block heavier than what `header` shows."""
        heavier = self.chain.height - height.revision_height + DEPTH + 1
        return self.chain.header(height.revision_height, trusted.revision_height, self._fork(height, trusted, heavier))

    def header_with_time(self, height: Height, trusted: Height, time_ns: int) -> bytes:
        heavier = self.chain.height - height.revision_height + DEPTH + 1
        fork = self._fork(height, trusted, heavier, time_ns // NANOSECONDS_PER_SECOND)
        return self.chain.header(height.revision_height, trusted.revision_height, fork)

    def misbehaviour(self, height: Height, trusted: Height) -> bytes:
        number, at = height.revision_height, trusted.revision_height
        own = self.chain.update(number, at, self._run(trusted, DEPTH - 1))
        equal = self.chain.height - number + DEPTH
        return self.chain.misbehaviour(own, self.chain.update(number, at, self._fork(height, trusted, equal)))

    def harmless_misbehaviour(self, height: Height, trusted: Height) -> bytes:
        own = self.chain.update(height.revision_height, trusted.revision_height, self._run(trusted, DEPTH - 1))
        return self.chain.misbehaviour(own, own)

    def prove(self, key: bytes, height: Height) -> Proven:
        at = self.chain.published.get(key)
        if at is None or at.height > height.revision_height:
            return Proven(b"", (key,), None)
        return Proven(self.chain.proof(key, height.revision_height), (key,), at.value)
