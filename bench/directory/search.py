"""Search: Tantivy, PostgreSQL and SQLite FTS5 over the same entries and queries in one run, and the proofs of the authenticated index.

Entries are drawn, half of them Chinese, of five kinds of chain. Every engine answers a page of 20, newest first, with the total; a sample of
totals is compared between the engines. While queries run, ten entries more are added each second to the engine that is asked.
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.directory.drawn_entries import DrawnLog, queries
from hutong.light_clients.interface import VERIFY
from hutong.relay.services.directory.rules.terms.answer import answer_query, encode_answer, judge_answer
from hutong.relay.services.directory.rules.terms.index import ProvableIndex, TermIndex
from hutong.relay.services.directory.rules.terms.lookup import operations_with
from hutong.relay.services.directory.rules.terms.query import Query, parse_query
from hutong.relay.services.directory.search.engine import EntryOperation, SearchEngine
from hutong.relay.services.directory.search.postgresql_engine import PostgresqlEngine
from hutong.relay.services.directory.search.tantivy_engine import TantivyEngine
from hutong.relay.services.directory.search.terms_file import write_terms
from tests.nodes.postgres_server import PASSWORD, PostgresServer

PAGE = 20
UPDATE_EVERY_S = 1.0
UPDATES = 10
PROOFS = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m bench directory search`."""
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=100, help="of each kind")
    parser.add_argument("--without", nargs="*", default=[], choices=["postgresql", "sqlite"])


class SqliteFts5:
    """The horse beside ours: an FTS5 table over the same terms, with the same pages. Facets are tokens of a column."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.execute("PRAGMA journal_mode=WAL")
        tokens = "unicode61 remove_diacritics 0 tokenchars '''.:_,=-'"
        self._connection.execute(
            f'CREATE VIRTUAL TABLE IF NOT EXISTS entries USING fts5(terms, singles, marks, tokenize="{tokens}", prefix=4)'
        )

    def apply(self, operations: Iterable[EntryOperation], size: int | None = None) -> None:
        """All in one transaction."""
        with self._connection:
            self._connection.executemany(
                "INSERT INTO entries(rowid, terms, singles, marks) VALUES (?, ?, ?, ?)", self._rows(operations)
            )

    def _rows(self, operations: Iterable[EntryOperation]) -> Iterator[tuple[int, str, str, str]]:
        for one in operations:
            if one.text is not None:
                terms = " . ".join(" ".join(found) for found in one.text.sequences)
                marks = " ".join(f"{name}={value}" for name, values in one.text.facets.items() for value in values)
                yield one.sequence + 1, terms, " ".join(one.text.terms.difference(*one.text.sequences)), marks

    def totals(self, query: Query) -> int:
        """Of a page with its total."""
        parts = [f'{{terms singles}} : "{term}"' for term in query.terms]
        parts += [f'terms : "{" ".join(phrase)}"' for phrase in query.phrases]
        parts += [f'terms : "{prefix}" *' for prefix in query.prefixes]
        parts += [f'marks : "{name}={value}"' for name, value in query.facets]
        match = " AND ".join(parts)
        self._connection.execute(
            "SELECT rowid FROM entries WHERE entries MATCH ? ORDER BY rowid DESC LIMIT ?", (match, PAGE)
        ).fetchall()
        (total,) = self._connection.execute("SELECT count(*) FROM entries WHERE entries MATCH ?", (match,)).fetchone()
        return int(total)


@dataclass(frozen=True)
class Contender:
    """An engine: how a query's page and total are had, how entries are added, and what it has on disk."""

    name: str
    total: Callable[[Query], int]
    apply: Callable[[Iterable[EntryOperation]], None]
    bytes_on_disk: Callable[[], int]


