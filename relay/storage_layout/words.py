"""Words of slots as nodes and people write them: an `eth_getProof` answer, or an object of slots and words.

They are taken as they stand: `hutong verify eip1186` judges a proof.
"""

import re
from collections.abc import Iterable, Mapping

from hutong.light_clients.interface.document import Document
from hutong.relay.storage_layout.slots import Place
from hutong.relay.storage_layout.types import ALL_SLOTS, WORD_BYTES

MAX_WORDS_BYTES = 16 * 1024 * 1024
"""An answer with proofs of some thousand slots."""
MAX_WORDS = 65_536
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_SLOT = re.compile(r"0x[0-9a-fA-F]{1,64}|0|[1-9][0-9]{0,77}")


def read_words(data: bytes) -> dict[int, bytes]:
    """Slot → its 32 bytes, of an `eth_getProof` answer (bare or in its JSON-RPC envelope) or of `{slot: word}`.

    Slots are decimal or 0x, words 0x with up to 64 digits: leading zeros may be absent.

    Raises:
        MalformedInput: it is neither, is longer than MAX_WORDS_BYTES or MAX_WORDS, or names a slot twice.
    """
    document = Document.parse(data, "words", MAX_WORDS_BYTES)
    fields = document.members()
    if "result" in fields:
        document = fields["result"]
        fields = document.members()
    if "storageProof" in fields:
        entries = [entry.members() for entry in fields["storageProof"].items(MAX_WORDS)]
        pairs = [(entry["key"], entry["value"]) for entry in entries]
    else:
        pairs = document.entries(MAX_WORDS)
    words: dict[int, bytes] = {}
    for key, value in pairs:
        slot = slot_of(key)
        if slot in words:
            raise value.refused("names a slot for the second time", got=hex(slot))
        words[slot] = word_of(value)
    return words


def slot_of(document: Document) -> int:
    """A slot, decimal or 0x.

    Raises:
        MalformedInput: it is neither, or not below 2^256.
    """
    text = document.matching(_SLOT, "a slot, decimal or 0x")
    slot = int(text, 16 if text.startswith("0x") else 10)
    if slot >= ALL_SLOTS:
        raise document.refused("a slot is below 2^256", got=text)
    return slot


def word_of(document: Document) -> bytes:
    """A word of 32 bytes, 0x and up to 64 hex digits.

    Raises:
        MalformedInput: it is not.
    """
    text = document.matching(_QUANTITY, "a word, 0x and 1 to 64 hex digits")
    return int(text, 16).to_bytes(WORD_BYTES, "big")


def words_of(place: Place, given: Iterable[str], known: Mapping[int, bytes]) -> dict[int, bytes]:
    """Words by slot: those that are known, and those of texts.

    Args:
        given: SLOT=WORD, or WORD alone where the place takes one slot.

    Raises:
        MalformedInput: a text is neither, or names a slot that has a word already.
    """
    words = dict(known)
    for text in given:
        slot_text, equals, word = text.rpartition("=")
        option = Document(text, "--word")
        if not equals and place.slot_count > 1:
            raise option.refused(f"{place.path} takes {place.slot_count} slots: write SLOT=WORD")
        slot = slot_of(Document(slot_text, "--word")) if equals else place.slot
        if slot in words:
            raise option.refused("names a slot for the second time", got=hex(slot))
        words[slot] = word_of(Document(word, "--word"))
    return words
