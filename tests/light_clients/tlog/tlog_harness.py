"""The simulated log behind the conformance suite's harness. A height is a size, and what lies on it is an entry."""

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from hutong.light_clients.tlog import TlogClient
from tests.light_clients.conformance.harness import Proven
from tests.light_clients.tlog.simulated_log import (
    CLOCK_DRIFT_S,
    QUORUM,
    TRUSTING_PERIOD_S,
    WITNESSES,
    SimulatedLog,
)


class TlogHarness:
    client = TlogClient()
    trusting_period_ns = TRUSTING_PERIOD_S * NANOSECONDS_PER_SECOND
    max_clock_drift_ns = CLOCK_DRIFT_S * NANOSECONDS_PER_SECOND

    def __init__(self) -> None:
        self.log = SimulatedLog()
        self._waiting: list[tuple[int, bytes, bytes]] = []
        self._published: dict[bytes, tuple[int, bytes]] = {}

    @property
    def latest_height(self) -> Height:
        return Height(0, self.log.size)

    def time_ns(self, height: Height) -> int:
        return self.log.time_ns(height.revision_height)

    def advance(self, blocks: int = 1) -> Height:
        for _ in range(blocks):
            due = [(key, value) for at, key, value in self._waiting if at == self.log.size + 1]
            if due:
                ((key, value),) = due
                self._published[key] = self.log.size, value
                self.log.publish(key, value)
            else:
                self.log.append()
        return self.latest_height

    def put(self, key: bytes, value: bytes) -> None:
        self._waiting.append((self.log.size + 2, key, value))

    def states(self, height: Height) -> tuple[bytes, bytes]:
        size = height.revision_height
        return self.log.client_state(size), self.log.consensus_state(size)

    def states_with_other_parameters(self, height: Height) -> tuple[bytes, bytes]:
        size = height.revision_height
        return self.log.client_state(size, origin="log.example/another"), self.log.consensus_state(size)

    def header(self, height: Height, trusted: Height) -> bytes:
        return self.log.header(height.revision_height, trusted.revision_height)

    def header_with_few_signatures(self, height: Height, trusted: Height) -> bytes:
        size = height.revision_height
        few = [(witness, self.log.time_s(size)) for witness in WITNESSES[: QUORUM - 1]]
        return self.log.header(size, trusted.revision_height, self.log.note(size, few))

    def conflicting_header(self, height: Height, trusted: Height) -> bytes:
        fork = self.log.fork(height.revision_height)
        return fork.header(height.revision_height, trusted.revision_height)

    def header_with_time(self, height: Height, trusted: Height, time_ns: int) -> bytes:
        size = height.revision_height
        note = self.log.note(size, time_s=time_ns // NANOSECONDS_PER_SECOND)
        return self.log.header(size, trusted.revision_height, note)

    def misbehaviour(self, height: Height, trusted: Height) -> bytes:
        size = height.revision_height
        return self.log.evidence(size, self.log.fork(size), size)

    def harmless_misbehaviour(self, height: Height, trusted: Height) -> bytes:
        return self.log.evidence(height.revision_height, self.log, height.revision_height)

    def prove(self, key: bytes, height: Height) -> Proven:
        index, value = self._published.get(key, (self.log.size, b""))
        if index >= height.revision_height:
            return Proven(b"", (key,), None)
        return Proven(self.log.message_proof(index, height.revision_height), (key,), value)
