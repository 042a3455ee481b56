"""Cursors from outside, pages beside a writer, plans of queries, and ledgers of before schema 0004."""

import sqlite3

import pytest
import trio
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event

from hutong.relay.ledger import App, InvalidCursor, Ledger, MessageFilter, MessageReader, MessageStage, MessageState
from hutong.relay.ledger.reading.message_cursor import (
    MAX_CURSOR_CHARS,
    CursorKind,
    Position,
    decode_cursor,
    encode_cursor,
)
from hutong.relay.ledger.store.migrate import alembic_config
from tests.relay.ledger.message_conformance import ALICE, BOB, direct, ids, leg_1, leg_2, told

POSITIONS = st.builds(
    Position,
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=160),
)


@given(st.sampled_from(CursorKind), POSITIONS)
def test_cursor_comes_back_as_it_went(kind, position):
    cursor = encode_cursor(kind, position)
    assert len(cursor) <= MAX_CURSOR_CHARS and decode_cursor(kind, cursor) == position
    other = next(one for one in CursorKind if one is not kind)
    with pytest.raises(InvalidCursor):
        decode_cursor(other, cursor)


@settings(max_examples=60)
@given(st.one_of(st.text(max_size=400), st.text("ABCDEFGHcDEwOmE-_=", max_size=80), POSITIONS))
def test_any_other_cursor_is_refused_in_one_sentence(text):
    if isinstance(text, Position):
        text = encode_cursor(CursorKind.PAGE, text)[:-1]
    try:
        position = decode_cursor(CursorKind.PAGE, text)
    except InvalidCursor as error:
        assert "begin without a cursor" in str(error)
    else:
        assert encode_cursor(CursorKind.PAGE, position) == text


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    path = tmp_path_factory.mktemp("lists") / "ledger.sqlite"
    ledger, reader = Ledger.open_file(path), MessageReader.open_file(path)
    yield ledger, reader
    reader.close()
    ledger.close()


def write(ledger, notes):
    async def flush():
        ledger.note(notes)
        await ledger.flush()

    trio.run(flush)


def clear(ledger):
    with ledger.engine.begin() as connection:
        for table in ("packets", "steps", "messages"):
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608


ONE = st.tuples(
    st.integers(1, 5), st.sampled_from(("alpha", "beta")), st.sampled_from(App), st.sampled_from((ALICE, BOB))
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(ONE, max_size=20),
    st.lists(ONE, max_size=6),
    st.integers(1, 7),
    st.builds(
        MessageFilter,
        app=st.none() | st.sampled_from(App),
        source=st.none() | st.sampled_from(("alpha", "beta")),
        sender=st.none() | st.sampled_from((ALICE, BOB)),
        receiver=st.none() | st.just(BOB),
        state=st.none() | st.just(MessageState.OPEN),
    ),
)
def test_pages_together_are_the_whole_whatever_comes_between(opened, before, between, limit, wanted):
    ledger, reader = opened
    clear(ledger)

    def message(number, one):
        at_ns, source, app, sender = one
        target = "beta" if source == "alpha" else "alpha"
        return told(direct(number, source, target, app=app.value, sender=sender), at_ns=at_ns)

    def fits(one):
        return wanted.app in (None, one[2]) and wanted.source in (None, one[1]) and wanted.sender in (None, one[3])

    write(ledger, [message(number, one) for number, one in enumerate(before, 1)])
    names = {number: f"{one[1]}/client-7/{number}" for number, one in enumerate(before, 1)}
    right = sorted(((one[0], names[number]) for number, one in enumerate(before, 1) if fits(one)), reverse=True)
    given, cursor, more = [], None, list(enumerate(between, 100))
    while True:
        page = reader.page(wanted, cursor, limit)
        given += ids(page)
        assert len(page.items) <= limit
        if more:
            write(ledger, [message(*more.pop())])
        if (cursor := page.next) is None:
            break
    old = set(names.values())
    assert [one for one in given if one in old] == [name for _, name in right]
    assert len(set(given)) == len(given)


