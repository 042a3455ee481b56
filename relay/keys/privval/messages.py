"""What node and signer say to each other, parsed at the border and bounded; the documents are those that keys sign.

Source: cometbft v0.38 proto/tendermint/privval/types.proto, privval/msgs.go.
"""

from dataclasses import dataclass
from typing import TypeAlias

from google.protobuf.message import DecodeError

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, MalformedInput
from hutong.light_clients.protobuf import cometbft_pb2, privval_pb2
from hutong.light_clients.tendermint.types import (
    MAX_INT64,
    BlockId,
    KeyType,
    PartSetHeader,
    PublicKey,
    SignedMessageType,
)
from hutong.relay.keys.documents import ConsensusProposal, ConsensusVote

MAX_MESSAGE_BYTES = 10 * 1024
"""CometBFT reads no longer one from either end (privval/signer_endpoint.go)."""
MAX_CHAIN_ID_CHARS = 50
"""types.MaxChainIDLen."""
MAX_DESCRIPTION_CHARS = 300
"""Of a refusal as it is shown; what a signer says beyond that is cut."""
SIGNATURE_BYTES = 64
_ADDRESS_BYTES, _HASH_BYTES = 20, 32
_VOTES = (SignedMessageType.PREVOTE, SignedMessageType.PRECOMMIT)


@dataclass(frozen=True, slots=True)
class KeyRequest:
    chain_id: str


@dataclass(frozen=True, slots=True)
class VoteRequest:
    """`validator_address` (20 bytes or none) and `validator_index` are not signed; `extension` is the application's."""

    document: ConsensusVote
    validator_address: bytes = b""
    validator_index: int = 0
    extension: bytes = b""


