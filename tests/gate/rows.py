"""A row that selects nothing proves nothing: every pytest row is collected with its own marks, words and paths."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.gate.report import selected_by
from tests.gate.sections import ROOT, Section

WITH_VALUE = ("--ignore", "-n", "--dist")


@dataclass(frozen=True, slots=True)
class Row:
    """The words of a pytest row, sorted."""

    options: tuple[str, ...]
    """What chooses tests by mark or word."""
    paths: tuple[str, ...]
    ignored: tuple[str, ...]

    @classmethod
    def of(cls, section: Section) -> "Row":
        options: list[str] = []
        paths: list[str] = []
        ignored: list[str] = []
        words = iter(shlex.split(section.pytest))
        for word in words:
            if word in WITH_VALUE:
                value = next(words)
                if word == "--ignore":
                    ignored.append(value)
            elif word in ("-m", "-k"):
                options += [word, next(words)]
            elif not word.startswith("-"):
                paths.append(word)
        return cls(tuple(options), tuple(paths), tuple(ignored))

    def reaches(self, file: str) -> bool:
        inside = not self.paths or any(_is_below(file, path) for path in self.paths)
        return inside and not any(_is_below(file, path) for path in self.ignored)


def _is_below(file: str, path: str) -> bool:
    return file == path or file.startswith(f"{path}/")


def faults(section: Section) -> list[str]:
    """Sentences: paths that are not there, tests that the row is there for and does not select."""
    row = Row.of(section)
    missing = [path for path in (*row.paths, *row.ignored) if not (ROOT / path).exists()]
    if missing:
        return [f"{section.name}: {path} is not there" for path in missing]
    files = sorted({test.partition("::")[0] for test in section.selects})
    unreached = [file for file in files if not row.reaches(file)]
    if unreached:
        return [f"{section.name}: its paths do not reach {file}" for file in unreached]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *row.options, *files]
    environment = {**os.environ, **section.environment}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    collected = done.stdout.splitlines()
    return [
        f"{section.name}: does not select {wanted}"
        for wanted in section.selects
        if not any(selected_by(test, wanted) for test in collected)
    ]


def all_faults(sections: Sequence[Section]) -> list[str]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [fault for found in pool.map(faults, (one for one in sections if one.pytest)) for fault in found]
