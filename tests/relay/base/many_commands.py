"""Many commands of hutong, each in a process and a folder of its own, that share what importing costs.

The script imports hutong as the installed one does, then every module of it, and forks for each command. It stands in a
hostile folder from its first line, as its children do, so that an import from there tells on itself in either. A child ends with
another code where its import path has come to hold the folder that it stands in: what it imports next could come from there.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.house.sources import modules
from tests.relay.base.hostile_folder import HostileFolder

LEADS_THERE = 97
AT_ONCE, LIMIT_S = 4, 30
SCRIPT = """\
import sys
from hutong.relay.cli.main import main
import importlib, io, json, os, signal, time, traceback
if __name__ == "__main__":
    order = json.load(open(sys.argv[1]))
    for name in order["modules"]:
        importlib.import_module(name)
    exec(order["before"])
    running, codes = {}, {}

    def child(job):
        os.chdir(job["folder"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number in (1, 2):
            os.dup2(os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in ((0, "r"), (1, "w"), (2, "w")))
        sys.argv = ["hutong", *job["words"]]
        code = 1
        try:
            main()
        except SystemExit as end:
            code = 0 if end.code is None else end.code if isinstance(end.code, int) else 1
        except BaseException:
            traceback.print_exc()
        if any(os.path.realpath(entry) == os.path.realpath(job["folder"]) for entry in sys.path):
            code = %(leads_there)d
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)

    waiting = list(order["jobs"])
    while waiting or running:
        while waiting and len(running) < order["at_once"]:
            job = waiting.pop(0)
            process = os.fork()
            if not process:
                child(job)
            running[process] = (job, time.monotonic() + order["limit_s"])
        process, status = os.waitpid(-1, os.WNOHANG)
        if process:
            job, _ = running.pop(process)
            codes[job["output"]] = os.waitstatus_to_exitcode(status)
            continue
        for process, (_, until) in running.items():
            if time.monotonic() > until:
                os.kill(process, signal.SIGTERM if time.monotonic() < until + order["limit_s"] else signal.SIGKILL)
        time.sleep(0.05)
    json.dump(codes, open(sys.argv[2], "w"))
"""
NO_PROGRAMS = (".__main__", ".migrations.env")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command said on both of its outputs, and its exit code; that of a signal is below 0."""

    code: int
    said: str


def all_modules() -> list[str]:
    names = [module.dotted for module in modules(("adapters", "light_clients", "relay"))]
    return [name for name in names if not name.endswith(NO_PROGRAMS)]


def run_each(
    jobs: dict[HostileFolder, tuple[str, ...]], stands: HostileFolder, imported: list[str], before: str = ""
) -> dict[HostileFolder, Ended]:
    """Run a command in each folder, some at a time; a daemon is ended after LIMIT_S.

    Args:
        jobs: the words after `hutong`, by folder.
        stands: where the script itself stands.
        imported: modules that the commands share.
        before: Python that the script runs before the first command.
    """
    place = stands.path.parent
    (place / "bin").mkdir()
    script, order, codes = place / "bin" / "hutong", place / "order.json", place / "codes.json"
    script.write_text(SCRIPT % {"leads_there": LEADS_THERE})
    listed = [
        {"folder": str(folder.path), "output": str(folder.path.parent / "said"), "words": words}
        for folder, words in jobs.items()
    ]
    asked = {"modules": imported, "before": before, "jobs": listed, "at_once": AT_ONCE, "limit_s": LIMIT_S}
    order.write_text(json.dumps(asked))
    done = subprocess.run([sys.executable, script, order, codes], cwd=stands.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ended = json.loads(codes.read_text())
    return {
        folder: Ended(ended[one["output"]], Path(one["output"]).read_text(errors="replace"))
        for folder, one in zip(jobs, listed, strict=True)
    }
