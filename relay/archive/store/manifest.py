"""Bundles taken apart into objects that bundles share, and put together again to the byte (docs/spec/archive.md).

A bundle's encoding is canonical, so its parts are cut out of the text as they stand: each header with its commit, each
account proof, each validator set and each leg is an object, named by its SHA-256.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from light_clients.interface import MalformedInput
from light_clients.interface.json_text import parse_json
from relay.archive.bundle import (
    BUNDLE_FORMAT,
    BUNDLE_VERSION,
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

_CHAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}")
_HEX = re.compile(r"[0-9a-f]{64}")

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
        """Every object that it names."""
        found = set(self.legs)
        for chain in self.chains:
            found.update(chain.validator_sets)
            for one in chain.headers:
                found.add(one.header)
                if one.account_proof is not None:
                    found.add(one.account_proof)
        return found


def digest_of(data: bytes) -> bytes:
    """The name of an object."""
    return hashlib.sha256(data).digest()


def take_apart(data: bytes) -> tuple[Bundle, Manifest, dict[bytes, bytes]]:
    """The bundle in these canonical bytes, its manifest, and its objects by name.

    Raises:
        MalformedInput: it is no bundle.
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
    """The bytes of the bundle, from the text of its objects.

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
    document = _fields(parse_json(data, "manifest", MAX_MANIFEST_BYTES), "manifest", {"chains", "legs"})
    chains = _list(document["chains"], "manifest.chains", MAX_LEGS + 1)
    manifest = Manifest(
        tuple(_name(one, "manifest.legs") for one in _list(document["legs"], "manifest.legs", MAX_LEGS)),
        tuple(_chain(chain, f"manifest.chains[{index}]") for index, chain in enumerate(chains)),
    )
    if encode_manifest(manifest) != data:
        raise MalformedInput("manifest", "is not the canonical encoding")
    return manifest


def _chain(value: Any, field: str) -> ChainReference:
    document = _fields(value, field, {"chain_id", "kind", "headers", "validator_sets"})
    chain_id, kind = document["chain_id"], document["kind"]
    if not isinstance(chain_id, str) or _CHAIN_ID.fullmatch(chain_id) is None:
        raise MalformedInput(f"{field}.chain_id", "is not a chain id", got=chain_id)
    if kind not in [one.value for one in ChainKind]:
        raise MalformedInput(f"{field}.kind", "unknown", got=kind)
    sets = _list(document["validator_sets"], f"{field}.validator_sets", MAX_VALIDATOR_SETS)
    return ChainReference(
        chain_id,
        ChainKind(kind),
        tuple(_header(one, f"{field}.headers") for one in _list(document["headers"], f"{field}.headers", MAX_HEADERS)),
        tuple(_name(one, f"{field}.validator_sets") for one in sets),
    )


def _header(value: Any, field: str) -> HeaderReference:
    if not isinstance(value, list) or len(value) != 2:
        raise MalformedInput(field, "is not a pair of names")
    header, proof = value
    return HeaderReference(_name(header, field), None if proof is None else _name(proof, field))


def _name(value: Any, field: str) -> bytes:
    if not isinstance(value, str) or _HEX.fullmatch(value) is None:
        raise MalformedInput(field, "is not a SHA-256 in lower-case hex", got=value)
    return bytes.fromhex(value)


def _fields(value: Any, field: str, names: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict) or set(value) != names:
        raise MalformedInput(field, "does not have exactly its fields", expected=sorted(names))
    return value


def _list(value: Any, field: str, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise MalformedInput(field, f"is not a list of at most {most}")
    return value


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
