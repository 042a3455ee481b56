"""Messages as bytes: fixed-width big-endian fields, length-prefixed bytes, one encoding a value, a size bound a kind."""

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.codec import decode_commit, encode_commit
from hutong.light_clients.tendermint.skip_certificate import (
    MAX_CERTIFICATE_BYTES,
    decode_certificate,
    encode_certificate,
)
from hutong.light_clients.tendermint.types import BlockId, PartSetHeader, SignedMessageType
from hutong.relay.evm.vm.transaction import MAX_TRANSACTION_BYTES
from hutong.relay.hub.application.validators import MAX_VALIDATORS
from hutong.relay.hub.consensus.blocks import MAX_BLOCK_BYTES
from hutong.relay.hub.consensus.types import NIL, Proposal, Step, Vote
from hutong.relay.hub.network.link.messages import (
    BlocksRequest,
    CommittedBlock,
    Hello,
    Message,
    ProposalMessage,
    RoundVotes,
    SkipMessage,
    Status,
    Transactions,
    VoteMessage,
)

MAX_HEIGHT = 2**63 - 1
MAX_ROUND = 2**31 - 1
MAX_ROUNDS_IN_STATUS = 8
MAX_BLOCKS_ASKED = 8
MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""The block that passes it is an answer's last, as both ends know: who asked asks again for the rest."""
MAX_TRANSACTIONS_IN_MESSAGE = 512
MAX_COMMIT_BYTES = 64 * 1024
_BITMAP_BYTES = (MAX_VALIDATORS + 7) // 8


class Kind(IntEnum):
    HELLO = 1
    STATUS = 2
    VOTE = 3
    PROPOSAL = 4
    BLOCKS_REQUEST = 5
    COMMITTED_BLOCK = 6
    TRANSACTIONS = 7
    SKIP = 8


MAX_BYTES = {
    Kind.HELLO: 256,
    Kind.STATUS: 13 + 1 + MAX_ROUNDS_IN_STATUS * (5 + 2 * _BITMAP_BYTES),
    Kind.VOTE: 256,
    Kind.PROPOSAL: 256 + MAX_BLOCK_BYTES,
    Kind.BLOCKS_REQUEST: 9,
    Kind.COMMITTED_BLOCK: 32 + MAX_COMMIT_BYTES + MAX_BLOCK_BYTES,
    Kind.TRANSACTIONS: 2 + 2 * (4 + MAX_TRANSACTION_BYTES),
    Kind.SKIP: MAX_CERTIFICATE_BYTES,
}
"""Of the payload after the frame's head."""


class _Reader:
    def __init__(self, data: bytes, kind: Kind) -> None:
        self._data = data
        self._at = 0
        self._field = kind.name.lower()

    def take(self, size: int) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise MalformedInput(self._field, "ends too early", got=len(self._data))
        self._at += size
        return part

    def integer(self, size: int, most: int) -> int:
        value = int.from_bytes(self.take(size), "big")
        if value > most:
            raise MalformedInput(self._field, f"a number of at most {most}", got=value)
        return value

    def height(self) -> int:
        return self.integer(8, MAX_HEIGHT)

    def round(self) -> int:
        return self.integer(4, MAX_ROUND)

    def flag(self) -> bool:
        return self.integer(1, 1) == 1

    def sized(self, most: int, least: int = 0) -> bytes:
        size = self.integer(4, most)
        if size < least:
            raise MalformedInput(self._field, f"at least {least} bytes", got=size)
        return self.take(size)

    def rest_is_empty(self) -> None:
        if self._at != len(self._data):
            raise MalformedInput(self._field, "has bytes after its end", got=len(self._data) - self._at)


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _block_id(block_id: BlockId) -> bytes:
    if block_id == NIL:
        return b"\x00"
    return b"\x01" + block_id.hash + struct.pack(">I", block_id.part_set_header.total) + block_id.part_set_header.hash


def _read_block_id(reader: _Reader) -> BlockId:
    if not reader.flag():
        return NIL
    return BlockId(reader.take(32), PartSetHeader(reader.integer(4, 2**16), reader.take(32)))


