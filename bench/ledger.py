"""Lists, searches and figures over a ledger of a million messages, each beside the limit of 100 ms; and what writing costs.

`python -m bench ledger [--messages N] [--postgresql URL]`: without a URL in a SQLite file of a temporary folder. The password
of a PostgreSQL URL is in the variable HUTONG_BENCH_PASSWORD; its database must be empty and is filled.
"""

import argparse
import gc
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from types import FunctionType
from typing import Any

import trio
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, text

from hutong.relay.ledger import (
    App,
    Delivery,
    Ledger,
    LedgerReader,
    MessageFilter,
    MessageReader,
    MessageState,
    Note,
    PacketFacts,
    RecordedJob,
    RecordedTransaction,
    Step,
    TransactionEnd,
    TransactionState,
)
from hutong.relay.ledger.reading.message_cursor import CursorKind, Position, encode_cursor
from hutong.relay.ledger.store.tables import DeliveryRow, MessageRow, PacketRow, StepRow, TransactionRow

LIMIT_MS = 100
START_NS = 1_700_000_000 * 10**9
APART_NS = 600_000_000
"""Between two messages: a million of them fill a week."""
ROUNDS = 20
DETAILED = 5
"""One message of so many has its steps, as one that has not been forgotten."""
HOT_SENDER = "0x" + "aa" * 20
BATCH = 20
WRITTEN = 200

ROWS = (PacketRow, MessageRow, StepRow, DeliveryRow, TransactionRow)


@dataclass(frozen=True, slots=True)
class Written:
    """Whole lives of messages. `cpu_ms` is this process's time for one, which another program's writing does not change."""

    per_s: float
    cpu_ms: float

    def __str__(self) -> str:
        return f"{self.per_s:,.0f} messages/s ({self.cpu_ms:.2f} ms of CPU each)"


@dataclass(frozen=True, slots=True)
class Figure:
    """Milliseconds of one query. `cpu_ms` is the most that one took of this process's time, other programs left out."""

    name: str
    items: int
    p50_ms: float
    p95_ms: float
    max_ms: float
    cpu_ms: float


def address(number: int) -> str:
    return f"0x{number:040x}"


def hash_of(kind: str, number: int) -> str:
    return f"0x{kind}{number:062x}"


