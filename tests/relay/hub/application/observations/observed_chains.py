"""One chain of each kind whose state the hub observes, through the hub's own transactions."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.records import (
    AccountField,
    FieldPlace,
    Observation,
    ObservationKey,
    Place,
    SlotPlace,
    StorePlace,
    decode_observation,
)
from hutong.relay.hub.application.admin import name_writer_action
from hutong.relay.hub.application.module import OBSERVATIONS_ADDRESS
from hutong.relay.hub.application.observations import interface
from tests.light_clients.bft_evm.simulated_chain import ROUTER, State, slot_of
from tests.light_clients.records.observed_state import attested_root, nodes_for
from tests.relay.hub.application.clients.attested_remote import AttestedRemote
from tests.relay.hub.application.clients.clique_remote import CliqueRemote
from tests.relay.hub.application.clients.ethereum_remote import EthereumRemote
from tests.relay.hub.application.clients.tendermint_remote import TendermintRemote
from tests.relay.hub.simulated_hub import DAPP, RELAYER, Outcome, RemoteChain, SimulatedHub, address_of

KEY = b"balance of somebody"
SLOT = slot_of(KEY)
OTHER_SLOT = (77).to_bytes(32, "big")
WORD = (42).to_bytes(32, "big")
WRITER = RELAYER
LIMIT = 100


def observing_hub(limit: int = LIMIT, **genesis) -> SimulatedHub:
    """A hub on which `WRITER` is named."""
    hub = SimulatedHub(**genesis)
    assert hub.execute(name_writer_action(hub.next_salt(), address_of(WRITER), limit)).ok
    return hub


def key_of(client_id: str, place: Place) -> bytes:
    return ObservationKey.of(client_id, place).to_bytes()


def observe_call(
    client_id: str, height: tuple[int, int], shown: bytes, nodes: Sequence[bytes], places: Sequence[Place], claims=None
) -> bytes:
    """`claims`: the value of each place, where the proof needs one."""
    claims = claims or {}
    ordered = sorted(places, key=lambda place: key_of(client_id, place))
    items = [(int(place.kind), place.name, claims.get(place, b"")) for place in ordered]
    return interface.OBSERVE.call(client_id, height, shown, list(nodes), items)


class ObservedChain(ABC):
    """What a test asks of each kind. `place` holds `WORD` after `put`, `absent` holds nothing."""

    place: Place = SlotPlace(ROUTER, SLOT)
    absent: Place = SlotPlace(ROUTER, OTHER_SLOT)
    attested = (0, 0)
    revision = 0

    def __init__(self, hub: SimulatedHub) -> None:
        self.hub = hub

    @property
    def client(self) -> str:
        return self.remote.client

    @abstractmethod
    def put(self, word: bytes = WORD) -> int:
        """The chain holds `word` at `place`, and the hub's client knows the block; its height."""

    @abstractmethod
    def call(self, height: int, places: Sequence[Place] | None = None, **changed) -> bytes:
        """Calldata that observes `places` as of `height`."""

    def observe(self, height: int, places: Sequence[Place] | None = None, account=WRITER, **changed) -> Outcome:
        return self.hub.send(OBSERVATIONS_ADDRESS, self.call(height, places, **changed), account)

    def observation(self, place: Place | None = None) -> Observation | None:
        """What stands under the key, by the module's getter."""
        raw = self.hub.read(OBSERVATIONS_ADDRESS, interface.GET_OBSERVATION, key_of(self.client, place or self.place))
        return decode_observation(raw) if raw else None

    def epoch(self) -> tuple[int, bool]:
        return tuple(self.hub.read(OBSERVATIONS_ADDRESS, interface.GET_EPOCH, self.client))


class ObservedEvmChain(ObservedChain):
    """By a state root that something shows, and trie nodes."""

    @abstractmethod
    def state(self, height: int) -> State:
        """The accounts and slots of the block at `height`."""

    @abstractmethod
    def shown(self, height: int) -> bytes:
        """What leads the hub to that block's state root."""

    def call(self, height: int, places: Sequence[Place] | None = None, **changed) -> bytes:
        """Calldata that observes `places` as of `height`."""
        places = (self.place,) if places is None else places
        state = self.state(height)
        parts = {"shown": self.shown(height), "nodes": nodes_for(state, places)} | changed
        return observe_call(self.client, (0, height), parts["shown"], parts["nodes"], places)


