"""What the leaves of an archive's log are: a bundle that was appended, or a pruning (docs/spec/archive.md)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from light_clients.ibc.identifiers import check_client_id
from light_clients.interface import MalformedInput
from light_clients.interface.json_text import parse_json
from relay.archive.bundle import MAX_BUNDLE_BYTES, MAX_LEGS, Bundle, Claim

MAX_ENTRY_BYTES = 1_024
"""Two packet ids of 140 characters and three digests leave room."""
MAX_PROGRESS = 3 * MAX_LEGS
_MAX_INTEGER = 2**63 - 1
_PACKET_ID = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,49})/([^/]{1,64})/([1-9][0-9]{0,19})")
_HEX = re.compile(r"[0-9a-f]{64}")
_STEPS = {Claim.RECEIVED: 1, Claim.ACKNOWLEDGED: 2, Claim.TIMED_OUT: 2}


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """A bundle at `appended_at_s` (Unix time, by the writer's clock).

    `packet_ids`: of its legs, `chain id/client/sequence`. `bundle`, `manifest`: SHA-256 of its canonical bytes, and the
    name of the object that says how to rebuild them. `progress`: how much it shows, so that a later one may say more.
    `supersedes`: index of the entry of the same packet that this one takes the place of.
    """

    appended_at_s: int
    packet_ids: tuple[str, ...]
    bundle: bytes
    bundle_bytes: int
    manifest: bytes
    progress: int
    supersedes: int | None

    @property
    def packet_id(self) -> str:
        """Of the first leg."""
        return self.packet_ids[0]


@dataclass(frozen=True, slots=True)
class PruneEntry:
    """From here on entries with an index below `before` may be missing: only their leaf hashes are kept."""

    appended_at_s: int
    before: int


Entry: TypeAlias = BundleEntry | PruneEntry


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What stands in the place of a pruned entry. No leaf commits to it: it only says what is not there any more."""

    packet_ids: tuple[str, ...]


def progress_of(bundle: Bundle) -> int:
    """1 to 6: a leg counts 1 for a receipt, 2 for an outcome that is final, 3 where the sender has settled."""
    return sum(3 if leg.is_settled else _STEPS[leg.outcome] for leg in bundle.legs)


def encode_entry(entry: Entry) -> bytes:
    """Canonical JSON on one line, without a line break: the leaf of the log."""
    match entry:
        case BundleEntry():
            fields: dict[str, Any] = {
                "kind": "bundle",
                "appended_at_s": entry.appended_at_s,
                "packet_ids": list(entry.packet_ids),
                "bundle": entry.bundle.hex(),
                "bytes": entry.bundle_bytes,
                "manifest": entry.manifest.hex(),
                "progress": entry.progress,
                "supersedes": entry.supersedes,
            }
        case PruneEntry():
            fields = {"kind": "prune", "appended_at_s": entry.appended_at_s, "before": entry.before}
    return _canonical(fields)


def encode_tombstone(tombstone: Tombstone) -> bytes:
    """A line that is no entry."""
    return _canonical({"kind": "pruned", "packet_ids": list(tombstone.packet_ids)})


def is_tombstone(line: bytes) -> bool:
    """Whether a line claims to stand for a pruned entry."""
    return line.startswith(b'{"kind":"pruned"')


def decode_line(line: bytes) -> Entry | Tombstone:
    """Inverse of both encodings.

    Raises:
        MalformedInput: anything else than their canonical bytes.
    """
    document = parse_json(line, "entry", MAX_ENTRY_BYTES)
    if not isinstance(document, dict):
        raise MalformedInput("entry", "is not an object")
    found: Entry | Tombstone
    match document.get("kind"):
        case "bundle":
            found = _bundle_entry(document)
        case "prune":
            _fields(document, {"kind", "appended_at_s", "before"})
            found = PruneEntry(_integer(document, "appended_at_s"), _integer(document, "before"))
        case "pruned":
            _fields(document, {"kind", "packet_ids"})
            found = Tombstone(_packet_ids(document["packet_ids"], least=0))
        case other:
            raise MalformedInput("entry.kind", "unknown", got=other, expected=["bundle", "prune", "pruned"])
    encoded = encode_tombstone(found) if isinstance(found, Tombstone) else encode_entry(found)
    if encoded != line:
        raise MalformedInput("entry", "is not the canonical encoding")
    return found


def _bundle_entry(document: Mapping[str, Any]) -> BundleEntry:
    names = {"appended_at_s", "packet_ids", "bundle", "bytes", "manifest", "progress", "supersedes"}
    _fields(document, {"kind", *names})
    return BundleEntry(
        _integer(document, "appended_at_s"),
        _packet_ids(document["packet_ids"], least=1),
        _digest(document, "bundle"),
        _integer(document, "bytes", MAX_BUNDLE_BYTES),
        _digest(document, "manifest"),
        _integer(document, "progress", MAX_PROGRESS),
        None if document["supersedes"] is None else _integer(document, "supersedes"),
    )


def _packet_ids(value: Any, least: int) -> tuple[str, ...]:
    if not isinstance(value, list) or not least <= len(value) <= MAX_LEGS:
        raise MalformedInput("entry.packet_ids", f"is not a list of {least} to {MAX_LEGS} ids")
    for one in value:
        match = _PACKET_ID.fullmatch(one) if isinstance(one, str) else None
        if match is None:
            raise MalformedInput("entry.packet_ids", "is not chain id/client/sequence", got=one)
        check_client_id(match[2], "entry.packet_ids")
    return tuple(value)


def _integer(document: Mapping[str, Any], name: str, most: int = _MAX_INTEGER) -> int:
    value = document[name]
    if type(value) is not int or not 0 <= value <= most:
        raise MalformedInput(f"entry.{name}", f"is not an integer from 0 to {most}", got=value)
    return value


def _digest(document: Mapping[str, Any], name: str) -> bytes:
    value = document[name]
    if not isinstance(value, str) or _HEX.fullmatch(value) is None:
        raise MalformedInput(f"entry.{name}", "is not a SHA-256 in lower-case hex", got=value)
    return bytes.fromhex(value)


def _fields(document: Mapping[str, Any], names: set[str]) -> None:
    if set(document) != names:
        raise MalformedInput("entry", "does not have exactly its fields", expected=sorted(names))


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
