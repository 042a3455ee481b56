"""What the ledger is told without waiting: one transaction for all of it, nothing lost while it runs, and a crash heals."""

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from hutong.relay.ledger import Ledger, LedgerReader, LedgerUnavailable, Outcome, Step, TransactionEnd, TransactionState
from hutong.relay.ledger.writing.owed import Owed
from tests.relay.ledger.ledger_conformance import PACKET, SENDER, delivery, note, transaction

pytestmark = pytest.mark.safety


@pytest.fixture
def open_ledger(tmp_path):
    return lambda: Ledger.open_file(tmp_path / "ledger.sqlite")


@pytest.fixture
def open_reader(tmp_path):
    return lambda: LedgerReader.open_file(tmp_path / "ledger.sqlite")


def ended(one, state=TransactionState.INCLUDED, deliveries=(), **fields):
    return TransactionEnd(one.chain, one.hash, state, 40, **({"height": 9, "gas_used": 100, "fee_wei": 7} | fields),
                          deliveries=tuple(deliveries))  # fmt: skip


def killed(ledger):
    """Its memory goes; what is in the file stays."""
    ledger.owed.take()
    ledger.close()


def count_commits(ledger):
    commits = []
    event.listen(ledger.engine, "commit", lambda _connection: commits.append(1))
    return commits


def last_step(open_reader):
    reader = open_reader()
    found = reader.life(PACKET).packet
    reader.close()
    return found.step, found.outcome


async def test_ends_cursors_and_steps_are_one_transaction_with_the_next_record(open_ledger, open_reader):
    ledger = open_ledger()
    ledger.note([note(Step.SEEN)])
    await ledger.record(transaction(1))
    commits = count_commits(ledger)
    for height in range(1, 20):
        ledger.note_cursor("alpha", height)
        ledger.note_cursor("hub", 2 * height)
    ledger.note_end(ended(transaction(1), deliveries=[delivery(1)]))
    assert ledger.notes == 4, "an end with its step, and the newest cursor of each chain"
    await ledger.record(transaction(2, nonce=1))
    assert (len(commits), ledger.notes) == (1, 0)
    assert (await ledger.cursor("alpha"), await ledger.cursor("hub")) == (19, 38)
    assert [one.nonce for one in await ledger.open_transactions("hub", SENDER)] == [1]
    assert [one.gas_used for one in await ledger.deliveries(PACKET)] == [100]
    assert last_step(open_reader) == ("submitted", None)
    ledger.close()


async def test_what_is_owed_is_read_by_who_told_it(open_ledger):
    ledger = open_ledger()
    await ledger.record(transaction(1))
    ledger.note_end(ended(transaction(1), deliveries=[delivery(1)]))
    assert await ledger.open_transactions("hub", SENDER) == []
    ledger.note_cursor("alpha", 3)
    assert await ledger.cursor("alpha") == 3
    ledger.note_cursor("alpha", 4)
    ledger.close()
    again = open_ledger()
    assert await again.cursor("alpha") == 4, "an orderly end writes what is owed"
    again.close()


async def test_attack_G3_a_crash_leaves_the_transaction_open_with_none_of_its_end(open_ledger, open_reader):
    """Half of it, an end without its packets' last step, would never be told again."""
    ledger = open_ledger()
    ledger.note([note(Step.SEEN)])
    ledger.note_cursor("alpha", 5)
    await ledger.record(transaction(1))
    ledger.note_cursor("alpha", 6)
    ledger.note_end(ended(transaction(1), deliveries=[delivery(1)]))
    killed(ledger)
    again = open_ledger()
    assert [one.hash for one in await again.open_transactions("hub", SENDER)] == [transaction(1).hash]
    assert await again.cursor("alpha") == 5 and await again.deliveries(PACKET) == []
    assert last_step(open_reader) == ("submitted", None)
    again.note_end(ended(transaction(1), deliveries=[delivery(1)]))
    await again.flush()
    killed(again)
    assert last_step(open_reader) == ("included", None)


