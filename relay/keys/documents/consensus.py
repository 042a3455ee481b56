"""What a validator of a CometBFT chain signs: votes, proposals, and the hub's statement that a block counts as empty."""

from dataclasses import dataclass

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.protobuf import cometbft_pb2, privval_pb2
from hutong.light_clients.tendermint.hashing import proposal_sign_bytes, vote_sign_bytes
from hutong.light_clients.tendermint.skip_certificate import SkipStatement, sign_bytes
from hutong.light_clients.tendermint.types import BlockId, PartSetHeader, SignedMessageType
from hutong.light_clients.tendermint.wire import varint, varint_field
from hutong.relay.keys.documents.document import DocumentKind, Hashing
from hutong.relay.keys.errors import ForeignDocument

MAX_SIGN_BYTES = 512
"""A canonical vote or proposal has less than 200, with a chain id of 50."""


@dataclass(frozen=True, slots=True)
class ConsensusVote:
    """A prevote or precommit; a zero `block_id` is for no block. `timestamp_ns` is nanoseconds since 1970.

    Whoever signs it keeps its own record: a document cannot say whether another one of the height was signed.
    """

    chain_id: str
    message_type: SignedMessageType
    height: int
    round: int
    block_id: BlockId
    timestamp_ns: int

    kind = DocumentKind.CONSENSUS_VOTE
    hashing = Hashing.SHA256

    def __post_init__(self) -> None:
        """Raises ForeignDocument for a proposal, which is another document."""
        if self.message_type is SignedMessageType.PROPOSAL:
            raise ForeignDocument("a proposal is not a vote")

    @property
    def preimage(self) -> bytes:
        """The canonical vote, length-delimited (cometbft types/canonical.go)."""
        return vote_sign_bytes(
            self.chain_id, self.message_type, self.height, self.round, self.block_id, self.timestamp_ns
        )

    @property
    def digest(self) -> bytes:
        """SHA-256 of `preimage`, as keys of secp256k1 sign it. A key of Ed25519 signs `preimage` itself."""
        return sha256(self.preimage)

    @property
    def summary(self) -> str:
        """See `SigningDocument`."""
        name = self.message_type.name.lower()
        return (
            f"{name} on {self.chain_id} height {self.height} round {self.round} for {self.block_id.hash.hex() or 'nil'}"
        )


@dataclass(frozen=True, slots=True)
class ConsensusProposal:
    """A proposer's offer of a block; `pol_round` is -1 or the round in which it was seen locked."""

    chain_id: str
    height: int
    round: int
    pol_round: int
    block_id: BlockId
    timestamp_ns: int

    kind = DocumentKind.CONSENSUS_PROPOSAL
    hashing = Hashing.SHA256

    @property
    def preimage(self) -> bytes:
        """The canonical proposal, length-delimited (cometbft types/canonical.go)."""
        return proposal_sign_bytes(
            self.chain_id, self.height, self.round, self.pol_round, self.block_id, self.timestamp_ns
        )

    @property
    def digest(self) -> bytes:
        """SHA-256 of `preimage`, as of a vote."""
        return sha256(self.preimage)

    @property
    def summary(self) -> str:
        """See `SigningDocument`."""
        return f"proposal on {self.chain_id} height {self.height} round {self.round} of {self.block_id.hash.hex()}"


@dataclass(frozen=True, slots=True)
class ConsensusSkip:
    """That a block of the hub counts as empty (docs/spec/hub-skip.md)."""

    statement: SkipStatement

    kind = DocumentKind.CONSENSUS_SKIP
    hashing = Hashing.SHA256

    @property
    def preimage(self) -> bytes:
        """The statement with its prefix, which no vote, proposal or transaction begins with."""
        return sign_bytes(self.statement)

    @property
    def digest(self) -> bytes:
        """SHA-256 of `preimage`."""
        return sha256(self.preimage)

    @property
    def summary(self) -> str:
        """See `SigningDocument`."""
        return f"skip of {self.statement}"


@dataclass(frozen=True, slots=True)
class ConsensusVoteExtension:
    """What an application adds to a precommit, or nothing: CometBFT 0.38 wants it signed with every precommit for a block.

    It decides nothing, so that it is signed as often as it is asked for.
    """

    chain_id: str
    height: int
    round: int
    extension: bytes

    kind = DocumentKind.CONSENSUS_VOTE_EXTENSION
    hashing = Hashing.SHA256

    @property
    def preimage(self) -> bytes:
        """The canonical extension, length-delimited (cometbft types/canonical.go)."""
        canonical = privval_pb2.CanonicalVoteExtension(
            extension=self.extension, height=self.height, round=self.round, chain_id=self.chain_id
        )
        encoded = canonical.SerializeToString(deterministic=True)
        return varint(len(encoded)) + encoded

    @property
    def digest(self) -> bytes:
        """SHA-256 of `preimage`, as of a vote."""
        return sha256(self.preimage)

    @property
    def summary(self) -> str:
        """See `SigningDocument`."""
        return (
            f"vote extension on {self.chain_id} height {self.height} round {self.round} of {len(self.extension)} bytes"
        )


def parse_consensus(preimage: bytes) -> ConsensusVote | ConsensusProposal:
    """The vote or proposal of which these are the sign bytes: at most MAX_SIGN_BYTES, in their one encoding.

    Raises:
        ForeignDocument: they are of neither.
    """
    start = next((at + 1 for at, byte in enumerate(preimage[:2]) if byte < 0x80), 0)
    try:
        if len(preimage) > MAX_SIGN_BYTES:
            raise ForeignDocument(f"more than {MAX_SIGN_BYTES} bytes are neither a vote nor a proposal")
        found = _parsed(preimage[start:])
    except (DecodeError, ValueError):
        raise ForeignDocument("the bytes are neither a vote nor a proposal") from None
    if found.preimage != preimage:
        raise ForeignDocument("the bytes are not the one encoding of a vote or proposal")
    return found


def _parsed(canonical: bytes) -> ConsensusVote | ConsensusProposal:
    if not canonical.startswith(varint_field(1, SignedMessageType.PROPOSAL)):
        vote = cometbft_pb2.CanonicalVote.FromString(canonical)
        kind = SignedMessageType(vote.type)
        return ConsensusVote(
            vote.chain_id, kind, vote.height, vote.round, _block_id(vote.block_id), _time_ns(vote.timestamp)
        )
    proposal = cometbft_pb2.CanonicalProposal.FromString(canonical)
    return ConsensusProposal(
        proposal.chain_id,
        proposal.height,
        proposal.round,
        proposal.pol_round,
        _block_id(proposal.block_id),
        _time_ns(proposal.timestamp),
    )


def _block_id(message: cometbft_pb2.CanonicalBlockID) -> BlockId:
    return BlockId(message.hash, PartSetHeader(message.part_set_header.total, message.part_set_header.hash))


def _time_ns(timestamp: Timestamp) -> int:
    return timestamp.seconds * NANOSECONDS_PER_SECOND + timestamp.nanos
