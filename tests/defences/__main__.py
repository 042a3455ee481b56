"""Turn each defence off in a copy of the tree and demand that its tests fail there, and pass in the untouched copy.

python -m tests.defences                  all of them; exit code 1 if one is not missed, or its text is not there
python -m tests.defences WORD …           those whose name or file contains a word
python -m tests.defences --since COMMIT   those whose file or tests changed since; with --share 3/7 also every seventh other
python -m tests.defences --minutes 30      none is begun after that long; those that wait are named
python -m tests.defences --no-baseline    without the run that shows that the same tests pass untouched
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue

from hutong.contracts import compile as solidity
from tests.defences import DEFENCES, Defence
from tests.defences.changes import Changes, changed_since
from tests.defences.defence import ROOT

TESTS_FAILED = 1
"""pytest's exit code when tests ran and some failed; another one says that they did not run."""
TEST_LIMIT_S = 400
BASELINE_LIMIT_S = 2_400
RECOMPILE = """
import json, sys
from hutong.contracts import compile as solidity
entries = json.loads(sys.argv[1])
real = json.loads
def without_warnings(text):
    # a rule that is gone leaves variables unused: only errors count here
    output = real(text)
    if isinstance(output, dict) and "errors" in output:
        output["errors"] = [error for error in output["errors"] if error["severity"] == "error"]
    return output
json.loads = without_warnings
for name, text in solidity.build(entries, ("src/",)).items():
    (solidity.ARTIFACTS / f"{name}.json").write_text(text, encoding="utf-8")
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    defence: Defence
    missed: bool
    seconds: float
    said: str


class Copy:
    """A working copy outside the repository, in which one file at a time is changed and restored."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._edits = 0
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        for name in filter(None, listed.decode().split("\0")):
            if (ROOT / name).is_symlink():  # of the import name: into the copy, not into this checkout
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).symlink_to((ROOT / name).readlink())
            elif (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        (folder / "contracts" / "node_modules").symlink_to(solidity.PACKAGES.resolve())

    def run(self, *arguments: str, limit_s: int) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(self.folder)}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_s,
        )

    def test(self, tests: tuple[str, ...], limit_s: int, *options: str) -> subprocess.CompletedProcess[str]:
        paths = [f"tests/{test}" for test in tests]
        chosen = ("-m", "not nodes")  # also those marked long: they are named one by one
        plugins = ("-p", "no:randomly", "-p", "no:schemathesis")  # the latter is half a second of every start
        return self.run("-m", "pytest", "-q", "-x", *plugins, *chosen, *options, *paths, limit_s=limit_s)

    @contextmanager
    def without(self, defence: Defence) -> Iterator[None]:
        """The defence is off inside; afterwards file and artifacts are as they were."""
        file = self.folder / defence.file
        before, times = file.read_text(), file.stat()
        self._edits += 1
        artifacts = self.folder / "contracts" / "artifacts"
        try:
            file.write_text(before.replace(defence.source, defence.replacement))
            # compiled bytecode is known by the source's time in whole seconds: each edit has one of its own
            os.utime(file, (times.st_atime, times.st_mtime + 10 * self._edits))
            if defence.is_contract:
                entries = users_of(defence.file.removeprefix("contracts/"))
                compiled = self.run("-c", RECOMPILE, json.dumps(entries), limit_s=TEST_LIMIT_S)
                if compiled.returncode:
                    raise RuntimeError(f"{defence.name}: {compiled.stderr[-2000:]}")
            yield
        finally:
            file.write_text(before)
            os.utime(file, (times.st_atime, times.st_mtime))
            if defence.is_contract:
                for artifact in artifacts.glob("*.json"):
                    shutil.copy2(ROOT / "contracts" / "artifacts" / artifact.name, artifact)


@cache
def sources_of(contract: str) -> frozenset[str]:
    return frozenset(solidity.collect_sources([contract]))


def users_of(source: str) -> list[str]:
    """The shipped contracts that hold code of this source file."""
    return [
        path
        for path in solidity.paths_below("src")
        if not path.startswith(("src/interfaces/", "src/types/")) and source in sources_of(path)
    ]


