"""Compile `contracts/src` with the pinned npm compiler and write or check the committed artifacts.

    python -m hutong.contracts.compile            write contracts/artifacts, contracts/test/artifacts and …/test/layouts
    python -m hutong.contracts.compile --check    exit 1 unless the committed artifacts are what the sources compile to

Settings that reach the bytecode are all here: no metadata hash, Paris opcodes (consortium chains are old), optimizer on.
The compiler and OpenZeppelin come from npm at the versions of `package.json`, into `contracts/node_modules`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
PACKAGES = ROOT / "node_modules"
ARTIFACTS = ROOT / "artifacts"
TEST_ARTIFACTS = ROOT / "test" / "artifacts"
TEST_LAYOUTS = ROOT / "test" / "layouts"
LAID_OUT = ("test/support/StorageProbe.sol", "src/examples/ExampleToken.sol")
"""Sources whose storage layouts tests read. Each is compiled alone: ids in a layout count the nodes of all sources."""
OPENZEPPELIN = ("@openzeppelin/contracts/access/manager/AccessManager.sol",)
"""Library contracts that are deployed as they are."""

SETTINGS: dict[str, Any] = {
    "evmVersion": "paris",
    "optimizer": {"enabled": True, "runs": 200},
    "viaIR": True,
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
}
MAX_CODE_BYTES = 24_576
"""EIP-170."""
COMPILE_TIMEOUT_S = 1_200
PARTS = 4
"""The shipped sources are compiled in so many parts, on all cores: what a contract compiles to does not depend on the others."""

_IMPORT = re.compile(r"""^\s*import\s+(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']\s*;""", re.MULTILINE)


class CompileError(Exception):
    """The sources do not compile, or break a limit."""


def ensure_packages() -> None:
    """Install the pinned npm packages where they are absent or of another version."""
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    for name, version in wanted.items():
        manifest = PACKAGES / name / "package.json"
        if not manifest.is_file() or json.loads(manifest.read_text(encoding="utf-8"))["version"] != version:
            subprocess.run(["npm", "install"], cwd=ROOT, check=True, stdout=sys.stderr, timeout=COMPILE_TIMEOUT_S)
            return


def source_file(path: str) -> Path:
    """Where the source unit called `path` lies."""
    return PACKAGES / path if path.startswith("@") else ROOT / path


def imported(path: str, text: str) -> list[str]:
    """Source unit names that `text` imports, relative ones resolved."""
    names = []
    for target in _IMPORT.findall(text):
        if target.startswith("."):
            base = PACKAGES if path.startswith("@") else ROOT
            resolved = (source_file(path).parent / target).resolve()
            names.append(resolved.relative_to(base.resolve()).as_posix())
        else:
            names.append(target)
    return names


def collect_sources(entries: list[str]) -> dict[str, str]:
    """Text of every source unit that the entries reach."""
    sources: dict[str, str] = {}
    waiting = list(entries)
    while waiting:
        path = waiting.pop()
        if path in sources:
            continue
        text = source_file(path).read_text(encoding="utf-8")
        sources[path] = text
        waiting.extend(imported(path, text))
    return dict(sorted(sources.items()))


def standard_json(sources: dict[str, str], outputs: list[str], keep: tuple[str, ...] | None = None) -> dict[str, Any]:
    """The compiler's input. Outputs are made for sources that start with one of `keep`, or for all: code takes most of the time."""
    paths = ["*"] if keep is None else [path for path in sources if path.startswith(keep)]
    return {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in sources.items()},
        "settings": {**SETTINGS, "outputSelection": {path: {"*": outputs} for path in paths}},
    }


def run_compiler(document: dict[str, Any]) -> dict[str, Any]:
    """Run solcjs on standard JSON.

    Raises:
        CompileError: any error or warning; the sources are kept free of both.
    """
    # solcjs reads a pipe without waiting for it and exits without flushing one beyond 64 KiB; files it handles whole
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout:
        stdin.write(json.dumps(document).encode())
        stdin.seek(0)
        subprocess.run(
            ["node", str(PACKAGES / "solc" / "solc.js"), "--standard-json"],
            stdin=stdin,
            stdout=stdout,
            check=True,
            timeout=COMPILE_TIMEOUT_S,
        )
        stdout.seek(0)
        text = stdout.read().decode()
    output: dict[str, Any] = json.loads(text[text.index("{") :])
    problems = [
        problem["formattedMessage"]
        for problem in output.get("errors", ())
        if problem["severity"] == "error" or not problem["formattedMessage"].count("--> @")
    ]
    if problems:
        raise CompileError("\n".join(problems))
    return output