def _vote(message: VoteMessage) -> bytes:
    vote = message.vote
    return (
        struct.pack(">BQIqH", vote.message_type, vote.height, vote.round, vote.timestamp_ns, vote.validator_index)
        + vote.validator_address
        + _block_id(vote.block_id)
        + vote.signature
    )


_VOTE_TYPES = {int(kind): kind for kind in (SignedMessageType.PREVOTE, SignedMessageType.PRECOMMIT)}


def _read_vote(reader: _Reader) -> VoteMessage:
    message_type = _VOTE_TYPES.get(reader.integer(1, 255))
    if message_type is None:
        raise MalformedInput("vote", "is neither prevote nor precommit")
    height, round_, timestamp_ns = reader.height(), reader.round(), reader.integer(8, MAX_HEIGHT)
    index, address = reader.integer(2, MAX_VALIDATORS - 1), reader.take(20)
    block_id = _read_block_id(reader)
    return VoteMessage(Vote(message_type, height, round_, block_id, timestamp_ns, index, address, reader.take(64)))


def encode_proposal(proposal: Proposal) -> bytes:
    """The proposal without its block: numbers big-endian, block id, 64 bytes of signature."""
    return (
        struct.pack(">QIIq", proposal.height, proposal.round, proposal.pol_round + 1, proposal.timestamp_ns)
        + _block_id(proposal.block_id)
        + proposal.signature
    )


def decode_proposal(data: bytes) -> Proposal:
    """Inverse of `encode_proposal`; the signature is not verified.

    Raises:
        MalformedInput: the bytes are anything that `encode_proposal` would not write.
    """
    reader = _Reader(data, Kind.PROPOSAL)
    proposal = _read_proposal_alone(reader)
    reader.rest_is_empty()
    return proposal


def _proposal(message: ProposalMessage) -> bytes:
    return encode_proposal(message.proposal) + message.block


def _read_proposal_alone(reader: _Reader) -> Proposal:
    height, round_, pol_round = reader.height(), reader.round(), reader.round() - 1
    timestamp_ns, block_id = reader.integer(8, MAX_HEIGHT), _read_block_id(reader)
    return Proposal(height, round_, pol_round, block_id, timestamp_ns, reader.take(64))


def _read_proposal(reader: _Reader) -> ProposalMessage:
    proposal = _read_proposal_alone(reader)
    block = reader.take(len(reader._data) - reader._at)
    if proposal.block_id == NIL or not block or len(block) > MAX_BLOCK_BYTES:
        raise MalformedInput("proposal", f"is for a block of 1 to {MAX_BLOCK_BYTES} bytes", got=len(block))
    return ProposalMessage(proposal, block)


def _status(status: Status) -> bytes:
    rounds = b"".join(
        struct.pack(">IB", entry.round, entry.has_block)
        + entry.prevotes.to_bytes(_BITMAP_BYTES, "big")
        + entry.precommits.to_bytes(_BITMAP_BYTES, "big")
        for entry in status.rounds
    )
    return struct.pack(">QIBB", status.height, status.round, status.step, len(status.rounds)) + rounds


def _read_status(reader: _Reader) -> Status:
    height, round_, step = reader.height(), reader.round(), Step(reader.integer(1, max(Step)))
    rounds = tuple(
        RoundVotes(
            reader.round(),
            reader.flag(),
            reader.integer(_BITMAP_BYTES, 2**MAX_VALIDATORS - 1),
            reader.integer(_BITMAP_BYTES, 2**MAX_VALIDATORS - 1),
        )
        for _ in range(reader.integer(1, MAX_ROUNDS_IN_STATUS))
    )
    return Status(height, round_, step, rounds)


def _hello(hello: Hello) -> bytes:
    chain_id = hello.chain_id.encode()
    return (
        struct.pack(">HQ", hello.version, hello.height)
        + hello.genesis_hash
        + hello.consensus_address
        + bytes((len(chain_id),))
        + chain_id
    )


def _read_hello(reader: _Reader) -> Hello:
    version, height = reader.integer(2, 2**16 - 1), reader.height()
    genesis_hash, address = reader.take(32), reader.take(20)
    try:
        chain_id = reader.take(reader.integer(1, 50)).decode("ascii")
    except UnicodeDecodeError:
        raise MalformedInput("hello.chain_id", "is not ASCII") from None
    return Hello(version, chain_id, genesis_hash, height, address)


