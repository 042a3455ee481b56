"""Bundles taken apart into objects that bundles share, and put together again to the byte (docs/spec/archive.md).

A bundle's encoding is canonical, so its parts are cut out of the text as they stand: each header with its commit, each
account proof, each validator set and each leg is an object, named by its SHA-256.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.relay.archive.bundle import (
    BUNDLE_FORMAT,
    BUNDLE_VERSION,
    CHAIN_ID,
    MAX_BUNDLE_BYTES,
    MAX_HEADERS,
    MAX_LEGS,
    MAX_VALIDATOR_SETS,
    Bundle,
    ChainKind,
    decode_bundle,
)

MAX_OBJECT_BYTES = MAX_BUNDLE_BYTES
MAX_MANIFEST_BYTES = 64 * 1024 * 1024
"""Two names of 64 digits a header, at 100 000 headers of three chains."""
DIGEST_BYTES = 32

Fetch = Callable[[bytes], bytes]
"""The object of a name. Raises as it sees fit."""


@dataclass(frozen=True, slots=True)
class HeaderReference:
    """`account_proof` None: the header has none."""

    header: bytes
    account_proof: bytes | None


@dataclass(frozen=True, slots=True)
class ChainReference:
    """One of the bundle's chains, its headers and validator sets by name."""

    chain_id: str
    kind: ChainKind
    headers: tuple[HeaderReference, ...]
    validator_sets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which objects make a bundle, in its order."""

    legs: tuple[bytes, ...]
    chains: tuple[ChainReference, ...]

    def references(self) -> set[bytes]:
        """The names (SHA-256, 32 bytes) of every object that makes the bundle, each once."""
        found = set(self.legs)
        for chain in self.chains:
            found.update(chain.validator_sets)
            for one in chain.headers:
                found.add(one.header)
                if one.account_proof is not None:
                    found.add(one.account_proof)
        return found


def digest_of(data: bytes) -> bytes:
    """The name of an object, a manifest or a bundle: SHA-256 of its bytes."""
    return hashlib.sha256(data).digest()


def take_apart(data: bytes) -> tuple[Bundle, Manifest, dict[bytes, bytes]]:
    """The bundle in these canonical bytes, its manifest, and its objects by name.

    Raises:
        MalformedInput: the bytes are not a bundle.
    """
    bundle = decode_bundle(data)
    document = json.loads(data)
    objects: dict[bytes, bytes] = {}

    def keep(value: Any) -> bytes:
        text = _canonical(value)
        name = digest_of(text)
        objects[name] = text
        return name

    chains = []
    for chain in document["chains"]:
        headers = tuple(
            HeaderReference(
                keep({"commit": one["commit"], "header": one["header"]}),
                keep(one["account_proof"]) if one["account_proof"] else None,
            )
            for one in chain["headers"]
        )
        sets = tuple(keep(one) for one in chain["validator_sets"])
        chains.append(ChainReference(chain["chain_id"], ChainKind(chain["kind"]), headers, sets))
    manifest = Manifest(tuple(keep(leg) for leg in document["legs"]), tuple(chains))
    if put_together(manifest, objects.__getitem__) != data:
        raise AssertionError("a bundle in parts is not the bundle")
    return bundle, manifest, objects


def put_together(manifest: Manifest, fetch: Fetch) -> bytes:
    """The bytes of the bundle, from the text of its objects. Their hashes are for `fetch` to check.

    Raises:
        MalformedInput: it would be longer than a bundle may be. And what `fetch` raises.
    """
    parts: list[bytes] = [b'{"chains":[']
    size = 0

    def add(*texts: bytes) -> None:
        nonlocal size
        parts.extend(texts)
        size += sum(map(len, texts))
        if size > MAX_BUNDLE_BYTES:
            raise MalformedInput("manifest", f"makes a bundle of more than {MAX_BUNDLE_BYTES} bytes")

    for number, chain in enumerate(manifest.chains):
        add(b"," if number else b"", b'{"chain_id":', _canonical(chain.chain_id), b',"headers":[')
        for place, one in enumerate(chain.headers):
            proof = b"[]" if one.account_proof is None else fetch(one.account_proof)
            add(b"," if place else b"", b'{"account_proof":', proof, b",", fetch(one.header)[1:])
        add(b'],"kind":', _canonical(chain.kind.value), b',"validator_sets":[')
        for place, name in enumerate(chain.validator_sets):
            add(b"," if place else b"", fetch(name))
        add(b"]}")
    add(b'],"format":', _canonical(BUNDLE_FORMAT), b',"legs":[', b",".join(map(fetch, manifest.legs)))
    add(b'],"version":', str(BUNDLE_VERSION).encode(), b"}\n")
    return b"".join(parts)


def encode_manifest(manifest: Manifest) -> bytes:
    """Canonical JSON with a final line break; names as lower-case hex."""
    document = {
        "chains": [
            {
                "chain_id": chain.chain_id,
                "kind": chain.kind.value,
                "headers": [
                    [one.header.hex(), None if one.account_proof is None else one.account_proof.hex()]
                    for one in chain.headers
                ],
                "validator_sets": [one.hex() for one in chain.validator_sets],
            }
            for chain in manifest.chains
        ],
        "legs": [one.hex() for one in manifest.legs],
    }
    return _canonical(document) + b"\n"


def decode_manifest(data: bytes) -> Manifest:
    """Inverse of `encode_manifest`.

    Raises:
        MalformedInput: anything else than its canonical bytes, or out of the bounds of a bundle.
    """
    with Document.parse(data, "manifest", MAX_MANIFEST_BYTES).members() as fields:
        manifest = Manifest(
            tuple(leg.hex(DIGEST_BYTES) for leg in fields["legs"].items(MAX_LEGS)),
            tuple(_chain(chain) for chain in fields["chains"].items(MAX_LEGS + 1)),
        )
    if encode_manifest(manifest) != data:
        raise MalformedInput("manifest", "is not the canonical encoding")
    return manifest


def _chain(document: Document) -> ChainReference:
    with document.members() as fields:
        return ChainReference(
            fields["chain_id"].matching(CHAIN_ID, "a chain id"),
            fields["kind"].choice(ChainKind),
            tuple(_header(one) for one in fields["headers"].items(MAX_HEADERS)),
            tuple(one.hex(DIGEST_BYTES) for one in fields["validator_sets"].items(MAX_VALIDATOR_SETS)),
        )


def _header(document: Document) -> HeaderReference:
    header, proof = document.items(2, least=2)
    return HeaderReference(header.hex(DIGEST_BYTES), None if proof.value is None else proof.hex(DIGEST_BYTES))


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
