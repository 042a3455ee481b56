"""What every light client does alike with the states that its owner has stored; a consensus brings its codec and its rules."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from hutong.light_clients.interface.client import (
    ClientStatus,
    ConsensusStates,
    Created,
    Destination,
    HeaderVerdict,
    NotEnoughTrust,
    ProvenStore,
)
from hutong.light_clients.interface.errors import InsufficientTrust, TooLittleOverlap
from hutong.light_clients.interface.height import Height
from hutong.light_clients.interface.judge import VERIFY, Judge
from hutong.light_clients.interface.substitute import check_substitute_fits
from hutong.light_clients.interface.trusting import expires_at_ns


class StoredClientState(Protocol):
    """Parameters and progress of one client, as far as the template reads them."""

    @property
    def is_frozen(self) -> bool:
        """Whether misbehaviour is on record: `status` is then Frozen, whatever the time."""

    @property
    def trusting_period_ns(self) -> int:
        """How long a stored state is believed after its own time, in nanoseconds."""


class StoredConsensusState(Protocol):
    """What one verified header left."""

    @property
    def timestamp_ns(self) -> int:
        """The counterparty's block time, in nanoseconds since 1970 whatever unit its headers have."""


ClientT = TypeVar("ClientT", bound=StoredClientState)
StateT = TypeVar("StateT", bound=StoredConsensusState)


