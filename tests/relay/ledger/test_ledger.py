"""The ledger: durable, complete in one step, and upgraded from any earlier schema."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from hutong.relay.ledger import (
    Costs,
    Delivery,
    Ledger,
    LedgerUnavailable,
    RecordedJob,
    RecordedTransaction,
    TransactionEnd,
    TransactionState,
    shares,
)
from hutong.relay.ledger.store.migrate import newest_revision
from hutong.relay.ledger.store.tables import Base

SENDER = "0x" + "11" * 20


def transaction(number: int, nonce: int = 0) -> RecordedTransaction:
    return RecordedTransaction(
        "alpha", bytes([number]) * 32, SENDER, nonce, b"raw", "{}", (None, RecordedJob("receive:hub/c/1", 5)), number
    )


def delivery(**fields) -> Delivery:
    defaults = {
        "packet_id": "hub/bft-evm-0/1", "kind": "receive", "chain": "alpha", "transaction_hash": b"\1" * 32,
        "height": 9, "batch_size": 2, "gas_used": 100, "fee_wei": 2**200, "event_time_ns": 5, "block_time_ns": 6, "at_ns": 7,
    }  # fmt: skip
    return Delivery(**(defaults | fields))


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger.open_file(tmp_path / "home" / "ledger.sqlite")
    yield ledger
    ledger.close()


async def test_cursor_moves(ledger):
    assert await ledger.cursor("alpha") is None
    for height in (5, 9):
        await ledger.set_cursor("alpha", height)
        assert await ledger.cursor("alpha") == height
    assert await ledger.cursor("beta") is None


async def test_trial_T7_a_full_disk_is_named_and_loses_nothing(full_disk):
    ledger = Ledger.open_file(full_disk.path / "ledger.sqlite")
    try:
        await ledger.record(transaction(1))
        full_disk.fill()
        with pytest.raises(LedgerUnavailable, match=r"ledger's disk"):
            for number in range(2, 200):
                await ledger.record(transaction(number, nonce=number))
        full_disk.free()
        await ledger.record(transaction(200, nonce=200))
        hashes = {one.hash[0] for one in await ledger.open_transactions("alpha", SENDER)}
        assert {1, 200} <= hashes
    finally:
        ledger.close()


async def test_attack_G3_signed_transaction_survives_a_reopening_until_its_end(tmp_path):
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger.open_file(path)
    await ledger.record(transaction(2, nonce=4))
    await ledger.record(transaction(1, nonce=3))
    ledger.close()
    ledger = Ledger.open_file(path)
    assert await ledger.open_transactions("alpha", SENDER) == [transaction(1, 3), transaction(2, 4)]
    paid = {"height": 9, "gas_used": 200, "fee_wei": 2**201}
    await ledger.end(
        TransactionEnd("alpha", b"\1" * 32, TransactionState.INCLUDED, 8, **paid, deliveries=(delivery(),))
    )
    paid = {"height": 9, "gas_used": 1, "fee_wei": 3}
    await ledger.end(TransactionEnd("alpha", b"\2" * 32, TransactionState.REVERTED, 8, **paid, reason="x" * 9999))
    assert await ledger.open_transactions("alpha", SENDER) == []
    assert await ledger.deliveries("hub/bft-evm-0/1") == [delivery()]
    assert await ledger.costs() == [Costs("alpha", 1, 2, 1, 201, 2**201 + 3)]
    ledger.close()


async def test_delivery_is_recorded_once_a_packet_and_kind(ledger):
    await ledger.record(transaction(1))
    for at_ns in (7, 8):
        done = (delivery(at_ns=at_ns),)
        await ledger.end(
            TransactionEnd("alpha", b"\1" * 32, TransactionState.INCLUDED, at_ns, fee_wei=1, deliveries=done)
        )
    assert await ledger.deliveries("hub/bft-evm-0/1") == [delivery(at_ns=8)]


def test_migrations_make_the_tables_that_the_code_expects(tmp_path, ledger):
    engine = create_engine(f"sqlite:///{tmp_path}/home/ledger.sqlite")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert connection.execute(text("select version_num from alembic_version")).scalar_one() == newest_revision()
        assert connection.execute(text("pragma journal_mode")).scalar_one() == "wal"
    engine.dispose()


def test_ledger_of_a_newer_hutong_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    Ledger.open_file(path).close()
    Ledger.open_file(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = 'ffff'"))
    engine.dispose()
    with pytest.raises(LedgerUnavailable, match="another version"):
        Ledger.open_file(path)


def test_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(LedgerUnavailable, match="cannot be opened"):
        Ledger.open_file(path)


@given(st.integers(0, 2**256), st.integers(1, 500))
def test_shares_sum_to_the_whole(total, count):
    parts = shares(total, count)
    assert sum(parts) == total and len(parts) == count and max(parts) - min(parts) <= 1
