"""Proofs that an archive's root stands on the hub, and that an entry stands under a root (docs/spec/archive.md)."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from light_clients.crypto import keccak256
from light_clients.interface import MAX_PROOF_BYTES, Height, MalformedInput
from light_clients.interface.json_text import parse_json
from light_clients.proofs.merkle import MerkleProof, leaf_hash
from light_clients.proofs.mpt import MAX_NODE_BYTES, MAX_NODES, mapping_slot
from relay.archive.bundle import ChainHeaders, chain_fields, chain_of
from relay.archive.store.entries import MAX_ENTRY_BYTES, BundleEntry, PruneEntry, decode_line, encode_entry
from relay.archive.store.layout import MAX_ENTRIES

ANCHOR_FORMAT = "hutong-archive-anchor"
PROOF_FORMAT = "hutong-archive-proof"
VERSION = 1
MAX_ANCHOR_BYTES = 32 * 1024 * 1024
"""Headers by parent hash from a newer checkpoint down, as in a bundle."""
MAX_PROOF_FILE_BYTES = 16 * 1024
MAX_AUNTS = 63
EVM_STATE_ROOT_KEY = b"evm/stateRoot"
"""Of the hub's tree (docs/spec/hub-state.md)."""
WORD_BYTES = 32
_ANCHORS_SLOT = bytes(32)
"""`ArchiveAnchor._anchors`, the contract's first member."""
_MAX_UINT64 = 2**64 - 1
_HEX = re.compile(r"0x(?:[0-9a-f]{2})*")


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
        """Where the contract keeps it: its size and time in one word, its root in the next."""
        base = mapping_slot(self.publisher.rjust(WORD_BYTES, b"\0"), _ANCHORS_SLOT)
        first = int.from_bytes(keccak256(base), "big") + 2 * self.index
        return _word(first), _word(first + 1)

    @property
    def words(self) -> tuple[bytes, bytes]:
        """What stands there: the first member of a struct has the low bits."""
        return _word(self.size | self.time_s << 64), self.root


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

    entry: BundleEntry | PruneEntry
    root: bytes
    proof: MerkleProof


def encode_anchor(proof: AnchorProof) -> bytes:
    """Canonical JSON with a final line break."""
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
    names = {"contract", "publisher", "index", "size", "time_s", "root", "chain", "height"}
    names |= {"state_root", "state_proof", "account_proof", "storage_proofs"}
    document = _document(data, "anchor", ANCHOR_FORMAT, MAX_ANCHOR_BYTES, names)
    storage = document["storage_proofs"]
    if not isinstance(storage, list) or len(storage) != 2:
        raise MalformedInput("anchor.storage_proofs", "is not a list of 2")
    if not isinstance(document["height"], str) or len(document["height"]) > 64:
        raise MalformedInput("anchor.height", "is not a height")
    proof = AnchorProof(
        Anchor(
            _bytes_of(document["contract"], "anchor.contract", 20),
            _bytes_of(document["publisher"], "anchor.publisher", 20),
            _integer(document["index"], "anchor.index", MAX_ENTRIES),
            _integer(document["size"], "anchor.size", _MAX_UINT64),
            _integer(document["time_s"], "anchor.time_s", _MAX_UINT64),
            _bytes_of(document["root"], "anchor.root", WORD_BYTES),
        ),
        chain_of(document["chain"], "anchor.chain"),
        Height.parse(document["height"]),
        _bytes_of(document["state_root"], "anchor.state_root", WORD_BYTES),
        _from_base64(document["state_proof"], "anchor.state_proof", MAX_PROOF_BYTES),
        _nodes(document["account_proof"], "anchor.account_proof"),
        (_nodes(storage[0], "anchor.storage_proofs[0]"), _nodes(storage[1], "anchor.storage_proofs[1]")),
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
    names = {"entry", "index", "size", "root", "aunts"}
    document = _document(data, "proof", PROOF_FORMAT, MAX_PROOF_FILE_BYTES, names)
    line, aunts = document["entry"], document["aunts"]
    if not isinstance(line, str) or len(line) > MAX_ENTRY_BYTES or not line.isascii():
        raise MalformedInput("proof.entry", f"is not an ASCII text of at most {MAX_ENTRY_BYTES} characters")
    if not isinstance(aunts, list) or len(aunts) > MAX_AUNTS:
        raise MalformedInput("proof.aunts", f"is not a list of at most {MAX_AUNTS}")
    entry = decode_line(line.encode())
    if not isinstance(entry, BundleEntry | PruneEntry):
        raise MalformedInput("proof.entry", "is not an entry of a log")
    proof = EntryProof(
        entry,
        _bytes_of(document["root"], "proof.root", WORD_BYTES),
        MerkleProof(
            _integer(document["size"], "proof.size", MAX_ENTRIES),
            _integer(document["index"], "proof.index", MAX_ENTRIES),
            leaf_hash(line.encode()),
            tuple(_bytes_of(aunt, "proof.aunts", WORD_BYTES) for aunt in aunts),
        ),
    )
    if encode_entry_proof(proof) != data:
        raise MalformedInput("proof", "is not the canonical encoding")
    return proof


def _document(data: bytes, field: str, form: str, most_bytes: int, names: set[str]) -> Mapping[str, Any]:
    document = parse_json(data, field, most_bytes)
    if not isinstance(document, dict) or document.get("format") != form:
        raise MalformedInput(f"{field}.format", "is not a file of this format", expected=form)
    version = document.get("version")
    if type(version) is not int or version != VERSION:
        raise MalformedInput(f"{field}.version", "unknown", got=version, expected=VERSION)
    if set(document) != names | {"format", "version"}:
        raise MalformedInput(field, "does not have exactly the fields of version 1", expected=sorted(names))
    return document


def _integer(value: Any, field: str, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise MalformedInput(field, f"is not an integer from 0 to {most}", got=value)
    return value


def _bytes_of(value: Any, field: str, size: int) -> bytes:
    if not isinstance(value, str) or len(value) != 2 + 2 * size or _HEX.fullmatch(value) is None:
        raise MalformedInput(field, f"is not 0x and {2 * size} digits of lower-case hex", got=value)
    return bytes.fromhex(value[2:])


def _nodes(value: Any, field: str) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > MAX_NODES:
        raise MalformedInput(field, f"is not a list of at most {MAX_NODES} nodes")
    return tuple(_from_base64(node, field, MAX_NODE_BYTES) for node in value)


def _from_base64(value: Any, field: str, most: int) -> bytes:
    if not isinstance(value, str) or len(value) > most * 4 // 3 + 4:
        raise MalformedInput(field, f"is not base64 text of at most {most} bytes")
    try:
        return b64decode(value, validate=True)
    except ValueError:
        raise MalformedInput(field, "is not base64 text") from None


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _word(number: int) -> bytes:
    return (number % 2**256).to_bytes(WORD_BYTES, "big")


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"
