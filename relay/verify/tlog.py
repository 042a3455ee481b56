"""`hutong verify tlog`: a log's checkpoint, and with its tiles what grew out of what and which entry stands where."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Judge, MalformedInput, cited
from hutong.light_clients.proofs.merkle import (
    ConsistencyProof,
    MerkleProof,
    judge_consistency,
    judge_inclusion,
    leaf_hash,
)
from hutong.light_clients.tlog import (
    COSIGNATURE_V1,
    ED25519,
    Checkpoint,
    Growth,
    LogTrust,
    Misbehaviour,
    decode_checkpoint,
    decode_vkey,
    encode_misbehaviour,
    first_states,
)
from hutong.light_clients.tlog.notes import MAX_NOTE_BYTES, decode_base64
from hutong.light_clients.tlog.predicates import header_not_from_future
from hutong.light_clients.tlog.tiles import (
    Tile,
    consistency_ranges,
    decode_tile,
    inclusion_ranges,
    range_root,
    tiles_for,
)
from hutong.light_clients.tlog.types import MAX_ENTRY_BYTES
from hutong.light_clients.tlog.verification import headers_conflict, judge_checkpoint
from hutong.relay.verify.checkpoint_files import document_in, whole_number
from hutong.relay.verify.inputs import UnusableInput, read_file

MEMBERS = "origin, log_key, witnesses, quorum"
MAX_TILE_FILE_BYTES = 256 * HASH_BYTES


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whom the user believes, and the tree that is believed already, if there is one."""

    trust: LogTrust
    size: int = 0
    root: bytes = b""


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry that is said to stand at an index."""

    index: int
    entry: bytes


@dataclass(frozen=True, slots=True)
class Periods:
    """Seconds."""

    trusting_period_s: int
    clock_drift_s: int


def periods_of(trusted: Trusted, trusting_period_s: int, clock_drift_s: int) -> Periods:
    """Raises UnusableInput: a client cannot have such a period."""
    try:
        trusted.trust.client_state(1, trusting_period_s, clock_drift_s)
    except MalformedInput as error:
        raise UnusableInput(f"--trusting-period or --clock-drift: {error}") from None
    return Periods(trusting_period_s, clock_drift_s)


def read_trusted(path: Path) -> Trusted:
    """A checkpoint file as JSON or, by suffix, TOML (docs/spec/tlog-client.md).

    Raises:
        UnusableInput: it is no such file, or no client believes such a log.
    """
    document = document_in(path)
    missing = [name for name in MEMBERS.split(", ") if document.get(name) is None]
    if missing:
        raise UnusableInput(f"{path} has no {missing[0]}: it names {MEMBERS}, and a tree's size and root")
    try:
        trust = LogTrust(
            str(document["origin"]),
            decode_vkey(str(document["log_key"]), ED25519, "log_key"),
            tuple(decode_vkey(str(vkey), COSIGNATURE_V1, "witnesses") for vkey in _list(document["witnesses"], path)),
            whole_number(document["quorum"], f"quorum in {path}"),
            decode_base64(str(document.get("publisher_key", "")), "publisher_key"),
        )
        trust.client_state(1, 1, 1)
        return Trusted(trust, *_tree(document, path))
    except MalformedInput as error:
        raise UnusableInput(f"{path}: {error}") from None


def _tree(document: Mapping[str, Any], path: Path) -> tuple[int, bytes]:
    if (document.get("size") is None) != (document.get("root") is None):
        raise UnusableInput(f"{path} has one of size and root: a tree that is believed has both")
    if document.get("size") is None:
        return 0, b""
    size, root = whole_number(document["size"], f"size in {path}"), decode_base64(str(document["root"]), "root")
    if not size or len(root) != HASH_BYTES:
        raise UnusableInput(f"{path}: a tree that is believed has a size above 0 and a root of {HASH_BYTES} bytes")
    return size, root


def _list(value: Any, path: Path) -> list[Any]:
    if not isinstance(value, list):
        raise UnusableInput(f"witnesses in {path} is not a list of verifier keys")
    return value


def read_checkpoint(path: Path) -> bytes:
    """The note as the log serves it. Raises UnusableInput: the file cannot be read, or is longer than a note may be."""
    return read_file(path, MAX_NOTE_BYTES)


def read_claim(index: int | None, entry: Path | None) -> Claim | None:
    """Raises UnusableInput: one of the two is missing, or the file has no entry's length."""
    if index is None and entry is None:
        return None
    if index is None or entry is None:
        raise UnusableInput("an entry is claimed by --index and --entry together")
    if index < 0:
        raise UnusableInput("--index counts from 0")
    return Claim(index, read_file(entry, MAX_ENTRY_BYTES))