async def test_an_end_and_its_steps_are_never_apart(open_ledger, open_reader):
    ledger = open_ledger()
    ledger.note([note(Step.SEEN, kind="acknowledge")])
    await ledger.record(transaction(1))
    ledger.note_end(ended(transaction(1), deliveries=[delivery(1, kind="acknowledge")]))
    taken = ledger.owed.take()
    assert (len(taken.ends), [entry.step for entry in taken.entries]) == (1, [Step.INCLUDED])
    ledger.owed.put_back(taken)
    await ledger.flush()
    ledger.close()
    assert last_step(open_reader) == ("included", "acknowledged")
    assert Outcome.ACKNOWLEDGED == "acknowledged"


async def test_a_database_that_is_away_gets_all_of_it_later_and_in_order(open_ledger, open_reader):
    ledger = open_ledger()
    ledger.note([note(Step.SEEN)])
    await ledger.record(transaction(1))
    ledger.note_end(ended(transaction(1), deliveries=[delivery(1)]))
    ledger.note_cursor("alpha", 5)

    def away(_connection):
        raise OperationalError("commit", {}, Exception("disk I/O error"))

    event.listen(ledger.engine, "commit", away)
    with pytest.raises(LedgerUnavailable):
        await ledger.flush()
    with pytest.raises(LedgerUnavailable):
        await ledger.cursor("alpha")
    assert ledger.notes == 3
    ledger.note_cursor("alpha", 6)
    event.remove(ledger.engine, "commit", away)
    await ledger.flush()
    assert (await ledger.cursor("alpha"), ledger.notes) == (6, 0), "the newer cursor holds over the one put back"
    assert await ledger.open_transactions("hub", SENDER) == []
    assert last_step(open_reader) == ("included", None)
    ledger.close()


async def test_a_step_that_no_database_takes_costs_no_end_and_no_cursor(open_ledger):
    ledger = open_ledger()
    await ledger.record(transaction(1))
    ledger.note([note(Step.SEEN, at_ns=2**200)])
    ledger.note_end(ended(transaction(1), deliveries=[delivery(1)]))
    ledger.note_cursor("alpha", 5)
    await ledger.record(transaction(2, nonce=1))
    assert (await ledger.cursor("alpha"), ledger.notes) == (5, 0)
    assert [one.nonce for one in await ledger.open_transactions("hub", SENDER)] == [1]
    assert len(await ledger.deliveries(PACKET)) == 1
    ledger.close()


async def test_an_end_that_no_database_takes_costs_nothing_else(open_ledger, open_reader):
    ledger = open_ledger()
    ledger.note([note(Step.SEEN)])
    for number in (1, 2):
        await ledger.record(transaction(number, nonce=number))
    ledger.note([note(Step.QUEUED)])
    ledger.note_end(ended(transaction(1), state=_State()))
    ledger.note_end(ended(transaction(2)))
    ledger.note_cursor("alpha", 5)
    await ledger.flush()
    assert (await ledger.cursor("alpha"), ledger.notes) == (5, 0)
    assert [one.nonce for one in await ledger.open_transactions("hub", SENDER)] == [1], "the chain will tell it again"
    assert last_step(open_reader) == ("queued", None)
    ledger.close()


class _State:
    value = object()


async def test_work_that_fails_leaves_what_is_owed(open_ledger):
    ledger = open_ledger()
    ledger.note_cursor("alpha", 5)
    with pytest.raises(OverflowError):
        await ledger.record(transaction(1, nonce=2**63))
    assert ledger.notes == 1
    assert await ledger.cursor("alpha") == 5
    ledger.close()


def test_what_is_put_back_stays_before_what_came_since():
    owed, done = Owed(), []
    owed.end(lambda _: done.append("first"), [])
    owed.cursor("alpha", lambda _: done.append("old cursor"))
    taken = owed.take()
    assert (bool(taken), bool(owed.take()), len(owed)) == (True, False, 0)
    owed.end(lambda _: done.append("second"), [note(Step.SEEN)])
    owed.cursor("alpha", lambda _: done.append("new cursor"))
    owed.put_back(taken)
    assert len(owed) == 4
    for write in owed.take().writes:
        write(None)
    assert done == ["first", "second", "new cursor"]