def folder_bytes(folder: Path) -> int:
    """Of all files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _of_engine(name: str, engine: SearchEngine, size: Callable[[], int]) -> Contender:
    return Contender(name, lambda query: engine.search(query, limit=PAGE).total, engine.apply, size)


def percentile(times: list[float], share: float) -> float:
    """Milliseconds."""
    return sorted(times)[min(int(len(times) * share), len(times) - 1)] * 1_000


def measure(console: Console, contender: Contender, log: DrawnLog, asked: dict[str, list[Query]]) -> dict[str, int]:
    """Build, then the queries with updates between them. Returns totals of the first query of each kind, before any update."""
    began = time.perf_counter()
    contender.apply(log.operations(0))
    built_s = time.perf_counter() - began
    console.print(
        f"{contender.name}: built in {built_s:.1f} s, {log.count / built_s:,.0f} entries/s, {contender.bytes_on_disk() / 1e6:.0f} MB"
    )
    totals = {kind: contender.total(found[0]) for kind, found in asked.items()}
    table = Table(
        "query",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        title=f"{contender.name}, a page of {PAGE} with its total",
        title_justify="left",
    )
    more = DrawnLog(log.count + 100_000, seed=log.seed).operations(log.count)
    updated, updates_s, everything = time.perf_counter(), [], []
    for kind, found in asked.items():
        times = []
        for query in found:
            if time.perf_counter() - updated > UPDATE_EVERY_S:
                updated = time.perf_counter()
                contender.apply(islice(more, UPDATES))
                updates_s.append(time.perf_counter() - updated)
            began = time.perf_counter()
            contender.total(query)
            times.append(time.perf_counter() - began)
        everything += times
        table.add_row(kind, *(f"{percentile(times, share):.1f}" for share in (0.5, 0.95, 0.99)))
    table.add_row("all", *(f"{percentile(everything, share):.1f}" for share in (0.5, 0.95, 0.99)))
    console.print(table)
    if updates_s:
        console.print(f"{len(updates_s)} updates of {UPDATES} entries, each {percentile(updates_s, 0.5):.0f} ms")
    return totals


def measure_proofs(console: Console, log: DrawnLog, asked: dict[str, list[Query]], folder: Path) -> None:
    """The authenticated index: built, and answers made and judged."""
    terms, began = TermIndex(), time.perf_counter()
    for operation in log.operations(0):
        terms.add(operation.sequence, operation.text.terms if operation.text else ())
    index: ProvableIndex = terms.provable()
    head = index.head
    built_s = time.perf_counter() - began
    write_terms(folder / "terms", index)
    console.print(
        f"authenticated index: {built_s:.1f} s, {head.leaves:,} leaves, {(folder / 'terms').stat().st_size / 1e6:.0f} MB, digest {head.digest.hex()}"
    )
    table = Table(
        "query",
        "proof kB, median",
        "proof kB, most",
        "made ms",
        "judged ms",
        title="answers of words, proven",
        title_justify="left",
    )
    for kind in ("common word", "rare word", "three words", "Chinese pair"):
        sizes, made, judged = [], [], []
        for query in asked[kind][:PROOFS]:
            began = time.perf_counter()
            hits = sorted(set.intersection(*(set(operations_with(index, term)) for term in query.indexed_terms)))
            answer = answer_query(index, query, hits, most_bytes=2**40)
            made.append(time.perf_counter() - began)
            sizes.append(len(encode_answer(answer)) / 1_000)
            began = time.perf_counter()
            judge_answer(VERIFY, answer, query, head.digest)
            judged.append(time.perf_counter() - began)
        table.add_row(
            kind,
            f"{sorted(sizes)[len(sizes) // 2]:.1f}",
            f"{max(sizes):.1f}",
            f"{percentile(made, 0.5):.2f}",
            f"{percentile(judged, 0.5):.2f}",
        )
    console.print(table)


def main(console: Console, arguments: argparse.Namespace) -> None:
    """All engines, one after the other, then the proofs."""
    log = DrawnLog(arguments.entries)
    asked = {kind: [parse_query(text) for text in found] for kind, found in queries(arguments.queries).items()}
    totals: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = TantivyEngine(folder / "tantivy")
        totals["tantivy"] = measure(
            console, _of_engine("Tantivy", engine, lambda: folder_bytes(folder / "tantivy")), log, asked
        )
        if "sqlite" not in arguments.without:
            beside = SqliteFts5(folder / "fts5.db")
            size = lambda: sum(file.stat().st_size for file in folder.glob("fts5.db*"))  # noqa: E731
            totals["sqlite"] = measure(console, Contender("SQLite FTS5", beside.totals, beside.apply, size), log, asked)
        if "postgresql" not in arguments.without:
            server = PostgresServer()
            try:
                server.start()
                database = PostgresqlEngine(server.new_database(), PASSWORD)
                size = lambda: folder_bytes(server.directory / "data" / "base")  # noqa: E731
                totals["postgresql"] = measure(console, _of_engine("PostgreSQL", database, size), log, asked)
                database.close()
            finally:
                server.close()
        equal = all(found == totals["tantivy"] for found in totals.values())
        console.print(
            f"totals of {len(asked)} queries are {'equal' if equal else f'different: {totals}'} in {len(totals)} engines"
        )
        measure_proofs(console, log, asked, folder)
