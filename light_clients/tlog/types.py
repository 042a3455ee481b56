"""Values of the tlog client: whom it believes, the tree that it believes, updates, evidence and proofs."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

from hutong.light_clients.crypto.ed25519 import SIGNATURE_BYTES
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput
from hutong.light_clients.proofs.merkle.proof import MAX_TOTAL
from hutong.light_clients.tlog.checkpoints import Checkpoint
from hutong.light_clients.tlog.notes import Key

MAX_ORIGIN_BYTES = 255
MAX_WITNESSES = 32
"""Public witness networks have about a dozen; as many names of 255 bytes fit a client state."""
MAX_NODES = 64
"""Of a consistency proof: one a level of a tree below 2^63, and the one where it starts."""
MAX_TIMESTAMP_S = 2**40 - 1
"""Year 36 812. Today's time in milliseconds is above, so that no unit can be mistaken for another."""
MAX_PERIOD_S = 2**32 - 1
MAX_ENTRY_BYTES = 2**16 - 1
"""An entry bundle has two bytes for an entry's length (C2SP tlog-tiles)."""


def _within(value: int, field: str, least: int, most: int) -> None:
    if not least <= value <= most:
        raise MalformedInput(field, f"must be {least} to {most}", got=value)


def _hash(value: bytes, field: str) -> None:
    if len(value) != HASH_BYTES:
        raise MalformedInput(field, f"must be {HASH_BYTES} bytes", got=value)


def _tree_height(height: Height, field: str) -> None:
    if height.revision_number or not 0 < height.revision_height <= MAX_TOTAL:
        raise MalformedInput(field, f"must be of revision 0, 1 to {MAX_TOTAL}", got=str(height))


@dataclass(frozen=True, slots=True)
class ClientState:
    """Whom the client believes, and how far. A height is the size of a tree, of revision 0.

    `quorum` of the `witnesses` must have cosigned: more than half, so that two quorums have a witness in common. Without a
    `publisher_key` (empty) no packets come from the log; entries are proven all the same.
    """

    origin: str
    log_key: Key
    witnesses: tuple[Key, ...]
    quorum: int
    publisher_key: bytes
    trusting_period_s: int
    max_clock_drift_s: int
    latest_height: Height
    is_frozen: bool = False

    def __post_init__(self) -> None:
        _within(len(self.origin.encode()), "client_state.origin", 1, MAX_ORIGIN_BYTES)
        if any(char < " " for char in self.origin):
            raise MalformedInput("client_state.origin", "has a control character", got=self.origin)
        self.log_key.check("client_state.log_key")
        _within(len(self.witnesses), "client_state.witnesses", 1, MAX_WITNESSES)
        for at, witness in enumerate(self.witnesses):
            witness.check(f"client_state.witnesses[{at}]")
        if any(first.name >= second.name for first, second in pairwise(self.witnesses)):
            raise MalformedInput("client_state.witnesses", "must be ascending by name, each once")
        if not len(self.witnesses) < 2 * self.quorum <= 2 * len(self.witnesses):
            raise MalformedInput(
                "client_state.quorum", "must be more than half of the witnesses, at most all", got=self.quorum
            )
        self._check_publisher()
        _within(self.trusting_period_s, "client_state.trusting_period_s", 1, MAX_PERIOD_S)
        _within(self.max_clock_drift_s, "client_state.max_clock_drift_s", 1, MAX_PERIOD_S)
        _tree_height(self.latest_height, "client_state.latest_height")

    def _check_publisher(self) -> None:
        if self.publisher_key:
            Key("publisher", self.publisher_key).check("client_state.publisher")
        keys = [self.log_key.public_key, self.publisher_key, *(witness.public_key for witness in self.witnesses)]
        if len(set(keys)) != len(keys):
            # A cosigned message does not name its signer, so that one key under two names would count twice.
            raise MalformedInput("client_state.witnesses", "one public key has two roles")

    @property
    def trusting_period_ns(self) -> int:
        """`trusting_period_s` in the unit of the shared rules."""
        return self.trusting_period_s * NANOSECONDS_PER_SECOND

    @property
    def max_clock_drift_ns(self) -> int:
        """`max_clock_drift_s` in the unit of the shared rules."""
        return self.max_clock_drift_s * NANOSECONDS_PER_SECOND

    def frozen(self) -> Self:
        """A copy with misbehaviour on record: no header or proof is judged under it any more."""
        return replace(self, is_frozen=True)


