"""What a node and its signer say: frames of kind (1 byte), payload length (4 bytes, big-endian), payload; each kind bounded.

Votes and proposals are encoded as among peers, with 64 zero bytes where the signature will be.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.skip_certificate import (
    SkipStatement,
    decode_statement,
    encode_statement,
)
from hutong.light_clients.tendermint.types import KeyType, PublicKey
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.consensus.types import NIL, Proposal, Vote
from hutong.relay.hub.home.last_signed import MAX_RECORD_BYTES, decode_last_signed, encode_last_signed
from hutong.relay.hub.network.link.codec import (
    MAX_HEIGHT,
    decode_message,
    decode_proposal,
    encode_message,
    encode_proposal,
)
from hutong.relay.hub.network.link.codec import Kind as PeerKind
from hutong.relay.hub.network.link.messages import VoteMessage

VERSION = 1
HEAD_BYTES = 5
MAX_CHAIN_ID_BYTES = 50
MAX_REASON_BYTES = 400
NO_SIGNATURE = bytes(64)


class Kind(IntEnum):
    HELLO = 1
    WELCOME = 2
    SIGN_VOTE = 3
    SIGN_PROPOSAL = 4
    SIGNED = 5
    REFUSED = 6
    SIGN_SKIP = 7


MAX_BYTES = {
    Kind.HELLO: 3 + MAX_CHAIN_ID_BYTES,
    Kind.WELCOME: 33 + MAX_RECORD_BYTES,
    Kind.SIGN_VOTE: 256,
    Kind.SIGN_PROPOSAL: 256,
    Kind.SIGNED: 72,
    Kind.REFUSED: 1 + MAX_REASON_BYTES,
    Kind.SIGN_SKIP: 1 + MAX_CHAIN_ID_BYTES + 8 + 2 * HASH_BYTES,
}


class Refusal(IntEnum):
    DOUBLE_SIGN = 1
    """The record forbids this one signature; others may follow."""
    OTHER_CHAIN = 2
    BUSY = 3
    """Another node is connected."""
    MALFORMED = 4
    FAILED = 5
    """The record cannot be written."""


@dataclass(frozen=True, slots=True)
class Hello:
    """First of a node."""

    version: int
    chain_id: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """The signer's answer: its key and what it has signed."""

    public_key: PublicKey
    record: LastSigned


@dataclass(frozen=True, slots=True)
class SignVoteRequest:
    vote: Vote


@dataclass(frozen=True, slots=True)
class SignProposalRequest:
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class SignSkipRequest:
    """That a block counts as empty (docs/spec/hub-skip.md)."""

    statement: SkipStatement


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """The time may be that of an earlier signature for the same; 0 for a skip."""

    timestamp_ns: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    refusal: Refusal
    reason: str


Message = Hello | Welcome | SignVoteRequest | SignProposalRequest | SignSkipRequest | SignedAnswer | Refused


def encode(message: Message) -> bytes:
    """A whole frame; a reason is cut to MAX_REASON_BYTES. Other bounds are not checked."""
    kind, payload = _payload(message)
    return bytes((kind,)) + len(payload).to_bytes(4, "big") + payload


def _payload(message: Message) -> tuple[Kind, bytes]:
    match message:
        case Hello():
            chain_id = message.chain_id.encode()
            return Kind.HELLO, message.version.to_bytes(2, "big") + bytes((len(chain_id),)) + chain_id
        case Welcome():
            return Kind.WELCOME, message.public_key.data + encode_last_signed(message.record)
        case SignVoteRequest():
            _, payload = encode_message(VoteMessage(replace(message.vote, signature=NO_SIGNATURE)))
            return Kind.SIGN_VOTE, payload
        case SignProposalRequest():
            return Kind.SIGN_PROPOSAL, encode_proposal(replace(message.proposal, signature=NO_SIGNATURE))
        case SignSkipRequest():
            return Kind.SIGN_SKIP, encode_statement(message.statement)
        case SignedAnswer():
            return Kind.SIGNED, message.timestamp_ns.to_bytes(8, "big") + message.signature
        case Refused():
            text = message.reason.encode("ascii", "replace")[:MAX_REASON_BYTES]
            return Kind.REFUSED, bytes((message.refusal,)) + text