def _blocks_request(request: BlocksRequest) -> bytes:
    return struct.pack(">QB", request.first, request.count)


def _read_blocks_request(reader: _Reader) -> BlocksRequest:
    first, count = reader.height(), reader.integer(1, MAX_BLOCKS_ASKED)
    if first == 0 or count == 0:
        raise MalformedInput("blocks_request", "blocks begin at 1, and at least one is asked for", got=(first, count))
    return BlocksRequest(first, count)


def _committed_block(message: CommittedBlock) -> bytes:
    return struct.pack(">Q", message.height) + _sized(encode_commit(message.commit)) + _sized(message.block)


def _read_committed_block(reader: _Reader) -> CommittedBlock:
    height, commit = reader.height(), decode_commit(reader.sized(MAX_COMMIT_BYTES, 1))
    return CommittedBlock(height, commit, reader.sized(MAX_BLOCK_BYTES, 1))


def _transactions(message: Transactions) -> bytes:
    return struct.pack(">H", len(message.raw)) + b"".join(_sized(raw) for raw in message.raw)


def _read_transactions(reader: _Reader) -> Transactions:
    count = reader.integer(2, MAX_TRANSACTIONS_IN_MESSAGE)
    return Transactions(tuple(reader.sized(MAX_TRANSACTION_BYTES, 1) for _ in range(count)))


def _skip(message: SkipMessage) -> bytes:
    return encode_certificate(message.certificate)


def _read_skip(reader: _Reader) -> SkipMessage:
    return SkipMessage(decode_certificate(reader.take(len(reader._data))))


_ENCODE: dict[type, tuple[Kind, Callable[[Any], bytes]]] = {
    Hello: (Kind.HELLO, _hello),
    Status: (Kind.STATUS, _status),
    VoteMessage: (Kind.VOTE, _vote),
    ProposalMessage: (Kind.PROPOSAL, _proposal),
    BlocksRequest: (Kind.BLOCKS_REQUEST, _blocks_request),
    CommittedBlock: (Kind.COMMITTED_BLOCK, _committed_block),
    Transactions: (Kind.TRANSACTIONS, _transactions),
    SkipMessage: (Kind.SKIP, _skip),
}
_DECODE: dict[Kind, Callable[[_Reader], Message]] = {
    Kind.HELLO: _read_hello,
    Kind.STATUS: _read_status,
    Kind.VOTE: _read_vote,
    Kind.PROPOSAL: _read_proposal,
    Kind.BLOCKS_REQUEST: _read_blocks_request,
    Kind.COMMITTED_BLOCK: _read_committed_block,
    Kind.TRANSACTIONS: _read_transactions,
    Kind.SKIP: _read_skip,
}


def encode_message(message: Message) -> tuple[Kind, bytes]:
    """The kind and the payload of a frame.

    Bounds are not checked: `decode_message` refuses what is longer than MAX_BYTES.
    """
    kind, encode = _ENCODE[type(message)]
    return kind, encode(message)


def decode_message(kind: Kind, payload: bytes) -> Message:
    """Inverse of `encode_message`, within MAX_BYTES of the kind. Blocks stay encoded and no signature is verified.

    Raises:
        MalformedInput: the payload is anything that `encode_message` would not write.
    """
    if len(payload) > MAX_BYTES[kind]:
        raise MalformedInput(kind.name.lower(), f"more than {MAX_BYTES[kind]} bytes", got=len(payload))
    reader = _Reader(payload, kind)
    message = _DECODE[kind](reader)
    reader.rest_is_empty()
    return message


def transaction_batches(raw: list[bytes]) -> list[Transactions]:
    """As few messages as hold these raw transactions in their order within bounds, none for none.

    No transaction may be longer than MAX_TRANSACTION_BYTES.
    """
    batches: list[Transactions] = []
    batch: list[bytes] = []
    size = 2
    for transaction in raw:
        needed = 4 + len(transaction)
        if batch and (size + needed > MAX_BYTES[Kind.TRANSACTIONS] or len(batch) == MAX_TRANSACTIONS_IN_MESSAGE):
            batches.append(Transactions(tuple(batch)))
            batch, size = [], 2
        batch.append(transaction)
        size += needed
    return [*batches, Transactions(tuple(batch))] if batch else batches