class StoredClient(ABC, Generic[ClientT, StateT]):
    """See `hutong.light_clients.interface.LightClient`, which a subclass is."""

    client_type: ClassVar[str]
    proves_absence: ClassVar[bool] = True
    immutable: ClassVar[tuple[str, ...]] = ()
    """The fields of a client state that a substitute must have in common with its subject."""

    @abstractmethod
    def decode_client(self, data: bytes) -> ClientT:
        """The client state, well-formed; its rules are judged elsewhere. Every method calls it.

        Raises:
            MalformedInput: not the canonical encoding.
            UnsupportedOperation: the client is of a kind that is not offered.
        """

    @abstractmethod
    def decode_state(self, data: bytes) -> StateT:
        """The consensus state, well-formed; its rules are judged elsewhere.

        Raises:
            MalformedInput: not the canonical encoding.
        """

    @abstractmethod
    def height_of(self, client: ClientT) -> Height:
        """The greatest height with a consensus state, as the client state says."""

    @abstractmethod
    def judge_creation(self, judge: Judge, client: ClientT, state: StateT, now_ns: int) -> None:
        """Every rule of a new client, by any judge; `create` calls it with both states decoded.

        Raises:
            VerificationError: the first rule that does not hold.
        """

    @abstractmethod
    def judge_header(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        """Every rule of an update, then what it does to the client; `verify_header` turns lack of trust into a verdict.

        Raises:
            InsufficientTrust, TooLittleOverlap: a nearer header may still be believed.
            VerificationError: the first rule that does not hold.
        """

    @abstractmethod
    def judge_membership(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_state: bytes,
        proof: bytes,
        path: tuple[bytes, ...],
        value: bytes | None,
    ) -> None:
        """Every rule of a proof that `value` is stored under `path`, or with None that nothing is.

        Raises:
            VerificationError: the first rule that does not hold.
        """

    @abstractmethod
    def proven_store(self, client_state: bytes) -> ProvenStore:
        """See `LightClient.proven_store`.

        Raises:
            MalformedInput, UnsupportedOperation: as `decode_client`.
        """

    def without_extras(self) -> Self:
        """See `LightClient.without_extras`: this client, which needs no extra."""
        return self

    def create(self, client_state: bytes, consensus_state: bytes, now_ns: int) -> Created:
        """See `LightClient.create`: both states are decoded, then judged by `judge_creation`.

        Raises:
            VerificationError: a state cannot be decoded, or the first rule that does not hold.
        """
        client = self.decode_client(client_state)
        self.judge_creation(VERIFY, client, self.decode_state(consensus_state), now_ns)
        return Created(self.height_of(client))

    def check_destination(self, client_state: bytes, destination: Destination) -> None:
        """Refuses nothing: headers and proofs are the chain's own, whoever reads them."""

    def followed_chain_id(self, client_state: bytes) -> str:
        """See `LightClient.followed_chain_id`: the chain of `proven_store`.

        Raises:
            MalformedInput, UnsupportedOperation: as `decode_client`.
        """
        return self.proven_store(client_state).chain_id

    def trusting_period_ns(self, client_state: bytes) -> int:
        """See `LightClient.trusting_period_ns`.

        Raises:
            MalformedInput, UnsupportedOperation: as `decode_client`.
        """
        return self.decode_client(client_state).trusting_period_ns

    def status(self, client_state: bytes, consensus_states: ConsensusStates, now_ns: int) -> ClientStatus:
        """See `LightClient.status`: the edge of the trusting period counts as expired.

        Raises:
            MalformedInput: one of the two states cannot be decoded.
        """
        client = self.decode_client(client_state)
        if client.is_frozen:
            return ClientStatus.FROZEN
        latest = consensus_states.get(self.height_of(client))
        if latest is None:
            return ClientStatus.EXPIRED
        edge_ns = expires_at_ns(self.decode_state(latest).timestamp_ns, client.trusting_period_ns)
        return ClientStatus.EXPIRED if edge_ns <= now_ns else ClientStatus.ACTIVE

    def latest_height(self, client_state: bytes) -> Height:
        """See `LightClient.latest_height`; what `height_of` reads from the decoded state.

        Raises:
            MalformedInput, UnsupportedOperation: as `decode_client`.
        """
        return self.height_of(self.decode_client(client_state))

    def timestamp_ns(self, consensus_state: bytes) -> int:
        """See `LightClient.timestamp_ns`.

        Raises:
            MalformedInput: as `decode_state`.
        """
        return self.decode_state(consensus_state).timestamp_ns

    def verify_header(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        """See `LightClient.verify_header`: lack of trust becomes a verdict, every other refusal is raised.

        Raises:
            VerificationError: the first rule of `judge_header` that does not hold.
        """
        try:
            return self.judge_header(VERIFY, client_state, consensus_states, header, now_ns)
        except InsufficientTrust as error:
            return NotEnoughTrust(error.signed_power, error.needed_power, error.total_power)
        except TooLittleOverlap as overlap:
            return NotEnoughTrust(overlap.signed, overlap.needed, overlap.total)

    def verify_membership(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes
    ) -> None:
        """See `LightClient.verify_membership`: `judge_membership` without a record.

        Raises:
            VerificationError: the first rule that does not hold.
        """
        self.judge_membership(VERIFY, client_state, consensus_state, proof, path, value)

    def verify_non_membership(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...]
    ) -> None:
        """See `LightClient.verify_non_membership`: `judge_membership` of None without a record.

        Raises:
            VerificationError: the first rule that does not hold.
        """
        self.judge_membership(VERIFY, client_state, consensus_state, proof, path, None)

    def substitute_parameters(self, subject: ClientT, substitute: ClientT) -> Iterable[tuple[str, object, object]]:
        """Name, the substitute's value and the subject's, of each field that recovery must not change.

        These are the fields of `immutable`; a subclass overrides it where a difference is allowed under conditions.
        """
        return ((name, _field(substitute, name), _field(subject, name)) for name in self.immutable)

    def check_substitute(self, subject: bytes, substitute: bytes) -> None:
        """See `LightClient.check_substitute`. The rules of a new client are not judged again.

        Raises:
            PredicateFailed: `substitute_not_frozen`, or `substitute_parameters_match` of the first field that differs.
            MalformedInput: one of the two states cannot be decoded.
        """
        old = self.decode_client(subject)
        new = self.decode_client(substitute)
        check_substitute_fits(self.substitute_parameters(old, new), is_frozen=new.is_frozen)


def _field(state: Any, name: str) -> object:
    return getattr(state, name)
