"""The table of messages: derived from packets and steps, in the transaction that writes those."""

from collections.abc import Collection, Iterator
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import (
    Connection,
    String,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from hutong.light_clients.ibc.forward_failure import APPS, ForwardFailure
from hutong.relay.ledger.store.bounds import MAX_ADDRESS_CHARS, bounded_text
from hutong.relay.ledger.store.tables import CounterRow, MessageRow, PacketRow, StepRow
from hutong.relay.ledger.values.life import REFUSED

CHUNK_IDS = 500
COUNTER = "changes"

_CHANGED = ("second_id", "lane", "state", "updated_at_ns", "settled_at_ns", "sender", "receiver", "latency_ns")


def write_messages(connection: Connection, packet_ids: Collection[str]) -> None:
    """Bring the rows of all messages that these packets belong to up to date; one new value of the counter for all.

    Called after the packets and steps were written, in the same transaction. A row that stays equal keeps its change.
    """
    change = _next_change(connection)
    upsert = _upsert(connection.dialect.name)
    for ids in chunks(packet_ids):
        # Asked before, not inside: how many rows a joined answer has is a planner's guess, and a wrong one reads the table.
        firsts = list(connection.execute(_FIRSTS, {"ids": ids}).scalars())
        if firsts:
            connection.execute(upsert, {"firsts": firsts, "change": change})


@cache
def _upsert(dialect: str) -> Any:
    statement: Any = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(MessageRow)
    statement = statement.from_select(_COLUMNS, _messages())
    new, old = statement.excluded, MessageRow
    differs = or_(*(getattr(old, name).is_distinct_from(new[name]) for name in _CHANGED))
    return statement.on_conflict_do_update(
        index_elements=["packet_id"], set_={name: new[name] for name in (*_CHANGED, "change")}, where=differs
    )


def _next_change(connection: Connection) -> int:
    """The row's lock keeps other writers out until the end of the transaction: greater values are never seen before smaller."""
    return int(connection.execute(_RAISE).scalar_one())


_RAISE = (
    update(CounterRow).where(CounterRow.name == COUNTER).values(value=CounterRow.value + 1).returning(CounterRow.value)
)


_FIRSTS = (
    select(func.coalesce(PacketRow.leg_of, PacketRow.packet_id))
    .where(PacketRow.packet_id.in_(bindparam("ids", expanding=True)))
    .distinct()
)
_COLUMNS = (
    "packet_id", "second_id", "lane", "state", "sender", "receiver", "ordered_at_ns", "updated_at_ns", "settled_at_ns",
    "latency_ns", "change",
)  # fmt: skip


def _messages() -> Any:
    """The rows of the messages whose first legs are `:firsts`."""
    first, second, other = aliased(PacketRow), aliased(PacketRow), aliased(PacketRow)
    # The hub sends one packet on; should a ledger have two, one of them counts, and no row comes twice.
    second_id = select(func.min(other.packet_id)).where(other.leg_of == first.packet_id).scalar_subquery()
    included = (
        StepRow.packet_id == first.packet_id,
        StepRow.kind == first.kind,
        StepRow.step == "included",
    )
    refused = and_(first.outcome == "acknowledged", first.refused.is_(True))
    # The hub answers the first leg with an error once the second has timed out: nobody refused anything.
    late = or_(
        second.outcome == "timed_out",
        and_(func.coalesce(second.outcome, "settled") == "settled", _hub_says_late(first)),
    )
    gives_up = or_(first.step == "dead", and_(second.step == "dead", second.outcome.is_(None)))
    state = case(
        (and_(refused, late), "timed_out"),
        (refused, "refused"),
        (first.outcome.is_not(None), first.outcome),
        (gives_up, "dead"),
        else_="open",
    )
    updated = case((second.at_ns > first.at_ns, second.at_ns), else_=first.at_ns)
    latency = case((first.outcome.is_not(None), StepRow.block_time_ns - first.sent_time_ns), else_=null())
    destination = func.coalesce(second.destination_chain, first.final_chain, first.destination_chain)
    space = literal_column("' '", String)
    return (
        select(
            first.packet_id,
            second.packet_id,
            first.source_chain + space + destination + space + func.coalesce(first.app, "other"),
            state,
            _searched(first.sender),
            _searched(first.receiver),
            func.coalesce(first.sent_time_ns, first.first_seen_at_ns),
            updated,
            first.settled_at_ns,
            case((latency >= 0, latency), else_=null()),
            bindparam("change", type_=MessageRow.change.type),
        )
        .select_from(first)
        .outerjoin(second, second.packet_id == second_id)
        .outerjoin(StepRow, and_(*included))
        .where(first.packet_id.in_(bindparam("firsts", expanding=True)), first.leg_of.is_(None))
    )


def _hub_says_late(first: Any) -> Any:
    """Whether the hub's own reason for the error is that the second leg timed out: where its end is not known here."""
    told = aliased(StepRow)
    begins = [
        literal(f"{REFUSED}: {application} over ") + first.next_client + literal(f": {ForwardFailure.LATE.value}")
        for application in APPS
    ]
    said = or_(*(func.substr(told.reason, 1, func.length(begin)) == begin for begin in begins))
    return exists().where(told.packet_id == first.packet_id, told.kind == "acknowledge", told.step == "seen", said)


def searched(address: str) -> str:
    """An address as `messages` has it: at most MAX_ADDRESS_CHARS, and one that begins with `0x` in lower case."""
    address = bounded_text(address, MAX_ADDRESS_CHARS)
    return address.lower() if address[:2] in ("0x", "0X") else address


def _searched(address: Any) -> Any:
    return case((func.lower(func.substr(address, 1, 2)) == "0x", func.lower(address)), else_=address)


def chunks(ids: Collection[str], size: int = CHUNK_IDS) -> Iterator[list[str]]:
    """The ids in lists of at most `size`, in their order; no ids give no list."""
    rest = iter(ids)
    while chunk := list(islice(rest, size)):
        yield chunk