def parse_head(head: bytes) -> tuple[Kind, int]:
    """Kind and length in bytes of a payload, from the five bytes of a head.

    Raises:
        MalformedInput: an unknown kind, or a length above the kind's bound; nothing of the payload need be read.
    """
    size = int.from_bytes(head[1:], "big")
    try:
        kind = Kind(head[0])
    except ValueError:
        raise MalformedInput("frame.kind", "unknown", got=head[0]) from None
    if size > MAX_BYTES[kind]:
        raise MalformedInput(f"frame.{kind.name.lower()}", f"at most {MAX_BYTES[kind]} bytes", got=size)
    return kind, size


def decode(kind: Kind, payload: bytes) -> Message:
    """Inverse of `encode`. The fields of a vote are within bounds; what they mean is for the record to judge.

    Raises:
        MalformedInput: the payload is anything that `encode` would not write.
    """
    if len(payload) > MAX_BYTES[kind]:
        raise MalformedInput(kind.name.lower(), f"at most {MAX_BYTES[kind]} bytes", got=len(payload))
    match kind:
        case Kind.HELLO:
            return _hello(payload)
        case Kind.WELCOME:
            return _welcome(payload)
        case Kind.SIGN_VOTE:
            return _vote(payload)
        case Kind.SIGN_PROPOSAL:
            return _proposal(payload)
        case Kind.SIGN_SKIP:
            return SignSkipRequest(decode_statement(payload))
        case Kind.SIGNED:
            return _signed(payload)
        case Kind.REFUSED:
            return _refused(payload)


def _hello(payload: bytes) -> Hello:
    text = payload[3:]
    if len(payload) < 4 or payload[2] != len(text) or not text.isascii():
        raise MalformedInput("hello", f"version and a chain id of 1 to {MAX_CHAIN_ID_BYTES} ASCII characters")
    return Hello(int.from_bytes(payload[:2], "big"), text.decode())


def _welcome(payload: bytes) -> Welcome:
    key, record = payload[:33], payload[33:]
    if len(key) != 33 or key[0] not in (2, 3):
        raise MalformedInput("welcome.public_key", "33 bytes, compressed", got=len(payload))
    try:
        welcome = Welcome(PublicKey(KeyType.SECP256K1, key), decode_last_signed(record))
    except ValueError as error:
        raise MalformedInput("welcome.record", str(error)) from None
    if encode_last_signed(welcome.record) != record:
        raise MalformedInput("welcome.record", "is not encoded as a signer encodes it")
    return welcome


def _vote(payload: bytes) -> SignVoteRequest:
    message = decode_message(PeerKind.VOTE, payload)
    assert isinstance(message, VoteMessage)
    if message.vote.signature != NO_SIGNATURE:
        raise MalformedInput("sign_vote.signature", "zeros where the signature will be")
    return SignVoteRequest(replace(message.vote, signature=b""))


def _proposal(payload: bytes) -> SignProposalRequest:
    proposal = decode_proposal(payload)
    if proposal.signature != NO_SIGNATURE:
        raise MalformedInput("sign_proposal.signature", "zeros where the signature will be")
    if proposal.block_id == NIL or proposal.pol_round >= proposal.round:
        raise MalformedInput("sign_proposal", "is for a block, and its lock is of an earlier round")
    return SignProposalRequest(replace(proposal, signature=b""))


def _signed(payload: bytes) -> SignedAnswer:
    timestamp_ns = int.from_bytes(payload[:8], "big")
    if len(payload) != MAX_BYTES[Kind.SIGNED] or timestamp_ns > MAX_HEIGHT:
        raise MalformedInput("signed", "8 bytes of time and 64 of signature", got=len(payload))
    return SignedAnswer(timestamp_ns, payload[8:])


def _refused(payload: bytes) -> Refused:
    text = payload[1:]
    if not payload or not text.isascii():
        raise MalformedInput("refused", "a code and a reason in ASCII")
    try:
        return Refused(Refusal(payload[0]), text.decode())
    except ValueError:
        raise MalformedInput("refused.code", "unknown", got=payload[0]) from None