def judge(copy: Copy, defence: Defence) -> Verdict:
    started = time.monotonic()
    if defence.places != 1:
        return Verdict(defence, False, 0.0, f"its text stands {defence.places} times in {defence.file}")
    with copy.without(defence):
        try:
            done = copy.test(defence.tests, TEST_LIMIT_S)
        except subprocess.TimeoutExpired:
            return Verdict(defence, False, time.monotonic() - started, f"the tests took more than {TEST_LIMIT_S} s")
    missed = done.returncode == TESTS_FAILED
    said = "" if missed else f"exit code {done.returncode}\n{done.stdout[-1500:]}{done.stderr[-500:]}"
    return Verdict(defence, missed, time.monotonic() - started, said)


def chosen(words: list[str]) -> list[tuple[str, Defence]]:
    return [
        (group, defence)
        for group, defences in DEFENCES.items()
        for defence in defences
        if not words or any(word in defence.name or word in defence.file for word in words)
    ]


def is_touched(defence: Defence, changes: Changes) -> bool:
    """Whether its function does something else, or one of its tests."""
    return any(changes.touch_test(f"tests/{test}") for test in defence.tests) or changes.touch(
        defence.file, defence.source
    )


def in_turn(work: list[tuple[str, Defence]], changes: Changes | None, share: str | None) -> list[tuple[str, Defence]]:
    """Those that are touched, and then of the others the share `K/N`: by their place in the list, so that N runs take all. Where nobody
    knows what changed, a share is a share of all."""
    if changes is None and share is None:
        return work
    changes = changes or Changes({})
    which, _, of = (share or "0/1").partition("/")
    touched, others = [], []
    for index, row in enumerate(work):
        if is_touched(row[1], changes):
            touched.append(row)
        elif share is not None and index % int(of) == int(which):
            others.append(row)
    return touched + others


def is_over(started_s: float, minutes: float | None) -> bool:
    """Whether that long has passed since `started_s` of the monotonic clock; never without a limit."""
    return minutes is not None and time.monotonic() - started_s > 60 * minutes


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.defences", description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--no-baseline", action="store_true")
    parser.add_argument("--copies", type=int, default=os.cpu_count() or 1, help="how many run side by side")
    parser.add_argument("--since", metavar="COMMIT")
    parser.add_argument(
        "--share", metavar="K/N", help="with --since: of those that are untouched, every N-th from the K-th"
    )
    parser.add_argument("--minutes", type=float, help="none is begun after that long")
    arguments = parser.parse_args()
    work = chosen(arguments.words)
    if arguments.since is not None:
        everything = len(work)
        work = in_turn(work, changed_since(arguments.since), arguments.share)
        print(f"{len(work)} of {everything} defences: those touched since {arguments.since}, and a share of the others")
    started = time.monotonic()
    if any(defence.is_contract for _, defence in work):
        solidity.ensure_packages()
    failures, waiting = 0, []
    with tempfile.TemporaryDirectory(prefix="hutong-defences-") as folder:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(arguments.copies):
            path = Path(folder) / str(number)
            path.mkdir()
            copies.put(Copy(path))
        if not arguments.no_baseline:
            copy = copies.get()
            tests = tuple(dict.fromkeys(test for _, defence in work for test in defence.tests))
            done = copy.test(tests, BASELINE_LIMIT_S, "-n", str(arguments.copies))
            copies.put(copy)
            print(f"untouched: exit code {done.returncode}, {time.monotonic() - started:.0f} s", flush=True)
            if done.returncode:
                print(done.stdout[-4000:])
                return 1

        def one(item: tuple[str, Defence]) -> Verdict | None:
            if is_over(started, arguments.minutes):
                return None
            copy = copies.get()
            try:
                return judge(copy, item[1])
            finally:
                copies.put(copy)

        with ThreadPoolExecutor(arguments.copies) as pool:
            for (group, defence), verdict in zip(work, pool.map(one, work), strict=True):
                if verdict is None:
                    waiting.append(f"{group}: {defence.name}")
                    continue
                word = "missed" if verdict.missed else "NOT MISSED"
                print(f"{word:10} {verdict.seconds:5.1f} s  {group}: {verdict.defence.name}", flush=True)
                if not verdict.missed:
                    failures += 1
                    print(verdict.said, flush=True)
    if waiting:
        print(f"{len(waiting)} wait for a run with more time:", *waiting, sep="\n  ")
    print(f"{len(work) - len(waiting)} defences, {failures} not missed, {time.monotonic() - started:.0f} s")
    return 1 if failures or not work else 0


if __name__ == "__main__":
    sys.exit(main())
