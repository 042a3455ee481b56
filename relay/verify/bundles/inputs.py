"""What the audit's commands read: checkpoints, where bundles are, and a reader's own list of packets."""

import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.relay.archive.bundle import MAX_BUNDLE_BYTES
from hutong.relay.archive.checkpoint import MAX_CHECKPOINT_BYTES, Checkpoint, decode_checkpoint
from hutong.relay.archive.errors import ArchiveUnavailable
from hutong.relay.archive.source import BUNDLE_SUFFIX, BundleSource
from hutong.relay.archive.store import open_source
from hutong.relay.audit.period import PacketId, TrustRoot
from hutong.relay.audit.period.document import parse_packet_id
from hutong.relay.verify.inputs import UnusableInput, read_file

CHECKPOINT_SUFFIX = ".checkpoint.json"
MAX_BUNDLES = 100_000
MAX_CHECKPOINTS = 1_000
MAX_LIST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """A source and its entries, listed once."""

    text: str
    source: BundleSource
    names: tuple[str, ...]


def read_checkpoints(paths: Sequence[Path]) -> list[Checkpoint]:
    """Files as they are given, and the checkpoints of folders, in the order of their names.

    Raises:
        UnusableInput: as `read_roots`.
    """
    return [checkpoint for checkpoint, _ in read_roots(paths)]


def read_roots(paths: Sequence[Path]) -> list[tuple[Checkpoint, TrustRoot]]:
    """Checkpoints, each with what a report says of its file. Whether two are of one chain is not checked here.

    Raises:
        UnusableInput: a file is no checkpoint, a folder has none, or there are more than MAX_CHECKPOINTS. It names the
            file.
    """
    return [_root_of(path) for path in _files(paths, CHECKPOINT_SUFFIX, MAX_CHECKPOINTS, "checkpoints")]


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint of one file.

    Raises:
        UnusableInput: it cannot be read or is no checkpoint. It names the file.
    """
    return _root_of(path)[0]


def _root_of(path: Path) -> tuple[Checkpoint, TrustRoot]:
    data = read_file(path, MAX_CHECKPOINT_BYTES)
    try:
        checkpoint = decode_checkpoint(data)
    except VerificationError as error:
        raise UnusableInput(f"{path}: {error}") from None
    root = TrustRoot(
        path.name.encode(errors="backslashreplace").decode(),
        sha256(data).digest(),
        checkpoint.chain_id,
        checkpoint.kind.value,
        checkpoint.height,
        checkpoint.hash,
        checkpoint.time_ns,
        checkpoint.expires_at_ns,
    )
    return checkpoint, root


def bundle_files(paths: Sequence[Path]) -> list[Path]:
    """Files as they are given, and the bundles of folders, in the order of their names; none is opened.

    Raises:
        UnusableInput: a checkpoint was named among them, a folder has no bundle, or there are more than MAX_BUNDLES.
    """
    for path in paths:
        if path.name.endswith(
            CHECKPOINT_SUFFIX
        ):  # `--checkpoint *.json`: a shell gives the option the first of them alone
            raise UnusableInput(
                f"{path} is a checkpoint, no bundle: write --checkpoint before each, or once before their folder"
            )
    return _files(paths, BUNDLE_SUFFIX, MAX_BUNDLES, "bundles")


def read_entry(path: Path) -> bytes:
    """A bundle among others: at most MAX_BUNDLE_BYTES.

    Raises:
        UnusableInput: it cannot be read, or is too long; also for what is no file: a pipe would never end.
    """
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        raise UnusableInput(f"cannot be read: {error.strerror or error}") from None
    if not is_file:
        raise UnusableInput("is not a file")
    return read_file(path, MAX_BUNDLE_BYTES)


def _files(paths: Sequence[Path], suffix: str, most: int, what: str) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        found = sorted(path.glob(f"*{suffix}")) if path.is_dir() else [path]
        if not found:
            raise UnusableInput(f"{path} holds no *{suffix}")
        files += found
    if len(files) > most:
        raise UnusableInput(f"more than {most} {what} at once")
    return files


def open_bundles(text: str) -> OpenedSource:
    """A folder of bundles, or an archive, its entries listed.

    Args:
        text: as the command line has it: a path or the location of an archive.

    Raises:
        UnusableInput: it is neither, cannot be read, or is empty.
    """
    try:
        source = open_source(text)
        names = tuple(source.names())
    except ArchiveUnavailable as error:
        raise UnusableInput(str(error)) from None
    if not names:
        raise UnusableInput(f"{text} holds no bundles")
    return OpenedSource(text.encode(errors="backslashreplace").decode(), source, names)


def read_expected(path: Path, chain_ids: Iterable[str]) -> list[PacketId]:
    """One packet id a line; empty lines and those from `#` on are passed over, repetitions dropped.

    A packet of a chain without a checkpoint could never be proven, and would be taken for an absent one. So would one
    under the name that a relay has for the chain.

    Args:
        chain_ids: of the chains that there are checkpoints of.

    Raises:
        UnusableInput: naming the line: it is no packet id, or of another chain; or the file is no text of at most
            MAX_LIST_BYTES.
    """
    known = frozenset(chain_ids)
    try:
        lines = read_file(path, MAX_LIST_BYTES).decode().splitlines()
    except UnicodeDecodeError:
        raise UnusableInput(f"{path} is not UTF-8 text") from None
    expected = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            packet = parse_packet_id(text)
        except MalformedInput:
            raise UnusableInput(f"{path} line {number}: no chain/client/sequence: {text[:80]}") from None
        if packet.chain_id not in known:
            raise UnusableInput(
                f"{path} line {number}: no checkpoint is of chain {packet.chain_id}: write chain ids"
                f" ({', '.join(sorted(known))}), not the names that a relay has for them"
            )
        expected.append(packet)
    return list(dict.fromkeys(expected))
