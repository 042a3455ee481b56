"""Entries of a window read from files, and the proof of one judged by a record of the chain, offline."""

from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.archive.anchor_proof import MAX_ENTRY_BYTES, MAX_PROOF_FILE_BYTES
from hutong.relay.archive.anchored_root import AnchoredRoot
from hutong.relay.archive.record_bundle import MAX_RECORD_BUNDLE_BYTES
from hutong.relay.audit import MissingTrust, Verdict
from hutong.relay.audit.anchored_entries import (
    ExpectedAnchor,
    anchor_is_shown,
    judge_anchored_entry,
)
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.audit.records import Asked, RecordAuditor
from hutong.relay.base.regular_files import NotAFile, open_regular
from hutong.relay.verify.bundles.inputs import read_checkpoint
from hutong.relay.verify.inputs import UnusableInput, read_file

MAX_ENTRIES = 1_000_000
MAX_LINES_BYTES = 256 * 1024 * 1024


def read_entries(files: list[Path], *, lines: bool) -> tuple[bytes, ...]:
    """The entries in their order: a file's bytes are one, or every line of a file is one, without its line break.

    Raises:
        UnusableInput: a file cannot be read, an entry has more than MAX_ENTRY_BYTES, or there are none, or more than
            MAX_ENTRIES.
    """
    entries: list[bytes] = []
    for file in files:
        if not lines:
            entries.append(read_entry(file))
            continue
        data = _read(file, MAX_LINES_BYTES)
        found = data.split(b"\n")
        entries += found[:-1] if found[-1] == b"" else found
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise UnusableInput(f"a window has 1 to {MAX_ENTRIES} entries, these are {len(entries)}")
    longest = max(map(len, entries))
    if longest > MAX_ENTRY_BYTES:
        raise UnusableInput(f"an entry has {longest} bytes, more than {MAX_ENTRY_BYTES}: anchor its hash")
    return tuple(entries)


def read_entry(file: Path) -> bytes:
    """A file's bytes as an entry; it may be empty.

    Raises:
        UnusableInput: it cannot be read, or has more than MAX_ENTRY_BYTES.
    """
    return _read(file, MAX_ENTRY_BYTES)


def _read(file: Path, most: int) -> bytes:
    try:
        with open_regular(file) as opened:
            data: bytes = opened.read(most + 1)
    except NotAFile as error:
        raise UnusableInput(f"{file} {error.strerror}") from None
    except OSError as error:
        raise UnusableInput(f"{file} cannot be read: {error.strerror or error}") from None
    if len(data) > most:
        raise UnusableInput(f"{file} has more than {most} bytes; of a larger document anchor the hash")
    return data


@dataclass(frozen=True, slots=True)
class JudgedEntry:
    """What every rule said; `anchored` is given where all held: what stands on the chain over the entry."""

    verdicts: tuple[Verdict, ...]
    anchored: AnchoredRoot | None


@dataclass(frozen=True, slots=True)
class RecordFiles:
    """A record bundle that shows the anchor's two slots, and what is believed of its chain.

    `client`: the hub's client of the chain, where the record is a hub's; None: the record is the chain's own.
    """

    record: Path
    checkpoint: Path
    client: str | None = None


def judge_by_record(proof: Path, expected: ExpectedAnchor, files: RecordFiles, now_ns: int) -> JudgedEntry:
    """Judge the record first, then the proof under the anchor that it shows.

    Args:
        now_ns: nanoseconds of Unix time, by which the checkpoint expires.

    Raises:
        UnusableInput: a file is unusable, or the checkpoint is of another chain.
    """
    data = read_file(proof, MAX_PROOF_FILE_BYTES)
    alone = judge_anchored_entry(data, expected)
    if alone.shown is None:
        return JudgedEntry(alone.verdicts, None)
    auditor = RecordAuditor(read_checkpoint(files.checkpoint), now_ns, Asked())
    try:
        report = auditor.audit(read_file(files.record, MAX_RECORD_BUNDLE_BYTES))
    except (MissingTrust, MalformedInput) as error:
        raise UnusableInput(f"{files.record}: {error}") from None
    verdicts = list(report.verdicts)
    if not report.is_valid:
        return JudgedEntry(tuple(verdicts), None)
    inquiry = Inquiry(verdicts.append)
    place = alone.shown.place
    try:
        judge = inquiry.about(f"anchor {place.index} of 0x{place.publisher.hex()}")
        anchored = judge(anchor_is_shown, report.findings, place, files.client)
    except MalformedInput as error:
        raise UnusableInput(f"--client: {error}") from None
    except PredicateFailed as error:
        if not inquiry.refused_by_a_rule(error):
            raise
        return JudgedEntry(tuple(verdicts), None)
    return judge_by_root(data, expected, anchored, tuple(verdicts))


def judge_by_root(
    data: bytes, expected: ExpectedAnchor, anchored: AnchoredRoot, before: tuple[Verdict, ...] = ()
) -> JudgedEntry:
    """Judge a proof file's bytes under an anchor that is believed already; `before` are the verdicts that say why."""
    report = judge_anchored_entry(data, expected, anchored)
    return JudgedEntry((*before, *report.verdicts), None if report.shown is None else anchored)
