"""The simulated chain behind the conformance suite's harness."""

from dataclasses import replace

from hutong.light_clients.bft_evm import BftEvmClient, SealRules, encode_header_message
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from tests.light_clients.bft_evm.simulated_chain import ROUTER, SimulatedChain, State
from tests.light_clients.conformance.harness import Proven

FORK_STATE = State({bytes(32): b"\x77" * 32})


class BftEvmHarness:
    client = BftEvmClient()
    trusting_period_ns = 1_000 * NANOSECONDS_PER_SECOND
    max_clock_drift_ns = 15 * NANOSECONDS_PER_SECOND

    def __init__(self, rules: SealRules | None = None) -> None:
        self.chain = SimulatedChain(rules=rules)

    @property
    def latest_height(self) -> Height:
        return Height(0, self.chain.height)

    def time_ns(self, height: Height) -> int:
        return self.chain.headers[height.revision_height][0].timestamp_s * NANOSECONDS_PER_SECOND

    def advance(self, blocks: int = 1) -> Height:
        self.chain.advance(blocks)
        return self.latest_height

    def put(self, key: bytes, value: bytes) -> None:
        self.chain.commit(key, value)

    def replace_validators(self) -> None:
        self.chain.advance()
        self.chain.replace_validators(range(100, 104))

    def states(self, height: Height) -> tuple[bytes, bytes]:
        number = height.revision_height
        return self.chain.client_state(number), self.chain.consensus_state(number)

    def states_with_other_parameters(self, height: Height) -> tuple[bytes, bytes]:
        number = height.revision_height
        return self.chain.client_state(number, router_address=ROUTER[::-1]), self.chain.consensus_state(number)

    def header(self, height: Height, trusted: Height) -> bytes:
        return self.chain.header(height.revision_height, trusted.revision_height)

    def _other(self, height: Height, trusted: Height, state: State | None = None, **changes: object) -> bytes:
        number = height.revision_height
        proposed = self.chain.propose(number, state, **changes)
        return encode_header_message(self.chain.update(number, trusted.revision_height, proposed, state))

    def header_with_few_signatures(self, height: Height, trusted: Height) -> bytes:
        return self._other(height, trusted, signers=self.chain.keys[:2])

    def conflicting_header(self, height: Height, trusted: Height) -> bytes:
        return self._other(height, trusted, FORK_STATE)

    def header_with_time(self, height: Height, trusted: Height, time_ns: int) -> bytes:
        return self._other(height, trusted, time_s=time_ns // NANOSECONDS_PER_SECOND)

    def misbehaviour(self, height: Height, trusted: Height) -> bytes:
        number, trusted_number = height.revision_height, trusted.revision_height
        own = self.chain.update(number, trusted_number)
        fork = self.chain.update(number, trusted_number, self.chain.propose(number, FORK_STATE), FORK_STATE)
        return self.chain.misbehaviour(own, replace(fork, account_proof=()))

    def harmless_misbehaviour(self, height: Height, trusted: Height) -> bytes:
        own = self.chain.update(height.revision_height, trusted.revision_height)
        return self.chain.misbehaviour(own, own)

    def prove(self, key: bytes, height: Height) -> Proven:
        return Proven(
            self.chain.proof(height.revision_height, key), (key,), self.chain.value(height.revision_height, key)
        )