def build(entries: list[str], keep: tuple[str, ...]) -> dict[str, str]:
    """Compile and render artifacts: name → JSON text, for contracts whose source starts with one of `keep`."""
    outputs = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]
    output = run_compiler(standard_json(collect_sources(entries), outputs, keep))
    artifacts: dict[str, str] = {}
    for path, contracts in output["contracts"].items():
        if not path.startswith(keep):
            continue
        for name, contract in contracts.items():
            deployed = contract["evm"]["deployedBytecode"]["object"]
            if not contract["abi"]:
                continue
            if len(deployed) // 2 > MAX_CODE_BYTES:
                raise CompileError(f"{name} has {len(deployed) // 2} bytes of code, more than {MAX_CODE_BYTES}")
            if name in artifacts:
                raise CompileError(f"two contracts are called {name}")
            fields = {
                "name": name,
                "source": path,
                "abi": contract["abi"],
                "bytecode": contract["evm"]["bytecode"]["object"],
                "deployedBytecode": deployed,
            }
            artifacts[name] = json.dumps(fields, indent=1, sort_keys=True) + "\n"
    return artifacts


def layouts(entries: Iterable[str]) -> dict[str, str]:
    """The compiler's output for each source alone: name of the file → JSON text, with ABI and storage layout."""
    found = {}
    for path in entries:
        output = run_compiler(standard_json(collect_sources([path]), ["abi", "storageLayout"]))
        document = {"contracts": {path: output["contracts"][path]}}
        found[Path(path).stem] = json.dumps(document, indent=1, sort_keys=True) + "\n"
    return found


def paths_below(folder: str) -> list[str]:
    """Source unit names of every Solidity file below `contracts/<folder>` that is not a forge suite."""
    return sorted(
        path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.sol") if not path.name.endswith(".t.sol")
    )


def targets() -> list[tuple[Path, dict[str, str]]]:
    """The folders of artifacts and of layouts with what they must hold."""
    sources = paths_below("src")
    support = paths_below("test")
    every = [*sources, *OPENZEPPELIN]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # a compiler is a process of its own
        parts = [pool.submit(build, every, tuple(every[at::PARTS])) for at in range(PARTS)]
        tested = pool.submit(build, support, ("test/",))
        laid_out = pool.submit(layouts, LAID_OUT)
    shipped = dict(collected(parts))
    return [(ARTIFACTS, shipped), (TEST_ARTIFACTS, tested.result()), (TEST_LAYOUTS, laid_out.result())]


def collected(parts: Iterable[Future[dict[str, str]]]) -> Iterator[tuple[str, str]]:
    """Artifacts of all parts. Raises CompileError if a name is in two of them."""
    names: set[str] = set()
    for part in parts:
        for name, text in part.result().items():
            if name in names:
                raise CompileError(f"two contracts are called {name}")
            names.add(name)
            yield name, text


def differences(folder: Path, wanted: dict[str, str]) -> list[str]:
    """What is wrong with a folder, one sentence each."""
    present = {path.name.removesuffix(".json"): path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return (
        [f"{folder.name}/{name}.json is missing" for name in sorted(wanted.keys() - present.keys())]
        + [f"{folder.name}/{name}.json has no source" for name in sorted(present.keys() - wanted.keys())]
        + [
            f"{folder.name}/{name}.json is not what the sources compile to"
            for name in sorted(wanted.keys() & present.keys())
            if wanted[name] != present[name]
        ]
    )


def write(folder: Path, wanted: dict[str, str]) -> None:
    """Make the folder hold exactly these artifacts."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        if path.name.removesuffix(".json") not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m hutong.contracts.compile", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    ensure_packages()
    try:
        built = targets()
    except CompileError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if arguments.check:
        wrong = [sentence for folder, wanted in built for sentence in differences(folder, wanted)]
        sys.stdout.writelines(f"{sentence}\n" for sentence in wrong)
        if not wrong:
            sys.stdout.write(f"{sum(len(wanted) for _, wanted in built)} artifacts equal their sources\n")
        return 1 if wrong else 0
    for folder, wanted in built:
        write(folder, wanted)
        for name, text in wanted.items():
            size = len(json.loads(text).get("deployedBytecode", "")) // 2
            sys.stdout.write(f"{name}: {size} bytes\n" if size else f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
