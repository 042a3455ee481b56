"""The catalogue with as many objects as a petabyte of 64 MiB has: row 14 of the acceptance.

Rows are generated: keys in 4 096 folders, each in ascending order, as archives fill. What is printed: bytes of the index, rows a second, look-ups
and listings while rows are there, and the largest memory that the process had.
"""

import argparse
import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from hutong.relay.services.storage.catalogue import objects
from hutong.relay.services.storage.catalogue.database import FILE, CatalogueDatabase, open_catalogue
from hutong.relay.services.storage.catalogue.listing import Asked
from hutong.relay.services.storage.catalogue.rows import HeadPlace, ObjectRow

FOLDERS = 4_096
AT_ONCE = objects.BULK_ROWS
LOOK_UPS, LISTINGS = 20_000, 400
MIB = 2**20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m bench storage catalogue`."""
    parser.add_argument("--size", type=int, default=1_000_000, help="rows; a petabyte has 16 777 216")
    parser.add_argument("--home", type=Path, help="where the index is written; else a temporary folder")


def key_of(number: int) -> bytes:
    """Key of row `number`."""
    return b"%03x/%08x.dcm" % (number * 2_654_435_761 % FOLDERS, number)


def _rows(size: int) -> Iterator[list[ObjectRow]]:
    for first in range(0, size, AT_ONCE):
        digests = os.urandom(32 * AT_ONCE)
        yield [
            ObjectRow(
                1,
                key_of(number),
                HeadPlace(number // 100_000 + 1, number % 100_000 * 760, 546, 200),
                64 * MIB,
                1_800_000_000_000 + number,
                0,
                digests[32 * (number - first) : 32 * (number - first + 1)],
                b"",
            )
            for number in range(first, min(first + AT_ONCE, size))
        ]


@dataclass
class _Spent:
    """Seconds of the database alone, by the clock and of this process: on a busy machine they differ."""

    wall: float = 0.0
    processor: float = 0.0

    def __enter__(self) -> None:
        self.wall -= time.perf_counter()
        self.processor -= time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter()
        self.processor += time.process_time()

    def rate(self, rows: int) -> str:
        """Rows a second, by either."""
        return f"{rows / self.wall:,.0f} inserts/s, {rows / self.processor:,.0f} a second of processor"


def _fill(console: Console, database: CatalogueDatabase, size: int) -> _Spent:
    """Generating rows is not counted. Each tenth is told, so that a collapse is seen."""
    whole, tenth = _Spent(), _Spent()
    told = done = 0
    for rows in _rows(size):
        with whole, tenth:
            database.run_now(partial(objects.put_objects, rows=rows))
        done += len(rows)
        if done - told >= size / 10:
            console.print(f"{done:>12,} rows: {tenth.rate(done - told)}")
            told, tenth = done, _Spent()
    return whole


def _times(count: int, ask: object) -> list[float]:
    times = []
    for _ in range(count):
        began = time.perf_counter()
        ask()  # type: ignore[operator]
        times.append(time.perf_counter() - began)
    return sorted(times)


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(dir=arguments.home) as folder, open_catalogue(Path(folder)) as database:
        size = arguments.size
        spent = _fill(console, database, size)
        chance = random.Random(1)

        def find() -> None:
            key = key_of(chance.randrange(size))
            assert database.run_now(lambda one: objects.find_object(one, 1, key)) is not None

        def listing() -> None:
            prefix = key_of(chance.randrange(size))[: chance.choice((0, 1, 2, 3, 4, 8))]
            asked = Asked(prefix, chance.choice((b"", b"/")), b"", 1_000)
            database.run_now(lambda one: objects.list_objects(one, 1, asked))

        found, listed = _times(LOOK_UPS, find), _times(LISTINGS, listing)
        bytes_of = (Path(folder) / FILE).stat().st_size
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(f"{size:,} rows, {spent.rate(size)}, in batches of {AT_ONCE:,}, load {os.getloadavg()[0]:.1f}")
    per_row = bytes_of / size
    console.print(
        f"index {bytes_of / 1e9:.2f} GB, {per_row:.0f} B a row: 16,777,216 rows are {per_row * 2**24 / 1e9:.2f} GB"
    )
    for name, times in (("look-up", found), ("listing of 1,000", listed)):
        shown = ", ".join(f"p{part} {times[len(times) * part // 100] * 1e3:.2f} ms" for part in (50, 95, 99))
        console.print(f"{name:<18}{shown}")
    console.print(f"largest memory {resident:,.0f} MB")
