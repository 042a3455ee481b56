"""Values of the attestation client (docs/spec/attestation.md).

Each type holds its bounds, so that neither a decoder nor a caller can make one outside them. The order of addresses and
of paths is part of the format: a set of attestors, and a list of packets, has one encoding and repeats nothing.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise
from typing import Self

from hutong.light_clients.crypto import ADDRESS_BYTES
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64

SIGNATURE_BYTES = 65
ABSENT = bytes(HASH_BYTES)
"""The commitment that says: nothing is stored under the path."""

MAX_CHAIN_ID_CHARS = 64
MAX_ROUTER_BYTES = 64
"""An EVM router has 20 bytes, a store of another kind of chain may have a name."""
MAX_ATTESTORS = 64
MAX_PACKETS = 256
MAX_TIMESTAMP_S = 2**40 - 1
"""Year 36 812. Today's time in milliseconds is above, so that no unit can be mistaken for another."""
MAX_PERIOD_S = 2**32 - 1


MAX_OVERLAP_HEIGHTS = 1_000_000
"""How far ahead a rotation may leave the previous set good: weeks of blocks of a second."""


class AttestationKind(IntEnum):
    """What the signed data says; part of every digest, so that none can stand for another."""

    STATE = 1
    PACKETS = 2
    ROTATION = 3
    STATE_ROOT = 4
    """For observations alone: no update, packet proof or evidence is made of it."""


EVIDENCE_KINDS = (AttestationKind.STATE, AttestationKind.PACKETS, AttestationKind.ROTATION)


class DigestForm(IntEnum):
    """What attestors sign of states and packets. Rotations and state roots are always signed in the scoped form."""

    SCOPED = 1
    PUBLIC = 2
    """The public `attestations` client's: binds no chain, router or client. Chosen at creation, never by default."""


def _within(value: int, field: str, most: int) -> None:
    if not 1 <= value <= most:
        raise MalformedInput(field, f"must be 1 to {most}", got=value)


def _chain_id(value: str, field: str) -> None:
    if not 1 <= len(value) <= MAX_CHAIN_ID_CHARS or not all("!" <= char <= "~" for char in value):
        raise MalformedInput(field, f"1 to {MAX_CHAIN_ID_CHARS} printable ASCII characters, no space", got=value)


