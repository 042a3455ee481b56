"""`.ci/land`: moves `main` to the head of `work`, if that passes the gate in a fresh clone.

    bash .ci/land           from the tree one develops in, on the branch `work`

`main` moves by one comparison and exchange at the very end: a landing that is killed leaves it where it stood.
Exit code 0 if it moved or stood there already, 1 if the gate is red, 2 if the landing cannot begin.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.gate.marked_processes import MARK, MarkedProcess, marked
from tests.gate.verdict import VERDICT

WORK, MAIN = "work", "main"
RED, UNUSABLE = 1, 2
MAX_LISTED = 20
OURS = ("HUTONG_", "PYTEST_", "PYTHON", "VIRTUAL_ENV", "PIP_CONSTRAINT")
"""Variables that a fresh machine does not have."""


class Refused(Exception):
    """The landing cannot begin; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The checkout that one develops in."""

    folder: Path

    def git(self, *arguments: str) -> str:
        """Raises Refused with what git says."""
        done = subprocess.run(["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refused(f"git {arguments[0]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def commit(self, branch: str) -> str:
        return self.git("rev-parse", "--verify", f"refs/heads/{branch}^{{commit}}")

    def checked(self, alive: Callable[[], Sequence[MarkedProcess]] = marked) -> tuple[str, str]:
        """Heads of `work` and `main`, once nothing speaks against a landing. Raises Refused."""
        changed = self.git("status", "--porcelain").splitlines()
        if changed:
            rest = f"\n  and {len(changed) - MAX_LISTED} more" if len(changed) > MAX_LISTED else ""
            listed = "\n  ".join(changed[:MAX_LISTED])
            raise Refused(f"the tree has changes that are in no commit; commit them on {WORK!r}:\n  {listed}{rest}")
        if self.git("symbolic-ref", "--quiet", "--short", "HEAD") == MAIN:
            raise Refused(f"{MAIN!r} is checked out and would be moved under you: git checkout {WORK}")
        work, main = self.commit(WORK), self.commit(MAIN)
        if self.git("merge-base", work, main) != main:
            raise Refused(f"{MAIN!r} has commits that {WORK!r} lacks: git rebase {MAIN} {WORK}")
        if left := alive():
            listed = "\n  ".join(f"{process.pid}  {process.command}" for process in left[:MAX_LISTED])
            raise Refused(f"processes of an earlier test run still live; end them first:\n  {listed}")
        return work, main


def fresh_clone(tree: Tree, commit: str, folder: Path) -> Path:
    """The commit alone below `folder`, with a copy of `shared` beside it that nobody can write, as CI has it."""
    clone = folder / "main"
    tree.git("clone", "--quiet", "--no-local", "--branch", WORK, str(tree.folder), str(clone))
    Tree(clone).git("checkout", "--quiet", "--detach", commit)
    shared = tree.folder.parent / "shared"
    if shared.is_dir():
        shutil.copytree(shared, folder / "shared", symlinks=True)
        subprocess.run(["chmod", "-R", "a-w", str(folder / "shared")], check=True)
    return clone


def environment(own: Mapping[str, str], verdict: Path) -> dict[str, str]:
    """As CI has it: what a developer set for the tests is gone, and so is an activated environment."""
    kept = {name: value for name, value in own.items() if not name.startswith(OURS)}
    activated = own.get("VIRTUAL_ENV")
    if activated:
        bin_folder = str(Path(activated) / "bin")
        kept["PATH"] = os.pathsep.join(part for part in own["PATH"].split(os.pathsep) if part != bin_folder)
    return {**kept, "CI": "true", VERDICT: str(verdict)}


def passes(clone: Path, variables: Mapping[str, str]) -> bool:
    process = subprocess.Popen(
        ["bash", ".ci/run"], cwd=clone, env=dict(variables), stdin=subprocess.DEVNULL, process_group=0
    )
    try:
        return process.wait() == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def unsteady(verdict: Path) -> Sequence[str]:
    return json.loads(verdict.read_text(encoding="utf-8"))["unsteady"] if verdict.exists() else ()


def land(tree: Tree, alive: Callable[[], Sequence[MarkedProcess]] = marked) -> int:
    """`alive` lists processes of earlier test runs."""
    work, main = tree.checked(alive)
    if work == main:
        print(f"{MAIN} is at {work[:9]} already")
        return 0
    with tempfile.TemporaryDirectory(prefix="hutong-land-") as name:
        folder = Path(name)
        verdict = folder / "verdict.json"
        clone = fresh_clone(tree, work, folder)
        green = passes(clone, environment(os.environ, verdict))
        listed = unsteady(verdict)
        subprocess.run(["chmod", "-R", "u+w", name], check=False)
    for title in listed:
        print(f"UNSTEADY, mend it before the next landing: {title}")
    if not green:
        print(f"{work[:9]} has not passed: {MAIN} stays at {main[:9]}")
        return RED
    tree.git("update-ref", "-m", "landed", f"refs/heads/{MAIN}", work, main)
    print(f"{MAIN} is at {work[:9]}, which has passed")
    return 0


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped: main stays where it is"))
    os.environ.pop(MARK, None)
    try:
        return land(Tree(Path.cwd()))
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
