"""Proof files: an entry, and its way to a root that a publisher anchored (docs/spec/anchors.md)."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.crypto import ADDRESS_BYTES
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document, HexForm
from hutong.light_clients.proofs import merkle

PROOF_FORMAT = "hutong-anchor-proof"
PROOF_VERSION = 1
MAX_ENTRY_BYTES = 64 * 1024
"""Of a larger document its hash is anchored."""
MAX_PROOF_FILE_BYTES = 128 * 1024
MAX_COUNT = 2**63 - 1
MAX_SIBLINGS = 63
MAX_INDEX = 2**53 - 1
"""Of an anchor in a publisher's list: what every reader of JSON keeps exactly."""


@dataclass(frozen=True, slots=True)
class AnchorPlace:
    """Item `index` of the list that `contract` keeps for `publisher`, 20 bytes each."""

    contract: bytes
    publisher: bytes
    index: int


@dataclass(frozen=True, slots=True)
class AnchoredEntry:
    """An entry's bytes, the root that it is said to be under, and the path between them."""

    place: AnchorPlace
    entry: bytes
    root: bytes
    proof: merkle.MerkleProof


def prove_entry(place: AnchorPlace, entries: Sequence[bytes], index: int) -> AnchoredEntry:
    """For publishers, which have every entry of the window in its order.

    Raises:
        IndexError: there is no such entry.
    """
    return AnchoredEntry(place, entries[index], merkle.root(entries), merkle.prove(entries, index))


def encode_anchored_entry(shown: AnchoredEntry) -> bytes:
    """Canonical JSON with a final line break. Nothing is checked; what is out of bounds is refused when it is read."""
    document = {
        "format": PROOF_FORMAT,
        "version": PROOF_VERSION,
        "contract": _hex(shown.place.contract),
        "publisher": _hex(shown.place.publisher),
        "anchor": shown.place.index,
        "root": _hex(shown.root),
        "count": shown.proof.total,
        "entry": b64encode(shown.entry).decode(),
        "index": shown.proof.index,
        "siblings": [_hex(sibling) for sibling in shown.proof.aunts],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def decode_anchored_entry(data: bytes) -> AnchoredEntry:
    """Inverse of `encode_anchored_entry`; nothing is verified here.

    Raises:
        MalformedInput: anything else than its canonical bytes, or a value out of bounds.
    """
    document = Document.parse(data, "proof", MAX_PROOF_FILE_BYTES)
    with document.of_format("a proof of an anchored entry", PROOF_FORMAT, PROOF_VERSION) as fields:
        entry = fields["entry"].base64(MAX_ENTRY_BYTES)
        shown = AnchoredEntry(
            AnchorPlace(
                fields["contract"].hex(ADDRESS_BYTES, HexForm.PREFIXED),
                fields["publisher"].hex(ADDRESS_BYTES, HexForm.PREFIXED),
                fields["anchor"].integer(0, MAX_INDEX),
            ),
            entry,
            fields["root"].hex(HASH_BYTES, HexForm.PREFIXED),
            merkle.MerkleProof(
                fields["count"].integer(1, MAX_COUNT),
                fields["index"].integer(0, MAX_COUNT),
                merkle.leaf_hash(entry),
                tuple(one.hex(HASH_BYTES, HexForm.PREFIXED) for one in fields["siblings"].items(MAX_SIBLINGS)),
            ),
        )
    if encode_anchored_entry(shown) != data:
        raise MalformedInput("proof", "is not the canonical encoding")
    return shown


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