def test_no_list_walks_through_what_it_does_not_give(opened):
    """Every stretch of every list begins at an index with all that is asked for; a million rows stay out of it."""
    ledger, reader = opened
    clear(ledger)
    write(ledger, [told(direct(1), at_ns=1), told(leg_1(1), at_ns=2)])
    asked = []
    listener = lambda *call: asked.append(call[2:4])  # noqa: E731
    event.listen(reader.engine, "before_cursor_execute", listener)
    cursor = encode_cursor(CursorKind.PAGE, Position(5, "x"))
    filters = [
        {}, {"state": MessageState.DEAD}, {"source": "alpha"}, {"destination": "beta", "state": MessageState.OPEN}, {"app": App.OTHER},
        {"sender": ALICE}, {"receiver": BOB, "state": MessageState.DEAD, "source": "alpha"}, {"sender": ALICE, "receiver": BOB},
        {"transaction": "0x" + "11" * 32}, {"message_id": "0x" + "11" * 32}, {"sent_from_ns": 1, "sent_until_ns": 3},
    ]  # fmt: skip
    for wanted in filters:
        for one in (None, cursor):
            reader.page(MessageFilter(**wanted), one)
    for text in ("alpha", ALICE, "0x" + "11" * 32, "alpha/client-7/1"):
        reader.search(text)
    reader.changes_after(reader.newest_change())
    reader.estimate("alpha", "beta", 0)
    event.remove(reader.engine, "before_cursor_execute", listener)
    plans = set()
    with reader.engine.connect() as connection:
        for statement, parameters in asked:
            plans |= {row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)}
    tables = ("messages", "packets", "deliveries", "transactions", "steps")
    walks = {plan for plan in plans if plan.startswith("SCAN ") and plan.split()[1] in (*tables, "m")}
    # In order from the newest on, until the page is full.
    assert walks <= {"SCAN messages USING INDEX messages_by_time", "SCAN m USING COVERING INDEX messages_by_lane"}
    assert any("messages_by_sender (sender=? AND lane=? AND state=?" in plan for plan in plans)
    assert any("messages_by_lane (lane=? AND state=?" in plan for plan in plans)


def test_text_in_place_of_a_number_is_named(opened, tmp_path):
    ledger, reader = opened
    clear(ledger)
    write(ledger, [told(direct(number), at_ns=number) for number in range(1, 7)])
    changes = {
        1: ("packets", "at_ns", "'soon'"), 2: ("packets", "payload_bytes", "x'00ff'"), 3: ("messages", "ordered_at_ns", "'now'"),
        4: ("packets", "sender", "CAST(x'ff41' AS TEXT)"), 5: ("packets", "refused", "7"),
    }  # fmt: skip
    with ledger.engine.begin() as connection:
        for number, (table, column, value) in changes.items():
            connection.exec_driver_sql(
                f"UPDATE {table} SET {column} = {value} WHERE packet_id = 'alpha/client-7/{number}'"  # noqa: S608
            )
    page = reader.page(MessageFilter(), None, 50)
    assert ids(page) == ["alpha/client-7/6"]
    assert {(one.key, one.column) for one in page.damaged} == {
        (f"alpha/client-7/{number}", column) for number, (_, column, _) in changes.items()
    }
    given, cursor = [], None
    while True:
        page = reader.page(MessageFilter(), cursor, 1)
        given += ids(page)
        if (cursor := page.next) is None:
            break
    assert given == ["alpha/client-7/6"]


def test_ledger_of_before_messages_keeps_its_packets_and_lists_them(tmp_path):
    path = tmp_path / "ledger.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
    engine.dispose()
    with sqlite3.connect(path) as connection:
        for facts, outcome, key in (
            (leg_1(1), None, None), (leg_2(1), None, None), (leg_1(2, source_port="transfer"), None, "k"),
            (leg_2(7, leg_of=None), None, "k"), (direct(3, source_port="transfer"), "acknowledged", "other"),
        ):  # fmt: skip
            settled_ns = None if outcome is None else 9
            connection.execute(
                "INSERT INTO packets (packet_id, source_chain, source_client, destination_chain, destination_client, sequence,"
                " source_port, destination_port, payload_bytes, timeout_timestamp_s, leg_of, forward_key, sent_time_ns,"
                " first_seen_at_ns, kind, step, at_ns, outcome, settled_at_ns) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    facts.packet_id, facts.source_chain, facts.source_client, facts.destination_chain, facts.destination_client,
                    facts.sequence, facts.source_port, facts.destination_port, 5, 9, facts.leg_of, key, facts.sequence, 5, "receive",
                    "included", 6, outcome, settled_ns,
                ),
            )  # fmt: skip
        connection.execute(
            "INSERT INTO steps (packet_id, kind, step, chain, first_at_ns, at_ns, count, reason)"
            " VALUES ('alpha/client-7/3', 'acknowledge', 'seen', 'beta', 8, 8, 1, 'error acknowledgement')"
        )
    connection.close()
    Ledger.open_file(path).close()
    reader = MessageReader.open_file(path)
    found = {one.id: one for one in reader.page(MessageFilter()).items}
    assert {name: [leg.packet_id for leg in one.legs[1:]] for name, one in found.items()} == {
        "alpha/client-0/1": ["hub/bft-evm-1/1"], "alpha/client-0/2": ["hub/bft-evm-1/7"], "alpha/client-7/3": [],
    }  # fmt: skip
    assert found["alpha/client-7/3"].state is MessageState.REFUSED and found["alpha/client-7/3"].sender is None
    assert (found["alpha/client-0/2"].app, found["alpha/client-0/2"].stage) == (App.TRANSFER, MessageStage.DELIVERED)
    assert len(reader.page(MessageFilter(destination="beta", app=App.MESSAGE)).items) == 1
    reader.close()
