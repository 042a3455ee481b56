"""Values of CometBFT 0.38 and of the 07-tendermint client. Times are integer nanoseconds since 1970, UTC.

The wire's Timestamp {seconds, nanos} maps one to one: `time_ns = seconds * 10**9 + nanos` with nanos in [0, 10**9),
so times before 1970 are negative numbers. Go's zero time (year 1), which absent signatures carry, is `GO_ZERO_TIME_NS`.
"""

import re
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from functools import lru_cache

from hutong.light_clients.crypto import ed25519_address, secp256k1_address
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.light_clients.proofs.ics23 import ProofSpec

GO_ZERO_TIME_NS = -62_135_596_800 * NANOSECONDS_PER_SECOND
MAX_TIME_NS = 253_402_300_800 * NANOSECONDS_PER_SECOND - 1
"""End of the year 9999: the greatest protobuf Timestamp."""
MAX_INT64 = 2**63 - 1
MAX_TOTAL_VOTING_POWER = MAX_INT64 // 8
"""cometbft types/validator_set.go MaxTotalVotingPower."""
MAX_VALIDATORS = 10_000
"""cometbft types/vote_set.go MaxVotesCount."""
MAX_CHAIN_ID_BYTES = 50
"""cometbft types/genesis.go MaxChainIDLen."""
MAX_SIGNATURE_BYTES = 64
"""cometbft 0.38 types/signable.go MaxSignatureSize for the key types of 0.38."""
BLOCK_PROTOCOL = 11
"""cometbft version/version.go BlockProtocol."""

_REVISION = re.compile(r"(.*[^\n-])-([1-9][0-9]*)")


def revision_of(chain_id: str) -> int:
    """N of `name-N` (no leading zero), else 0 (ibc-go 02-client/types/height.go ParseChainID).

    Raises:
        MalformedInput: N is no uint64, where ibc-go panics.
    """
    match = _REVISION.fullmatch(chain_id)
    if match is None:
        return 0
    if len(match[2]) > 20 or int(match[2]) > MAX_UINT64:
        raise MalformedInput("chain_id", "the revision is not a uint64", got=chain_id)
    return int(match[2])


def with_revision(chain_id: str, revision: int) -> str:
    """`chain_id` at another revision; unchanged where it carries none (ibc-go SetRevisionNumber)."""
    match = _REVISION.fullmatch(chain_id)
    return chain_id if match is None else f"{match[1]}-{revision}"


def chain_name(chain_id: str) -> str:
    """`chain_id` without its revision; the whole of it where it carries none."""
    match = _REVISION.fullmatch(chain_id)
    return chain_id if match is None else match[1]


class KeyType(StrEnum):
    """Key types of CometBFT 0.38 validators."""

    ED25519 = "ed25519"
    SECP256K1 = "secp256k1"


class BlockIdFlag(IntEnum):
    """What a commit entry voted for; only COMMIT counts."""

    ABSENT = 1
    COMMIT = 2
    NIL = 3


class SignedMessageType(IntEnum):
    """First field of what is signed, so that no signature serves for another kind of message."""

    PREVOTE = 1
    PRECOMMIT = 2
    PROPOSAL = 32


REMEMBERED_KEYS = 3 * MAX_VALIDATORS
"""How many keys' derived values are kept: sets change little from header to header, and three of the largest fit."""


@lru_cache(REMEMBERED_KEYS)
def _address(key_type: KeyType, data: bytes) -> bytes:
    return ed25519_address(data) if key_type is KeyType.ED25519 else secp256k1_address(data)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """32 bytes for ed25519, 33 (compressed) for secp256k1."""

    key_type: KeyType
    data: bytes

    @property
    def address(self) -> bytes:
        """20 bytes, derived as the key's type has it. The length of `data` is not judged here but by the codec."""
        return _address(self.key_type, self.data)


@dataclass(frozen=True, slots=True)
class Validator:
    """`address` is what was transmitted: believed only after comparison with `public_key.address`.

    `proposer_priority` is not hashed and never read by a verifier.
    """

    address: bytes
    public_key: PublicKey
    voting_power: int
    proposer_priority: int = 0

    @classmethod
    def of(cls, public_key: PublicKey, voting_power: int, proposer_priority: int = 0) -> "Validator":
        """A validator with its derived address."""
        return cls(public_key.address, public_key, voting_power, proposer_priority)


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """In the order in which it is hashed: power descending, then address ascending.

    `claimed_total_voting_power` is the wire field that nobody hashes or reads; `proposer` is not hashed, but stock
    clients demand it, as a member of the set.
    """

    validators: tuple[Validator, ...]
    proposer: Validator | None = None
    claimed_total_voting_power: int = 0

    @property
    def total_voting_power(self) -> int:
        """The sum of the members' powers, not the claimed one; below 2^60 once `validator_set_is_sound` holds."""
        return sum(validator.voting_power for validator in self.validators)

    @classmethod
    def of(cls, validators: tuple[Validator, ...]) -> "ValidatorSet":
        """Sort into canonical order; the first validator stands as proposer (no verifier reads which)."""
        ordered = tuple(sorted(validators, key=lambda v: (-v.voting_power, v.address)))
        return cls(ordered, ordered[0] if ordered else None)


