"""`SimulatedChain` as the conformance suite wants it."""

from hutong.light_clients.interface import Height
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import (
    encode_client_state,
    encode_consensus_state,
    encode_misbehaviour,
    encode_tendermint_header,
)
from hutong.light_clients.tendermint.types import KeyType, TrustLevel
from tests.light_clients.conformance.harness import Proven
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, flags, signers


class TendermintHarness:
    client = TendermintClient()

    def __init__(self, key_type: KeyType = KeyType.SECP256K1) -> None:
        self.key_type = key_type
        self.chain = SimulatedChain(members=dict.fromkeys(signers(4, key_type), 10))
        self.trusting_period_ns = self.chain.trusting_period_ns
        self.max_clock_drift_ns = self.chain.max_clock_drift_ns

    @property
    def latest_height(self) -> Height:
        return self.chain.latest.height

    def time_ns(self, height: Height) -> int:
        return self.chain.block(height.revision_height).header.time_ns

    def advance(self, blocks: int = 1) -> Height:
        return self.chain.advance(blocks).height

    def put(self, key: bytes, value: bytes) -> None:
        self.chain.put(key, value)

    def replace_validators(self) -> None:
        self.chain.set_members(dict.fromkeys(signers(4, self.key_type, "newcomer"), 10))

    def states(self, height: Height) -> tuple[bytes, bytes]:
        number = height.revision_height
        return (
            encode_client_state(self.chain.client_state(number)),
            encode_consensus_state(self.chain.consensus_state(number)),
        )

    def states_with_other_parameters(self, height: Height) -> tuple[bytes, bytes]:
        number = height.revision_height
        state = self.chain.client_state(number, trust_level=TrustLevel(2, 3))
        return encode_client_state(state), encode_consensus_state(self.chain.consensus_state(number))

    def _update(self, height: Height, trusted: Height, **changes) -> bytes:
        block = self.chain.fork(height.revision_height, **changes) if changes else None
        return encode_tendermint_header(self.chain.update(height.revision_height, trusted.revision_height, block))

    def header(self, height: Height, trusted: Height) -> bytes:
        return self._update(height, trusted)

    def header_with_few_signatures(self, height: Height, trusted: Height) -> bytes:
        return self._update(height, trusted, flags=flags(absent=(0, 2)))

    def conflicting_header(self, height: Height, trusted: Height) -> bytes:
        return self._update(height, trusted, app_hash=b"\xee" * 32)

    def header_with_time(self, height: Height, trusted: Height, time_ns: int) -> bytes:
        return self._update(height, trusted, time_ns=time_ns)

    def _evidence(self, height: Height, trusted: Height, **changes) -> bytes:
        number, below = height.revision_height, trusted.revision_height
        one = self.chain.update(number, below)
        two = self.chain.update(number, below, self.chain.fork(number, **changes))
        return encode_misbehaviour(self.chain.misbehaviour(one, two))

    def misbehaviour(self, height: Height, trusted: Height) -> bytes:
        return self._evidence(height, trusted, app_hash=b"\xee" * 32)

    def harmless_misbehaviour(self, height: Height, trusted: Height) -> bytes:
        return self._evidence(height, trusted)

    def prove(self, key: bytes, height: Height) -> Proven:
        return Proven(*self.chain.prove(key, height.revision_height))
