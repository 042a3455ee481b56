"""A table of sections, as `.ci/gate.toml` and `.ci/whole.toml` have them."""

import shlex
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GATE = ROOT / ".ci" / "gate.toml"
WHOLE = ROOT / ".ci" / "whole.toml"
PYTEST_OWN = "not nodes and not long"
"""The marks that pyproject.toml chooses where a row does not name any."""


class UnusableTable(ValueError):
    """A table that cannot be run; the text names the section."""


@dataclass(frozen=True, slots=True)
class Section:
    """One row. It has either `run` or `pytest`."""

    name: str
    limit_minutes: float
    """After so long its processes are ended, and it has failed. Generous: it is there for what hangs, not for what is slow."""
    run: str = ""
    """Bash, from the root of the tree, with $WORK, a folder of this run, and $SEED."""
    pytest: str = ""
    """Arguments of pytest, as a shell splits them."""
    selects: tuple[str, ...] = ()
    """Ids of tests for which a pytest row is there: it fails unless each has run and was not skipped."""
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """Names of earlier sections. Where one of them failed, this one cannot run, and has failed too."""
    tools: tuple[str, ...] = ()
    """Programs that must be on the PATH."""
    again: bool = False
    """A section without pytest that waits for processes may be run once more, alone. One that is fixed by its commit may not."""
    sources: tuple[str, ...] = ()
    """Files and folders whose change makes a proof of `.ci/whole` old."""
    minutes: float = 0
    """On two quiet cores, for whoever reads the table."""

    @property
    def script(self) -> str:
        return f"exec pytest {self.pytest}" if self.pytest else self.run

    @property
    def missing_tools(self) -> list[str]:
        return [tool for tool in self.tools if shutil.which(tool) is None]

    @property
    def markers(self) -> str:
        """The expression that chooses its tests."""
        words = shlex.split(self.pytest)
        return words[words.index("-m") + 1] if "-m" in words else PYTEST_OWN


def load(text: str) -> list[Section]:
    """Raises UnusableTable for a row without or with two commands, a name twice, a need below it, pytest without `selects`."""
    sections: list[Section] = []
    for row in tomllib.loads(text)["section"]:
        name = row.get("name", "a section without a name")
        try:
            section = Section(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})
        except TypeError as error:
            raise UnusableTable(f"{name}: {error}") from None
        if any(other.name == name for other in sections):
            raise UnusableTable(f"{name}: listed twice")
        if bool(section.run) == bool(section.pytest):
            raise UnusableTable(f"{name}: has one of `run` and `pytest`")
        if bool(section.pytest) != bool(section.selects):
            raise UnusableTable(
                f"{name}: a pytest row says by `selects` which tests it is there for, and no other does"
            )
        if unknown := [need for need in section.needs if need not in {other.name for other in sections}]:
            raise UnusableTable(f"{name}: needs {unknown[0]!r}, which no row above it is called")
        sections.append(section)
    return sections


def chosen(sections: Sequence[Section], words: Sequence[str]) -> list[Section]:
    """Those whose name contains one of the words, with what they need; all without words.

    Raises:
        UnusableTable: If no name contains a word; the text lists the names.
    """
    if not words:
        return list(sections)
    for word in words:
        if not any(word in section.name for section in sections):
            names = "\n  ".join(section.name for section in sections)
            raise UnusableTable(f"no section is called {word!r}; there are\n  {names}")
    wanted = {section.name for section in sections if any(word in section.name for word in words)}
    for section in reversed(sections):
        if section.name in wanted:
            wanted.update(section.needs)
    return [section for section in sections if section.name in wanted]