@dataclass(frozen=True, slots=True)
class ConsensusState:
    """A tree that log and quorum have signed. `timestamp_s` is the lowest time of that quorum, in Unix seconds."""

    size: int
    root: bytes
    timestamp_s: int

    def __post_init__(self) -> None:
        _within(self.size, "consensus_state.size", 1, MAX_TOTAL)
        _hash(self.root, "consensus_state.root")
        _within(self.timestamp_s, "consensus_state.timestamp_s", 1, MAX_TIMESTAMP_S)

    @property
    def height(self) -> Height:
        """The tree's size, of revision 0."""
        return Height(0, self.size)

    @property
    def timestamp_ns(self) -> int:
        """`timestamp_s` in nanoseconds since 1970."""
        return self.timestamp_s * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Growth:
    """A consistency proof whose sizes stand elsewhere: `first_root` is the root that it begins with."""

    first_root: bytes
    nodes: tuple[bytes, ...]

    def check(self, field: str) -> None:
        """Raises MalformedInput: more than `MAX_NODES` nodes, or a hash that is not 32 bytes. No root is one, too."""
        if len(self.nodes) > MAX_NODES:
            raise MalformedInput(f"{field}.nodes", f"more than {MAX_NODES} nodes", got=len(self.nodes))
        for at, node in enumerate(self.nodes):
            _hash(node, f"{field}.nodes[{at}]")
        if self.first_root:
            _hash(self.first_root, f"{field}.first_root")


@dataclass(frozen=True, slots=True)
class Header:
    """An update: a checkpoint, and how its tree grew out of the one at `trusted_height`."""

    trusted_height: Height
    checkpoint: Checkpoint
    growth: Growth

    def __post_init__(self) -> None:
        _tree_height(self.trusted_height, "header.trusted_height")
        self.growth.check("header")


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Two trees of one log, the second of which did not grow out of the first.

    The first is `checkpoint_1`, or where that is None what is stored at `stored_height`. Exactly one of them is there.
    """

    checkpoint_1: Checkpoint | None
    stored_height: Height | None
    checkpoint_2: Checkpoint
    growth: Growth

    def __post_init__(self) -> None:
        if (self.checkpoint_1 is None) == (self.stored_height is None):
            raise MalformedInput("misbehaviour", "needs exactly one of checkpoint_1 and stored_height")
        if self.stored_height is not None:
            _tree_height(self.stored_height, "misbehaviour.stored_height")
        self.growth.check("misbehaviour")
        _hash(self.growth.first_root, "misbehaviour.first_root")


@dataclass(frozen=True, slots=True)
class MembershipProof:
    """Where an entry stands under a root; `signature` is the publisher's (64 bytes) of a message, else empty."""

    index: int
    siblings: tuple[bytes, ...]
    signature: bytes = b""

    def __post_init__(self) -> None:
        _within(self.index, "proof.index", 0, MAX_TOTAL - 1)
        if len(self.siblings) > MAX_NODES:
            raise MalformedInput("proof.siblings", f"more than {MAX_NODES} siblings", got=len(self.siblings))
        for at, sibling in enumerate(self.siblings):
            _hash(sibling, f"proof.siblings[{at}]")
        if self.signature and len(self.signature) != SIGNATURE_BYTES:
            raise MalformedInput("proof.signature", f"must be {SIGNATURE_BYTES} bytes", got=self.signature)
