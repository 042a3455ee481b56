"""Makes the pinned table of `relay/services/directory/rules/terms` from the files of the Unicode Character Database.

python -m tests.relay.services.directory.rules.terms.unicode_table [--ucd FOLDER] [--check]

Debian's package `unicode-data` 15.0.0-1 puts the files into /usr/share/unicode. `--check` writes nothing and ends with 1 if the table in the
tree is another one. Another version of Unicode is another version of the format: it gets a table beside this one.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[6]
TABLE = ROOT / "relay/services/directory/rules/terms/unicode-15.0.0.json"
VERSION = "15.0.0"
CLASSES = {
    "letter": ("ALetter", "Hebrew_Letter"),
    "digit": ("Numeric",),
    "extend": ("Extend", "Format", "ZWJ"),
    "mid_letter": ("MidLetter", "MidNumLet", "Single_Quote"),
    "mid_digit": ("MidNum", "MidNumLet", "Single_Quote"),
    "join": ("ExtendNumLet",),
}
"""Ours, by the values of Word_Break (UAX #29)."""
SCRIPTS = ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar")
"""Written without spaces: Word_Break says nothing of them, so that these become pairs of characters."""


def rows(path: Path) -> Iterator[tuple[range, list[str]]]:
    """Code points and further fields of each line of a file of the database."""
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = [field.strip() for field in line.partition("#")[0].split(";")]
        if len(fields) > 1:
            first, _, last = fields[0].partition("..")
            yield range(int(first, 16), int(last or first, 16) + 1), fields[1:]


def runs(points: set[int]) -> list[list[int]]:
    """[first, last] of each run of code points, ascending."""
    found: list[list[int]] = []
    for point in sorted(points):
        if found and found[-1][1] == point - 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return found


def text(points: str) -> str:
    return "".join(chr(int(point, 16)) for point in points.split())


def folds(mapping: dict[int, str]) -> list[list[int | str]]:
    """[first, last, text] for all of a run, or [first, last, distance] where each maps to the code point so far away."""
    found: list[list[int | str]] = []
    for point, mapped in sorted(mapping.items()):
        said = ord(mapped) - point if len(mapped) == 1 else mapped
        if found and found[-1][1] == point - 1 and found[-1][2] == said:
            found[-1][1] = point
        else:
            found.append([point, point, said])
    return found


def composition(ucd: Path) -> tuple[dict[str, str], set[int], dict[int, set[int]]]:
    """Canonical decompositions (one step), code points that are never composed, and code points by combining class."""
    steps: dict[str, str] = {}
    classes: dict[int, set[int]] = {}
    for line in (ucd / "UnicodeData.txt").read_text(encoding="utf-8").splitlines():
        fields = line.split(";")
        point, combining, decomposition = int(fields[0], 16), int(fields[3]), fields[5]
        if combining:
            classes.setdefault(combining, set()).add(point)
        if decomposition and not decomposition.startswith("<"):
            steps[chr(point)] = text(decomposition)
    derived = list(rows(ucd / "DerivedNormalizationProps.txt"))
    never = {point for points, fields in derived if fields[0] == "Full_Composition_Exclusion" for point in points}
    return steps, never, classes


def table(ucd: Path) -> bytes:
    """The table as it stands in the tree."""
    if f"Version {VERSION}" not in (ucd / "ReadMe.txt").read_text(encoding="utf-8"):
        sys.exit(f"{ucd} is not the database of Unicode {VERSION}")
    derived = list(rows(ucd / "DerivedNormalizationProps.txt"))
    mapping = {point: text(fields[1]) for points, fields in derived if fields[0] == "NFKC_CF" for point in points}
    composing = {point for points, fields in derived if fields[0] == "NFC_QC" for point in points}
    steps, never, combining = composition(ucd)
    letters = {
        point
        for points, fields in rows(ucd / "DerivedCoreProperties.txt")
        if fields[0] in ("Alphabetic", "Ideographic")
        for point in points
    }
    script = letters & {
        point for points, fields in rows(ucd / "Scripts.txt") if fields[0] in SCRIPTS for point in points
    }
    script |= {0x30FC}  # the mark of long vowels, which Katakana and Hiragana share
    breaks = list(rows(ucd / "auxiliary/WordBreakProperty.txt"))
    marks = {point for points, fields in breaks if fields[0] in CLASSES["extend"] for point in points}
    classes = {
        name: runs({p for points, fields in breaks if fields[0] in values for p in points} - (script - marks))
        for name, values in CLASSES.items()
    }
    made = {
        "unicode": VERSION,
        "fold": folds(mapping),
        "composing": runs(composing | set().union(*combining.values())),
        "steps": steps,
        "never": runs(never),
        "combining": {str(value): runs(points) for value, points in sorted(combining.items())},
        "classes": classes | {"ideograph": runs(script - marks)},
    }
    return json.dumps(made, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ucd", type=Path, default=Path("/usr/share/unicode"))
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    made = table(asked.ucd)
    if asked.check:
        return 0 if TABLE.read_bytes() == made else 1
    TABLE.write_bytes(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
