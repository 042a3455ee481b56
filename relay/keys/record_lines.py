"""Files of a record of signatures, as they are read: lines that follow each other, and what a later file says of the earlier ones.

The file that is written bears the record's name; full ones stand beside it under that name and the numbers of their lines,
such as `signed.jsonl.000000000001-000000100000`, and may be moved away. A file that goes on after others begins with a JSON
object of its own: `continues` (the number of the last line before it), `previous` (that line's hash), `day` (the newest UTC day
that any line is of, in days of Unix time) and `day_from` (the number of that day's first line).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.relay.keys.errors import KeyUnavailable
from hutong.relay.keys.spending import DAY_S, Cost

MAX_LINE_BYTES = 64 * 1024
NO_LINE = bytes(32)
_NUMBERS = re.compile(r"[0-9]{12}-[0-9]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RecordedSignature:
    """One line, as it is read again."""

    number: int
    time_s: int
    key: bytes
    kind: str
    digest: bytes
    summary: str
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a record has come: its last line's number and hash, its newest day and that day's first line."""

    number: int = 0
    last: bytes = NO_LINE
    day: int = -1
    day_from: int = 1

    def after(self, line: bytes, time_s: int) -> "Standing":
        """With the next line, of this Unix second. A clock that goes back gives no new day."""
        number, day = self.number + 1, time_s // DAY_S
        if day > self.day:
            return Standing(number, sha256(line), day, number)
        return Standing(number, sha256(line), self.day, self.day_from)


@dataclass(frozen=True, slots=True)
class RecordFile:
    """One file: how the record stood before it and stands after it, and how many bytes its whole lines take."""

    path: Path
    before: Standing
    after: Standing
    signed: tuple[RecordedSignature, ...]
    size: int


def name_of_full(path: Path, first: int, last: int) -> Path:
    """Of a full file of the record at `path`, by the numbers of its first and last line."""
    return path.with_name(f"{path.name}.{first:012d}-{last:012d}")


def full_files(path: Path) -> list[Path]:
    """Those that stand beside the record at `path`, in their order."""
    head = f"{path.name}."
    return sorted(
        one for one in path.parent.glob(f"{path.name}.*") if _NUMBERS.fullmatch(one.name.removeprefix(head)) is not None
    )


def read_record_file(path: Path) -> RecordFile:
    """A file, read whole. A last line without its end was cut by a crash, and is passed over.

    Raises:
        OSError: it cannot be read.
        KeyUnavailable: it is damaged.
    """
    found: list[RecordedSignature] = []
    before = standing = Standing()
    whole = 0
    with path.open("rb") as file:
        for at, line in enumerate(file):
            if not line.endswith(b"\n"):
                break
            place = f"{path} line {at + 1}"
            if at == 0 and line.startswith(b'{"continues":'):
                before = standing = read_continuation(line[:-1], place)
            else:
                one, previous = read_line(line[:-1], place)
                if one.number != standing.number + 1 or previous != standing.last:
                    raise KeyUnavailable(path, f"line {at + 1} does not follow the one before it")
                standing = standing.after(line[:-1], one.time_s)
                found.append(one)
            whole += len(line)
    return RecordFile(path, before, standing, tuple(found), whole)


def read_line(line: bytes, place: str) -> tuple[RecordedSignature, bytes]:
    """A line without its end, and the hash of the one before it.

    Args:
        place: named in errors.

    Raises:
        KeyUnavailable: it is not one.
    """
    try:
        said = parse_json(line, "line", MAX_LINE_BYTES)
        cost = None
        if "place" in said:
            chain, number = said["place"]
            cost = Cost(
                (str(chain), int(number)), tuple((str(unit), int(amount)) for unit, amount in said["amounts"].items())
            )
        key, digest, previous = (bytes.fromhex(said[name]) for name in ("key", "digest", "previous"))
        found = RecordedSignature(
            int(said["number"]), int(said["time_s"]), key, str(said["kind"]), digest, str(said["summary"]), cost
        )
    except (MalformedInput, KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise KeyUnavailable(place, "is not a line of a record of signatures") from None
    return found, previous


def read_continuation(line: bytes, place: str) -> Standing:
    """The first line of a file that goes on after others, without its end.

    Args:
        place: named in errors.

    Raises:
        KeyUnavailable: it is not one.
    """
    try:
        said = parse_json(line, "line", MAX_LINE_BYTES)
        number, day, day_from = (int(said[name]) for name in ("continues", "day", "day_from"))
        last = bytes.fromhex(said["previous"])
    except (MalformedInput, KeyError, TypeError, ValueError, AttributeError, OverflowError):
        number, day, day_from, last = 0, 0, 0, b""
    if len(last) != len(NO_LINE) or not 1 <= day_from <= number or day < 0:
        raise KeyUnavailable(place, "does not say how a record of signatures goes on")
    return Standing(number, last, day, day_from)


@dataclass(frozen=True, slots=True)
class JudgedFiles:
    """Files that follow each other: how the record stood before the first and stands after the last, and whose keys signed."""

    before: Standing
    after: Standing
    keys: frozenset[bytes]
    newest: RecordedSignature | None


def judged_files(paths: list[Path], read: Callable[[Path], RecordFile]) -> JudgedFiles:
    """Judge files of one record together, whatever their order: each goes on where another ended, without a gap.

    Raises:
        OSError, KeyUnavailable: one cannot be read, is damaged, or does not follow.
    """
    keys: set[bytes] = set()
    ends: list[tuple[Standing, Standing, Path]] = []
    newest: RecordedSignature | None = None
    for path in paths:
        file = read(path)
        keys |= {line.key for line in file.signed}
        ends.append((file.before, file.after, path))
        if file.signed and (newest is None or file.signed[-1].number > newest.number):
            newest = file.signed[-1]
    ends.sort(key=lambda one: (one[0].number, one[1].number))
    for (_, earlier, _), (later, _, path) in pairwise(ends):
        if later != earlier:
            gap = f"begins after line {later.number}, and the one before it ends at line {earlier.number}"
            raise KeyUnavailable(path, gap if later.number != earlier.number else "goes on after other lines")
    return JudgedFiles(ends[0][0], ends[-1][1], frozenset(keys), newest)
