"""What the audit's commands read: checkpoints, where bundles are, and a reader's own list of packets."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from light_clients.interface import MalformedInput, VerificationError
from relay.archive.checkpoint import MAX_CHECKPOINT_BYTES, Checkpoint, decode_checkpoint
from relay.archive.errors import ArchiveUnavailable
from relay.archive.source import BUNDLE_SUFFIX, BundleSource
from relay.archive.store import open_source
from relay.audit.period import PacketId, TrustRoot
from relay.audit.period.document import parse_packet_id
from relay.cli.verdicts import UnusableInput, read_file

MAX_BUNDLES = 100_000
MAX_LIST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """A source and its entries, listed once."""

    text: str
    source: BundleSource
    names: tuple[str, ...]


def read_checkpoints(paths: Sequence[Path]) -> list[Checkpoint]:
    """Raises UnusableInput, naming the file."""
    return [checkpoint for checkpoint, _ in read_roots(paths)]


def read_roots(paths: Sequence[Path]) -> list[tuple[Checkpoint, TrustRoot]]:
    """Checkpoints, each with what a report says of its file. Raises UnusableInput."""
    found = []
    for path in paths:
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
        found.append((checkpoint, root))
    return found


def bundle_files(paths: Sequence[Path]) -> list[Path]:
    """Files as they are given, and the bundles of folders. Raises UnusableInput."""
    files: list[Path] = []
    for path in paths:
        found = sorted(path.glob(f"*{BUNDLE_SUFFIX}")) if path.is_dir() else [path]
        if not found:
            raise UnusableInput(f"{path} holds no *{BUNDLE_SUFFIX}")
        files += found
    if len(files) > MAX_BUNDLES:
        raise UnusableInput(f"more than {MAX_BUNDLES} bundles at once")
    return files


def open_bundles(text: str) -> OpenedSource:
    """A folder of bundles, or an archive. Raises UnusableInput: it is neither, or is empty."""
    try:
        source = open_source(text)
        names = tuple(source.names())
    except ArchiveUnavailable as error:
        raise UnusableInput(str(error)) from None
    if not names:
        raise UnusableInput(f"{text} holds no bundles")
    return OpenedSource(text.encode(errors="backslashreplace").decode(), source, names)


def read_expected(path: Path) -> list[PacketId]:
    """One packet id a line; empty lines and those from `#` on are passed over. Raises UnusableInput, naming the line."""
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
            expected.append(parse_packet_id(text))
        except MalformedInput:
            raise UnusableInput(f"{path} line {number}: no chain/client/sequence: {text[:80]}") from None
    return list(dict.fromkeys(expected))
