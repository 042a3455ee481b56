"""Postings: the sequence numbers of the entries that have a term, in blocks, each in one spelling.

A block holds BLOCK sequence numbers of the log. So a common term's postings are many leaves of a few kilobytes: a fraud is shown with one of
them, and what was in full blocks once never changes.
"""

from collections.abc import Sequence
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput

BLOCK: Final = 8_192
"""Below 2^14, so that a distance takes two bytes at most."""
POSTINGS_DOMAIN: Final = b"hutong/dir/postings/1"
MAX_POSTINGS_BYTES: Final = BLOCK
"""All of a block at one byte each; distances of two bytes leave out more than they cost."""
_LONG: Final = 0x80


def encode_postings(sequences: Sequence[int]) -> bytes:
    """Sequence numbers of one block, ascending, each once: the place of the first one in its block and the distances, as LEB128."""
    coded = bytearray()
    before = sequences[0] - sequences[0] % BLOCK
    for sequence in sequences:
        distance = sequence - before
        if distance < _LONG:
            coded.append(distance)
        else:
            coded += bytes((distance & 0x7F | _LONG, distance >> 7))
        before = sequence
    return bytes(coded)


def decode_postings(coded: bytes, block: int) -> tuple[int, ...]:
    """Sequence numbers of block `block`, ascending; any origin.

    Raises:
        MalformedInput: none, a distance in another spelling or of 0 after the first, or one that leads beyond the block.
    """
    if not 0 < len(coded) <= MAX_POSTINGS_BYTES:
        raise MalformedInput("postings", f"have 1 to {MAX_POSTINGS_BYTES} bytes", got=len(coded))
    found: list[int] = []
    sequence, at = block * BLOCK, 0
    while at < len(coded):
        distance, at = coded[at], at + 1
        if distance & _LONG:
            high = coded[at] if at < len(coded) else 0
            if not 0 < high < _LONG:
                raise MalformedInput("postings", "a distance has one spelling, of two bytes at most", got=high)
            distance, at = distance & 0x7F | high << 7, at + 1
        if found and not distance:
            raise MalformedInput("postings", "a sequence number stands twice", got=sequence)
        sequence += distance
        if sequence >= (block + 1) * BLOCK:
            raise MalformedInput("postings", "a sequence number is of another block", got=sequence, expected=block)
        found.append(sequence)
    return tuple(found)


def postings_hash(coded: bytes) -> bytes:
    """32 bytes, which a leaf of the index holds."""
    return sha256(POSTINGS_DOMAIN + coded)
