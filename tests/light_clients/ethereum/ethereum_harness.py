"""The simulated beacon chain behind the harness of the conformance suite."""

from hutong.light_clients.ethereum import EthereumClient
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from tests.light_clients.bft_evm.simulated_chain import ROUTER, State
from tests.light_clients.conformance.harness import Proven
from tests.light_clients.ethereum.simulated_beacon import SIGNED_SLOTS_LATER, Block, SimulatedBeacon

FORK_STATE = State({b"\x07" * 32: b"\x99" * 32})


class EthereumHarness:
    """Every slot has a block; the state at `trusted` vouches for nothing: the client's committees do."""

    client = EthereumClient()
    trusting_period_ns = 1_000 * NANOSECONDS_PER_SECOND
    max_clock_drift_ns = 15 * NANOSECONDS_PER_SECOND

    def __init__(self) -> None:
        self.chain = SimulatedBeacon()

    @property
    def latest_height(self) -> Height:
        return Height(0, self.chain.slot)

    def time_ns(self, height: Height) -> int:
        execution = self.chain.blocks[height.revision_height].header.execution
        return execution.timestamp_s * NANOSECONDS_PER_SECOND

    def signed_ns(self, height: Height) -> int:
        """When the slot begins in which the block is signed to be final."""
        return self.chain.time_ns(height.revision_height + SIGNED_SLOTS_LATER)

    def advance(self, blocks: int = 1) -> Height:
        self.chain.advance(blocks)
        return self.latest_height

    def put(self, key: bytes, value: bytes) -> None:
        self.chain.commit(key, value)

    def replace_validators(self) -> None:
        raise NotImplementedError("for clients whose headers name a trusted height")

    def states(self, height: Height) -> tuple[bytes, bytes]:
        slot = height.revision_height
        return self.chain.client_state(slot), self.chain.consensus_state(slot)

    def states_with_other_parameters(self, height: Height) -> tuple[bytes, bytes]:
        slot = height.revision_height
        return self.chain.client_state(slot, router_address=ROUTER[::-1]), self.chain.consensus_state(slot)

    def header(self, height: Height, trusted: Height) -> bytes:
        return self.chain.message(height.revision_height)

    def header_with_few_signatures(self, height: Height, trusted: Height) -> bytes:
        return self.chain.message(height.revision_height, members=range(21))

    def fork(self, height: Height) -> Block:
        return self.chain.propose(height.revision_height, FORK_STATE, label="fork")

    def conflicting_header(self, height: Height, trusted: Height) -> bytes:
        return self.chain.message(self.fork(height))

    def header_with_time(self, height: Height, trusted: Height, time_ns: int) -> bytes:
        block = self.chain.propose(height.revision_height, time_s=time_ns // NANOSECONDS_PER_SECOND)
        return self.chain.message(block)

    def misbehaviour(self, height: Height, trusted: Height) -> bytes:
        return self.chain.misbehaviour(self.chain.header(height.revision_height), self.chain.header(self.fork(height)))

    def harmless_misbehaviour(self, height: Height, trusted: Height) -> bytes:
        own = self.chain.header(height.revision_height)
        return self.chain.misbehaviour(own, own)

    def prove(self, key: bytes, height: Height) -> Proven:
        slot = height.revision_height
        return Proven(self.chain.proof(slot, key), (key,), self.chain.value(slot, key))
