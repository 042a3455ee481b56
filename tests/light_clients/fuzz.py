"""Coverage-guided fuzzing of the same doors with atheris: changes that reach new code of `light_clients` are kept and changed further.

    pip install -c constraints.txt -e '.[test,fuzz]'
    python -m tests.light_clients.fuzz --runs 20000 --seed 1 [--only parser-name]

An input is a byte that names the subject, and what is put before it. Half of the changes are the mutation engine's, which
keep the form, half are libFuzzer's own. Ends with libFuzzer's exit code 77 and the input where a subject failed.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["light_clients"]):
    from tests.light_clients.mutate import all_subjects
    from tests.light_clients.mutation.engine import Tally, judged
    from tests.light_clients.mutation.forms import mutated

MOST_SUBJECTS = 256
CASE_LIMIT_S = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.light_clients.fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    subjects = [s for s in all_subjects() if chosen.only in s.name][:MOST_SUBJECTS]
    if not subjects:
        parser.error(f"no subject has {chosen.only!r} in its name")
    tally = Tally()

    def one_input(data: bytes) -> None:
        if data:
            subject = subjects[data[0] % len(subjects)]
            problem = judged(subject, data[1:], tally)
            if problem is not None:
                raise AssertionError(f"{subject.name}: {problem}")

    def changed(data: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)
        if not data or random.random() < 0.5:
            return bytes(atheris.Mutate(data, max_size))
        subject = subjects[data[0] % len(subjects)]
        try:
            return (data[:1] + mutated(subject.form, data[1:], random.choice(subject.seeds), random))[:max_size]
        except Exception:  # bytes that an earlier change has taken out of their form
            return bytes(atheris.Mutate(data, max_size))

    with tempfile.TemporaryDirectory() as corpus:
        longest = 0
        for at, subject in enumerate(subjects):
            for number, seed in enumerate(subject.seeds):
                Path(corpus, f"{at}-{number}").write_bytes(bytes([at]) + seed)
                longest = max(longest, len(seed))
        options = [
            f"-runs={chosen.runs}",
            f"-seed={chosen.seed}",
            f"-timeout={CASE_LIMIT_S}",
            f"-max_len={2 * longest}",
        ]
        artifacts = f"-artifact_prefix={tempfile.gettempdir()}/"
        atheris.Setup([sys.argv[0], *options, artifacts, corpus], one_input, custom_mutator=changed)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