def _router(value: bytes, field: str) -> None:
    if not 1 <= len(value) <= MAX_ROUTER_BYTES or not any(value):
        raise MalformedInput(field, f"1 to {MAX_ROUTER_BYTES} bytes, not all zero", got=value)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for: one source router, as seen by one client of one router on one chain."""

    source_chain_id: str
    source_router: bytes
    destination_chain_id: str
    destination_router: bytes
    destination_client_id: str

    def __post_init__(self) -> None:
        _chain_id(self.source_chain_id, "scope.source_chain_id")
        _router(self.source_router, "scope.source_router")
        _chain_id(self.destination_chain_id, "scope.destination_chain_id")
        _router(self.destination_router, "scope.destination_router")
        check_client_id(self.destination_client_id, "scope.destination_client_id")
        if (self.source_chain_id, self.source_router) == (self.destination_chain_id, self.destination_router):
            raise MalformedInput("scope", "source and destination are the same router", got=self.source_chain_id)


@dataclass(frozen=True, slots=True)
class PreviousSet:
    """The attestors before the last rotation.

    Theirs is good for heights up to `until_height`, as long as the client itself is not past it.
    """

    attestors: tuple[bytes, ...]
    threshold: int
    until_height: int

    def __post_init__(self) -> None:
        _check_set(self.attestors, self.threshold, "client_state.previous")
        _within(self.until_height, "client_state.previous.until_height", MAX_UINT64)


def _check_set(attestors: tuple[bytes, ...], threshold: int, field: str) -> None:
    """Attestors ascend and are distinct; more than half of them must sign.

    With half or fewer, two groups without a common member could sign two histories and nobody would be guilty of both.
    """
    count = len(attestors)
    _within(count, f"{field}.attestors", MAX_ATTESTORS)
    if any(len(address) != ADDRESS_BYTES or not any(address) for address in attestors):
        raise MalformedInput(f"{field}.attestors", "an address has 20 bytes and is not zero")
    if any(first >= second for first, second in pairwise(attestors)):
        raise MalformedInput(f"{field}.attestors", "must be ascending and distinct")
    if not count < 2 * threshold <= 2 * count:
        raise MalformedInput(f"{field}.threshold", "must be more than half of the attestors", threshold, count // 2 + 1)


@dataclass(frozen=True, slots=True)
class ClientState:
    """Parameters and progress.

    `set_number` counts rotations; `previous` is the set before the last one, while it is good.
    """

    scope: Scope
    attestors: tuple[bytes, ...]
    threshold: int
    trusting_period_s: int
    max_clock_drift_s: int
    latest_height: int
    is_frozen: bool = False
    set_number: int = 0
    previous: PreviousSet | None = None
    digest_form: DigestForm = DigestForm.SCOPED

    def __post_init__(self) -> None:
        _check_set(self.attestors, self.threshold, "client_state")
        if not 0 <= self.set_number <= MAX_UINT64:
            raise MalformedInput("client_state.set_number", f"must be 0 to {MAX_UINT64}", got=self.set_number)
        if self.previous is not None and not self.set_number:
            raise MalformedInput("client_state.previous", "there is none before the first rotation")
        _within(self.trusting_period_s, "client_state.trusting_period_s", MAX_PERIOD_S)
        _within(self.max_clock_drift_s, "client_state.max_clock_drift_s", MAX_PERIOD_S)
        _within(self.latest_height, "client_state.latest_height", MAX_UINT64)

    @property
    def trusting_period_ns(self) -> int:
        """`trusting_period_s` in the unit of the shared rules."""
        return self.trusting_period_s * NANOSECONDS_PER_SECOND

    @property
    def max_clock_drift_ns(self) -> int:
        """`max_clock_drift_s` in the unit of the shared rules."""
        return self.max_clock_drift_s * NANOSECONDS_PER_SECOND

    @property
    def height(self) -> Height:
        """The latest height as a value of revision 0."""
        return Height(0, self.latest_height)

    @property
    def is_plain(self) -> bool:
        """Never rotated and signed for in the scoped form: what the first version of the encoding can say."""
        return self.set_number == 0 and self.digest_form is DigestForm.SCOPED

    def frozen(self) -> Self:
        """A copy with misbehaviour on record: nothing is proven by it any more."""
        return replace(self, is_frozen=True)

    def at(self, height: int) -> Self:
        """With a state stored at `height`; the previous set is forgotten once the client is past its window.

        The latest height never goes down: a state of an older height leaves it as it is.
        """
        latest = max(self.latest_height, height)
        previous = self.previous if self.previous is not None and latest <= self.previous.until_height else None
        return replace(self, latest_height=latest, previous=previous)

    def rotated(self, rotation: "Rotation") -> Self:
        """The new set in force, and the present one as the previous until the rotation's height; 0 leaves none.

        The latest height is not moved: see `at`.
        """
        previous = None
        if rotation.previous_until_height:
            previous = PreviousSet(self.attestors, self.threshold, rotation.previous_until_height)
        return replace(
            self,
            attestors=rotation.attestors,
            threshold=rotation.threshold,
            set_number=rotation.set_number,
            previous=previous,
        )

    def good_sets(self, height: int) -> tuple[Self, ...]:
        """This client with each set whose signatures it takes for `height`.

        The one in force comes first; the previous one follows while `height` and client are in its window.
        """
        previous = self.as_previous()
        if previous is None or self.previous is None or max(height, self.latest_height) > self.previous.until_height:
            return (self,)
        return self, previous

    def as_previous(self) -> Self | None:
        """This client as the previous set sees it: with that set in the present one's place.

        None before the first rotation, and once the previous set was forgotten.
        """
        if self.previous is None:
            return None
        return replace(self, attestors=self.previous.attestors, threshold=self.previous.threshold)


@dataclass(frozen=True, slots=True)
class StateAttestation:
    """Block `height` of the source chain is final and has this time. Also the consensus state that it leaves behind."""

    height: int
    timestamp_s: int

    def __post_init__(self) -> None:
        _within(self.height, "state.height", MAX_UINT64)
        _within(self.timestamp_s, "state.timestamp_s", MAX_TIMESTAMP_S)

    @property
    def timestamp_ns(self) -> int:
        """`timestamp_s`, the attested whole seconds, in nanoseconds since 1970."""
        return self.timestamp_s * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class StateRootAttestation:
    """Block `height` of the source chain is final and its header has this state root of 32 bytes."""

    height: int
    state_root: bytes

    def __post_init__(self) -> None:
        _within(self.height, "state_root.height", MAX_UINT64)
        if len(self.state_root) != HASH_BYTES or not any(self.state_root):
            raise MalformedInput("state_root.state_root", f"{HASH_BYTES} bytes, not all zero", got=self.state_root)


@dataclass(frozen=True, slots=True)
class Rotation:
    """A state of the source chain, and the set of attestors that follows the one which signs this.

    `set_number` is one more than the client's, so that none is used twice. The set that signs stays good for
    attestations of heights up to `previous_until_height`, as long as the client is not past it; 0 ends it at once.
    """

    state: StateAttestation
    set_number: int
    attestors: tuple[bytes, ...]
    threshold: int
    previous_until_height: int

    def __post_init__(self) -> None:
        _within(self.set_number, "rotation.set_number", MAX_UINT64)
        _check_set(self.attestors, self.threshold, "rotation")
        until, least = self.previous_until_height, self.state.height
        if until and not least <= until <= least + MAX_OVERLAP_HEIGHTS:
            raise MalformedInput(
                "rotation.previous_until_height",
                f"must be 0, or from its height to {MAX_OVERLAP_HEIGHTS} above",
                until,
                least,
            )

    def names_set_of(self, other: Self) -> bool:
        """The same attestors and threshold, whatever block and window."""
        return (self.attestors, self.threshold) == (other.attestors, other.threshold)


@dataclass(frozen=True, slots=True)
class PacketEntry:
    """What the router's store holds under Keccak-256 of an ICS-24 key; `ABSENT` where it holds nothing."""

    path_hash: bytes
    commitment: bytes

    def __post_init__(self) -> None:
        for name in ("path_hash", "commitment"):
            if len(getattr(self, name)) != HASH_BYTES:
                raise MalformedInput(f"packets.{name}", "must be 32 bytes", got=getattr(self, name))


