"""Run sections of the gate or of all other proofs, in an environment that `.ci/environment` has made.

python -m tests.gate run [NAME …]            the gate, `.ci/gate.toml`: every section, then once more what failed and may be
python -m tests.gate whole [NAME …]          `.ci/whole.toml`: without a name what is stale, oldest first; green ones are written
                                             into `.ci/proofs.json` as they end, so a run that is stopped goes on where it was
python -m tests.gate whole --minutes 30      begins no section after so long
python -m tests.gate rows                    every pytest row of both tables collects the tests that it is there for
python -m tests.gate --list run | whole      the names

Exit code 0 if all is green, 1 if something failed, 2 for a name or a table that cannot be used.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.gate import proofs
from tests.gate.rows import all_faults
from tests.gate.running import Runner, Setting
from tests.gate.sections import GATE, WHOLE, Section, UnusableTable, chosen, load
from tests.gate.verdict import VERDICT, closing, judge, table

GATE_SEED = 1
UNUSABLE = 2


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests.gate", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("run", "whole", "rows"))
    parser.add_argument("words", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int, help="of what `whole` draws; it is printed and kept with each proof")
    return parser.parse_args()


def setting(seed: int) -> Setting:
    work = Path(tempfile.mkdtemp(prefix="g", dir="/tmp" if Path("/tmp").is_dir() else None))  # noqa: S108
    return Setting(work, seed, f"hutong-{os.getpid()}-{int(time.time())}")


def run_gate(sections: list[Section]) -> int:
    runner = Runner(setting(GATE_SEED))
    print(f"seed {GATE_SEED}, logs in {runner.setting.work}", flush=True)
    for section in sections:
        runner.run(section)
    verdict = judge(runner)
    print(*table(runner.outcomes), sep="\n")
    print("\nproofs of `.ci/whole`, which fail nothing here:")
    for age in proofs.ages(load(WHOLE.read_text()), proofs.load()):
        print(age.line)
    print(*closing(runner.outcomes, verdict), sep="\n", flush=True)
    if wanted := os.environ.get(VERDICT):
        verdict.write(Path(wanted))
    return 0 if verdict.is_green else 1


def run_whole(sections: list[Section], arguments: argparse.Namespace) -> int:
    """Each section is judged when it ends: a green one is kept at once."""
    known = proofs.load()
    if not arguments.words:
        stale = [age.section for age in proofs.oldest_first(proofs.ages(sections, known))]
        needed = {name for section in stale for name in section.needs}
        sections = [section for section in sections if section.name in needed and section not in stale] + stale
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**31)
    commit, changed = proofs.head(), proofs.uncommitted()
    print(f"commit {commit}, seed {seed}, {len(sections)} sections", flush=True)
    if changed:
        print(f"not committed, so that no proof is written: {', '.join(changed[:5])}")
    began_s, red = time.monotonic(), []
    base = setting(seed)
    runs = 0
    for section in sections:
        if arguments.minutes is not None and time.monotonic() - began_s > arguments.minutes * 60:
            print(f"not begun for want of time: {section.name}")
            continue
        runner = Runner(base, runs=runs)
        outcome = runner.run(section)
        verdict = judge(runner)
        runs = runner.runs
        print(*table(runner.outcomes), *closing(runner.outcomes, verdict), sep="\n", flush=True)
        if not verdict.is_green:
            red.append(section.name)
        elif not changed:
            unsteady = tuple(failure.test or failure.why for failure in verdict.unsteady)
            # read again: another run may have written meanwhile
            proof = proofs.Proof(commit, proofs.today(), round(outcome.seconds), seed, unsteady)
            proofs.store({**proofs.load(), section.name: proof})
    print(f"\nseed {seed}; {len(red)} sections are red" + "".join(f"\nRED  {name}" for name in red))
    return 1 if red else 0


def check_rows() -> int:
    faults = all_faults([*load(GATE.read_text()), *load(WHOLE.read_text())])
    print(*(faults or ["every row selects the tests that it is there for"]), sep="\n")
    return 1 if faults else 0


def main() -> int:
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        if arguments.what == "rows":
            return check_rows()
        every = load((GATE if arguments.what == "run" else WHOLE).read_text())
        sections = chosen(every, arguments.words)
    except UnusableTable as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    if arguments.list:
        print(*(f"{section.minutes:4.0f} min  {section.name}" for section in sections), sep="\n")
        return 0
    return run_gate(sections) if arguments.what == "run" else run_whole(sections, arguments)


if __name__ == "__main__":
    sys.exit(main())