@dataclass(frozen=True, slots=True)
class Tiles:
    """A folder with the log's tiles, as the log serves them below its prefix."""

    folder: Path

    def roots(self, ranges: list[tuple[int, int]], size: int) -> tuple[bytes, ...]:
        """Of ranges of leaves in a tree of `size`.

        Raises:
            UnusableInput: a tile is not there.
        """
        held = {tile: self._tile(tile) for tile in tiles_for(ranges, size)}
        return tuple(range_root(*one, size, held) for one in ranges)

    def _tile(self, tile: Tile) -> bytes:
        """Of a partial tile the full one will do: it was there when the file was fetched later."""
        for wanted in (tile, Tile(tile.level, tile.index, 256)):
            path = self.folder / wanted.path
            if path.is_file():
                data = read_file(path, MAX_TILE_FILE_BYTES)
                try:
                    return decode_tile(data, wanted.width)[: tile.width * HASH_BYTES]
                except MalformedInput as error:
                    raise UnusableInput(f"{path}: {error}") from None
        raise UnusableInput(f"{self.folder / tile.path} is not there: fetch it from the log")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the files hold. Nothing in it is believed."""

    note: bytes
    tiles: Tiles | None
    claim: Claim | None


checkpoint_well_formed = cited(decode_checkpoint, "C2SP tlog-checkpoint", "checkpoint_well_formed")


def judge_file(judge: Judge, shown: Shown, trusted: Trusted, periods: Periods, now_ns: int) -> None:
    """Every rule, in order: who signed, when, that the tree grew, and what stands in it.

    Raises:
        VerificationError: of the first rule that does not hold.
        UnusableInput: a tile that a proof needs is not there.
    """
    checkpoint: Checkpoint = judge(checkpoint_well_formed, shown.note)
    client = trusted.trust.client_state(max(checkpoint.size, 1), periods.trusting_period_s, periods.clock_drift_s)
    timestamp_s = judge_checkpoint(judge, client, checkpoint)
    judge(header_not_from_future, timestamp_s, client.max_clock_drift_ns, now_ns)
    if trusted.size:
        nodes = _growth(shown.tiles, trusted.size, checkpoint.size)
        proof = ConsistencyProof(trusted.size, checkpoint.size, nodes)
        judge_consistency(judge, proof, trusted.root, checkpoint.root)
    if shown.claim is not None:
        index, entry = shown.claim.index, shown.claim.entry
        siblings = (
            ()
            if index >= checkpoint.size
            else _needed(shown.tiles).roots(inclusion_ranges(index, checkpoint.size), checkpoint.size)
        )
        judge_inclusion(judge, MerkleProof(checkpoint.size, index, leaf_hash(entry), siblings), checkpoint.root, entry)


def read_conflict(shown: Shown, other: Path) -> Misbehaviour:
    """What two checkpoints are as evidence, the smaller one first. Nobody's signature is judged.

    Raises:
        UnusableInput: one is not a checkpoint, or the sizes differ and a tile of the larger tree is not there.
    """
    try:
        found = [decode_checkpoint(note) for note in (read_checkpoint(other), shown.note)]
    except MalformedInput as error:
        raise UnusableInput(str(error)) from None
    first, second = sorted(found, key=lambda checkpoint: checkpoint.size)
    if first.size in (0, second.size):
        return Misbehaviour(first, None, second, Growth(second.root, ()))
    ranges = [(0, first.size), *consistency_ranges(first.size, second.size)]
    first_root, *nodes = _needed(shown.tiles).roots(ranges, second.size)
    return Misbehaviour(first, None, second, Growth(first_root, tuple(nodes)))


def judge_conflict(judge: Judge, evidence: Misbehaviour, trusted: Trusted) -> None:
    """Log and quorum signed both checkpoints, and the larger tree did not grow out of the smaller one.

    Raises:
        VerificationError: of the first rule that does not hold, `headers_conflict` where the trees agree.
    """
    first, second = evidence.checkpoint_1, evidence.checkpoint_2
    if first is None:
        raise ValueError("the evidence is not of two checkpoints")
    judge(headers_conflict, evidence, first.root)
    client = trusted.trust.client_state(1, 1, 1)
    for name, checkpoint in (("smaller", first), ("larger", second)):
        judge_checkpoint(judge.under(f"{name}: "), client, checkpoint)
    proof = ConsistencyProof(first.size, second.size, evidence.growth.nodes)
    judge_consistency(judge, proof, evidence.growth.first_root, second.root)


def _needed(tiles: Tiles | None) -> Tiles:
    if tiles is None:
        raise UnusableInput("that needs the log's tiles: give --tiles, a folder with tile/… as the log serves it")
    return tiles


def _growth(tiles: Tiles | None, first: int, second: int) -> tuple[bytes, ...]:
    if first >= second:
        return ()
    return _needed(tiles).roots(consistency_ranges(first, second), second)


def states_of(shown: Shown, trusted: Trusted, periods: Periods) -> tuple[bytes, bytes]:
    """Client and consensus state of a client that begins at the checkpoint, which `judge_file` has judged.

    Raises:
        VerificationError: a rule does not hold, or the tree is empty.
    """
    checkpoint = decode_checkpoint(shown.note)
    return first_states(trusted.trust, checkpoint, periods.trusting_period_s, periods.clock_drift_s)


def write_states(folder: Path, client_state: bytes, consensus_state: bytes) -> None:
    """What `states_of` returned, in hex, as client.hex and consensus.hex.

    Raises:
        UnusableInput: one cannot be written.
    """
    try:
        for name, state in (("client.hex", client_state), ("consensus.hex", consensus_state)):
            (folder / name).write_text(state.hex() + "\n", encoding="ascii")
    except OSError as error:
        raise UnusableInput(f"--states {folder} cannot be written: {error.strerror or error}") from None


def write_evidence(file: Path, conflict: Misbehaviour) -> None:
    """The two checkpoints in hex, as a client's host takes evidence.

    Raises:
        UnusableInput: the file cannot be written.
    """
    try:
        file.write_text(encode_misbehaviour(conflict).hex() + "\n", encoding="ascii")
    except OSError as error:
        raise UnusableInput(f"--evidence {file} cannot be written: {error.strerror or error}") from None


def subject_of(shown: Shown, trusted: Trusted, now_ns: int) -> dict[str, str]:
    """What is judged, in the words of the files (not yet believed)."""
    try:
        checkpoint = decode_checkpoint(shown.note)
        described = f"{checkpoint.origin} size {checkpoint.size} root {checkpoint.root.hex()}"
    except MalformedInput:
        described = "cannot be read"
    subject = {
        "checkpoint": described,
        "log": trusted.trust.origin,
        "quorum": f"{trusted.trust.quorum} of {len(trusted.trust.witnesses)} witnesses",
        "now": f"{now_ns // NANOSECONDS_PER_SECOND} s",
    }
    if trusted.size:
        subject["trusted tree"] = f"size {trusted.size} root {trusted.root.hex()}"
    if shown.claim is not None:
        subject["entry"] = f"index {shown.claim.index}, {len(shown.claim.entry)} bytes"
    return subject
