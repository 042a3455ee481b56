"""Honest inputs of every light client and proof format, changed and judged: no crash, no hang, nothing false accepted.

    python -m tests.light_clients.mutate --count 20000 --seed 1          what CI runs
    python -m tests.light_clients.mutate --count 1000000 --seed 20261126
    python -m tests.light_clients.mutate --only "bitcoin header" --number 4711 --seed 1   one input again, in hexadecimal

A subject is one door of a verifier; inputs are dealt to them in turn. The table counts how many came past the first decoder (the
outer form: protobuf, ABI, RLP, JSON), past all of them (no MalformedInput: a rule has judged) and were accepted, which is right
where what they say is true. Exit code 1: a subject failed, or less than half of all inputs came past the first decoder.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from tests.light_clients.mutation.clients import client_subjects
from tests.light_clients.mutation.engine import Failure, Subject, Tally, case_of, check_seeds, run
from tests.light_clients.mutation.formats import format_subjects
from tests.light_clients.mutation.gm_files import gm_subjects
from tests.light_clients.mutation.observed import observed_subjects

LEAST_PAST_FIRST = 0.5
STEP = 50_000
SHOWN_FAILURES = 20


def all_subjects() -> tuple[Subject, ...]:
    """Every client's doors, then the formats, what is shown of observed chains, and files of the GM suite."""
    return (*client_subjects(), *format_subjects(), *observed_subjects(), *gm_subjects())


def line_of(name: str, tally: Tally) -> str:
    """One row of the table."""
    cases = max(tally.cases, 1)
    shares = (tally.past_first_decoder / cases, tally.past_all_decoders / cases, tally.accepted / cases)
    rules = len(set(tally.refusals) - {"malformed"})
    columns = f"{tally.cases:>9,} " + " ".join(f"{share:>7.1%}" for share in shares)
    return f"{name:<40} {columns} {rules:>6} {tally.slowest_s * 1000:>8.1f}"


def _report(tallies: dict[str, Tally], failures: Sequence[Failure]) -> Tally:
    total = Tally()
    print(f"{'subject':<40} {'cases':>9} {'1st dec':>7} {'all dec':>7} {'accept':>7} {'rules':>6} {'worst ms':>8}")
    for name, tally in tallies.items():
        print(line_of(name, tally))
        total.add(tally)
    print(line_of("all", total))
    for failure in failures[:SHOWN_FAILURES]:
        print(f"FAILED {failure.subject}: {failure.problem}")
        print(
            f"  --only {failure.subject!r} --seed {failure.seed} --number {failure.number}; {failure.data.hex()[:400]}"
        )
    return total


def _again(subjects: Sequence[Subject], seed: int, number: int) -> int:
    for subject in subjects:
        data = case_of(subject, seed, number)
        print(f"{subject.name}: {data.hex()}")
        subject.judge(data)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.light_clients.mutate", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first input, to share a run among processes"
    )
    parser.add_argument("--only", default="", help="subjects whose name has this in it")
    parser.add_argument("--number", type=int, help="make and judge this one input again")
    chosen = parser.parse_args(arguments)
    subjects = [subject for subject in all_subjects() if chosen.only in subject.name]
    if not subjects:
        parser.error(f"no subject has {chosen.only!r} in its name")
    if chosen.number is not None:
        return _again(subjects, chosen.seed, chosen.number)
    started = time.process_time()
    tallies = {subject.name: Tally() for subject in subjects}
    failures: list[Failure] = []
    check_seeds(subjects)
    end = chosen.first + chosen.count
    for first in range(chosen.first, end, STEP):
        part, failed = run(subjects, min(STEP, end - first), chosen.seed, first)
        failures += failed
        for name, tally in part.items():
            tallies[name].add(tally)
        if first + STEP < end:
            print(f"{first + STEP - chosen.first:,} cases, {len(failures)} failures", flush=True)
    total = _report(tallies, failures)
    past = total.past_first_decoder / max(total.cases, 1)
    print(
        f"seed {chosen.seed}: {total.cases:,} inputs, {past:.1%} past the first decoder, {len(failures)} failures, "
        f"{time.process_time() - started:.0f} s of processor time"
    )
    return 1 if failures or past < LEAST_PAST_FIRST else 0


if __name__ == "__main__":
    sys.exit(main())
