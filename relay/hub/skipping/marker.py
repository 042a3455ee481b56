"""The marker of the block that is being executed: on disk before, so that a process which is killed leaves word of why.

One small file, written in place: a torn write reads as no marker, which lets a node sign less and never more.
"""

import json
import os
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.relay.hub.home.home import UnusableHome

MARKER_FILE = "execution.json"
MARKER_BYTES = 1_024
FORMAT = "hutong-execution-1"
MAX_REASON_CHARS = 300
UNFINISHED_MEANS_FAILED = 2
"""Starts of one block that ended with the process: one may be a power cut."""


class Stage(StrEnum):
    BEGUN = "begun"
    EXECUTED = "executed"
    FAILED = "failed"
    PUT_OFF = "put off"
    """Not the block's fault: a disk that is full, rules that this version lacks."""


@dataclass(frozen=True, slots=True)
class ExecutionMarker:
    """`unfinished` counts earlier starts of this block that left no word, `failed` those that ended with an error or at a limit."""

    height: int
    block_hash: bytes
    prior_app_hash: bytes
    stage: Stage = Stage.BEGUN
    unfinished: int = 0
    failed: int = 0
    reason: str = ""

    @property
    def attempts(self) -> int:
        """How often execution of this block was begun here, this one included while it runs."""
        return self.unfinished + self.failed + (self.stage is Stage.BEGUN)

    def begun_again(self) -> "ExecutionMarker":
        """The marker of another start of the same block. A start before it that left no word counts as unfinished."""
        return replace(self, stage=Stage.BEGUN, unfinished=self.unfinished + (self.stage is Stage.BEGUN))

    def failed_now(self, reason: str) -> "ExecutionMarker":
        """The marker after an error or a limit ended this start; `reason` is cut to MAX_REASON_CHARS."""
        return replace(self, stage=Stage.FAILED, failed=self.failed + 1, reason=reason[:MAX_REASON_CHARS])

    def why_failed(self) -> str | None:
        """Why this node may say that it cannot execute the block, as one clause; None where it may not.

        One failure is enough, or UNFINISHED_MEANS_FAILED starts that ended with the process.
        """
        if self.stage is Stage.EXECUTED:
            return None
        if self.failed > 0:
            return self.reason
        killed = self.unfinished + (self.stage is Stage.BEGUN)
        return f"the process ended {killed} times while executing it" if killed >= UNFINISHED_MEANS_FAILED else None


def encode_marker(marker: ExecutionMarker) -> bytes:
    """Exactly MARKER_BYTES, padded, so that a shorter one leaves nothing of a longer; other than ASCII becomes `?`."""
    document = {
        "format": FORMAT,
        "height": marker.height,
        "block_hash": marker.block_hash.hex(),
        "prior_app_hash": marker.prior_app_hash.hex(),
        "stage": marker.stage.value,
        "unfinished": marker.unfinished,
        "failed": marker.failed,
        "reason": marker.reason.encode("ascii", "replace").decode(),
    }
    return json.dumps(document).encode().ljust(MARKER_BYTES - 1) + b"\n"


def decode_marker(data: bytes) -> ExecutionMarker | None:
    """Inverse of `encode_marker`; None for anything else, which says that nothing is known of any execution."""
    try:
        document: Any = parse_json(data, "marker", MARKER_BYTES)
        if len(data) != MARKER_BYTES or document["format"] != FORMAT:
            return None
        numbers = [document[name] for name in ("height", "unfinished", "failed")]
        hashes = [bytes.fromhex(document[name]) for name in ("block_hash", "prior_app_hash")]
        whole = all(type(number) is int and number >= 0 for number in numbers)
        if not whole or any(len(one) != 32 for one in hashes) or not isinstance(document["reason"], str):
            return None
        stage, reason = Stage(document["stage"]), document["reason"]
        return ExecutionMarker(numbers[0], hashes[0], hashes[1], stage, numbers[1], numbers[2], reason)
    except (MalformedInput, KeyError, TypeError, ValueError):
        return None


def load_marker(home: Path) -> ExecutionMarker | None:
    """The marker of a home; None where there is none, or where it is torn.

    Raises:
        UnusableHome: the file is there and cannot be read.
    """
    try:
        return decode_marker((home / MARKER_FILE).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnusableHome(f"{home / MARKER_FILE}: {error.strerror or error}") from None


class MarkerFile:
    """Blocking. Raises OSError: without word on disk no block is executed."""

    def __init__(self, home: Path) -> None:
        self._path = home / MARKER_FILE
        self.marker = load_marker(home)

    def begin(self, height: int, block_hash: bytes, prior_app_hash: bytes) -> ExecutionMarker:
        """Say that execution of this block begins; on disk before it returns, since what follows may kill the process.

        The same block over the same state (32-byte hashes) goes on counting; another one begins at zero.

        Raises:
            OSError: it cannot be written; the block must not be executed.
        """
        new, known = ExecutionMarker(height, block_hash, prior_app_hash), self.marker
        same = known is not None and replace(known, stage=Stage.BEGUN, unfinished=0, failed=0, reason="") == new
        self._write(known.begun_again() if known is not None and same else new, sync=True)
        assert self.marker is not None
        return self.marker

    def executed(self) -> None:
        """Say that the block was executed. Not synced: a machine that stops has nothing of the block either.

        Raises:
            OSError: it cannot be written.
        """
        if self.marker is not None:
            self._write(replace(self.marker, stage=Stage.EXECUTED), sync=False)

    def failed(self, reason: str) -> None:
        """Say that the start failed, synced; without a start before it nothing happens.

        Raises:
            OSError: it cannot be written.
        """
        if self.marker is not None:
            self._write(self.marker.failed_now(reason), sync=True)

    def put_off(self, reason: str) -> None:
        """Say that the start ended for a reason that is not the block's. Not synced, and it counts for nothing.

        Raises:
            OSError: it cannot be written.
        """
        if self.marker is not None:
            self._write(replace(self.marker, stage=Stage.PUT_OFF, reason=reason[:MAX_REASON_CHARS]), sync=False)

    def _write(self, marker: ExecutionMarker, *, sync: bool) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            written = os.pwrite(descriptor, encode_marker(marker), 0)
            if written != MARKER_BYTES:
                raise OSError(f"{self._path}: {written} of {MARKER_BYTES} bytes were written")
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.marker = marker
