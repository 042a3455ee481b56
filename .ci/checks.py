"""Run the checks of `.ci/checks.toml` in order, those that are due, and say what ran, what waits for its turn, and how long each took.

bash .ci/run                  those that are due
bash .ci/run --list           which those are, and why; nothing runs
bash .ci/run --all            every one
bash .ci/run --resume         without those that passed on this commit, in a run that ended early
bash .ci/run NAME …           those whose name contains one of the words, due or not

A check by turns that is due is put off where it would end after PUT_OFF_MINUTES, or where more than BESIDE_MINUTES of such checks
would run beside others, unless it was asked for; the end of the run names it.

Fields of a check: `run` is bash, from the root of the tree, with $WORK (a folder of this run), $LANDED, $DAY and $MINUTES_LEFT (for
work that goes as far as the time of a whole run does). `beside` starts it
at that niceness and goes on; `needs` waits for such ones; all are waited for at the end. A failure does not end the run: what needs
it does not begin, all else does, and the end prints the last lines of each that failed once more, since a log may be kept by its end.
"""

import argparse
import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / ".ci" / "checks.toml"
LANDED = ROOT / ".ci" / "landed"
PASSED = ROOT / ".ci" / "passed"
"""One line for each check that passed, after the commit; ignored by git."""
TAIL_LINES = 40
FAILED_LINES = 40
PUT_OFF_MINUTES = 66
"""What comes by turns begins only where it would end by then, in a run of what is due: cut off at 90, a run says nothing. Minutes
are those on quiet cores, and beside others these checks have taken twice as long."""
BESIDE_MINUTES = 15
"""Of checks by turns beside others, in a run of what is due: after days without a landing all of them are, some 80 minutes, and two
cores that had 30 of these beside the rest needed 89 of CI's 90 minutes."""
LIMIT_MINUTES = 60
"""For what goes as far as the time does: its last piece, and what waits for it, still have to end within CI's 90."""


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table. `minutes` is for whoever reads it."""

    name: str
    run: str
    minutes: float
    beside: int | None = None
    needs: tuple[str, ...] = ()
    every: int = 1
    sources: tuple[str, ...] = ()
    run_all: str | None = None
    """In place of `run` where all is asked for."""


def load(text: str) -> list[Check]:
    """Raises ValueError for a name that comes twice, for a need that is not started before, for a turn without sources."""
    checks: list[Check] = []
    for row in tomllib.loads(text)["check"]:
        fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        check = Check(**fields)
        before = {one.name: one for one in checks}
        if check.name in before:
            raise ValueError(f"{check.name}: listed twice")
        for need in check.needs:
            if need not in before or before[need].beside is None:
                raise ValueError(f"{check.name}: needs {need!r}, which no row above it starts beside others")
        if (check.every > 1) != bool(check.sources):
            raise ValueError(f"{check.name}: what takes turns names its sources, and nothing else does")
        checks.append(check)
    return checks


def reason(check: Check, index: int, day: int, changed: Sequence[str] | None) -> str | None:
    """Why it is due; None if it waits. `changed` is None where nobody knows what has changed."""
    if check.every == 1:
        return "each run"
    if changed is None:
        return "what has changed since the last landing is not known"
    for file in changed:
        if any(file == source or file.startswith(f"{source}/") for source in check.sources):
            return f"{file} has changed"
    if (day + index) % check.every == 0:
        return "its turn"
    return None


def next_turn(check: Check, index: int, day: int) -> int:
    """In how many days."""
    return -(day + index) % check.every


def crowded_out(checks: Sequence[Check], day: int) -> set[str]:
    """Of what runs by turns beside others, the names beyond BESIDE_MINUTES. Each day begins with another, so that none always waits."""
    rows = [check for check in checks if check.every > 1 and check.beside is not None]
    first = day % len(rows) if rows else 0
    minutes, beyond = 0.0, set()
    for check in rows[first:] + rows[:first]:
        if minutes + check.minutes > BESIDE_MINUTES:
            beyond.add(check.name)
        else:
            minutes += check.minutes
    return beyond


def git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def changed_files() -> list[str] | None:
    listed = git("diff", "--name-only", LANDED.read_text().strip())
    return None if listed is None else listed.splitlines()


@dataclass(slots=True)
class Run:
    """What was started, what passed, and how long each took."""

    work: Path
    environment: dict[str, str]
    everything: bool
    record: Callable[[Check], None]
    beside: dict[str, tuple[Check, subprocess.Popen[bytes], float, IO[bytes]]] = field(default_factory=dict)
    took_s: list[tuple[float, str]] = field(default_factory=list)
    put_off: list[str] = field(default_factory=list)
    failed: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    """By name: what is said of it, and its last lines."""
    may_put_off: bool = False
    crowded_out: set[str] = field(default_factory=set)
    began_s: float = field(default_factory=time.monotonic)

    def _start(self, check: Check, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
        script = check.run_all if self.everything and check.run_all else check.run
        nice = ["nice", "-n", str(check.beside)] if check.beside else []
        minutes_left = max(1, LIMIT_MINUTES - (time.monotonic() - self.began_s) / 60)
        return subprocess.Popen(
            [*nice, "bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT,
            env={**self.environment, "MINUTES_LEFT": f"{minutes_left:.1f}"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,  # no session of its own: niceness may count within a session alone
        )

    def one(self, check: Check) -> None:
        minutes = (time.monotonic() - self.began_s) / 60
        if self.may_put_off and check.every > 1 and minutes + check.minutes > PUT_OFF_MINUTES:
            self._say(f"put off, being due: {check.name} takes {check.minutes:g} minutes")
            self.put_off.append(check.name)
            return
        if check.name in self.crowded_out:
            self._say(f"put off, being due: {check.name} would run beside much else that is due")
            self.put_off.append(check.name)
            return
        for need in check.needs:
            self.finish(need)
        lost = [need for need in check.needs if need in self.failed]
        if lost:
            self._failed(check, f"not begun, since it needs {lost[0]!r}", [])
            return
        if check.beside is not None:
            log = (self.work / f"beside-{len(self.beside)}-{len(self.took_s)}.log").open("w+b")
            self.beside[check.name] = (check, self._start(check, log), time.monotonic(), log)
            self._say(f"started: {check.name}")
            return
        self._say(check.name)
        began_s = time.monotonic()
        process = self._start(check, subprocess.PIPE)
        lines: deque[str] = deque(maxlen=FAILED_LINES)
        prints = threading.Thread(target=print_lines, args=(process, lines), daemon=True)
        prints.start()
        try:
            code = process.wait()
        finally:
            end(process)
        prints.join(timeout=5)  # a process that left the group may hold the other end
        self._ended(check, code, time.monotonic() - began_s, list(lines))

    def finish(self, name: str) -> None:
        """Waits for a check that runs beside others; nothing where it was not started or was waited for."""
        if name not in self.beside:
            return
        check, process, began_s, log = self.beside.pop(name)
        code = process.wait()
        log.seek(0)
        lines = log.read().decode(errors="replace").splitlines()
        log.close()
        self._say(f"{name}, waited for")
        print(*(lines if code else lines[-TAIL_LINES:]), sep="\n", flush=True)
        self._ended(check, code, time.monotonic() - began_s, lines[-FAILED_LINES:])

    def _ended(self, check: Check, code: int, seconds: float, lines: list[str]) -> None:
        self.took_s.append((seconds, check.name))
        if code:
            self._failed(check, f"exit code {code}, after {seconds:.0f} s", lines)
        else:
            self.record(check)

    def _failed(self, check: Check, why: str, lines: list[str]) -> None:
        self.failed[check.name] = (why, lines)
        print(f"\nFAILED: {check.name} ({why})", flush=True)

    def _say(self, what: str) -> None:
        times = os.times()
        processor_s = times.children_user + times.children_system
        print(f"\n=== {what} ({time.monotonic() - self.began_s:.0f} s; processor {processor_s:.0f} s)", flush=True)

    def stop(self) -> None:
        for _, process, _, log in self.beside.values():
            end(process)
            log.close()

    def durations(self) -> None:
        print("\nseconds, of those beside others from start to end:")
        for seconds, name in self.took_s:
            print(f"{seconds:7.0f}  {name}")
        for name in self.put_off:
            print(f"put off for want of time, and still due: bash .ci/run {name!r}")

    def failures(self) -> None:
        for name, (why, lines) in self.failed.items():
            print(f"\n=== FAILED: {name} ({why}), its last lines:", *lines, sep="\n")


def print_lines(process: subprocess.Popen[bytes], lines: deque[str]) -> None:
    """Prints what it prints, to its end, and leaves the last of it in `lines`."""
    assert process.stdout is not None
    for raw in process.stdout:
        lines.append(raw.decode(errors="replace").rstrip("\n"))
        print(lines[-1], flush=True)


def end(process: subprocess.Popen[bytes]) -> None:
    """With all that it started and that stayed in its group."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
    except ProcessLookupError:
        return


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=".ci/run", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args()


