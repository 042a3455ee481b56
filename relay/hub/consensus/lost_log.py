"""A height that a validator signed in and whose log is gone: what it may still sign there.

It may have been locked, and what others voted is forgotten. Among others it therefore only listens until the height is over.

Nobody else can wait for the height to be over where one key has more than two thirds of the power: nothing is decided without
it. It also needs nobody's lock but its own, and of that the last-signed record tells: a precommit of such a key for a block is
the block's decision, so that it signed in no later round of that height. Where the newest signatures hold no precommit for a
block, nothing was decided, and it goes on in the next round as if it had none. Where they hold one, that block is the height's:
it signs nothing any more, counts its signatures again, and commits the block once its own copy or a peer's is there.
"""

from dataclasses import dataclass, replace

from google.protobuf.message import DecodeError

from hutong.light_clients.protobuf import cometbft_pb2
from hutong.light_clients.tendermint.types import BlockId, PartSetHeader, SignedMessageType, ValidatorSet
from hutong.relay.hub.consensus.signing import LastSigned, Signed
from hutong.relay.hub.consensus.types import NIL, Step, Vote
from hutong.relay.hub.consensus.votes import above_two_thirds, vote_bytes

_VOTE_TYPES = {Step.PREVOTE: SignedMessageType.PREVOTE, Step.PRECOMMIT: SignedMessageType.PRECOMMIT}


@dataclass(frozen=True, slots=True)
class WithoutLog:
    """`votes` are this validator's own, from the record, of a block that it decided."""

    round: int
    signs: bool
    votes: tuple[Vote, ...] = ()


def without_log(record: LastSigned, chain_id: str, validators: ValidatorSet, address: bytes) -> WithoutLog:
    """How a validator begins a height that it signed in, where no log explains `record`.

    `validators` is the set that decides the record's height, `address` (20 bytes) the validator's own.
    """
    index, power = next(
        ((i, item.voting_power) for i, item in enumerate(validators.validators) if item.address == address), (0, 0)
    )
    if not above_two_thirds(power, validators.total_voting_power):
        return WithoutLog(record.round, signs=False)
    found = [_vote(record, entry, chain_id, index, address) for entry in record.signed if entry.step in _VOTE_TYPES]
    if record.at(Step.PRECOMMIT) is None or any(vote is not None and _is_nil_precommit(vote) for vote in found):
        return WithoutLog(record.round + 1, signs=True)
    return WithoutLog(record.round, signs=False, votes=tuple(vote for vote in found if vote is not None))


def _is_nil_precommit(vote: Vote) -> bool:
    return vote.message_type is SignedMessageType.PRECOMMIT and vote.block_id == NIL


def _vote(record: LastSigned, entry: Signed, chain_id: str, index: int, address: bytes) -> Vote | None:
    """None where the bytes on record are no such vote, or were only asked of a key elsewhere, without an answer: then it is
    held to be for a block that nobody knows.
    """
    if not entry.signature:
        return None
    message_type = _VOTE_TYPES[entry.step]
    blank = Vote(message_type, record.height, record.round, NIL, entry.timestamp_ns, index, address, entry.signature)
    vote = replace(blank, block_id=_block_id(entry.sign_bytes))
    return vote if vote_bytes(chain_id, vote) == entry.sign_bytes else None


def _block_id(sign_bytes: bytes) -> BlockId:
    """Of a length-delimited CanonicalVote; NIL where there is none."""
    start = next((at + 1 for at, byte in enumerate(sign_bytes[:3]) if byte < 0x80), 0)
    try:
        message = cometbft_pb2.CanonicalVote.FromString(sign_bytes[start:])
    except DecodeError:
        return NIL
    if not message.HasField("block_id"):
        return NIL
    parts = message.block_id.part_set_header
    return BlockId(message.block_id.hash, PartSetHeader(parts.total, parts.hash))
