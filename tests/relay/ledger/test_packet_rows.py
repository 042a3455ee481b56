"""A row of `packets` as a value with parts, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean

from hutong.relay.ledger import Cause, LedgerDamaged, Outcome, Step, packet_columns
from hutong.relay.ledger.store.rows import known_packet
from hutong.relay.ledger.store.tables import PacketRow, Wei

NAMED = {
    "kind": st.sampled_from(["receive", "acknowledge", "timeout"]),
    "step": st.sampled_from(list(Step)).map(str),
    "cause": st.sampled_from(list(Cause)).map(str),
    "outcome": st.sampled_from(list(Outcome)).map(str),
    "app": st.sampled_from(["message", "transfer", "other"]),
}
VALUES = {
    BigInteger: st.integers(0, 2**63 - 1),
    Boolean: st.integers(0, 1),
    Wei: st.integers(0, 2**256 - 1).map(str),
}
COLUMNS = [column for column in PacketRow.__table__.columns if column.name != "unpaired_key"]


def value_of(column):
    values = NAMED.get(column.name, VALUES.get(type(column.type), st.text(max_size=8)))
    return st.none() | values if column.nullable else values


ROWS = st.fixed_dictionaries({column.name: value_of(column) for column in COLUMNS})


def read(name, value):
    """As the value in memory has it."""
    if value is None:
        return None
    return {"amount": int, "refused": bool}.get(name, lambda same: same)(value)


@given(ROWS)
def test_a_row_becomes_parts_and_the_same_row_again(row):
    row |= {"outcome": None, "settled_at_ns": None} if None in (row["outcome"], row["settled_at_ns"]) else {}
    packet = known_packet(row)
    assert packet_columns(packet) == {name: read(name, value) for name, value in row.items()}
    assert (packet.sent is None) == all(row[name] is None for name in ("sent_height", "sent_time_ns", "sent_hash"))
    assert (packet.settled is None) == (packet.outcome is None)


@given(ROWS, st.sampled_from(list(Outcome)))
def test_an_end_without_its_time_is_damage(row, outcome):
    with pytest.raises(LedgerDamaged, match="settled_at_ns"):
        known_packet(row | {"outcome": outcome.value, "settled_at_ns": None})
