"""What a defence is: a place in the source, how to turn it off there, and the tests that notice."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Defence:
    """`source` stands once in `file`. With `replacement` in its place at least one of `tests` (below `tests/`) fails."""

    name: str
    file: str
    source: str
    replacement: str
    tests: tuple[str, ...]

    @property
    def is_contract(self) -> bool:
        return self.file.endswith(".sol")

    @property
    def places(self) -> int:
        """How often `source` stands in the file: anything but once is a list that the code has left behind."""
        path = ROOT / self.file
        return path.read_text().count(self.source) if path.is_file() else 0

    @property
    def line(self) -> int:
        """Where it begins."""
        text = (ROOT / self.file).read_text()
        return text[: text.index(self.source)].count("\n") + 1
