"""The nodes that show places of a simulated EVM state, and the four chains whose clients prove state roots."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hutong.light_clients.attestation import (
    AttestationClient,
    AttestationKind,
    StateRootAttestation,
    encode_attestation,
    encode_state_root,
)
from hutong.light_clients.bft_evm import BftEvmClient
from hutong.light_clients.clique import CliqueClient
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ethereum import EthereumClient
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import Height, MemoryConsensusStates, StateProver
from hutong.light_clients.records import FieldPlace, SlotPlace
from tests.light_clients.attestation.attested_chain import AttestedChain
from tests.light_clients.bft_evm.simulated_chain import ROUTER, SimulatedChain, State, proof_nodes, slot_of
from tests.light_clients.clique.simulated_clique_chain import SimulatedCliqueChain
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon

KEY = b"client-0\x01" + bytes(8)
"""Every simulated chain's router holds a word under it."""
SLOT = slot_of(KEY)
WORD = b"\x11" * 32
ABSENT_SLOT = bytes(32)


def by_hash(nodes) -> tuple[bytes, ...]:
    """As an observation shows them: each once, ascending."""
    return tuple(sorted(set(nodes), key=keccak256))


def nodes_for(state: State, places: Sequence[SlotPlace | FieldPlace]) -> tuple[bytes, ...]:
    """Slots are of the state's router alone, whose storage is the one that the simulation keeps."""
    found: list[bytes] = []
    for place in places:
        found += proof_nodes(state.account_trie, place.account)
        if isinstance(place, SlotPlace) and place.account == state.router:
            found += proof_nodes(state.storage_trie, place.slot)
    return by_hash(found)


@dataclass(frozen=True)
class Shown:
    """A client that believes a block, the block's state, and what leads from one to the other."""

    client: StateProver
    client_state: bytes
    states: MemoryConsensusStates
    height: Height
    shown: bytes
    now_ns: int
    state: State
    attested: tuple[int, int] = (0, 0)

    @property
    def root(self) -> bytes:
        return self.state.account_trie.root_hash


def bft_evm() -> Shown:
    chain = SimulatedChain()
    chain.advance(3)
    states = MemoryConsensusStates({Height(0, at): chain.consensus_state(at) for at in (1, 3)})
    return Shown(
        BftEvmClient(), chain.client_state(3), states, Height(0, 3), chain.header(3, 1), chain.now_ns, chain.states[3]
    )


def clique() -> Shown:
    chain = SimulatedCliqueChain()
    chain.main.advance(3)
    states = MemoryConsensusStates({Height(0, at): chain.consensus_state(at) for at in (1, 3)})
    at = chain.main.at(3)
    header = encode_header(at.block.execution)
    return Shown(CliqueClient(), chain.client_state(3), states, Height(0, 3), header, chain.time_ns(3), at.state)


def ethereum() -> Shown:
    chain = SimulatedBeacon()
    slot = chain.advance(2)
    states = MemoryConsensusStates({Height(0, at): chain.consensus_state(at) for at in (FIRST_SLOT, slot)})
    state = chain.blocks[slot].execution_state
    return Shown(EthereumClient(), chain.client_state(slot), states, Height(0, slot), b"", chain.now_ns, state)


def attested_root(chain: AttestedChain, height: int, root: bytes, **signing) -> bytes:
    data = encode_state_root(StateRootAttestation(height, root))
    return encode_attestation(chain.attest(AttestationKind.STATE_ROOT, data, **signing))


def attestation() -> Shown:
    chain = AttestedChain()
    chain.advance(2)
    states = MemoryConsensusStates({Height(0, at): chain.consensus_state(at) for at in (1, 3)})
    state = State({SLOT: WORD})
    shown = attested_root(chain, 3, state.account_trie.root_hash)
    return Shown(
        AttestationClient(), chain.client_state(3), states, Height(0, 3), shown, chain.now_ns, state, attested=(2, 3)
    )


CHAINS: dict[str, Callable[[], Shown]] = {
    "bft-evm": bft_evm,
    "clique": clique,
    "ethereum": ethereum,
    "attestation": attestation,
}
PLACES = (SlotPlace(ROUTER, SLOT), SlotPlace(ROUTER, ABSENT_SLOT))
