"""The versions and checksums of every crate: kept in crates.txt without a registry's name, made into Cargo.lock for a build.

    python native/crates_lock.py            make Cargo.lock of crates.txt; fails where cargo would take anything else
    python native/crates_lock.py --update   the other way round, after Cargo.toml changed: read the differences before a commit

Cargo.lock names the registry in each entry, which is whatever this machine's cargo is set up with, so it is not committed.
"""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
LIST, LOCK = "crates.txt", "Cargo.lock"
CARGO_TIMEOUT_S = 300
MAX_CRATES = 200


class LockDiffers(Exception):
    """Cargo cannot build, or would not build, exactly what the list says."""


class Crate(NamedTuple):
    """One line of the list; `checksum` is the SHA-256 of the crate's archive, which cargo compares."""

    name: str
    version: str
    checksum: str


def listed(folder: Path = HERE) -> tuple[Crate, ...]:
    """The crates of the list, in its order.

    Raises:
        LockDiffers: a line is not three words, or they are too many.
    """
    lines = (folder / LIST).read_text(encoding="ascii").splitlines()
    crates = [line.split() for line in lines]
    if len(crates) > MAX_CRATES or not all(len(words) == 3 and len(words[2]) == 64 for words in crates):
        raise LockDiffers(f"{LIST} is not up to {MAX_CRATES} lines of name, version and checksum")
    return tuple(Crate(*words) for words in crates)


def rebuild(folder: Path = HERE) -> None:
    """Write `Cargo.lock` of the list.

    Raises:
        LockDiffers: a crate is missing from the list or too many, is not to be had, or has another checksum.
    """
    crates = listed(folder)
    (folder / LOCK).write_text(_unresolved(crates, _registry(folder)), encoding="ascii")
    try:
        # Cargo keeps what the lock names; what it leaves out or adds is seen after it.
        _cargo(folder, "update", "--workspace", "--quiet")
        differences = sorted(set(crates) ^ set(locked(folder)))
        if differences:
            names = ", ".join(f"{crate.name} {crate.version}" for crate in differences)
            raise LockDiffers(f"{LIST} and what Cargo.toml needs differ: {names}")
    except LockDiffers:
        (folder / LOCK).unlink()
        raise


def locked(folder: Path = HERE) -> tuple[Crate, ...]:
    """The crates of `Cargo.lock` but our own, by name and version."""
    packages = tomllib.loads((folder / LOCK).read_text(encoding="ascii"))["package"]
    return tuple(sorted(Crate(p["name"], p["version"], p["checksum"]) for p in packages if "checksum" in p))


def update(folder: Path = HERE) -> None:
    """Write the list of the newest crates that Cargo.toml allows.

    Raises:
        LockDiffers: cargo fails.
    """
    _cargo(folder, "generate-lockfile", "--quiet")
    (folder / LIST).write_text("".join(f"{' '.join(crate)}\n" for crate in locked(folder)), encoding="ascii")


def _registry(folder: Path) -> str:
    """What this machine's cargo calls its registry, of a lock that it makes beside."""
    with TemporaryDirectory() as beside:
        shutil.copy(folder / "Cargo.toml", beside)
        (Path(beside) / "src").mkdir()
        (Path(beside) / "src" / "lib.rs").touch()
        _cargo(Path(beside), "generate-lockfile", "--quiet")
        packages = tomllib.loads((Path(beside) / LOCK).read_text(encoding="ascii"))["package"]
    sources = {package["source"] for package in packages if "source" in package}
    if len(sources) != 1:
        raise LockDiffers("crates come from several registries: not supported")
    return sources.pop()


def _unresolved(crates: tuple[Crate, ...], registry: str) -> str:
    entries = [
        f'[[package]]\nname = "{crate.name}"\nversion = "{crate.version}"\nsource = "{registry}"\nchecksum = "{crate.checksum}"\n'
        for crate in crates
    ]
    return "\n".join(["version = 4\n", *entries])


def _cargo(folder: Path, *command: str) -> None:
    try:
        result = subprocess.run(
            ["cargo", *command], cwd=folder, capture_output=True, text=True, timeout=CARGO_TIMEOUT_S, check=False
        )
    except FileNotFoundError:
        raise LockDiffers("no cargo on the path: install Rust") from None
    except subprocess.TimeoutExpired:
        raise LockDiffers(f"cargo {command[0]} did not end within {CARGO_TIMEOUT_S} s") from None
    if result.returncode:
        raise LockDiffers(f"cargo {command[0]}: {result.stderr.strip()[:1_000]}")


def main(arguments: list[str]) -> int:
    """0 where Cargo.lock is there and is what the list says."""
    try:
        if arguments == ["--update"]:
            update()
        elif arguments:
            print(__doc__, file=sys.stderr)
            return 2
        else:
            rebuild()
    except LockDiffers as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
