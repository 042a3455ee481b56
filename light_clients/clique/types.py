"""Values of the clique client: states, the signers' snapshot, branches of headers, evidence."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.evm_header import ExecutionHeader
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64

ADDRESS_BYTES = 20
MAX_SIGNERS = 256
"""Public Clique networks had a few dozen."""
MAX_OPEN_VOTES = 1_000
"""As many fit a consensus state of 64 KiB beside the signers. An update may pass through more if it ends after the epoch."""
MAX_HEADERS = 1_024
"""Of one update: a signature is recovered for each."""


def _uint64(value: int, field: str, least: int = 0) -> None:
    if not least <= value <= MAX_UINT64:
        raise MalformedInput(field, f"must be {least} to {MAX_UINT64}", got=value)


def _bytes(value: bytes, size: int, field: str) -> None:
    if len(value) != size or not any(value):
        raise MalformedInput(field, f"must be {size} bytes, not zero", got=value)


@dataclass(frozen=True, slots=True)
class ClientState:
    """Parameters and progress. What never changes is listed in `CliqueClient.immutable`."""

    chain_id: int
    router_address: bytes
    period_s: int
    epoch_length: int
    confirmations: int
    trusting_period_s: int
    max_clock_drift_s: int
    latest_height: Height
    head_total_difficulty: int
    head_hash: bytes
    is_frozen: bool = False

    def __post_init__(self) -> None:
        _bytes(self.router_address, ADDRESS_BYTES, "client_state.router_address")
        _bytes(self.head_hash, HASH_BYTES, "client_state.head_hash")
        for name, least in (
            ("chain_id", 1),
            ("period_s", 0),
            ("epoch_length", 1),
            ("trusting_period_s", 1),
            ("max_clock_drift_s", 1),
            ("head_total_difficulty", 0),
        ):
            _uint64(getattr(self, name), f"client_state.{name}", least)
        if not 0 < self.confirmations < MAX_HEADERS:
            raise MalformedInput(
                "client_state.confirmations", f"must be 1 to {MAX_HEADERS - 1}", got=self.confirmations
            )
        if self.latest_height.revision_number or not self.latest_height.revision_height:
            raise MalformedInput(
                "client_state.latest_height", "EVM heights are of revision 0 and positive", got=self.latest_height
            )

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


@dataclass(frozen=True, slots=True, order=True)
class Vote:
    """`signer` wants `candidate` in if it is not a signer, else out; a snapshot holds no other votes."""

    candidate: bytes
    signer: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Who may seal the next block: what blocks up to `number` leave behind.

    `recents` sealed the blocks up to this one, oldest first, as far back as it matters: at most ⌊n/2⌋ + 1.
    `votes` are those of the running epoch that are still open, ascending.
    """

    number: int
    signers: tuple[bytes, ...]
    recents: tuple[bytes, ...]
    votes: tuple[Vote, ...] = ()

    @property
    def limit(self) -> int:
        """Of so many consecutive blocks a signer may seal one."""
        return len(self.signers) // 2 + 1


@dataclass(frozen=True, slots=True)
class TrustedState:
    """What is believed already of the block that a branch starts above."""

    timestamp_s: int
    block_hash: bytes
    total_difficulty: int
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class ConsensusState:
    """What a proven, buried block leaves behind. Its snapshot is within bounds and in canonical order."""

    timestamp_s: int
    storage_root: bytes
    block_hash: bytes
    total_difficulty: int
    snapshot: Snapshot

    def __post_init__(self) -> None:
        _uint64(self.timestamp_s, "consensus_state.timestamp_s", 1)
        _uint64(self.total_difficulty, "consensus_state.total_difficulty")
        _uint64(self.snapshot.number, "consensus_state.number", 1)
        _bytes(self.storage_root, HASH_BYTES, "consensus_state.storage_root")
        _bytes(self.block_hash, HASH_BYTES, "consensus_state.block_hash")
        snapshot = self.snapshot
        _addresses(snapshot.signers, MAX_SIGNERS, "consensus_state.signers")
        if any(first >= second for first, second in pairwise(snapshot.signers)):
            raise MalformedInput("consensus_state.signers", "must be ascending and distinct")
        _addresses(snapshot.recents, snapshot.limit, "consensus_state.recents")
        if len(snapshot.votes) > MAX_OPEN_VOTES:
            raise MalformedInput(
                "consensus_state.votes", f"more than {MAX_OPEN_VOTES} open votes", got=len(snapshot.votes)
            )
        for vote in snapshot.votes:
            if len(vote.candidate) != ADDRESS_BYTES or vote.signer not in snapshot.signers:
                raise MalformedInput("consensus_state.votes", "a vote is of a signer, for an address of 20 bytes")
        if any(first >= second for first, second in pairwise(snapshot.votes)):
            raise MalformedInput("consensus_state.votes", "must be ascending and distinct")

    @property
    def height(self) -> Height:
        """The number of the block that left the snapshot, of revision 0."""
        return Height(0, self.snapshot.number)

    @property
    def timestamp_ns(self) -> int:
        """`timestamp_s`, the block's own whole seconds, in nanoseconds since 1970."""
        return self.timestamp_s * NANOSECONDS_PER_SECOND

    @property
    def trusted(self) -> TrustedState:
        """What a branch is judged from; the router's storage root is not needed for it."""
        return TrustedState(self.timestamp_s, self.block_hash, self.total_difficulty, self.snapshot)


def _addresses(values: tuple[bytes, ...], most: int, field: str) -> None:
    if not 0 < len(values) <= most:
        raise MalformedInput(field, f"must be 1 to {most}", got=len(values))
    if any(len(address) != ADDRESS_BYTES for address in values):
        raise MalformedInput(field, "an address has 20 bytes")


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A header and what its extra data says. `seal` is r ‖ s ‖ v; `signers` stand in checkpoints alone."""

    execution: ExecutionHeader
    hash: bytes
    seal_hash: bytes
    signers: tuple[bytes, ...]
    seal: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """An update: every block from the trusted one's child on, the block to believe (`number`) among them.

    `account_proof` is the router's there, RLP nodes, root first; evidence of misbehaviour leaves it unread.
    """

    trusted_height: Height
    number: int
    blocks: tuple[SealedBlock, ...]
    account_proof: tuple[bytes, ...]

    @property
    def height(self) -> Height:
        """Of the believed block, not of the branch's tip; of revision 0."""
        return Height(0, self.number)

    @property
    def tip(self) -> SealedBlock:
        """The highest block of the branch, which confirms the believed one."""
        return self.blocks[-1]

    def block_at(self, number: int) -> SealedBlock | None:
        """The block of a height, if the branch has one; its heights are consecutive once `blocks_are_linked` holds."""
        index = number - self.blocks[0].execution.number
        return self.blocks[index] if 0 <= index < len(self.blocks) else None


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Two buried blocks of one height."""

    header_1: Header
    header_2: Header
