"""Schema 0004 pairs the legs that older schemas kept apart: as live pairing does, in one pass."""

import sqlite3

import pytest
from alembic import command
from sqlalchemy import create_engine, event

from hutong.relay.ledger.store.migrate import alembic_config, upgrade_to_head
from hutong.relay.ledger.store.tables import Base
from tests.relay.ledger.old_packets import INSERT_PACKET, NS, first, second

PAIRS = 20_000
STEPS = 10_000
"""Steps of SQLite's machine between two calls of the counter."""


@pytest.fixture
def old_ledger(tmp_path):
    """Of schema 0003, with packets."""
    path = tmp_path / "ledger.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")

    def fill(packets):
        with sqlite3.connect(path) as connection:
            connection.executemany(INSERT_PACKET, packets)
        connection.close()
        return engine

    yield fill
    engine.dispose()


def pairs(engine):
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT leg_of, packet_id FROM packets WHERE leg_of IS NOT NULL").all()
        second_ids = connection.exec_driver_sql(
            "SELECT packet_id, second_id FROM messages WHERE second_id NOTNULL"
        ).all()
    assert set(rows) == set(second_ids) and len(rows) == len(second_ids)
    return dict(tuple(row) for row in rows)


def test_pairs_are_those_of_live_pairing(old_ledger):
    engine = old_ledger([
        first(1, 100, 110), first(2, 1_000, 1_100), second(1, 1_010),  # 1 had timed out
        first(3, 2_000, 9_000, "back", "timed_out", 2_100), first(4, 3_000, 9_000, "back"), second(2, 3_005, "back"),
        second(3, 3_000, "before"), first(5, 3_061, 9_000, "before"), second(4, 3_001, "before"),
        first(6, 5_000, 9_000, "by time"), first(1, 4_000, 9_000, "by time", source="gamma"), second(5, 4_010, "by time"),
        first(7, None, 10, "unknown"), second(6, None, "unknown"),
        # One of two direct transfers with equal clients is no first leg of the other, and both at once they are not.
        ("x/c/1", "x", "c", "y", 1, 9_000, "both", 10 * NS, None, None), ("y/c/1", "y", "c", "x", 1, 9_000, "both", 11 * NS, None, None),
    ])  # fmt: skip
    upgrade_to_head(engine)
    found = pairs(engine)
    assert len({found.pop("x/c/1", None), found.pop("y/c/1", None)} - {None}) == 1
    assert found == {
        "alpha/client-0/2": "hub/bft-evm-1/1", "alpha/client-0/4": "hub/bft-evm-1/2", "alpha/client-0/5": "hub/bft-evm-1/4",
        "gamma/client-0/1": "hub/bft-evm-1/5", "alpha/client-0/7": "hub/bft-evm-1/6",
    }  # fmt: skip


def test_legs_that_are_unpaired_in_an_older_schema_are_paired_later(tmp_path):
    """Schema 0005 marks those that can still be halves; the others are looked at no more."""
    path = tmp_path / "ledger.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
    with sqlite3.connect(path) as connection:
        connection.executemany(
            INSERT_PACKET, [first(n, 500, 2_000) for n in (1, 2, 3)] + [second(n, 510) for n in (1, 2)]
        )
        connection.execute(INSERT_PACKET, second(9, 700, "direct"))
        connection.execute("UPDATE packets SET next_client = 'bft-evm-1', sender = 'a' WHERE source_chain = 'alpha'")
        connection.execute("UPDATE packets SET sender = 'client-0/a' WHERE source_chain = 'hub'")
        connection.execute("UPDATE packets SET leg_of = 'alpha/client-0/1' WHERE packet_id = 'hub/bft-evm-1/1'")
        connection.execute("UPDATE packets SET sender = 'the hub' WHERE packet_id = 'hub/bft-evm-1/9'")
    connection.close()
    upgrade_to_head(engine)
    marked = "SELECT packet_id, unpaired_key FROM packets WHERE unpaired_key NOTNULL ORDER BY packet_id"
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(marked)]
    assert found == [("alpha/client-0/2", "k"), ("alpha/client-0/3", "k"), ("hub/bft-evm-1/2", "k")]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
        command.upgrade(config, "head")
        assert [tuple(row) for row in connection.exec_driver_sql(marked)] == found
    engine.dispose()


def test_trial_T5_ends_that_older_relays_did_not_know_are_told(tmp_path):
    """Schema 0009: a timeout that was superseded. The others stay, and changes are told to who follows them."""
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    config = alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        for packet in (first(1, 10, 20, outcome="settled"), second(2, 10), first(3, 10, 20, outcome="settled")):
            connection.exec_driver_sql(INSERT_PACKET, packet)
        for leg_1, leg_2, state in ((1, None, "settled"), (2, "hub/bft-evm-1/2", "refused"), (3, None, "settled")):
            connection.exec_driver_sql(
                "INSERT INTO messages (packet_id, second_id, lane, state, ordered_at_ns, updated_at_ns, change)"
                " VALUES (?, ?, 'alpha beta transfer', ?, 5, 5, 7)",
                (f"alpha/client-0/{leg_1}", leg_2, state),
            )
        connection.exec_driver_sql(
            "UPDATE packets SET kind = 'timeout', step = 'superseded', outcome = 'settled' WHERE sequence < 3"
        )
        before = connection.exec_driver_sql("SELECT value FROM counter").scalar_one()
        command.upgrade(config, "head")
        rows = connection.exec_driver_sql("SELECT state, change FROM messages ORDER BY packet_id")
        assert [tuple(row) for row in rows] == [("timed_out", before + 1), ("timed_out", before + 1), ("settled", 7)]
        outcomes = connection.exec_driver_sql("SELECT outcome FROM packets ORDER BY sequence").scalars()
        assert list(outcomes) == ["timed_out", "timed_out", "settled"]
    engine.dispose()


def test_indexes_of_the_migrations_are_those_of_the_tables(tmp_path):
    """Alembic compares their columns alone, not of which rows they are."""
    definitions = []
    for name, make in (("migrated", upgrade_to_head), ("made", Base.metadata.create_all)):
        engine = create_engine(f"sqlite:///{tmp_path / name}.sqlite")
        make(engine)
        with engine.connect() as connection:
            found = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOTNULL"
            )
            definitions.append({row.name: " ".join(row.sql.split()) for row in found})
        engine.dispose()
    assert definitions[0] == definitions[1]
    assert definitions[0]["packets_by_leg"].endswith("(leg_of) WHERE leg_of IS NOT NULL")


@pytest.mark.long
def test_many_pairs_take_steps_in_proportion(old_ledger):
    """Half of them under one key, a tenth of first legs without second."""
    key = lambda number: "k" if number % 2 else f"k{number}"  # noqa: E731
    engine = old_ledger(
        packet
        for number in range(PAIRS)
        for packet in (first(number, number, number + 60, key(number)), second(number, number + 5, key(number)))
        if number % 10 or packet[1] == "alpha"
    )
    calls = [0]

    def count():
        calls[0] += 1
        return calls[0] * STEPS > 1_000 * PAIRS  # then SQLite stops, and the upgrade with it

    event.listen(engine, "connect", lambda connection, _: connection.set_progress_handler(count, STEPS))
    engine.dispose()
    upgrade_to_head(engine)
    assert calls[0] > 0
    found = pairs(engine)
    assert len(found) == PAIRS * 9 // 10
    assert all(one.rpartition("/")[2] == two.rpartition("/")[2] for one, two in found.items())