@dataclass(frozen=True, slots=True)
class ProposalRequest:
    document: ConsensusProposal


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a sign of life."""


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    public_key: PublicKey


@dataclass(frozen=True, slots=True)
class SignedVote:
    """`request` as it was signed: its time may be that of an earlier signature for the same vote."""

    request: VoteRequest
    signature: bytes
    extension_signature: bytes = b""


@dataclass(frozen=True, slots=True)
class SignedProposal:
    """As `SignedVote`."""

    request: ProposalRequest
    signature: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """A sign of life."""


@dataclass(frozen=True, slots=True)
class RefusedKey:
    reason: str


@dataclass(frozen=True, slots=True)
class RefusedVote:
    reason: str


@dataclass(frozen=True, slots=True)
class RefusedProposal:
    reason: str


Request: TypeAlias = KeyRequest | VoteRequest | ProposalRequest | Ping
Answer: TypeAlias = KeyAnswer | SignedVote | SignedProposal | Pong | RefusedKey | RefusedVote | RefusedProposal


def encode(message: Request | Answer) -> bytes:
    """The protobuf `Message`, without its length."""
    made = privval_pb2.Message()
    match message:
        case KeyRequest(chain_id):
            made.pub_key_request.chain_id = chain_id
        case VoteRequest():
            made.sign_vote_request.CopyFrom(
                privval_pb2.SignVoteRequest(vote=_vote_message(message), chain_id=message.document.chain_id)
            )
        case ProposalRequest():
            made.sign_proposal_request.CopyFrom(
                privval_pb2.SignProposalRequest(proposal=_proposal_message(message), chain_id=message.document.chain_id)
            )
        case Ping():
            made.ping_request.SetInParent()
        case Pong():
            made.ping_response.SetInParent()
        case KeyAnswer(key):
            made.pub_key_response.pub_key.CopyFrom(_key_message(key))
        case SignedVote():
            vote = _vote_message(message.request)
            vote.signature, vote.extension_signature = message.signature, message.extension_signature
            made.signed_vote_response.vote.CopyFrom(vote)
        case SignedProposal():
            proposal = _proposal_message(message.request)
            proposal.signature = message.signature
            made.signed_proposal_response.proposal.CopyFrom(proposal)
        case RefusedKey(reason):
            made.pub_key_response.CopyFrom(
                privval_pb2.PubKeyResponse(pub_key=cometbft_pb2.PublicKey(), error=_error(reason))
            )
        case RefusedVote(reason):
            made.signed_vote_response.CopyFrom(
                privval_pb2.SignedVoteResponse(vote=privval_pb2.Vote(), error=_error(reason))
            )
        case RefusedProposal(reason):
            made.signed_proposal_response.CopyFrom(
                privval_pb2.SignedProposalResponse(proposal=privval_pb2.Proposal(), error=_error(reason))
            )
    return made.SerializeToString(deterministic=True)


def parse_request(data: bytes) -> Request:
    """What a node asks of a signer.

    Raises:
        MalformedInput: longer than MAX_MESSAGE_BYTES, not protobuf, no request, or with a field out of bounds.
    """
    message = _message(data)
    match message.WhichOneof("sum"):
        case "pub_key_request":
            return KeyRequest(_chain_id(message.pub_key_request.chain_id))
        case "sign_vote_request":
            asked = message.sign_vote_request
            return _vote(asked.vote, _chain_id(asked.chain_id))
        case "sign_proposal_request":
            wanted = message.sign_proposal_request
            return ProposalRequest(_proposal(wanted.proposal, _chain_id(wanted.chain_id)))
        case "ping_request":
            return Ping()
        case other:
            raise MalformedInput("privval.request", "asks for nothing that a signer does", got=other)


def parse_answer(data: bytes, chain_id: str) -> Answer:
    """What a signer answers about `chain_id`, which its votes and proposals do not say. Signatures are not verified.

    Raises:
        MalformedInput: as `parse_request`.
    """
    message = _message(data)
    match message.WhichOneof("sum"):
        case "pub_key_response":
            key = message.pub_key_response
            return RefusedKey(_reason(key.error)) if key.HasField("error") else KeyAnswer(_key(key.pub_key))
        case "signed_vote_response":
            vote = message.signed_vote_response
            if vote.HasField("error"):
                return RefusedVote(_reason(vote.error))
            return SignedVote(
                _vote(vote.vote, chain_id), _signature(vote.vote.signature), vote.vote.extension_signature
            )
        case "signed_proposal_response":
            made = message.signed_proposal_response
            if made.HasField("error"):
                return RefusedProposal(_reason(made.error))
            proposal = ProposalRequest(_proposal(made.proposal, chain_id))
            return SignedProposal(proposal, _signature(made.proposal.signature))
        case "ping_response":
            return Pong()
        case other:
            raise MalformedInput("privval.answer", "is nothing that a signer answers", got=other)


def _message(data: bytes) -> privval_pb2.Message:
    if len(data) > MAX_MESSAGE_BYTES:
        raise MalformedInput("privval.message", "is too long", got=len(data), expected=MAX_MESSAGE_BYTES)
    try:
        return privval_pb2.Message.FromString(data)
    except (DecodeError, RecursionError) as error:
        raise MalformedInput("privval.message", "is not protobuf") from error


def _error(reason: str) -> privval_pb2.RemoteSignerError:
    return privval_pb2.RemoteSignerError(description=reason[:MAX_DESCRIPTION_CHARS])


def _reason(error: privval_pb2.RemoteSignerError) -> str:
    text = "".join(one if one.isprintable() else "?" for one in error.description[:MAX_DESCRIPTION_CHARS])
    return text or f"error {error.code}"


def _vote_message(request: VoteRequest) -> privval_pb2.Vote:
    document = request.document
    vote = privval_pb2.Vote(
        type=document.message_type,
        height=document.height,
        round=document.round,
        block_id=_block_id_message(document.block_id),
        validator_address=request.validator_address,
        validator_index=request.validator_index,
        extension=request.extension,
    )
    _set_time(vote, document.timestamp_ns)
    return vote


def _proposal_message(request: ProposalRequest) -> privval_pb2.Proposal:
    document = request.document
    proposal = privval_pb2.Proposal(
        type=SignedMessageType.PROPOSAL,
        height=document.height,
        round=document.round,
        pol_round=document.pol_round,
        block_id=_block_id_message(document.block_id),
    )
    _set_time(proposal, document.timestamp_ns)
    return proposal


def _set_time(message: privval_pb2.Vote | privval_pb2.Proposal, time_ns: int) -> None:
    """Present also where it is zero, as every non-nullable member that Go writes."""
    message.timestamp.SetInParent()
    message.timestamp.seconds, message.timestamp.nanos = divmod(time_ns, NANOSECONDS_PER_SECOND)


def _block_id_message(block_id: BlockId) -> cometbft_pb2.BlockID:
    parts = block_id.part_set_header
    return cometbft_pb2.BlockID(
        hash=block_id.hash, part_set_header=cometbft_pb2.PartSetHeader(total=parts.total, hash=parts.hash)
    )


def _key_message(key: PublicKey) -> cometbft_pb2.PublicKey:
    if key.key_type is KeyType.ED25519:
        return cometbft_pb2.PublicKey(ed25519=key.data)
    return cometbft_pb2.PublicKey(secp256k1=key.data)


def _key(message: cometbft_pb2.PublicKey) -> PublicKey:
    kind = message.WhichOneof("sum")
    if kind == "secp256k1":
        return PublicKey(KeyType.SECP256K1, _bounded(message.secp256k1, "pub_key", 33))
    if kind == "ed25519":
        return PublicKey(KeyType.ED25519, _bounded(message.ed25519, "pub_key", 32))
    raise MalformedInput("privval.pub_key", "is in no form of CometBFT 0.38 (1.0 has another)")


def _vote(message: privval_pb2.Vote, chain_id: str) -> VoteRequest:
    if message.type not in _VOTES:
        raise MalformedInput("privval.vote.type", "is neither a prevote nor a precommit", got=message.type)
    document = ConsensusVote(
        chain_id,
        SignedMessageType(message.type),
        _within(message.height, "height", 1),
        _within(message.round, "round", 0),
        _block_id(message.block_id),
        _time_ns(message),
    )
    return VoteRequest(
        document,
        _bounded(message.validator_address, "validator_address", _ADDRESS_BYTES, 0),
        _within(message.validator_index, "validator_index", 0),
        message.extension,
    )


def _proposal(message: privval_pb2.Proposal, chain_id: str) -> ConsensusProposal:
    if message.type != SignedMessageType.PROPOSAL:
        raise MalformedInput("privval.proposal.type", "is not of a proposal", got=message.type)
    return ConsensusProposal(
        chain_id,
        _within(message.height, "height", 1),
        _within(message.round, "round", 0),
        _within(message.pol_round, "pol_round", -1),
        _block_id(message.block_id),
        _time_ns(message),
    )


def _block_id(message: cometbft_pb2.BlockID) -> BlockId:
    parts = message.part_set_header
    return BlockId(
        _bounded(message.hash, "block_id.hash", _HASH_BYTES, 0),
        PartSetHeader(parts.total, _bounded(parts.hash, "block_id.parts.hash", _HASH_BYTES, 0)),
    )


def _time_ns(message: privval_pb2.Vote | privval_pb2.Proposal) -> int:
    time = message.timestamp
    if not 0 <= time.nanos < NANOSECONDS_PER_SECOND:
        raise MalformedInput("privval.timestamp", "is no time", got=time.nanos)
    return _within(time.seconds * NANOSECONDS_PER_SECOND + time.nanos, "timestamp", 0)


def _chain_id(text: str) -> str:
    if not 0 < len(text) <= MAX_CHAIN_ID_CHARS or not text.isprintable():
        raise MalformedInput("privval.chain_id", f"is not 1 to {MAX_CHAIN_ID_CHARS} printable characters")
    return text


def _signature(data: bytes) -> bytes:
    return _bounded(data, "signature", SIGNATURE_BYTES)


def _within(number: int, field: str, least: int) -> int:
    if not least <= number <= MAX_INT64:
        raise MalformedInput(f"privval.{field}", "is out of bounds", got=number)
    return number


def _bounded(data: bytes, field: str, *lengths: int) -> bytes:
    if len(data) not in lengths:
        raise MalformedInput(f"privval.{field}", "has another length", got=len(data), expected=lengths[0])
    return data
