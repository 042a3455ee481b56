"""Lists, searches and figures over a ledger of a million messages, each beside the limit of 100 ms; and what writing costs.

`python -m bench ledger [--messages N] [--postgresql URL]`: without a URL in a SQLite file of a temporary folder. The password
of a PostgreSQL URL is in the variable HUTONG_BENCH_PASSWORD; its database must be empty and is filled.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import trio
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, insert, text

from relay.ledger import (
    App,
    Delivery,
    Ledger,
    MessageFilter,
    MessageReader,
    MessageState,
    Note,
    PacketFacts,
    RecordedJob,
    RecordedTransaction,
    Step,
    TransactionState,
)
from relay.ledger.message_cursor import CursorKind, Position, encode_cursor
from relay.ledger.tables import Base, DeliveryRow, MessageRow, PacketRow, StepRow, TransactionRow

LIMIT_MS = 100
CHAINS = ("alpha", "beta", "gamma", "delta")
START_NS = 1_700_000_000 * 10**9
APART_NS = 600_000_000
"""Between two messages: a million of them fill a week."""
CHUNK = 10_000
ROUNDS = 20
DETAILED = 5
"""One message of so many has its steps, as one that has not been forgotten."""
HOT_SENDER = "0x" + "aa" * 20
BATCH = 20
WRITTEN = 2_000

Chunk = tuple[type[Base], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Figure:
    """Milliseconds of one query."""

    name: str
    items: int
    p50_ms: float
    p95_ms: float
    max_ms: float


def address(number: int) -> str:
    return "0x" + sha256(b"%d" % number).hexdigest()[:40]


def hash_of(kind: str, number: int) -> str:
    return "0x" + sha256(f"{kind}{number}".encode()).hexdigest()


def rows_of(count: int, random: Random) -> Iterator[list[Chunk]]:
    """Everything that belongs to `CHUNK` messages at a time, oldest first. Seven of ten are forwarded by the hub."""
    for start in range(0, count, CHUNK):
        tables: dict[type[Base], list[dict[str, Any]]] = {
            row: [] for row in (PacketRow, MessageRow, StepRow, DeliveryRow, TransactionRow)
        }
        for number in range(start, min(start + CHUNK, count)):
            _add_message(tables, number, count - number, random)
        yield list(tables.items())


def _state(random: Random, number: int, to_come: int) -> str:
    if to_come < 2_000 and number % 2:
        return "open"
    part = random.random()
    for state, share in (("dead", 0.0005), ("settled", 0.005), ("timed_out", 0.01), ("refused", 0.02)):
        if part < share:
            return state
    return "acknowledged"


def _add_message(tables: dict[type[Base], list[dict[str, Any]]], number: int, to_come: int, random: Random) -> None:
    source, destination = random.sample(CHAINS, 2)
    forwarded = random.random() < 0.7
    app = random.choices(("message", "transfer", "other"), (60, 35, 5))[0]
    state = _state(random, number, to_come)
    sender = HOT_SENDER if random.random() < 0.3 else address(random.randrange(20_000))
    receiver = address(10**6 + random.randrange(20_000))
    sent_ns, latency_ns = START_NS + number * APART_NS, random.randrange(2 * 10**9, 30 * 10**9)
    unsettled = state in ("open", "dead")
    settled_ns = None if unsettled else sent_ns + latency_ns + 10**9
    first_id = f"{source}/client-0/{number + 1}"
    second_id = f"hub/bft-evm-{CHAINS.index(destination)}/{number + 1}" if forwarded else None
    common = {
        "sequence": number + 1, "source_port": "gmpport", "destination_port": "gmpport", "payload_bytes": 300,
        "timeout_timestamp_s": sent_ns // 10**9 + 3600, "message_id": hash_of("m", number) if app == "message" else None,
        "forward_key": None, "sent_height": number, "sent_time_ns": sent_ns, "sent_hash": hash_of("s", number),
        "first_seen_at_ns": sent_ns + 10**9, "kind": "receive" if unsettled else "acknowledge",
        "step": "dead" if state == "dead" else "queued" if unsettled else "included", "at_ns": settled_ns or sent_ns + 10**9,
        "reason": None, "cause": None, "outcome": None if unsettled else "acknowledged" if state == "refused" else state,
        "settled_at_ns": settled_ns, "app": app, "sender": sender, "receiver": receiver,
        "denom": "0x" + "11" * 20 if app == "transfer" else None, "amount": number + 1 if app == "transfer" else None,
        "final_client": "client-0", "refused": state == "refused",
    }  # fmt: skip
    hub_end = {"destination_chain": "hub", "destination_client": f"bft-evm-{CHAINS.index(source)}"}
    end = {"destination_chain": destination, "destination_client": "client-0"}
    first = common | (hub_end if forwarded else end) | {
        "packet_id": first_id, "source_chain": source, "source_client": "client-0", "leg_of": None, "final_chain": destination,
        "next_client": f"bft-evm-{CHAINS.index(destination)}" if forwarded else None,
    }  # fmt: skip
    legs = [first]
    if second_id is not None:
        legs.append(common | end | {
            "packet_id": second_id, "source_chain": "hub", "source_client": f"bft-evm-{CHAINS.index(destination)}",
            "leg_of": first_id, "next_client": None, "final_chain": None, "final_client": None,
            "sent_hash": hash_of("b", number // BATCH),
        })  # fmt: skip
    tables[PacketRow] += legs
    tables[MessageRow].append({
        "packet_id": first_id, "second_id": second_id, "lane": f"{source} {destination} {app}", "state": state, "sender": sender,
        "receiver": receiver, "ordered_at_ns": sent_ns, "updated_at_ns": first["at_ns"], "settled_at_ns": settled_ns,
        "latency_ns": None if settled_ns is None else latency_ns, "change": number // BATCH + 1,
    })  # fmt: skip
    if not unsettled:
        for leg, kind in ((leg, kind) for leg in legs for kind in ("receive", "acknowledge")):
            where = leg["destination_chain"] if kind == "receive" else leg["source_chain"]
            tables[DeliveryRow].append({
                "packet_id": leg["packet_id"], "kind": kind, "chain": where, "transaction_hash": hash_of(kind + where, number // BATCH),
                "height": number, "batch_size": BATCH, "gas_used": 100_000, "fee_wei": 10**14, "event_time_ns": sent_ns,
                "block_time_ns": sent_ns + latency_ns, "at_ns": leg["at_ns"],
            })  # fmt: skip
    if number % DETAILED == 0:
        for leg, kind in ((leg, kind) for leg in legs for kind in ("receive", "acknowledge")):
            tables[StepRow] += [{
                "packet_id": leg["packet_id"], "kind": kind, "step": step, "chain": leg["destination_chain"], "first_at_ns": sent_ns,
                "at_ns": sent_ns, "count": 1, "height": 5, "block_time_ns": sent_ns, "transaction_hash": hash_of(kind, number // BATCH),
                "reason": None,
            } for step in ("seen", "queued", "submitted", "included")]  # fmt: skip
    if number % (BATCH // 4) == 0:
        tables[TransactionRow].append({
            "chain": source, "hash": hash_of("t", number), "sender": HOT_SENDER, "nonce": number, "raw": b"", "prepared": "",
            "jobs": f'[null, ["receive:{first_id}", 5]]', "state": "included", "signed_at_ns": sent_ns, "height": number,
            "gas_used": 10**6, "fee_wei": 10**15, "ended_at_ns": sent_ns, "reason": None,
        })  # fmt: skip


def fill(connection: Connection, count: int) -> None:
    """Indexes are made afterwards, as an import would."""
    tables = [row.__table__ for row in (PacketRow, MessageRow, StepRow, DeliveryRow, TransactionRow)]
    indexes = [index for table in tables for index in table.indexes]  # type: ignore[attr-defined]
    for index in indexes:
        index.drop(connection)
    for chunk in rows_of(count, Random(5)):
        for row, values in chunk:
            if values:
                _insert(connection, row, values)
    for index in indexes:
        index.create(connection)
    connection.execute(text("UPDATE counter SET value = :value"), {"value": count // BATCH + 1})


def _insert(connection: Connection, row: type[Base], values: list[dict[str, Any]]) -> None:
    if connection.dialect.name != "postgresql":
        connection.execute(insert(row), values)
        return
    table = row.__table__
    names = [column.name for column in table.columns]  # type: ignore[attr-defined]
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(f"COPY {row.__tablename__} ({', '.join(names)}) FROM STDIN") as copy:
        for value in values:
            copy.write_row([value[name] for name in names])


def queries(reader: MessageReader, count: int, random: Random) -> Iterator[tuple[str, Callable[[], object]]]:
    """Each with other arguments at every call where it has arguments."""
    middle = encode_cursor(CursorKind.PAGE, Position(START_NS + count // 2 * APART_NS, "~"))
    last = encode_cursor(CursorKind.PAGE, Position(START_NS + count // 100 * APART_NS, "~"))

    def page(cursor: str | None = None, **wanted: Any) -> Callable[[], object]:
        made = {name: value() if callable(value) else value for name, value in wanted.items()}
        return lambda: reader.page(MessageFilter(**made), cursor).items

    state, app = MessageState, App
    sender, receiver = (lambda: address(random.randrange(20_000))), (lambda: address(10**6 + random.randrange(20_000)))
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
    yield "transaction of a batch", page(transaction=hash_of("b", count // 40))
    yield "transaction, state", page(transaction=hash_of("b", count // 40), state=state.DEAD)
    yield "nothing: transaction", page(transaction="0x" + "00" * 32)
    yield "message id", page(message_id=hash_of("m", count // 2))
    yield "search: hash", lambda: reader.search(hash_of("b", random.randrange(count // BATCH))).items
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
    """The first call is not counted: the statement is made, and pages of the file are read."""
    items = call()
    rounds = 3 if name.startswith("(") else ROUNDS
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    p95 = times[min(len(times) - 1, round(0.95 * len(times)))]
    return Figure(name, len(items) if hasattr(items, "__len__") else 1, statistics.median(times), p95, times[-1])


async def written_per_s(ledger: Ledger, messages: int) -> float:
    """Messages of one packet a second through their whole lives: 8 steps, two transactions a batch, a flush beside each."""
    began = time.perf_counter()
    for start in range(0, messages, BATCH):
        ids = range(10**9 + start, 10**9 + start + BATCH)
        for kind, chain in (("receive", "beta"), ("acknowledge", "alpha")):
            await _one_way(ledger, ids, kind, chain, time.time_ns())
    return messages / (time.perf_counter() - began)


async def _one_way(ledger: Ledger, numbers: range, kind: str, chain: str, now_ns: int) -> None:
    facts = [
        PacketFacts(
            f"alpha/client-9/{number}", "alpha", "client-9", "beta", "client-9", number, "gmpport", "gmpport", 300, 2_000_000_000,
            app="message", sender=HOT_SENDER, receiver=HOT_SENDER,
        )
        for number in numbers
    ]  # fmt: skip
    for one in facts:
        seen = Note(one.packet_id, kind, Step.SEEN, chain, now_ns, one, height=3, block_time_ns=now_ns, certain=False)
        ledger.note([seen, Note(one.packet_id, kind, Step.QUEUED, chain, now_ns, one)])
    await ledger.flush()
    digest = sha256(f"{kind}{numbers}{now_ns}".encode()).digest()
    jobs = tuple(RecordedJob(f"{kind}:{one.packet_id}", now_ns) for one in facts)
    await ledger.record(RecordedTransaction(chain, digest, HOT_SENDER, numbers[0], b"raw", "{}", jobs, now_ns))
    done = [
        Delivery(one.packet_id, kind, chain, digest, 9, BATCH, 100, 10**14, now_ns, now_ns, now_ns) for one in facts
    ]
    await ledger.end(chain, digest, TransactionState.INCLUDED, now_ns, gas_used=1, fee_wei=1, deliveries=done)


def run(console: Console, messages: int, url: str | None) -> None:
    password = os.environ.get("HUTONG_BENCH_PASSWORD")
    with tempfile.TemporaryDirectory(prefix="hutong-bench-") as directory:
        path = Path(directory) / "ledger.sqlite"
        ledger = Ledger.open_file(path) if url is None else Ledger.open_url(url, password=password)
        empty = trio.run(written_per_s, ledger, WRITTEN)
        with ledger._engine.begin() as connection:
            for row in (PacketRow, MessageRow, StepRow, DeliveryRow, TransactionRow):
                connection.execute(text(f"DELETE FROM {row.__tablename__}"))
            fill(connection, messages)
        with ledger._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE" if url is None else "VACUUM ANALYZE"))
        reader = MessageReader.open_file(path) if url is None else MessageReader.open_url(url, password)
        table = Table(
            title=f"{messages:,} messages, {'SQLite' if url is None else 'PostgreSQL'}, ms", title_justify="left"
        )
        for name in ("what", "items", "p50", "p95", "max", f"of {LIMIT_MS} ms"):
            table.add_column(name, justify="left" if name == "what" else "right")
        for name, call in queries(reader, messages, Random(7)):
            one = measured(name, call)
            verdict = "over" if one.max_ms > LIMIT_MS else f"{one.max_ms / LIMIT_MS:.2f}"
            table.add_row(
                one.name, f"{one.items}", f"{one.p50_ms:.1f}", f"{one.p95_ms:.1f}", f"{one.max_ms:.1f}", verdict
            )
        reader.close()
        console.print(table)
        full = trio.run(written_per_s, ledger, WRITTEN)
        console.print(f"written, whole lives: {empty:,.0f} messages/s into an empty ledger, {full:,.0f} into this one")
        ledger.close()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--postgresql", metavar="URL", help="an empty database instead of a SQLite file")


def main(arguments: argparse.Namespace) -> None:
    run(Console(width=140), arguments.messages, arguments.postgresql)