class ObservedBft(ObservedEvmChain):
    def __init__(self, hub: SimulatedHub, salt: int = 0) -> None:
        super().__init__(hub)
        self.remote = RemoteChain(hub, salt=salt)
        self.first = self.remote.trusted

    def put(self, word: bytes = WORD) -> int:
        self.remote.chain.commit(KEY, word)
        return self.remote.update()

    def state(self, height: int) -> State:
        return self.remote.chain.states[height]

    def shown(self, height: int) -> bytes:
        return self.remote.chain.header(height, self.first)


class ObservedClique(ObservedEvmChain):
    def __init__(self, hub: SimulatedHub) -> None:
        super().__init__(hub)
        self.remote = CliqueRemote(hub)

    def put(self, word: bytes = WORD) -> int:
        self.remote.chain.main.commit(KEY, word)
        return self.remote.update()

    def state(self, height: int) -> State:
        return self.remote.chain.main.at(height).state

    def shown(self, height: int) -> bytes:
        return encode_header(self.remote.chain.main.at(height).block.execution)


class ObservedEthereum(ObservedEvmChain):
    def __init__(self, hub: SimulatedHub) -> None:
        super().__init__(hub)
        self.remote = EthereumRemote(hub)

    def put(self, word: bytes = WORD) -> int:
        self.remote.chain.commit(KEY, word)
        return self.remote.update()

    def state(self, height: int) -> State:
        return self.remote.chain.blocks[height].execution_state

    def shown(self, height: int) -> bytes:
        return b""


class ObservedAttested(ObservedEvmChain):
    attested = (2, 3)

    def __init__(self, hub: SimulatedHub) -> None:
        super().__init__(hub)
        self.remote = AttestedRemote(hub)
        self.states: dict[int, State] = {}

    def put(self, word: bytes = WORD) -> int:
        height = self.remote.update()
        self.states[height] = State({SLOT: word})
        return height

    def state(self, height: int) -> State:
        return self.states.get(height) or State({})

    def shown(self, height: int) -> bytes:
        return attested_root(self.remote.chain, height, self.state(height).account_trie.root_hash)


class ObservedTendermint(ObservedChain):
    place = StorePlace(b"", KEY)
    absent = StorePlace(b"", b"nothing")
    revision = 1

    def __init__(self, hub: SimulatedHub) -> None:
        super().__init__(hub)
        self.remote = TendermintRemote(hub)
        self.values: dict[int, bytes] = {}

    def put(self, word: bytes = WORD) -> int:
        self.remote.chain.put(KEY, word)
        height = self.remote.update()
        self.values[height] = word
        return height

    def call(self, height: int, places: Sequence[Place] | None = None, **changed) -> bytes:
        places = (self.place,) if places is None else places
        ordered = sorted(places, key=lambda place: key_of(self.client, place))
        proofs = [self.remote.proof(place.key, height) for place in ordered]
        parts = {"shown": b"", "nodes": proofs, "claims": {self.place: self.values.get(height, WORD)}} | changed
        return observe_call(self.client, (1, height), parts["shown"], parts["nodes"], places, parts["claims"])


CHAINS: dict[str, Callable[[SimulatedHub], ObservedChain]] = {
    "bft-evm": ObservedBft,
    "clique": ObservedClique,
    "ethereum": ObservedEthereum,
    "attestation": ObservedAttested,
    "07-tendermint": ObservedTendermint,
}
EVM_CHAINS = {name: make for name, make in CHAINS.items() if name != "07-tendermint"}
NONCE = FieldPlace(ROUTER, AccountField.NONCE)
NOBODY = FieldPlace(keccak256(b"nobody")[:20], AccountField.BALANCE)
STRANGER = DAPP
