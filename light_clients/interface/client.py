"""What every light client answers: pure functions over bytes, stored states and the time."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol, TypeAlias, runtime_checkable

from hutong.light_clients.interface.height import Height
from hutong.light_clients.interface.judge import Judge

NANOSECONDS_PER_SECOND = 1_000_000_000

MAX_CLIENT_STATE_BYTES = 16 * 1024
"""A client state holds parameters only; the largest stock one (several proof specs) is under 1 KiB."""
MAX_CONSENSUS_STATE_BYTES = 64 * 1024
"""Room for a bft-evm validator list of 2 000 addresses."""
MAX_CLIENT_MESSAGE_BYTES = 4 * 1024 * 1024
"""Header or misbehaviour: two sets of 10 000 validators with signatures stay below."""
MAX_PROOF_BYTES = 512 * 1024
"""A storage proof of depth 64 with full branches is 34 KiB, an ICS-23 proof of depth 256 under 40 KiB."""
MAX_VALUE_BYTES = 256 * 1024
MAX_PATH_ELEMENTS = 4
MAX_PATH_ELEMENT_BYTES = 1024


class ClientStatus(StrEnum):
    """ICS-02 status, in order of precedence."""

    FROZEN = "Frozen"
    EXPIRED = "Expired"
    ACTIVE = "Active"


class ConsensusStates(Protocol):
    """The consensus states that a client's owner has stored, as bytes, by height. Read only."""

    def get(self, height: Height) -> bytes | None:
        """The state stored exactly at `height`, as the consensus's codec wrote it; None where nothing is stored."""

    def before(self, height: Height) -> tuple[Height, bytes] | None:
        """The nearest stored state strictly below `height`, with its height; None where nothing is stored below.

        Heights are compared revision first, so the neighbour may be of an earlier revision.
        """

    def after(self, height: Height) -> tuple[Height, bytes] | None:
        """The nearest stored state strictly above `height`, with its height; None where nothing is stored above.

        Heights are compared revision first, so the neighbour may be of a later revision.
        """


@dataclass(frozen=True, slots=True)
class Created:
    """A client state and first consensus state were well-formed and consistent."""

    latest_height: Height


@dataclass(frozen=True, slots=True)
class Updated:
    """The header is proven: the owner stores both states, atomically."""

    height: Height
    client_state: bytes
    consensus_state: bytes


@dataclass(frozen=True, slots=True)
class NoOp:
    """The header is proven and its consensus state is already stored: nothing to write."""

    height: Height


@dataclass(frozen=True, slots=True)
class Misbehaved:
    """The header is proven and contradicts a stored state: the owner stores the frozen client state."""

    height: Height
    client_state: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class NotEnoughTrust:
    """Well-formed, but too little of the trusted power signed: bisect and try a nearer header."""

    signed_power: int
    needed_power: int
    total_power: int