@dataclass(frozen=True, slots=True)
class PartSetHeader:
    total: int = 0
    hash: bytes = b""


@dataclass(frozen=True, slots=True)
class BlockId:
    """All zero stands for nil."""

    hash: bytes = b""
    part_set_header: PartSetHeader = PartSetHeader()

    @property
    def is_zero(self) -> bool:
        """Hash, part total and part hash are all empty: in a vote this stands for nil."""
        return not self.hash and self.part_set_header == PartSetHeader()


@dataclass(frozen=True, slots=True)
class Header:
    """A block header; every hash is 32 bytes or empty, but `app_hash`, which is what the application says."""

    version_block: int
    version_app: int
    chain_id: str
    height: int
    time_ns: int
    last_block_id: BlockId
    last_commit_hash: bytes
    data_hash: bytes
    validators_hash: bytes
    next_validators_hash: bytes
    consensus_hash: bytes
    app_hash: bytes
    last_results_hash: bytes
    evidence_hash: bytes
    proposer_address: bytes

    @property
    def ibc_height(self) -> Height:
        """Revision of the chain id with the height (ibc-go Header.GetHeight).

        Raises:
            MalformedInput: the height or the revision is not a uint64.
        """
        return Height(revision_of(self.chain_id), self.height)


@dataclass(frozen=True, slots=True)
class CommitSig:
    """One entry a validator, in set order. An absent entry is `ABSENT_SIGNATURE`."""

    block_id_flag: BlockIdFlag
    validator_address: bytes
    timestamp_ns: int
    signature: bytes


ABSENT_SIGNATURE = CommitSig(BlockIdFlag.ABSENT, b"", GO_ZERO_TIME_NS, b"")


@dataclass(frozen=True, slots=True)
class Commit:
    height: int
    round: int
    block_id: BlockId
    signatures: tuple[CommitSig, ...]


@dataclass(frozen=True, slots=True)
class SignedHeader:
    header: Header
    commit: Commit


@dataclass(frozen=True, slots=True)
class LightBlock:
    """A header with its commit and its validators, as somebody shows them: nothing in it is believed yet."""

    signed_header: SignedHeader
    validators: ValidatorSet

    @property
    def height(self) -> int:
        """The header's, without the revision."""
        return self.signed_header.header.height


@dataclass(frozen=True, slots=True)
class TrustLevel:
    numerator: int = 1
    denominator: int = 3

    def power_needed(self, total_power: int) -> int:
        """Signed power must exceed this: the fraction of `total_power`, rounded down."""
        return total_power * self.numerator // self.denominator


TWO_THIRDS = TrustLevel(2, 3)


@dataclass(frozen=True, slots=True)
class ClientState:
    """Durations in ns. `proof_specs` stand in the order of a chained proof, leaf store first."""

    chain_id: str
    trust_level: TrustLevel
    trusting_period_ns: int
    unbonding_period_ns: int
    max_clock_drift_ns: int
    frozen_height: Height
    latest_height: Height
    proof_specs: tuple[ProofSpec, ...]
    upgrade_path: tuple[str, ...]
    allow_update_after_expiry: bool = False
    allow_update_after_misbehaviour: bool = False

    @property
    def is_frozen(self) -> bool:
        """Whether misbehaviour is on record: any frozen height but zero."""
        return not self.frozen_height.is_zero

    def frozen(self) -> "ClientState":
        """A copy with misbehaviour on record; the marker is always the same (ibc-go 07-tendermint FrozenHeight)."""
        return replace(self, frozen_height=FROZEN_HEIGHT)


FROZEN_HEIGHT = Height(0, 1)


@dataclass(frozen=True, slots=True)
class ConsensusState:
    """What one verified header leaves: its time, its app hash and who signs next."""

    timestamp_ns: int
    root: bytes
    next_validators_hash: bytes


@dataclass(frozen=True, slots=True)
class TendermintHeader:
    """The update message: `trusted_validators` are the next validators at `trusted_height`."""

    signed_header: SignedHeader
    validator_set: ValidatorSet
    trusted_height: Height
    trusted_validators: ValidatorSet

    @property
    def height(self) -> Height:
        """Of the update's own block, with its chain id's revision.

        Raises:
            MalformedInput: see `Header.ibc_height`.
        """
        return self.signed_header.header.ibc_height

    def consensus_state(self) -> ConsensusState:
        """What the client stores for this block once it is believed.

        Its root is the app hash, which is of the application's state after the block before.
        """
        header = self.signed_header.header
        return ConsensusState(header.time_ns, header.app_hash, header.next_validators_hash)


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """`client_id` is read by no verifier but must be an ICS-24 identifier, as stock chains demand."""

    client_id: str
    header_1: TendermintHeader
    header_2: TendermintHeader


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The states that the chain committed for its next revision, and where.

    Of `client_state` only what a chain chooses is read. The proofs are ICS-23 MerkleProofs, encoded.
    """

    client_state: ClientState
    consensus_state: ConsensusState
    client_proof: bytes
    consensus_proof: bytes
