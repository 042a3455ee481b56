"""Where a `Feed` contract keeps a round, and what the word there says (docs/spec/feeds.md)."""

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.feeds.types import Round
from hutong.light_clients.interface import MalformedInput

WORD_BYTES = 32
_ROUNDS_SLOT = 0


def round_slot(feed: bytes) -> bytes:
    """The 32-byte storage slot of a feed's newest round.

    Args:
        feed: id of the feed, 32 bytes.
    """
    return keccak256(feed + _ROUNDS_SLOT.to_bytes(WORD_BYTES, "big"))


def encode_round(stands: Round) -> bytes:
    """The word: count (uint64), time (uint64), value (int128), big-endian from the highest bits on."""
    return (
        stands.count.to_bytes(8, "big")
        + stands.time_s.to_bytes(8, "big")
        + stands.value.to_bytes(16, "big", signed=True)
    )


def decode_round(word: bytes) -> Round | None:
    """The round that a word of storage says; None where it is zero, because no round was ever pushed.

    Raises:
        MalformedInput: not 32 bytes, or a round that the contract never stores.
    """
    if len(word) != WORD_BYTES:
        raise MalformedInput("round", f"{WORD_BYTES} bytes", got=word)
    if word == bytes(WORD_BYTES):
        return None
    count, time_s, value = word[:8], word[8:16], word[16:]
    return Round(int.from_bytes(value, "big", signed=True), int.from_bytes(time_s, "big"), int.from_bytes(count, "big"))
