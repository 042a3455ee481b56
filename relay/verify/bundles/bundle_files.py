"""Bundles as files, judged one by one."""

from collections.abc import Sequence
from pathlib import Path

from hutong.relay.archive.bundle import MAX_BUNDLE_BYTES
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.audit import Auditor, MissingTrust, Report
from hutong.relay.audit.period import Entry, judge_entry, unreadable_entry
from hutong.relay.verify.bundles.inputs import read_entry
from hutong.relay.verify.inputs import UnusableInput, read_file


def auditor_of(checkpoints: Sequence[Checkpoint], now_ns: int) -> Auditor:
    """An auditor who believes these checkpoints.

    Args:
        now_ns: nanoseconds of Unix time, by which they expire.

    Raises:
        UnusableInput: two are of one chain.
    """
    try:
        return Auditor(checkpoints, now_ns)
    except MissingTrust as error:
        raise UnusableInput(str(error)) from None


def judge_bundle(auditor: Auditor, file: Path) -> Report:
    """Every rule's verdict on one bundle.

    Raises:
        UnusableInput: the file cannot be read, or there is no checkpoint of one of its chains.
    """
    try:
        return auditor.audit(read_file(file, MAX_BUNDLE_BYTES))
    except MissingTrust as error:
        raise UnusableInput(f"{file}: {error}") from None


def judge_as_entry(auditor: Auditor, file: Path) -> Entry:
    """One of many bundles; whatever is wrong with its file is part of the answer."""
    name = file.name.encode(errors="backslashreplace").decode()
    try:
        return judge_entry(auditor, name, read_entry(file))
    except UnusableInput as error:
        return unreadable_entry(name, str(error).encode(errors="backslashreplace").decode())
