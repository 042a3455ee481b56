"""Values of the bft-evm client: states, headers, evidence, proofs and the QBFT extra data."""

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import Self

from light_clients.evm_header import ExecutionHeader
from light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput, UnsupportedOperation
from light_clients.interface.height import MAX_UINT64

ADDRESS_BYTES = 20
HASH_BYTES = 32
SEAL_BYTES = 65
MAX_VANITY_BYTES = 32
MAX_VALIDATORS = 2_000
"""More than any consortium runs, and what fits a consensus state of 64 KiB."""
MAX_ROUND = 2**32 - 1


class Consensus(IntEnum):
    """Which rule seals the headers (`ClientState.consensus`)."""

    QBFT = 1
    IBFT2 = 2


class VoteKind(StrEnum):
    """What a proposer votes for; only the proposer's node acts on it."""

    ADD = "auth"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Vote:
    """A proposer's vote to add or drop `recipient`."""

    recipient: bytes
    kind: VoteKind


@dataclass(frozen=True, slots=True)
class ExtraData:
    """QBFT extra data. `seals` are 65 bytes r ‖ s ‖ v over the commit-seal hash."""

    vanity: bytes
    validators: tuple[bytes, ...]
    vote: Vote | None
    round: int
    seals: tuple[bytes, ...]

    def without_seals(self) -> Self:
        """The form under the commit-seal hash."""
        return replace(self, seals=())

    def without_seals_and_round(self) -> Self:
        """The form under the block hash: honest validators may commit one block in several rounds."""
        return replace(self, seals=(), round=0)


def _uint64(value: int, field: str, least: int = 0) -> None:
    if not least <= value <= MAX_UINT64:
        raise MalformedInput(field, f"must be {least} to {MAX_UINT64}", got=value)


@dataclass(frozen=True, slots=True)
class ClientState:
    """Parameters and progress. Everything but `trusting_period_s`, `latest_height` and `is_frozen` never changes."""

    chain_id: int
    consensus: Consensus
    router_address: bytes
    trusting_period_s: int
    max_clock_drift_s: int
    latest_height: Height
    is_frozen: bool = False

    def __post_init__(self) -> None:
        _uint64(self.chain_id, "client_state.chain_id", 1)
        if self.consensus is not Consensus.QBFT:
            raise UnsupportedOperation(f"bft-evm consensus {self.consensus.name}")
        if len(self.router_address) != ADDRESS_BYTES or not any(self.router_address):
            raise MalformedInput("client_state.router_address", "must be 20 bytes, not zero", got=self.router_address)
        _uint64(self.trusting_period_s, "client_state.trusting_period_s", 1)
        _uint64(self.max_clock_drift_s, "client_state.max_clock_drift_s", 1)
        if self.latest_height.revision_number or not self.latest_height.revision_height:
            raise MalformedInput(
                "client_state.latest_height", "EVM heights are of revision 0 and positive", got=self.latest_height
            )

    def frozen(self) -> Self:
        return replace(self, is_frozen=True)


@dataclass(frozen=True, slots=True)
class ConsensusState:
    """What a proven header leaves behind. `validators` are ascending and distinct."""

    timestamp_s: int
    storage_root: bytes
    validators: tuple[bytes, ...]

    def __post_init__(self) -> None:
        _uint64(self.timestamp_s, "consensus_state.timestamp_s", 1)
        if len(self.storage_root) != HASH_BYTES or not any(self.storage_root):
            raise MalformedInput("consensus_state.storage_root", "must be 32 bytes, not zero", got=self.storage_root)
        count = len(self.validators)
        if not 0 < count <= MAX_VALIDATORS:
            raise MalformedInput("consensus_state.validators", f"must be 1 to {MAX_VALIDATORS}", got=count)
        if any(len(address) != ADDRESS_BYTES for address in self.validators):
            raise MalformedInput("consensus_state.validators", "an address has 20 bytes")
        if any(first >= second for first, second in zip(self.validators, self.validators[1:], strict=False)):
            raise MalformedInput("consensus_state.validators", "must be ascending and distinct")

    @property
    def timestamp_ns(self) -> int:
        return self.timestamp_s * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class TrustedState:
    """What is believed already: who sealed which height, and when."""

    height: Height
    timestamp_s: int
    validators: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """An update: a sealed header, the height that vouches for it, and the router's account proof.

    `account_proof` holds RLP nodes, root first; evidence of misbehaviour leaves it unread.
    """

    trusted_height: Height
    execution: ExecutionHeader
    extra: ExtraData
    account_proof: tuple[bytes, ...]

    @property
    def height(self) -> Height:
        return Height(0, self.execution.number)

    @property
    def timestamp_ns(self) -> int:
        return self.execution.timestamp_s * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Two sealed headers of one height with different block hashes."""

    header_1: Header
    header_2: Header
