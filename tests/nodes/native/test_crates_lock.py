"""The list of crates is the lock: cargo takes exactly it, or nothing is built."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.nodes.provision import NATIVE_SOURCES

pytestmark = [
    pytest.mark.nodes,
    pytest.mark.skipif(shutil.which("cargo") is None, reason="no cargo on the path: install Rust"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Cargo.toml", "crates.txt", "crates_lock.py"):
        shutil.copy(NATIVE_SOURCES / name, tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "lib.rs").touch()
    return tmp_path


def rebuilt(folder: Path) -> "subprocess.CompletedProcess[str]":
    script = folder / "crates_lock.py"
    return subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)


def change(folder: Path, old: str, new: str) -> None:
    crates = folder / "crates.txt"
    text = crates.read_text()
    assert old in text
    crates.write_text(text.replace(old, new, 1))


def line_of(folder: Path, name: str) -> str:
    return next(line for line in (folder / "crates.txt").read_text().splitlines() if line.startswith(f"{name} "))


def test_list_is_the_whole_lock(folder):
    result = rebuilt(folder)
    assert (result.returncode, result.stderr) == (0, "")
    assert "checksum" in (folder / "Cargo.lock").read_text()


def test_missing_crate_is_named(folder):
    change(folder, line_of(folder, "subtle") + "\n", "")
    result = rebuilt(folder)
    assert result.returncode == 1
    assert "differ: subtle" in result.stderr
    assert not (folder / "Cargo.lock").exists()


def test_crate_that_nothing_needs_is_named(folder):
    (folder / "crates.txt").write_text((folder / "crates.txt").read_text() + f"base16ct 0.2.0 {'0' * 64}\n")
    result = rebuilt(folder)
    assert result.returncode == 1
    assert "differ: base16ct 0.2.0" in result.stderr


def test_other_checksum_is_refused(folder):
    name, version, checksum = line_of(folder, "subtle").split()
    change(folder, checksum, checksum[::-1])
    result = rebuilt(folder)
    assert result.returncode == 1
    assert f"checksum for `{name} v{version}` changed" in result.stderr
    assert not (folder / "Cargo.lock").exists()


def test_other_version_is_refused(folder):
    name, version, _ = line_of(folder, "subtle").split()
    change(folder, f"{name} {version} ", f"{name} 2.6.0 ")
    result = rebuilt(folder)
    assert result.returncode == 1
    assert name in result.stderr


def test_list_of_another_shape_is_refused(folder):
    (folder / "crates.txt").write_text("subtle 2.6.1\n")
    result = rebuilt(folder)
    assert (result.returncode, "lines of name, version and checksum" in result.stderr) == (1, True)