def passed_before(head: str) -> set[str]:
    lines = PASSED.read_text().splitlines() if PASSED.exists() else []
    return set(lines[1:]) if lines[:1] == [head] else set()


def due(checks: list[Check], arguments: argparse.Namespace, day: int) -> list[Check]:
    changed = changed_files()
    chosen = []
    for index, check in enumerate(checks):
        why: str | None
        if arguments.words:
            why = "asked for" if any(word in check.name for word in arguments.words) else None
        else:
            why = "all were asked for" if arguments.all else reason(check, index, day, changed)
        if why is not None:
            chosen.append(check)
        waits = "not asked for" if arguments.words else f"its turn comes in {next_turn(check, index, day)} days"
        print(f"{'runs ' if why else 'waits'}  {check.minutes:4.0f} min  {check.name}: {why or waits}")
    return chosen


def main() -> None:
    arguments = parse()
    checks = load(TABLE.read_text())
    day = dt.datetime.now(dt.UTC).date().toordinal()
    chosen = due(checks, arguments, day)
    if arguments.list:
        return
    head = git("rev-parse", "HEAD") or "no commit"
    passed = passed_before(head) if arguments.resume else set()
    PASSED.write_text("\n".join([head, *sorted(passed)]) + "\n")

    def record(check: Check) -> None:
        with PASSED.open("a") as file:
            file.write(f"{check.name}\n")

    environment = {**os.environ, "LANDED": LANDED.read_text().strip(), "DAY": str(day % 7)}
    run = Run(Path(os.environ["WORK"]), environment, arguments.all, record)
    run.may_put_off = not arguments.all and not arguments.words
    run.crowded_out = crowded_out(chosen, day) if run.may_put_off else set()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        for check in chosen:
            if check.name not in passed:
                run.one(check)
        for name in list(run.beside):
            run.finish(name)
    finally:
        run.stop()
        run.failures()
        run.durations()
    if run.failed:
        sys.exit(f"\nFAILED: {', '.join(run.failed)}")
    print("\ndone")


if __name__ == "__main__":
    main()
