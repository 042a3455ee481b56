"""Everything that is generated and committed, by one command.

    python -m tests.generated            write all of it
    python -m tests.generated --check    exit 1 where the committed text is another, and name the command that writes it
    python -m tests.generated NAME …     those whose name contains a word

The site is built of these and of what is written by hand; nothing of it is committed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROTOBUF = Path("light_clients/protobuf")


@dataclass(frozen=True, slots=True)
class Generated:
    """One kind of text. `run` takes whether to compare instead of writing, and gives the exit code and what was said."""

    name: str
    run: Callable[[bool], tuple[int, str]]


def command(*words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


def module(name: str, *words: str) -> Callable[[bool], tuple[int, str]]:
    """A module that knows `--check` itself."""
    return lambda check: command("-m", name, *words, *(["--check"] if check else []))


def protobuf(check: bool) -> tuple[int, str]:
    """The messages as protoc writes them, compared byte for byte."""
    protos = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / PROTOBUF).glob("*.proto"))
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) if check else ROOT
        # by the import name: the path of a file is in what protoc writes
        words = [f"--python_out={target}", f"--pyi_out={target}", *(f"hutong/{proto}" for proto in protos)]
        code, said = command("-m", "grpc_tools.protoc", "-I.", *words)
        if code or not check:
            return code, said
        made = sorted((target / "hutong" / PROTOBUF).iterdir())
        stale = [path.name for path in made if path.read_bytes() != _bytes(ROOT / PROTOBUF / path.name)]
    return (1 if stale else 0), "".join(f"{PROTOBUF}/{name} is not what protoc writes\n" for name in stale)


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


EVERY = (
    Generated("contract artifacts and storage layouts", module("hutong.contracts.compile")),
    Generated("protobuf messages", protobuf),
    Generated("contract reference", module("hutong.contracts.reference")),
    Generated("API page", module("docs.site.http_api")),
    Generated("attack page", module("tests.attack_index")),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.generated", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("words", nargs="*", metavar="NAME")
    parser.add_argument("--check", action="store_true")
    parsed = parser.parse_args(arguments)
    chosen = [one for one in EVERY if not parsed.words or any(word in one.name for word in parsed.words)]
    if not chosen:
        print("nothing generated is called so; there are\n  " + "\n  ".join(one.name for one in EVERY))
        return 2
    if any("contract" in one.name for one in chosen):  # two of them need the compiler, and one at a time may install it
        code, said = command("-c", "from hutong.contracts.compile import ensure_packages; ensure_packages()")
        if code:
            print(f"{said.rstrip()}\nthe compiler of contracts cannot be installed from npm")
            return 1
    with ThreadPoolExecutor(os.cpu_count() if parsed.check else 1) as pool:
        answers = list(pool.map(lambda one: one.run(parsed.check), chosen))
    bad = 0
    for one, (code, said) in zip(chosen, answers, strict=True):
        if code:
            bad += 1
            word = one.name.split()[0]
            print(f"{said.rstrip()}\nstale: {one.name}; write it by: python -m tests.generated {word}\n")
    if not bad:
        print(f"{len(chosen)} kinds of generated text are {'what is committed' if parsed.check else 'written'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
