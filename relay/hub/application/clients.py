"""ICS-02 on the hub: client and consensus states in the state tree, judged by the light clients."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Protocol

from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.ibc.commitment import check_merkle_prefix, merkle_path
from hutong.light_clients.ibc.identifiers import check_client_id, client_id_for, client_type_of
from hutong.light_clients.interface import (
    MAX_CLIENT_STATE_BYTES,
    MAX_CONSENSUS_STATE_BYTES,
    MAX_PATH_ELEMENT_BYTES,
    MAX_PATH_ELEMENTS,
    ClientStatus,
    Destination,
    Height,
    LightClient,
    MalformedInput,
    Misbehaved,
    NoOp,
    NotEnoughTrust,
    PredicateFailed,
    ProvenStore,
    Reschedulable,
    UnknownHeight,
    UnsupportedOperation,
    Updated,
    UpgradableClient,
)
from hutong.relay.evm.vm.native import NativeRevert
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.revision.client_types import offered
from hutong.relay.hub.state import keys

COUNTERPARTY_TYPES = ["string", "bytes[]"]
MAX_COUNTERPARTY_BYTES = 16 * 1024


class UpdateResult(IntEnum):
    """As in `ILightClient`."""

    UPDATE = 0
    MISBEHAVIOUR = 1
    NO_OP = 2


class Store(Protocol):
    """Ordered reads and writes over the state, metered or not."""

    def get(self, key: bytes) -> bytes | None:
        """The value under a key, None where there is none."""

    def set(self, key: bytes, value: bytes) -> None:
        """Write a value, which is not empty, in place of what was there."""

    def delete(self, key: bytes) -> None:
        """Take a key out; an absent one is no error."""

    def next(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the least key above `key`; None at the end."""

    def previous(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the greatest key below `key`; None at the beginning."""


class UnknownClient(Refusal):
    """No client has this identifier."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        super().__init__(client_id)

    def revert(self) -> NativeRevert:
        """`IBCClientNotFound(string)` with the identifier."""
        return abi.CLIENT_NOT_FOUND.revert(self.client_id)


class NoCounterparty(Refusal):
    """The client exists but carries no packets yet."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        super().__init__(client_id)

    def revert(self) -> NativeRevert:
        """`IBCCounterpartyClientNotFound(string)` with the identifier."""
        return abi.COUNTERPARTY_NOT_FOUND.revert(self.client_id)


class ClientNotActive(Refusal):
    """Frozen or expired: no packet action until it is recovered."""

    def __init__(self, client_id: str, status: ClientStatus) -> None:
        self.client_id = client_id
        self.status = status
        super().__init__(client_id, status)

    def revert(self) -> NativeRevert:
        """`IBCClientNotActive(string)` with the identifier."""
        return abi.CLIENT_NOT_ACTIVE.revert(self.client_id)


@dataclass(frozen=True, slots=True)
class Counterparty:
    """The client at the other end and the prefix of its store."""

    client_id: str
    merkle_prefix: tuple[bytes, ...]


@lru_cache(maxsize=1024)
def _decode_counterparty(raw: bytes) -> Counterparty:
    """A packet asks for its counterparty up to four times."""
    client_id, prefix = decode_canonical(COUNTERPARTY_TYPES, raw, "counterparty", MAX_COUNTERPARTY_BYTES)
    return Counterparty(client_id, tuple(prefix))


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the last recovery of a client left: the height it began anew at, and how many recoveries have parted its states.

    Recoveries by rules before BOUNDED_EXECUTION count none: the substitute was higher than all that was stored.
    """

    floor: Height
    generation: int = 0

    def encode(self) -> bytes:
        """Height in 16 bytes, then BE8(generation) where there is one (docs/spec/hub-state.md)."""
        return self.floor.to_key() + (self.generation.to_bytes(8, "big") if self.generation else b"")

    @classmethod
    def of(cls, store: Store, client_id: str) -> "Recovered":
        """What the state says of a client; of one that was never recovered height 0-0 and generation 0."""
        raw = store.get(keys.consensus_floor_key(client_id))
        return cls(Height(0, 0)) if raw is None else cls(Height.from_key(raw[:16]), int.from_bytes(raw[16:], "big"))


class StoredConsensusStates:
    """The consensus states of one client, ordered by height, as `LightClient` reads them.

    What was stored before a recovery counts as absent, for it may come from a fork: states below the floor, and since
    rules version 3, where a substitute may be lower, all states of an earlier generation.
    """

    def __init__(self, store: Store, client_id: str) -> None:
        self._store = store
        recovered = Recovered.of(store, client_id)
        self._prefix = keys.consensus_prefix(client_id, recovered.generation)
        self._floor = recovered.floor

    def get(self, height: Height) -> bytes | None:
        """The encoded state at `height`; None where there is none that counts."""
        return None if height < self._floor else self._store.get(self._prefix + height.to_key())

    def before(self, height: Height) -> tuple[Height, bytes] | None:
        """The nearest state that counts below `height`, with its height; None where there is none."""
        return self._own(self._store.previous(self._prefix + height.to_key()))

    def after(self, height: Height) -> tuple[Height, bytes] | None:
        """The nearest state that counts above `height`, with its height; None where there is none."""
        return self._own(self._store.next(self._prefix + max(height, self._floor).to_key()))

    def _own(self, row: tuple[bytes, bytes] | None) -> tuple[Height, bytes] | None:
        if row is None or not row[0].startswith(self._prefix):
            return None
        height = Height.from_key(row[0][len(self._prefix) :])
        return None if height < self._floor else (height, row[1])


@dataclass(frozen=True, slots=True)
class KnownBlock:
    """What an active client knows of one of its chain's blocks, and who judges proofs under it."""

    light_client: LightClient
    client_state: bytes
    consensus_states: StoredConsensusStates
    consensus_state: bytes
    now_ns: int

    @property
    def timestamp_ns(self) -> int:
        """The block's own time, in nanoseconds since 1970."""
        return self.light_client.timestamp_ns(self.consensus_state)


class Clients:
    """All clients of the hub over one store, at one block time."""

    def __init__(
        self, light_clients: Mapping[str, LightClient], store: Store, now_ns: int, hub_height: int, rules_version: int
    ) -> None:
        self._light_clients = offered(light_clients, rules_version)
        self._rules_version = rules_version
        self._store = store
        self._now_ns = now_ns
        self._hub_height = hub_height

    def _light_client(self, client_type: str) -> LightClient:
        light_client = self._light_clients.get(client_type)
        if light_client is None:
            raise MalformedInput("client_type", "the hub offers no such client", got=client_type)
        return light_client

    def _known(self, client_id: str) -> tuple[LightClient, bytes]:
        check_client_id(client_id)
        state = self._store.get(keys.client_state_key(client_id))
        if state is None:
            raise UnknownClient(client_id)
        return self._light_client(client_type_of(client_id)), state

    def consensus_states(self, client_id: str) -> StoredConsensusStates:
        """The consensus states of a client that count. The identifier is not checked: an unknown one has none."""
        return StoredConsensusStates(self._store, client_id)

    def client_state(self, client_id: str) -> bytes:
        """The encoded client state.

        Raises:
            MalformedInput: `client_id` is not of the form, or of a type that the hub does not offer.
            UnknownClient: no client has it.
        """
        return self._known(client_id)[1]

    def status(self, client_id: str) -> ClientStatus:
        """Active, Frozen or Expired at this block's time.

        Raises:
            UnknownClient, MalformedInput: as `client_state`.
        """
        light_client, state = self._known(client_id)
        return light_client.status(state, self.consensus_states(client_id), self._now_ns)

    def latest_height(self, client_id: str) -> Height:
        """The newest counterparty height of which the client has a consensus state.

        Raises:
            UnknownClient, MalformedInput: as `client_state`.
        """
        light_client, state = self._known(client_id)
        return light_client.latest_height(state)

    def latest_timestamp_ns(self, client_id: str) -> int:
        """The newest counterparty time that the client knows, in nanoseconds; 0 where that state is missing.

        Raises:
            UnknownClient, MalformedInput: as `client_state`.
        """
        light_client, state = self._known(client_id)
        consensus_state = self.consensus_states(client_id).get(light_client.latest_height(state))
        return 0 if consensus_state is None else light_client.timestamp_ns(consensus_state)

    def require_active(self, client_id: str) -> None:
        """Let pass an active client alone.

        Raises:
            ClientNotActive: it is frozen or expired.
            UnknownClient, MalformedInput: as `client_state`.
        """
        status = self.status(client_id)
        if status is not ClientStatus.ACTIVE:
            raise ClientNotActive(client_id, status)

    def generation(self, client_id: str) -> int:
        """How many recoveries by rules version 3 and later have parted the client's states."""
        return Recovered.of(self._store, client_id).generation

    def known_block(self, client_id: str, height: Height) -> KnownBlock:
        """An active client's state of `height`, with what a proof under it is judged by.

        Raises:
            ClientNotActive: it is frozen or expired.
            UnknownHeight: the client has no state of that height.
            UnknownClient, MalformedInput: as `client_state`.
        """
        light_client, state = self._known(client_id)
        self.require_active(client_id)
        consensus_state = self._consensus_state(light_client, client_id, state, height)
        return KnownBlock(light_client, state, self.consensus_states(client_id), consensus_state, self._now_ns)

    def counterparty(self, client_id: str) -> Counterparty:
        """The client at the other end, and the prefix of its store.

        Raises:
            NoCounterparty: none is registered.
            UnknownClient, MalformedInput: as `client_state`.
        """
        self._known(client_id)
        raw = self._store.get(keys.counterparty_key(client_id))
        if raw is None:
            raise NoCounterparty(client_id)
        return _decode_counterparty(raw)

    def create(
        self, client_type: str, client_state: bytes, consensus_state: bytes, *, chain_id: str, router: bytes
    ) -> str:
        """Store a new client and return its identifier. `chain_id` and `router` (20 bytes) are this hub's own.

        A client state that is made for one destination must name the identifier that comes next.

        Raises:
            MalformedInput: the hub offers no such type, or a state is too long or not canonical.
            VerificationError: the light client refuses the states, or this destination (`LightClient.create`).
        """
        light_client = self._light_client(client_type)
        _check_sizes(client_state, consensus_state)
        created = light_client.create(client_state, consensus_state, self._now_ns)
        counter_key = keys.next_client_key(client_type)
        raw = self._store.get(counter_key)
        number = 0 if raw is None else int.from_bytes(raw, "big")
        client_id = client_id_for(client_type, number)
        light_client.check_destination(client_state, Destination(chain_id, router, client_id))
        self._store.set(counter_key, (number + 1).to_bytes(8, "big"))
        self._store.set(keys.client_state_key(client_id), client_state)
        self._store_consensus_state(client_id, created.latest_height, consensus_state)
        return client_id

    def register_counterparty(self, client_id: str, counterparty: Counterparty) -> None:
        """Once per client, for ever (ibc-go RegisterCounterparty).

        From rules version 3 on a remote client is the counterparty of one client alone. Receipts and acknowledgements
        lie under the remote client's name: two clients with one counterparty would settle each other's packets.

        Raises:
            PredicateFailed: `counterparty_registered_once`, `counterparty_is_free`, and those of `check_merkle_prefix`.
            MalformedInput: the identifier is not of the form, or the prefix is too long.
            UnknownClient: no client has `client_id`.
        """
        self._known(client_id)
        key = keys.counterparty_key(client_id)
        if self._store.get(key) is not None:
            raise PredicateFailed("counterparty_registered_once", "the client has a counterparty", got=client_id)
        check_client_id(counterparty.client_id, "counterparty.client_id")
        prefix = counterparty.merkle_prefix
        if len(prefix) > MAX_PATH_ELEMENTS or any(len(element) > MAX_PATH_ELEMENT_BYTES for element in prefix):
            raise MalformedInput("counterparty.merkle_prefix", "is too long")
        check_merkle_prefix(prefix)
        if self._rules_version >= rules_versions.BOUNDED_EXECUTION:
            self._require_free(client_id, counterparty.client_id)
        self._store.set(key, encode_abi(COUNTERPARTY_TYPES, [counterparty.client_id, list(prefix)]))

    def _require_free(self, client_id: str, remote_client_id: str) -> None:
        """No client of the same chain and router has this counterparty, whatever its type and status."""
        mine = self._proven_store(client_id)
        for other in self._client_ids():
            raw = self._store.get(keys.counterparty_key(other))
            if raw is None or _decode_counterparty(raw).client_id != remote_client_id:
                continue
            if self._proven_store(other) == mine:
                raise PredicateFailed(
                    "counterparty_is_free",
                    f"{remote_client_id} of this chain and router is the counterparty of another client; recover that one",
                    got=client_id,
                    expected=other,
                )

    def _proven_store(self, client_id: str) -> ProvenStore:
        light_client, state = self._known(client_id)
        return light_client.proven_store(state)

    def _client_ids(self) -> Iterator[str]:
        """Of every client, by type and number."""
        for client_type in sorted(self._light_clients):
            raw = self._store.get(keys.next_client_key(client_type))
            for number in range(0 if raw is None else int.from_bytes(raw, "big")):
                yield client_id_for(client_type, number)

    def update(self, client_id: str, header: bytes) -> UpdateResult:
        """Apply what the light client says about `header`; the caller undoes every write where it raises.

        Raises:
            ClientNotActive: the client is frozen or expired.
            PredicateFailed: `enough_trusted_power`, where the relayer has to bisect; or a rule of the consensus.
            VerificationError: as `LightClient.verify_header`.
            UnknownClient: no client has `client_id`.
        """
        light_client, state = self._known(client_id)
        self.require_active(client_id)
        verdict = light_client.verify_header(state, self.consensus_states(client_id), header, self._now_ns)
        match verdict:
            case Updated():
                _check_sizes(verdict.client_state, verdict.consensus_state)
                self._store.set(keys.client_state_key(client_id), verdict.client_state)
                self._store_consensus_state(client_id, verdict.height, verdict.consensus_state)
                return UpdateResult.UPDATE
            case NoOp():
                return UpdateResult.NO_OP
            case Misbehaved():
                self._store.set(keys.client_state_key(client_id), verdict.client_state)
                return UpdateResult.MISBEHAVIOUR
            case NotEnoughTrust():
                raise PredicateFailed(
                    "enough_trusted_power",
                    "bisect: too little of the trusted power signed",
                    got=verdict.signed_power,
                    expected=verdict.needed_power,
                )

    def upgrade(self, client_id: str, upgrade: bytes) -> Height:
        """Let an active client follow its chain into the next revision (ICS-02 UpgradeClient).

        The chain itself has committed to that. Older consensus states stay: what was sent before is proven against
        them.

        Returns:
            The height of the new client's first consensus state.

        Raises:
            UnsupportedOperation: clients of this type cannot be upgraded.
            ClientNotActive: the client is frozen or expired.
            VerificationError: as `UpgradableClient.verify_upgrade`.
            UnknownClient: no client has `client_id`.
        """
        light_client, state = self._known(client_id)
        if not isinstance(light_client, UpgradableClient):
            raise UnsupportedOperation(f"upgrade of a client of type {client_type_of(client_id)}")
        self.require_active(client_id)
        verdict = light_client.verify_upgrade(state, self.consensus_states(client_id), upgrade, self._now_ns)
        _check_sizes(verdict.client_state, verdict.consensus_state)
        self._store.set(keys.client_state_key(client_id), verdict.client_state)
        self._store_consensus_state(client_id, verdict.height, verdict.consensus_state)
        return verdict.height

    def submit_misbehaviour(self, client_id: str, misbehaviour: bytes) -> None:
        """Freeze the client if the evidence is valid.

        Raises:
            ClientNotActive: the client is frozen or expired already.
            VerificationError: the evidence proves nothing, as `LightClient.check_misbehaviour`.
            UnknownClient: no client has `client_id`.
        """
        light_client, state = self._known(client_id)
        self.require_active(client_id)
        verdict = light_client.check_misbehaviour(state, self.consensus_states(client_id), misbehaviour, self._now_ns)
        self._store.set(keys.client_state_key(client_id), verdict.client_state)

    def recover(self, subject_id: str, substitute_id: str) -> None:
        """Replace a frozen or expired client's state by an active substitute's of equal parameters (ICS-02).

        All stored consensus states are dead from here: they may come from a fork. Before rules version 3 the substitute
        must be higher than the subject; since then it may be lower, for a height that somebody signed far ahead would
        otherwise be for ever. An active client takes nothing from a substitute but rules that are still to come, and
        keeps its consensus states.

        Raises:
            PredicateFailed: `substitute_type`, `subject_needs_recovery`, `substitute_is_newer`, and those of the light
                client.
            ClientNotActive: the substitute is not active.
            UnknownHeight: the substitute's latest consensus state is missing.
            UnknownClient, MalformedInput: as `client_state`, of either.
        """
        light_client, subject = self._known(subject_id)
        _, substitute = self._known(substitute_id)
        if client_type_of(subject_id) != client_type_of(substitute_id):
            raise PredicateFailed("substitute_type", "other client type", got=substitute_id, expected=subject_id)
        if self.status(subject_id) is ClientStatus.ACTIVE:
            if not isinstance(light_client, Reschedulable):
                raise PredicateFailed("subject_needs_recovery", "the subject is active", got=subject_id)
            light_client.check_rescheduled(subject, substitute)
            self._store.set(keys.client_state_key(subject_id), substitute)
            return
        self.require_active(substitute_id)
        light_client.check_substitute(subject, substitute)
        latest, replaced = light_client.latest_height(substitute), light_client.latest_height(subject)
        generation = 0
        if self._rules_version >= rules_versions.BOUNDED_EXECUTION:
            generation = Recovered.of(self._store, subject_id).generation + 1
        elif latest <= replaced:
            raise PredicateFailed("substitute_is_newer", "latest height", got=str(latest), expected=f"> {replaced}")
        consensus_state = self.consensus_states(substitute_id).get(latest)
        if consensus_state is None:
            raise UnknownHeight(latest)
        recovered = light_client.recovered(subject, substitute)
        self._store.set(keys.client_state_key(subject_id), recovered)
        self._store.set(keys.consensus_floor_key(subject_id), Recovered(latest, generation).encode())
        self._store_consensus_state(subject_id, latest, consensus_state)

    def require_timeouts(self, client_id: str) -> None:
        """Let pass a client over which a packet can time out, which takes a proof that it was not received.

        Raises:
            UnsupportedOperation: the counterparty's proofs show no absence.
        """
        light_client = self._light_clients.get(client_type_of(client_id))
        if light_client is not None and not light_client.proves_absence:
            raise UnsupportedOperation(
                f"sending over {client_id}: nothing proves a packet absent there, none could time out"
            )

    def verify_membership(self, client_id: str, height: Height, proof: bytes, key: bytes, value: bytes) -> None:
        """`value` is stored under the counterparty's prefix and `key`, by a proof at `height`.

        Raises:
            ClientNotActive, NoCounterparty, UnknownClient: nothing can be proven over this client.
            UnknownHeight: the client has no state of that height.
            VerificationError: the proof does not hold.
        """
        light_client, state = self._known(client_id)
        self.require_active(client_id)
        path = merkle_path(self.counterparty(client_id).merkle_prefix, key)
        consensus_state = self._consensus_state(light_client, client_id, state, height)
        light_client.verify_membership(state, consensus_state, proof, path, value)

    def verify_non_membership(self, client_id: str, height: Height, proof: bytes, key: bytes) -> int:
        """Nothing is stored under `key` at the counterparty, by a proof at `height`; its time there, in nanoseconds.

        Raises:
            ClientNotActive, NoCounterparty, UnknownClient, UnknownHeight, VerificationError: as `verify_membership`.
        """
        light_client, state = self._known(client_id)
        self.require_active(client_id)
        path = merkle_path(self.counterparty(client_id).merkle_prefix, key)
        consensus_state = self._consensus_state(light_client, client_id, state, height)
        light_client.verify_non_membership(state, consensus_state, proof, path)
        return light_client.timestamp_ns(consensus_state)

    def _consensus_state(self, light_client: LightClient, client_id: str, state: bytes, height: Height) -> bytes:
        latest = light_client.latest_height(state)
        consensus_state = self.consensus_states(client_id).get(height)
        if height > latest or consensus_state is None:
            raise UnknownHeight(height, latest)
        return consensus_state

    def _store_consensus_state(self, client_id: str, height: Height, consensus_state: bytes) -> None:
        generation = 0
        if self._rules_version >= rules_versions.BOUNDED_EXECUTION:  # a read that earlier rules did not charge for
            generation = Recovered.of(self._store, client_id).generation
        self._store.set(keys.consensus_key(client_id, height, generation), consensus_state)
        processed = self._now_ns.to_bytes(8, "big") + self._hub_height.to_bytes(8, "big")
        self._store.set(keys.consensus_metadata_key(client_id, height), processed)


def _check_sizes(client_state: bytes, consensus_state: bytes) -> None:
    for name, value, limit in (
        ("client_state", client_state, MAX_CLIENT_STATE_BYTES),
        ("consensus_state", consensus_state, MAX_CONSENSUS_STATE_BYTES),
    ):
        if not 0 < len(value) <= limit:
            raise MalformedInput(name, f"1 to {limit} bytes", got=len(value))