@dataclass(frozen=True, slots=True)
class PacketAttestation:
    """What the router's store holds after block `height`. Entries ascend by path hash: no path twice."""

    height: int
    packets: tuple[PacketEntry, ...]

    def __post_init__(self) -> None:
        _within(self.height, "packets.height", MAX_UINT64)
        _within(len(self.packets), "packets.packets", MAX_PACKETS)
        paths = [entry.path_hash for entry in self.packets]
        if any(first >= second for first, second in pairwise(paths)):
            raise MalformedInput("packets.packets", "must be ascending by path, and no path twice")

    def commitment(self, path_hash: bytes) -> bytes | None:
        """The 32 bytes under this Keccak-256 of a path, `ABSENT` where the router holds nothing.

        None where the attestation says nothing about the path, which proves neither.
        """
        return next((entry.commitment for entry in self.packets if entry.path_hash == path_hash), None)


@dataclass(frozen=True, slots=True)
class Attestation:
    """Signed bytes, which are parsed only after the signatures are judged. The kind is not in them: the use says it.

    `signatures` are 65 bytes each, r ‖ s ‖ v, in ascending order of their signers' addresses.
    """

    data: bytes
    signatures: tuple[bytes, ...]

    def __post_init__(self) -> None:
        _within(len(self.signatures), "attestation.signatures", MAX_ATTESTORS)
        if any(len(signature) != SIGNATURE_BYTES for signature in self.signatures):
            raise MalformedInput("attestation.signatures", f"a signature has {SIGNATURE_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Two attestations of one of `EVIDENCE_KINDS` that cannot both be true."""

    kind: AttestationKind
    first: Attestation
    second: Attestation
