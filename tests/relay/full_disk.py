"""A file system of a few MiB that can be filled: a real one, mounted where the machine allows it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_BLOCK = bytes(4096)


class FullDisk:
    """`path` is on it. `fill` leaves not one byte; `free` gives all back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / ".filler"

    def fill(self) -> None:
        with self._filler.open("ab", buffering=0) as file:
            try:
                while file.write(_BLOCK):
                    pass
            except OSError:
                pass

    def free(self) -> None:
        self._filler.unlink()


@contextmanager
def mounted(path: Path, size: str) -> Iterator[FullDisk]:
    """Skips the test where mounting is not permitted."""
    path.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted: {made.stderr.strip()[:120]}")
    try:
        yield FullDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)