HeaderVerdict: TypeAlias = Updated | NoOp | Misbehaved | NotEnoughTrust


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a client lives: the chain, the router that asks it, and its identifier there."""

    chain_id: str
    router: bytes
    client_id: str


@dataclass(frozen=True, slots=True)
class ProvenStore:
    """Whose store a client's proofs are of, whatever the client's type.

    `chain_id`: an EVM chain's EIP-155 id in decimal, a Cosmos chain's name without the revision, else what the chain
    calls itself. `router`: the contract or script that packets are stored by; empty where a chain has one store.
    """

    chain_id: str
    router: bytes


class LightClient(Protocol):
    """One kind of light client. Instances hold no state and may be shared.

    Every method raises a `VerificationError` for a refusal and nothing else for any input;
    times are nanoseconds since 1970 and are never read from a clock.
    """

    client_type: ClassVar[str]
    """The part of a client identifier before its number, e.g. `07-tendermint`."""
    proves_absence: ClassVar[bool]
    """Whether it can prove that nothing is stored under a path; where not, no packet over the client could time out."""

    def without_extras(self) -> "LightClient":
        """The same rules as every installation can apply them: nothing that an optional extra of the package brings.

        A hub judges with it, since all its validators must reach one verdict.
        """

    def create(self, client_state: bytes, consensus_state: bytes, now_ns: int) -> Created:
        """Validate both states for a new client (ICS-02 CreateClient); refuses frozen and expired ones.

        The caller stores both at the returned height. Where the client lives is judged by `check_destination`.

        Raises:
            MalformedInput: a state is not the canonical encoding of its type.
            ClientFrozen, ClientExpired: the client could not be used from the start.
            PredicateFailed: a parameter is unsound, or the two states do not fit each other.
            UnsupportedOperation: the client is of a kind that is not offered.
        """

    def check_destination(self, client_state: bytes, destination: Destination) -> None:
        """The owner's part of `create`: a client whose proofs are made for one client refuses to be another one.

        Clients that believe the counterparty's own consensus are good anywhere, and accept every destination.

        Raises:
            PredicateFailed: the proofs of this client are made for another destination.
            MalformedInput: `client_state` cannot be decoded, where its fields have to be read.
        """

    def proven_store(self, client_state: bytes) -> ProvenStore:
        """Where the packets lie that this client proves; it never changes, and clients of one store name it alike.

        Raises:
            MalformedInput, UnsupportedOperation: `client_state` cannot be decoded.
        """

    def followed_chain_id(self, client_state: bytes) -> str:
        """The chain that the client follows, as a configuration names it: of an EVM chain the EIP-155 id in decimal.

        Raises:
            MalformedInput, UnsupportedOperation: `client_state` cannot be decoded.
        """

    def trusting_period_ns(self, client_state: bytes) -> int:
        """How long a stored state is believed after its own time, in nanoseconds.

        Raises:
            MalformedInput, UnsupportedOperation: `client_state` cannot be decoded.
        """

    def status(self, client_state: bytes, consensus_states: ConsensusStates, now_ns: int) -> ClientStatus:
        """Frozen before Expired before Active; a missing latest consensus state is Expired.

        At `now_ns` equal to the end of the trusting period the client has expired.

        Raises:
            MalformedInput, UnsupportedOperation: the client state or its latest consensus state cannot be decoded.
        """

    def latest_height(self, client_state: bytes) -> Height:
        """The greatest height with a consensus state, as the client state says; the store is not asked.

        Raises:
            MalformedInput, UnsupportedOperation: `client_state` cannot be decoded.
        """

    def timestamp_ns(self, consensus_state: bytes) -> int:
        """The counterparty's own block time at that state, in nanoseconds since 1970 whatever unit its headers have.

        Raises:
            MalformedInput: `consensus_state` cannot be decoded.
        """

    def judge_header(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        """`verify_header` by any judge: every rule in order, then what the header does to the client.

        Raises:
            InsufficientTrust, TooLittleOverlap: in place of the verdict `NotEnoughTrust`.
            VerificationError: otherwise as `verify_header`.
        """

    def verify_header(
        self, client_state: bytes, consensus_states: ConsensusStates, header: bytes, now_ns: int
    ) -> HeaderVerdict:
        """Judge a header; the caller applies the verdict.

        Args:
            consensus_states: those stored for this client; read at the trusted height, the latest and the neighbours.
            header: the client's update message, at most `MAX_CLIENT_MESSAGE_BYTES`.

        Raises:
            MalformedInput: the header or a stored state is not canonical.
            ClientFrozen, ClientExpired: the client cannot be updated any more without recovery.
            UnknownHeight: no state is stored at the height from which the header is to be believed.
            PredicateFailed: a rule of the consensus does not hold.
            UnsupportedOperation: the client or the header is of a form that is not offered.
        """

    def check_misbehaviour(
        self, client_state: bytes, consensus_states: ConsensusStates, misbehaviour: bytes, now_ns: int
    ) -> Misbehaved:
        """The frozen client state, if the evidence is valid at `now_ns`; the caller stores it.

        Raises:
            ClientFrozen, ClientExpired: evidence comes too late for a client of this kind.
            UnknownHeight: no state is stored at a height that the evidence builds on.
            MalformedInput, PredicateFailed: the evidence proves nothing.
            UnsupportedOperation: the evidence is of a form that is not offered.
        """

    def judge_membership(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_state: bytes,
        proof: bytes,
        path: tuple[bytes, ...],
        value: bytes | None,
    ) -> None:
        """`verify_membership`, or with `value` None `verify_non_membership`, by any judge: every rule in order.

        Whether `consensus_state` has expired is not judged, and its height is the caller's to look up.

        Raises:
            VerificationError: as the two methods.
        """

    def verify_membership(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes
    ) -> None:
        """`value` is stored under `path` at that consensus state. `path` is prefix with the key applied (ICS-24).

        Whether the state has expired is not judged here: that is `status`, for the client's owner to ask.

        Raises:
            ClientFrozen: the client state is frozen.
            MalformedInput: a state, the proof, the path or the value is not well-formed or too large.
            PredicateFailed: the proof does not show it.
            UnsupportedOperation: the chain has no such proof, or the proof asks for what is not offered.
        """

    def verify_non_membership(
        self, client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...]
    ) -> None:
        """Nothing is stored under `path` at that consensus state; the counterpart of `verify_membership` for timeouts.

        Raises:
            ClientFrozen: the client state is frozen.
            MalformedInput: a state, the proof or the path is not well-formed or too large.
            PredicateFailed: the proof does not show absence.
            UnsupportedOperation: the chain has no proof of absence, or the proof asks for what is not offered.
        """

    def check_substitute(self, subject: bytes, substitute: bytes) -> None:
        """The substitute client state has the subject's immutable parameters (ICS-02 recovery).

        Whether the subject is frozen or expired, and the substitute active, is the caller's to ask of `status`.

        Raises:
            PredicateFailed, ClientFrozen: the substitute is frozen, or differs in what recovery must not change.
            MalformedInput, UnsupportedOperation: one of the two states cannot be decoded.
        """

    def recovered(self, subject: bytes, substitute: bytes) -> bytes:
        """The subject's client state after recovery: unfrozen, at the substitute's latest height and periods.

        The caller also copies the substitute's consensus state at that height.

        Raises:
            VerificationError: as `check_substitute`.
        """


@runtime_checkable
class Reschedulable(Protocol):
    """A light client whose state holds rules that are to come, which may change while the client is active.

    It refuses what follows rules that it was not told of, so waiting until it expires would stop every packet
    meanwhile.
    """

    def check_rescheduled(self, subject: bytes, substitute: bytes) -> None:
        """The substitute is the subject's state but for rules that have judged nothing yet, of which some differ.

        Raises:
            PredicateFailed: something else differs, or nothing does.
            MalformedInput, UnsupportedOperation: one of the two states cannot be decoded.
        """


@runtime_checkable
class UpgradableClient(Protocol):
    """A light client whose counterparty can say itself what its next revision is (ICS-02 UpgradeClient)."""

    def judge_upgrade(
        self, judge: Judge, client_state: bytes, consensus_states: ConsensusStates, upgrade: bytes, now_ns: int
    ) -> Updated:
        """`verify_upgrade` by any judge: every rule in order, then the states of the next revision.

        Raises:
            VerificationError: as `verify_upgrade`.
        """

    def verify_upgrade(
        self, client_state: bytes, consensus_states: ConsensusStates, upgrade: bytes, now_ns: int
    ) -> Updated:
        """The states of the next revision, proven at the client's latest height; the caller stores both.

        `upgrade` holds the two states that the counterparty committed and a proof of each.

        Raises:
            ClientFrozen, ClientExpired, UnknownHeight: the client is not active.
            MalformedInput: the message or a stored state is not canonical.
            PredicateFailed: a proof fails, or the new revision is not a later one.
        """
