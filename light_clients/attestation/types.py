"""Values of the attestation client (docs/spec/attestation.md).

Each type holds its bounds, so that neither a decoder nor a caller can make one outside them. The order of addresses and
of paths is part of the format: a set of attestors, and a list of packets, has one encoding and repeats nothing.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise
from typing import Self

from light_clients.crypto import ADDRESS_BYTES
from light_clients.ibc.identifiers import check_client_id
from light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput
from light_clients.interface.height import MAX_UINT64

HASH_BYTES = 32
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


class AttestationKind(IntEnum):
    """What the signed data says; part of every digest, so that neither can stand for the other."""

    STATE = 1
    PACKETS = 2


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
class ClientState:
    """Parameters and progress. `attestors` ascend and are distinct; more than half of them must sign.

    With half or fewer, two groups without a common member could sign two histories and nobody would be guilty of both.
    """

    scope: Scope
    attestors: tuple[bytes, ...]
    threshold: int
    trusting_period_s: int
    max_clock_drift_s: int
    latest_height: int
    is_frozen: bool = False

    def __post_init__(self) -> None:
        count = len(self.attestors)
        _within(count, "client_state.attestors", MAX_ATTESTORS)
        if any(len(address) != ADDRESS_BYTES or not any(address) for address in self.attestors):
            raise MalformedInput("client_state.attestors", "an address has 20 bytes and is not zero")
        if any(first >= second for first, second in pairwise(self.attestors)):
            raise MalformedInput("client_state.attestors", "must be ascending and distinct")
        if not count < 2 * self.threshold <= 2 * count:
            raise MalformedInput(
                "client_state.threshold", "must be more than half of the attestors", self.threshold, count // 2 + 1
            )
        _within(self.trusting_period_s, "client_state.trusting_period_s", MAX_PERIOD_S)
        _within(self.max_clock_drift_s, "client_state.max_clock_drift_s", MAX_PERIOD_S)
        _within(self.latest_height, "client_state.latest_height", MAX_UINT64)

    @property
    def height(self) -> Height:
        return Height(0, self.latest_height)

    def frozen(self) -> Self:
        return replace(self, is_frozen=True)


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
        return self.timestamp_s * NANOSECONDS_PER_SECOND


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
        """None where the attestation says nothing about the path."""
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
    """Two attestations of one kind that cannot both be true."""

    kind: AttestationKind
    first: Attestation
    second: Attestation
