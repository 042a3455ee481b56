"""Proofs that an archive's root stands on the hub, and that an entry stands under a root (docs/spec/archive.md)."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.interface import MAX_PROOF_BYTES, Height, MalformedInput
from hutong.light_clients.interface.document import Document, HexForm
from hutong.light_clients.proofs.merkle import MerkleProof, leaf_hash
from hutong.light_clients.proofs.mpt import MAX_NODE_BYTES, MAX_NODES
from hutong.relay.archive.anchored_root import WORD_BYTES, item_slots, word
from hutong.relay.archive.bundle import ChainHeaders, chain_fields, chain_of
from hutong.relay.archive.store.entries import (
    MAX_ENTRY_BYTES,
    BundleEntry,
    FileEntry,
    PruneEntry,
    decode_line,
    encode_entry,
)
from hutong.relay.archive.store.layout import MAX_ENTRIES

ANCHOR_FORMAT = "hutong-archive-anchor"
PROOF_FORMAT = "hutong-archive-proof"
VERSION = 1
MAX_ANCHOR_BYTES = 32 * 1024 * 1024
"""Headers by parent hash from a newer checkpoint down, as in a bundle."""
MAX_PROOF_FILE_BYTES = 16 * 1024
MAX_AUNTS = 63
EVM_STATE_ROOT_KEY = b"evm/stateRoot"
"""Of the hub's tree (docs/spec/hub-state.md)."""
_MAX_UINT64 = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a publisher wrote into the contract: the root over the first `size` entries, at `time_s` of the hub."""

    contract: bytes
    publisher: bytes
    index: int
    size: int
    time_s: int
    root: bytes

    @property
    def slots(self) -> tuple[bytes, bytes]:
        """Where the contract keeps it, two storage slots of 32 bytes: its size and time in one word, its root in the
        next.
        """
        return item_slots(self.publisher, self.index)

    @property
    def words(self) -> tuple[bytes, bytes]:
        """What stands at `slots`, 32 bytes each, big-endian: the first member of a struct has the low bits (Solidity's
        layout).
        """
        return word(self.size | self.time_s << 64), self.root


@dataclass(frozen=True, slots=True)
class AnchorProof:
    """An anchor under the hub's header at `height`: its app hash holds `state_root`, that the account, that both words.

    `chain`: the hub's headers, as in a bundle.
    """

    anchor: Anchor
    chain: ChainHeaders
    height: Height
    state_root: bytes
    state_proof: bytes
    account_proof: tuple[bytes, ...]
    storage_proofs: tuple[tuple[bytes, ...], tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class EntryProof:
    """An entry of a log, and its way to the root over `proof.total` entries."""

    entry: BundleEntry | FileEntry | PruneEntry
    root: bytes
    proof: MerkleProof


def encode_anchor(proof: AnchorProof) -> bytes:
    """Canonical JSON with a final line break: sorted keys, no spaces, ASCII; hashes and addresses `0x…`, proofs as
    base64.

    Nothing is checked; what is out of bounds is refused when it is read.
    """
    anchor = proof.anchor
    document = {
        "format": ANCHOR_FORMAT,
        "version": VERSION,
        "contract": _hex(anchor.contract),
        "publisher": _hex(anchor.publisher),
        "index": anchor.index,
        "size": anchor.size,
        "time_s": anchor.time_s,
        "root": _hex(anchor.root),
        "chain": chain_fields(proof.chain),
        "height": str(proof.height),
        "state_root": _hex(proof.state_root),
        "state_proof": _base64(proof.state_proof),
        "account_proof": [_base64(node) for node in proof.account_proof],
        "storage_proofs": [[_base64(node) for node in nodes] for nodes in proof.storage_proofs],
    }
    return _canonical(document)


def decode_anchor(data: bytes) -> AnchorProof:
    """Inverse of `encode_anchor`; nothing is verified here.

    Raises:
        MalformedInput: anything else than its canonical bytes.
    """
    with Document.parse(data, "anchor", MAX_ANCHOR_BYTES).of_format("an anchor", ANCHOR_FORMAT, VERSION) as fields:
        first, second = fields["storage_proofs"].items(2, least=2)
        proof = AnchorProof(
            Anchor(
                fields["contract"].hex(20, HexForm.PREFIXED),
                fields["publisher"].hex(20, HexForm.PREFIXED),
                fields["index"].integer(0, MAX_ENTRIES),
                fields["size"].integer(0, _MAX_UINT64),
                fields["time_s"].integer(0, _MAX_UINT64),
                fields["root"].hex(WORD_BYTES, HexForm.PREFIXED),
            ),
            chain_of(fields["chain"]),
            Height.parse(fields["height"].text(64)),
            fields["state_root"].hex(WORD_BYTES, HexForm.PREFIXED),
            fields["state_proof"].base64(MAX_PROOF_BYTES),
            _nodes(fields["account_proof"]),
            (_nodes(first), _nodes(second)),
        )
    if encode_anchor(proof) != data:
        raise MalformedInput("anchor", "is not the canonical encoding")
    return proof


def encode_entry_proof(proof: EntryProof) -> bytes:
    """Canonical JSON with a final line break."""
    document = {
        "format": PROOF_FORMAT,
        "version": VERSION,
        "entry": encode_entry(proof.entry).decode(),
        "index": proof.proof.index,
        "size": proof.proof.total,
        "root": _hex(proof.root),
        "aunts": [_hex(aunt) for aunt in proof.proof.aunts],
    }
    return _canonical(document)


def decode_entry_proof(data: bytes) -> EntryProof:
    """Inverse of `encode_entry_proof`; nothing is verified here.

    Raises:
        MalformedInput: anything else than its canonical bytes.
    """
    document = Document.parse(data, "proof", MAX_PROOF_FILE_BYTES)
    with document.of_format("a proof of an archive's entry", PROOF_FORMAT, VERSION) as fields:
        line = fields["entry"].ascii(MAX_ENTRY_BYTES).encode()
        entry = decode_line(line)
        if not isinstance(entry, BundleEntry | PruneEntry):
            raise MalformedInput("proof.entry", "is not an entry of a log")
        proof = EntryProof(
            entry,
            fields["root"].hex(WORD_BYTES, HexForm.PREFIXED),
            MerkleProof(
                fields["size"].integer(0, MAX_ENTRIES),
                fields["index"].integer(0, MAX_ENTRIES),
                leaf_hash(line),
                tuple(aunt.hex(WORD_BYTES, HexForm.PREFIXED) for aunt in fields["aunts"].items(MAX_AUNTS)),
            ),
        )
    if encode_entry_proof(proof) != data:
        raise MalformedInput("proof", "is not the canonical encoding")
    return proof


def _nodes(document: Document) -> tuple[bytes, ...]:
    return tuple(node.base64(MAX_NODE_BYTES) for node in document.items(MAX_NODES))


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"
