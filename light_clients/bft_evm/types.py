"""Values of the bft-evm client: states, headers, evidence, and the extra data of the three consensus rules."""

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import Self

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.evm_header import ExecutionHeader
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput, UnsupportedOperation
from hutong.light_clients.interface.height import MAX_UINT64

ADDRESS_BYTES = 20
SEAL_BYTES = 65
MAX_VANITY_BYTES = 32
MAX_VALIDATORS = 2_000
"""More than any consortium runs, and what fits a consensus state of 64 KiB."""
MAX_CONTRACT_VALIDATORS = 500
"""Each is a storage proof of the update; 500 of them stay below a megabyte."""
MAX_ROUND = 2**32 - 1


class Consensus(IntEnum):
    """Which rule seals the headers (`ClientState.consensus`)."""

    QBFT = 1
    IBFT2 = 2
    ISTANBUL = 3
    """GoQuorum's first IBFT."""


class QuorumRule(IntEnum):
    """How many of its own validators must seal a header (`ClientState.quorum_rule`)."""

    CEIL_TWO_THIRDS = 0
    TWO_F_PLUS_ONE = 1
    """F = ⌈n/3⌉ - 1: what GoQuorum asks before its `ceil2Nby3Block`. Below two thirds where n is no 3F + 1."""


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
    """Extra data of a header under `consensus`. `seals` are 65 bytes r ‖ s ‖ v over the commit-seal hash.

    IBFT 2.0 writes the round in four bytes; `round_width` 0 is the shortest form, which other encoders of it write.
    Istanbul has neither vote nor round, but a seal of the proposer (empty in a genesis block).
    """

    vanity: bytes
    validators: tuple[bytes, ...]
    vote: Vote | None
    round: int
    seals: tuple[bytes, ...]
    consensus: Consensus = Consensus.QBFT
    round_width: int = 0
    proposer_seal: bytes = b""

    def without_seals(self) -> Self:
        """A copy with no seals: what a commit seal covers under QBFT, round included."""
        return replace(self, seals=())

    def without_seals_and_round(self) -> Self:
        """What the block hash depends on: honest validators may commit one block in several rounds."""
        return replace(self, seals=(), round=0)


def _uint64(value: int, field: str, least: int = 0) -> None:
    if not least <= value <= MAX_UINT64:
        raise MalformedInput(field, f"must be {least} to {MAX_UINT64}", got=value)


def _address(value: bytes, field: str) -> None:
    if len(value) != ADDRESS_BYTES or not any(value):
        raise MalformedInput(field, "must be 20 bytes, not zero", got=value)


@dataclass(frozen=True, slots=True)
class ValidatorContract:
    """The contract that selects validators, and the 32-byte slot of its `address[]`."""

    address: bytes
    slot: bytes

    def __post_init__(self) -> None:
        _address(self.address, "client_state.validator_contract.address")
        if len(self.slot) != HASH_BYTES:
            raise MalformedInput("client_state.validator_contract.slot", "must be 32 bytes", got=self.slot)


@dataclass(frozen=True, slots=True)
class SealRules:
    """Which seals make a header: the part of a client state that never changes and that every header is judged by."""

    consensus: Consensus = Consensus.QBFT
    quorum_rule: QuorumRule = QuorumRule.CEIL_TWO_THIRDS
    validator_contract: ValidatorContract | None = None

    def __post_init__(self) -> None:
        if self.validator_contract is not None and self.consensus is not Consensus.QBFT:
            raise UnsupportedOperation(f"contract validator selection under {self.consensus.name}")


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
    quorum_rule: QuorumRule = QuorumRule.CEIL_TWO_THIRDS
    validator_contract: ValidatorContract | None = None

    def __post_init__(self) -> None:
        _uint64(self.chain_id, "client_state.chain_id", 1)
        _address(self.router_address, "client_state.router_address")
        _uint64(self.trusting_period_s, "client_state.trusting_period_s", 1)
        _uint64(self.max_clock_drift_s, "client_state.max_clock_drift_s", 1)
        if self.latest_height.revision_number or not self.latest_height.revision_height:
            raise MalformedInput(
                "client_state.latest_height", "EVM heights are of revision 0 and positive", got=self.latest_height
            )
        _ = self.seal_rules

    @property
    def trusting_period_ns(self) -> int:
        """`trusting_period_s` in the unit of the shared rules."""
        return self.trusting_period_s * NANOSECONDS_PER_SECOND

    @property
    def max_clock_drift_ns(self) -> int:
        """`max_clock_drift_s` in the unit of the shared rules."""
        return self.max_clock_drift_s * NANOSECONDS_PER_SECOND

    @property
    def seal_rules(self) -> SealRules:
        """The part of this state that headers are decoded and judged by.

        Raises:
            UnsupportedOperation: contract selection under a consensus other than QBFT; no existing state raises it.
        """
        return SealRules(self.consensus, self.quorum_rule, self.validator_contract)

    def frozen(self) -> Self:
        """A copy with misbehaviour on record: no header or proof is judged under it any more."""
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
        """`timestamp_s`, the header's own whole seconds, in nanoseconds since 1970."""
        return self.timestamp_s * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class TrustedState:
    """What is believed already: who sealed which height, and when."""

    height: Height
    timestamp_s: int
    validators: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A header and what its extra data says."""

    execution: ExecutionHeader
    extra: ExtraData


@dataclass(frozen=True, slots=True)
class ValidatorsProof:
    """What the validator contract held after the parent.

    `account_proof` proves the contract's account, `slots` the array's length, then every element; RLP, root first.
    """

    parent: SealedBlock
    account_proof: tuple[bytes, ...]
    slots: tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True, slots=True)
class Header:
    """An update: a sealed header, the height that vouches for it, and the router's account proof.

    `account_proof` holds RLP nodes, root first; evidence of misbehaviour leaves it unread. `validators_proof` is there
    exactly where the chain selects validators by contract.
    """

    trusted_height: Height
    execution: ExecutionHeader
    extra: ExtraData
    account_proof: tuple[bytes, ...]
    validators_proof: ValidatorsProof | None = None

    @property
    def height(self) -> Height:
        """The block number, of revision 0."""
        return Height(0, self.execution.number)

    @property
    def timestamp_ns(self) -> int:
        """The execution header's whole seconds, in nanoseconds since 1970."""
        return self.execution.timestamp_s * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Two sealed headers of one height with different block hashes."""

    header_1: Header
    header_2: Header