_MADE = """
CREATE TEMPORARY TABLE made AS
WITH RECURSIVE numbers(i) AS (SELECT CAST(0 AS bigint) UNION ALL SELECT i + 1 FROM numbers WHERE i < {last}),
drawn AS (SELECT i, {start} + i * {apart} AS sent_ns, i * 2654435761 % 4294967296 / 65536 % 10000 AS a,
  i * 1597334677 % 4294967296 / 65536 % 10000 AS b, i * 3266489917 % 4294967296 / 65536 % 20000 AS c,
  i * 668265263 % 4294967296 / 65536 % 12 AS d FROM numbers)
SELECT i, sent_ns, sent_ns + 2000000000 + c * 1000000 AS settled_ns, d / 3 AS f, (d / 3 + 1 + d % 3) % 4 AS t,
  substr('alphabeta gammadelta', CAST(d / 3 * 5 + 1 AS integer), 5) AS padded, c, a < 7000 AS forwarded, b < 3000 AS hot,
  CASE WHEN b % 100 < 60 THEN 'message' WHEN b % 100 < 95 THEN 'transfer' ELSE 'other' END AS app,
  CASE WHEN i > {last} - 2000 AND i % 2 = 1 THEN 'open' WHEN a % 10000 < 5 THEN 'dead' WHEN a < 55 THEN 'settled'
    WHEN a < 155 THEN 'timed_out' WHEN a < 355 THEN 'refused' ELSE 'acknowledged' END AS state
FROM drawn
"""
_ENDS = """
CREATE TEMPORARY TABLE ends AS SELECT made.*, trim(padded) AS source, trim(substr('alphabeta gammadelta', CAST(t * 5 + 1 AS integer), 5)) AS target,
  CASE WHEN hot THEN '{hot}' ELSE '0x' || {c40} END AS sender, '0x' || {r40} AS receiver,
  state IN ('open', 'dead') AS unsettled, trim(padded) || '/client-0/' || (i + 1) AS first_id,
  'hub/bft-evm-' || t || '/' || (i + 1) AS second_id
FROM made
"""
_PACKETS = """
INSERT INTO packets (packet_id, source_chain, source_client, destination_chain, destination_client, sequence, source_port,
  destination_port, payload_bytes, timeout_timestamp_s, message_id, leg_of, sent_height, sent_time_ns, sent_hash, first_seen_at_ns,
  kind, step, at_ns, outcome, settled_at_ns, app, sender, receiver, denom, amount, next_client, final_chain, final_client, refused)
SELECT {own}, i + 1, 'gmpport', 'gmpport', 300, sent_ns / 1000000000 + 3600,
  CASE WHEN app = 'message' THEN '0x0a' || {i62} END, {leg_of}, i, sent_ns, {sent_hash}, sent_ns + 1000000000,
  CASE WHEN unsettled THEN 'receive' ELSE 'acknowledge' END,
  CASE WHEN state = 'dead' THEN 'dead' WHEN unsettled THEN 'queued' ELSE 'included' END,
  CASE WHEN unsettled THEN sent_ns + 1000000000 ELSE settled_ns END,
  CASE WHEN unsettled THEN NULL WHEN state = 'refused' THEN 'acknowledged' ELSE state END,
  CASE WHEN unsettled THEN NULL ELSE settled_ns END, app, sender, receiver, CASE WHEN app = 'transfer' THEN 'atom' END,
  CASE WHEN app = 'transfer' THEN '1000000' END, {further}, state = 'refused' FROM ends {where}
"""
_REST = (
    """
INSERT INTO messages (packet_id, second_id, lane, state, sender, receiver, ordered_at_ns, updated_at_ns, settled_at_ns, latency_ns, change)
SELECT first_id, CASE WHEN forwarded THEN second_id END, source || ' ' || target || ' ' || app, state, sender, receiver, sent_ns,
  settled_ns, CASE WHEN unsettled THEN NULL ELSE settled_ns END, CASE WHEN unsettled THEN NULL ELSE settled_ns - sent_ns END,
  i / {batch} + 1 FROM ends
""",
    """
INSERT INTO deliveries (packet_id, kind, chain, transaction_hash, height, batch_size, gas_used, fee_wei, event_time_ns, block_time_ns, at_ns)
SELECT packet_id, way.kind, CASE WHEN way.kind = 'receive' THEN destination_chain ELSE source_chain END,
  CASE WHEN way.kind = 'receive' THEN '0x0d' ELSE '0x0e' END || substr(sent_hash, 5), 5, {batch}, 100000, '100000000000000', sent_time_ns,
  settled_at_ns, settled_at_ns
FROM packets CROSS JOIN (SELECT 'receive' AS kind UNION ALL SELECT 'acknowledge') AS way
WHERE outcome IS NOT NULL AND sequence % {detailed} = 0
""",
    """
INSERT INTO steps (packet_id, kind, step, chain, first_at_ns, at_ns, count)
SELECT packet_id, way.kind, done.step, source_chain, sent_time_ns, sent_time_ns, 1
FROM packets CROSS JOIN (SELECT 'receive' AS kind UNION ALL SELECT 'acknowledge') AS way
CROSS JOIN (SELECT 'seen' AS step UNION ALL SELECT 'queued' UNION ALL SELECT 'submitted' UNION ALL SELECT 'included') AS done
WHERE sequence % {detailed} = 0
""",
    """
INSERT INTO transactions (chain, hash, sender, nonce, raw, prepared, jobs, state, signed_at_ns, height, gas_used, fee_wei, ended_at_ns)
SELECT source, '0x0c' || {i62}, sender, i, '', '', '[null, ["receive:' || first_id || '", 5]]', 'included', sent_ns, 5, 1000000,
  '1000000000000000', settled_ns FROM ends WHERE i % {detailed} = 0
""",
)


