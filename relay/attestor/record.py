"""The heights that were signed, on disk before a signature leaves: no height is ever signed with two states.

A file of lines. The first names format, chain and router; each other line is a height that was signed, or the floor,
below which nothing is signed that is not on record.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hutong.relay.attestor.errors import AttestorUnusable
from hutong.relay.base.durable_files import write_durably
from hutong.relay.base.file_lock import FileLock
from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, lock_home

FORMAT = "hutong-signed-heights-1"
FILE_NAME = "signed_heights"
HOME = HomeKind("attestor", "attestor.lock", "stop it first, or give this one another home")
MAX_KEPT = 16_384
"""Heights in memory; the file is rewritten at twice as many lines."""
MAX_FILE_BYTES = 16 * 1024 * 1024

_SIGNED = re.compile(r"signed ([1-9][0-9]{0,19}) ([1-9][0-9]{0,12}) ([0-9a-f]{64})")
_FLOOR = re.compile(r"floor (0|[1-9][0-9]{0,19})")


@dataclass(frozen=True, slots=True)
class SignedState:
    """What was signed about a height, and the block that it was read from."""

    timestamp_s: int
    block_hash: bytes


class SignedHeights:
    """Blocking: each new height waits for the disk. One process a file, which a lock ensures."""

    def __init__(self, path: Path, title: str, lock: FileLock, floor: int, states: dict[int, SignedState]) -> None:
        self._path = path
        self._title = title
        self._lock = lock
        self._descriptor: int | None = None
        self._states = states
        self._lines = 0
        self.floor = floor
        self._compact()

    @classmethod
    def open(cls, directory: Path, chain_id: str, router: bytes, floor: int) -> Self:
        """The record of a directory. Where there is none, a new one begins at `floor`.

        Raises:
            AttestorUnusable: it is of another chain, damaged, held by another process, or cannot be written.
        """
        path = directory / FILE_NAME
        title = f"{FORMAT} {chain_id} 0x{router.hex()}"
        try:
            lock = lock_home(directory, HOME)
        except HomeNotLocked as error:
            raise AttestorUnusable(str(error)) from None
        try:
            states: dict[int, SignedState] = {}
            if path.exists():
                floor, states = _read(path, title)
            return cls(path, title, lock, floor, states)
        except AttestorUnusable:
            lock.release()
            raise
        except OSError as error:
            lock.release()
            raise AttestorUnusable(f"{path} cannot be used: {error.strerror}") from None

    def __contains__(self, height: int) -> bool:
        return height in self._states

    def get(self, height: int) -> SignedState | None:
        """What was signed about a height; None if nothing was, or if it is below the floor and forgotten."""
        return self._states.get(height)

    def add(self, height: int, state: SignedState) -> None:
        """Put a height on record, durably: when it returns, the state is on disk.

        Raises:
            ValueError: the height is on record already, or below the floor.
        """
        if height in self._states or height < self.floor:
            raise ValueError(f"height {height} is on record, or below the floor")
        if self._descriptor is None or self._lines > 2 * MAX_KEPT:
            self._compact()
        try:
            self._append(f"signed {height} {state.timestamp_s} {state.block_hash.hex()}\n".encode())
        except OSError:
            self._close_file()  # part of a line may be there: the next height begins with a whole file
            raise
        self._states[height] = state
        self._lines += 1

    def _append(self, line: bytes) -> None:
        if self._descriptor is None:
            raise ValueError("the record is closed")
        left = memoryview(line)
        while left:
            left = left[os.write(self._descriptor, left) :]
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Give the file and its lock back."""
        self._close_file()
        self._lock.release()

    def _close_file(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _compact(self) -> None:
        if len(self._states) > MAX_KEPT:
            kept = sorted(self._states)[-MAX_KEPT:]
            self.floor = max(self.floor, kept[0])
            self._states = {height: self._states[height] for height in kept}
        self._close_file()
        _write(self._path, self._title, self.floor, self._states)
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._lines = len(self._states)


def _read(path: Path, title: str) -> tuple[int, dict[int, SignedState]]:
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise AttestorUnusable(f"{path} has more than {MAX_FILE_BYTES} bytes")
    *lines, torn = path.read_bytes().decode("ascii", "replace").split("\n")
    if not lines or lines[0] != title:
        raise AttestorUnusable(f"{path} is not the record of this chain and router: {(lines or [torn])[0][:120]!r}")
    floor, states = 0, {}
    for number, line in enumerate(lines[1:], 2):
        if found := _SIGNED.fullmatch(line):
            states[int(found[1])] = SignedState(int(found[2]), bytes.fromhex(found[3]))
        elif found := _FLOOR.fullmatch(line):
            floor = int(found[1])
        else:
            raise AttestorUnusable(f"{path}, line {number}: is not a line of the record; restore it from a copy")
    return floor, states  # a torn last line was never followed by a signature


def _write(path: Path, title: str, floor: int, states: dict[int, SignedState]) -> None:
    lines = [title, f"floor {floor}"]
    lines += [f"signed {height} {state.timestamp_s} {state.block_hash.hex()}" for height, state in states.items()]
    write_durably(path, ("\n".join(lines) + "\n").encode())