def fill(connection: Connection, count: int) -> None:
    """Made by the database itself. Seven of ten are forwarded by the hub; indexes are made afterwards, as an import would."""
    postgresql = connection.dialect.name == "postgresql"

    def digits(expression: str, number: int) -> str:
        if postgresql:
            return f"lpad(to_hex(({expression})::bigint), {number}, '0')"
        return f"printf('%0{number}x', {expression})"

    def run(statement: str, **words: Any) -> None:
        connection.exec_driver_sql(statement.format(batch=BATCH, detailed=DETAILED, **words).replace("%", mark))

    mark = "%%" if postgresql else "%"
    if postgresql:
        connection.exec_driver_sql("SET statement_timeout = 0")
    indexes = [index for row in ROWS for index in row.__table__.indexes]  # type: ignore[attr-defined]
    for index in indexes:
        index.drop(connection)
    run(_MADE, last=f"CAST({count - 1} AS bigint)", start=START_NS, apart=APART_NS)
    run(_ENDS, hot=HOT_SENDER, c40=digits("c", 40), r40=digits("1000000 + c * 7 % 20000", 40))
    one = digits("i", 62)
    first = {
        "own": "first_id, source, 'client-0', CASE WHEN forwarded THEN 'hub' ELSE target END,"
        " CASE WHEN forwarded THEN 'bft-evm-' || f ELSE 'client-0' END",
        "leg_of": "NULL",
        "sent_hash": f"'0x0b' || {one}",
        "further": "CASE WHEN forwarded THEN 'bft-evm-' || t END, target, 'client-0'",
        "where": "",
    }
    second = {
        "own": "second_id, 'hub', 'bft-evm-' || t, target, 'client-0'",
        "leg_of": "first_id",
        "sent_hash": f"'0x0f' || {digits(f'i / {BATCH}', 62)}",
        "further": "NULL, NULL, NULL",
        "where": "WHERE forwarded",
    }
    for words in (first, second):
        run(_PACKETS, i62=one, **words)
    for statement in _REST:
        run(statement, i62=one)
    for table in ("ends", "made"):
        connection.exec_driver_sql(f"DROP TABLE {table}")
    for index in indexes:
        index.create(connection)
    connection.execute(text("UPDATE counter SET value = :value"), {"value": count // BATCH + 1})
    connection.commit()


def queries(reader: MessageReader, count: int, random: Random) -> Iterator[tuple[str, Callable[[], object]]]:
    """Each with other arguments at every call where it has arguments."""
    middle = encode_cursor(CursorKind.PAGE, Position(START_NS + count // 2 * APART_NS, "~"))
    last = encode_cursor(CursorKind.PAGE, Position(START_NS + count // 100 * APART_NS, "~"))

    def page(cursor: str | None = None, **wanted: Any) -> Callable[[], object]:
        made: dict[str, Any] = {
            name: value() if isinstance(value, FunctionType) else value for name, value in wanted.items()
        }
        return lambda: reader.page(MessageFilter(**made), cursor).items

    state, app = MessageState, App

    def sender() -> str:
        return address(random.randrange(20_000))

    def receiver() -> str:
        return address(10**6 + random.randrange(20_000))

    filters: dict[str, dict[str, Any]] = {
        "everything": {}, "source": {"source": "alpha"}, "destination": {"destination": "beta"}, "app": {"app": app.OTHER},
        "source, destination, app": {"source": "gamma", "destination": "delta", "app": app.TRANSFER},
        "sender": {"sender": sender}, "sender of 300 000": {"sender": HOT_SENDER}, "receiver": {"receiver": receiver},
        "sender of 300 000, receiver": {"sender": HOT_SENDER, "receiver": receiver},
        "sender of 300 000, source, app": {"sender": HOT_SENDER, "source": "alpha", "app": app.OTHER},
        "a day": {"sent_from_ns": START_NS + 10**14, "sent_until_ns": START_NS + 2 * 10**14},
    }  # fmt: skip
    for name, wanted in filters.items():
        yield name, page(**wanted)
        for one in (state.ACKNOWLEDGED, state.DEAD, state.OPEN):
            yield f"{name}; {one.value}", page(state=one, **wanted)
        for cursor, where in ((middle, "from the middle"), (last, "near the end")):
            yield f"{name}; {where}", page(cursor, **wanted)
            yield f"{name}; dead, {where}", page(cursor, state=state.DEAD, **wanted)
    yield "nothing: sender", page(sender="0x" + "00" * 20)
    yield "nothing: sender, state", page(sender="0x" + "00" * 20, state=state.OPEN)
    yield "nothing: source, state, app", page(source="omega", state=state.OPEN, app=app.OTHER)
    yield "nothing: sender of 300 000, receiver", page(sender=HOT_SENDER, receiver="0x" + "00" * 20)
    yield (
        "nothing: sender of 300 000, its receiver, state",
        page(sender=HOT_SENDER, receiver=HOT_SENDER, state=state.OPEN),
    )
    yield "transaction of a batch", page(transaction=hash_of("0f", count // 40))
    yield "transaction, state", page(transaction=hash_of("0f", count // 40), state=state.DEAD)
    yield "nothing: transaction", page(transaction="0x" + "00" * 32)
    yield "message id", page(message_id=hash_of("0a", count // 2))
    yield "search: hash", lambda: reader.search(hash_of("0f", random.randrange(count // BATCH))).items
    yield "search: address", lambda: reader.search(sender()).items
    yield "search: address of 300 000", lambda: reader.search(HOT_SENDER).items
    yield "search: chain", lambda: reader.search("delta").items
    yield "search: packet", lambda: reader.search(f"alpha/client-0/{random.randrange(count)}").items
    yield "search: nothing", lambda: reader.search("nothing").items
    yield "changes: the newest 100", lambda: reader.changes_after(_change(count - 100)).items
    yield "changes: from the middle", lambda: reader.changes_after(_change(count // 2), 1000).items
    yield "dead letters", lambda: reader.dead().items
    yield "estimate of a route", lambda: [reader.estimate("alpha", "beta", START_NS)]
    yield "open by route", reader.open_by_route
    end_ns = START_NS + count * APART_NS
    yield "series of an hour", lambda: reader.series(3_600, 60, end_ns)
    yield "series of a day", lambda: reader.series(86_400, 900, end_ns)
    yield "(cached by the API) series of a week", lambda: reader.series(604_800, 7_200, end_ns)
    yield "(cached by the API) totals", lambda: [reader.totals()]


def _change(number: int) -> str:
    return encode_cursor(CursorKind.CHANGES, Position(max(0, number) // BATCH, "~"))


def measured(name: str, call: Callable[[], object]) -> Figure:
    """The first call is not counted: the statement is made, and pages of the file are read. Nor is Python's collector: it
    stops the process for over 100 ms to look at every object of every imported module, whatever is asked at that moment.
    """
    items = call()
    rounds = 3 if name.startswith("(") else ROUNDS
    times, cpu_times = [], []
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        began, cpu_began = time.perf_counter(), time.process_time()
        call()
        cpu_times.append((time.process_time() - cpu_began) * 1000)
        times.append((time.perf_counter() - began) * 1000)
    gc.enable()
    times.sort()
    p95 = times[min(len(times) - 1, round(0.95 * len(times)))]
    return Figure(
        name, len(items) if hasattr(items, "__len__") else 1, statistics.median(times), p95, times[-1], max(cpu_times)
    )


async def written(ledger: Ledger, messages: int, start: int = 10**9) -> Written:
    """Forwarded transfers through their whole lives: two packets, 16 steps, four transactions a batch, and a flush
    beside each. Parties are drawn, so that rows and index entries have their places anywhere."""
    random = Random(11)
    began, cpu_began = time.perf_counter(), time.process_time()
    for batch in range(0, messages, BATCH):
        pairs = [_transfer(start + batch + number, random) for number in range(BATCH)]
        firsts, seconds = [first for first, _ in pairs], [second for _, second in pairs]
        for facts, kind, chain in (
            (firsts, "receive", "hub"),
            (seconds, "receive", "beta"),
            (seconds, "acknowledge", "hub"),
            (firsts, "acknowledge", "alpha"),
        ):
            await _one_way(ledger, facts, kind, chain, time.time_ns())
    return Written(messages / (time.perf_counter() - began), (time.process_time() - cpu_began) * 1000 / messages)


def _transfer(number: int, random: Random) -> tuple[PacketFacts, PacketFacts]:
    """The second leg says nothing of the first: the ledger has to pair them."""
    sender, receiver = address(random.randrange(20_000)), address(10**6 + random.randrange(20_000))
    key = sha256(f"{number // 2}".encode()).hexdigest()
    first = PacketFacts(
        f"alpha/client-9/{number}", "alpha", "client-9", "hub", "bft-evm-9", number, "transfer", "transfer", 300, 2_000_000_000,
        forward_key=key, app="transfer", sender=sender, receiver=receiver, denom="atom", amount=5, next_client="bft-evm-8",
        final_chain="beta", final_client="client-8",
    )  # fmt: skip
    second = PacketFacts(
        f"hub/bft-evm-8/{number}", "hub", "bft-evm-8", "beta", "client-8", number, "transfer", "transfer", 300, 2_000_000_000,
        forward_key=key, app="transfer", sender=f"bft-evm-9/{sender}", receiver=receiver, denom="transfer/bft-evm-9/atom", amount=5,
    )  # fmt: skip
    return first, second


async def _one_way(ledger: Ledger, facts: Sequence[PacketFacts], kind: str, chain: str, now_ns: int) -> None:
    for one in facts:
        sent = sha256(f"{kind}{one.packet_id}".encode()).digest()
        seen = Note(
            one.packet_id, kind, Step.SEEN, chain, now_ns, one, height=3, block_time_ns=now_ns, transaction_hash=sent, certain=False
        )  # fmt: skip
        ledger.note([seen, Note(one.packet_id, kind, Step.QUEUED, chain, now_ns, one)])
    await ledger.flush()
    digest = sha256(f"{kind}{facts[0].packet_id}{now_ns}".encode()).digest()
    jobs = tuple(RecordedJob(f"{kind}:{one.packet_id}", now_ns) for one in facts)
    await ledger.record(RecordedTransaction(chain, digest, HOT_SENDER, facts[0].sequence, b"raw", "{}", jobs, now_ns))
    done = [
        Delivery(one.packet_id, kind, chain, digest, 9, BATCH, 100, 10**14, now_ns, now_ns, now_ns) for one in facts
    ]
    end = TransactionEnd(
        chain, digest, TransactionState.INCLUDED, now_ns, gas_used=1, fee_wei=1, deliveries=tuple(done)
    )
    await ledger.end(end)


def run(console: Console, messages: int, url: str | None) -> None:
    password = os.environ.get("HUTONG_BENCH_PASSWORD")
    with tempfile.TemporaryDirectory(prefix="hutong-bench-") as directory:
        path = Path(directory) / "ledger.sqlite"
        ledger = Ledger.open_file(path) if url is None else Ledger.open_url(url, password=password)
        trio.run(written, ledger, BATCH, 2 * 10**9)  # statements are made, and modules imported
        empty = trio.run(written, ledger, WRITTEN)
        with ledger.engine.connect() as connection:
            if url is None:
                connection.exec_driver_sql("PRAGMA synchronous = OFF")
            for row in ROWS:
                connection.execute(text(f"DELETE FROM {row.__tablename__}"))
            fill(connection, messages)
        # As a relay leaves it: nobody runs ANALYZE in its SQLite file, and PostgreSQL does it by itself.
        with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if url is not None:
                connection.exec_driver_sql("SET statement_timeout = 0")
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)" if url is None else "VACUUM ANALYZE"))
        ledger.engine.dispose()  # what was set for the filling is not for what is measured
        gc.collect()
        gc.freeze()  # what is imported by now need not be looked at before every measured call
        reader = MessageReader.open_file(path) if url is None else MessageReader.open_url(url, password)
        table = Table(
            title=f"{messages:,} messages, {'SQLite' if url is None else 'PostgreSQL'}, ms", title_justify="left"
        )
        for name in ("what", "items", "p50", "p95", "max", "cpu max", f"of {LIMIT_MS} ms"):
            table.add_column(name, justify="left" if name == "what" else "right")
        lives = LedgerReader.open_file(path) if url is None else LedgerReader.open_url(url, password)
        starts = [
            ("start: cursor, open transactions, packets of a path", lambda: [trio.run(_start, ledger)]),
            ("unsettled packets of a chain", lambda: lives.pending("alpha", 100).packets),
        ]
        for name, call in [*starts, *queries(reader, messages, Random(7))]:
            one = measured(name, call)
            verdict = "over" if one.max_ms > LIMIT_MS else f"{one.max_ms / LIMIT_MS:.2f}"
            table.add_row(
                one.name,
                f"{one.items}",
                f"{one.p50_ms:.1f}",
                f"{one.p95_ms:.1f}",
                f"{one.max_ms:.1f}",
                f"{one.cpu_ms:.1f}",
                verdict,
            )
        lives.close()
        reader.close()
        console.print(table)
        full = trio.run(written, ledger, WRITTEN)
        console.print(f"written, whole lives: {empty} into an empty ledger, {full} into this one")
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        console.print(f"peak memory of this process: {peak_mb:,} MB")
        ledger.close()


async def _start(ledger: Ledger) -> None:
    """What a relay asks of its ledger before it works, of one chain and one path."""
    await ledger.cursor("alpha")
    await ledger.open_transactions("alpha", HOT_SENDER)
    await ledger.reconcile("alpha", "client-1", (), range(1, 10**6), 0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--postgresql", metavar="URL", help="an empty database instead of a SQLite file")


def main(console: Console, arguments: argparse.Namespace) -> None:
    run(console, arguments.messages, arguments.postgresql)
