"""Steps that are told to the ledger without waiting, and how many of them become few rows in one transaction."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, or_, update

from hutong.relay.ledger.store.bounds import (
    MAX_ADDRESS_CHARS,
    MAX_DENOM_CHARS,
    MAX_REASON_CHARS,
    bounded_int,
    bounded_text,
)
from hutong.relay.ledger.store.inserting import insert_into
from hutong.relay.ledger.store.tables import ONLY_OWNER, PacketRow, RouteRow, StepRow
from hutong.relay.ledger.values.life import Note, Outcome, PacketFacts, RouteNote, Step
from hutong.relay.ledger.writing.message_rows import write_messages
from hutong.relay.ledger.writing.packet_records import write_records
from hutong.relay.ledger.writing.pairing import pair_legs, unpaired_key

MAX_NOTES = 100_000
"""Held while the database does not answer; beyond it the oldest are forgotten."""
RECEIVE = "receive"

Entry = Note | RouteNote


class Journal:
    """Notes in the order in which they were made. Appending and taking are each one atomic step, from any thread."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MAX_NOTES)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entries: Iterable[Entry]) -> None:
        """Append entries; the oldest are forgotten if there are too many."""
        self._entries.extend(entries)

    def take(self) -> list[Entry]:
        """Everything noted so far; what is not written goes back with `put_back`."""
        taken = []
        for _ in range(len(self._entries)):
            try:
                taken.append(self._entries.popleft())
            except IndexError:
                break
        return taken

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Give back entries that were not written: they come before what was noted since, and the oldest are forgotten
        first.
        """
        room = MAX_NOTES - len(self._entries)
        self._entries.extendleft(reversed(entries[len(entries) - room :] if room < len(entries) else entries))


@dataclass(slots=True)
class _Life:
    """What several notes of one packet come to."""

    last: Note
    first_seen_at_ns: int
    facts: PacketFacts | None
    sent: Note | None = None

    def add(self, note: Note) -> None:
        known, new = self.facts, note.facts
        if new is not None and (known is None or note.step is Step.SEEN):
            refused = None if known is None else known.refused
            self.facts = new if refused is None else replace(new, refused=refused)
        if note.kind == RECEIVE and note.step is Step.SEEN:
            self.sent = note
        last = self.last
        if last.outcome is not None or (last.kind != RECEIVE and note.kind == RECEIVE):
            return
        if not note.certain and last.kind == note.kind and last.step is not Step.SEEN:
            return
        self.last = replace(note, certain=last.certain or note.certain)


def write_entries(
    connection: Connection, entries: Sequence[Entry], owner: str = ONLY_OWNER, *, keeps_records: bool = True
) -> None:
    """All of `entries`, in the caller's transaction: packets, steps, routes, pairs of legs and messages.

    Notes of a packet come in the order in which they were made. A packet that was acknowledged or timed out keeps its
    last step, whatever is noted of it later.

    Args:
        owner: whose routes wait, where several relays write one ledger.
        keeps_records: whether the bytes of packets that the entries hold are kept as well.
    """
    dialect = connection.dialect.name
    lives: dict[str, _Life] = {}
    steps: dict[tuple[str, str, str], dict[str, Any]] = {}
    routes: dict[str, RouteNote] = {}
    records: dict[tuple[str, str], bytes] = {}
    for entry in entries:
        if isinstance(entry, RouteNote):
            routes[entry.route] = entry
            continue
        life = lives.get(entry.packet_id)
        if life is None:
            lives[entry.packet_id] = life = _Life(entry, entry.at_ns, entry.facts)
        life.add(entry)
        _add_step(steps, entry)
        if entry.record is not None and keeps_records:
            records[entry.packet_id, entry.kind] = entry.record
    for certain in (True, False):
        rows = [_packet(life) for life in lives.values() if life.facts is not None and life.last.certain is certain]
        if rows:
            connection.execute(_upsert_packets(dialect, certain=certain), rows)
    changes = [_change(life.last) for life in lives.values() if life.facts is None]
    if changes:
        connection.execute(_UPDATE_PACKET, changes)
    if steps:
        connection.execute(_upsert_steps(dialect), list(steps.values()))
    if routes:
        connection.execute(_upsert_routes(dialect), [_route(note, owner) for note in routes.values()])
    if lives:
        write_records(connection, records, [one for one, life in lives.items() if life.last.outcome is not None])
        facts = [life.facts for life in lives.values() if life.facts is not None]
        pair_legs(connection, [one.packet_id for one in facts if unpaired_key(one) is not None])
        write_messages(connection, lives)


def hex_of(value: bytes | None) -> str | None:
    """As the ledger writes hashes: `0x` and lower-case digits; None stays None."""
    return None if value is None else "0x" + value.hex()


def _packet(life: _Life) -> dict[str, Any]:
    facts, last, sent = life.facts, life.last, life.sent
    if facts is None:
        raise ValueError("a packet without facts")
    return {
        "packet_id": facts.packet_id,
        "source_chain": facts.source_chain,
        "source_client": facts.source_client,
        "destination_chain": facts.destination_chain,
        "destination_client": facts.destination_client,
        "sequence": bounded_int(facts.sequence),
        "source_port": bounded_text(facts.source_port, 128),
        "destination_port": bounded_text(facts.destination_port, 128),
        "payload_bytes": facts.payload_bytes,
        "timeout_timestamp_s": bounded_int(facts.timeout_timestamp_s),
        "message_id": facts.message_id,
        "leg_of": facts.leg_of,
        "forward_key": facts.forward_key,
        "app": facts.app,
        "sender": bounded_text(facts.sender, MAX_ADDRESS_CHARS),
        "receiver": bounded_text(facts.receiver, MAX_ADDRESS_CHARS),
        "denom": bounded_text(facts.denom, MAX_DENOM_CHARS),
        "amount": facts.amount,
        "next_client": facts.next_client,
        "final_chain": facts.final_chain,
        "final_client": facts.final_client,
        "refused": facts.refused,
        "unpaired_key": unpaired_key(facts),
        "sent_height": None if sent is None else bounded_int(sent.height),
        "sent_time_ns": None if sent is None else bounded_int(sent.block_time_ns),
        "sent_hash": None if sent is None else hex_of(sent.transaction_hash),
        "first_seen_at_ns": life.first_seen_at_ns,
    } | _state(last)


def _state(note: Note) -> dict[str, Any]:
    return {
        "kind": note.kind,
        "step": note.step.value,
        "at_ns": note.at_ns,
        "reason": bounded_text(note.reason, MAX_REASON_CHARS),
        "cause": None if note.cause is None else note.cause.value,
        "outcome": None if note.outcome is None else note.outcome.value,
        "settled_at_ns": None if note.outcome is None else note.at_ns,
    }


def _change(note: Note) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in (_state(note) | {"packet_id": note.packet_id}).items()}


def _add_step(steps: dict[tuple[str, str, str], dict[str, Any]], note: Note) -> None:
    key = (note.packet_id, note.kind, note.step.value)
    known = steps.get(key)
    new = {
        "packet_id": note.packet_id,
        "kind": note.kind,
        "step": note.step.value,
        "chain": note.chain,
        "first_at_ns": note.at_ns if known is None else known["first_at_ns"],
        "at_ns": note.at_ns,
        "count": 1 if known is None else known["count"] + 1,
        "height": bounded_int(note.height),
        "block_time_ns": bounded_int(note.block_time_ns),
        "transaction_hash": hex_of(note.transaction_hash),
        "reason": bounded_text(note.reason, MAX_REASON_CHARS),
    }
    if known is not None:
        new |= {name: known[name] for name, value in new.items() if value is None}
    steps[key] = new


def _route(note: RouteNote, owner: str) -> dict[str, Any]:
    return {
        "owner": owner,
        "route": note.route,
        "reason": bounded_text(note.reason, MAX_REASON_CHARS),
        "cause": None if note.cause is None else note.cause.value,
        "failures": note.failures,
        "since_ns": note.at_ns,
        "at_ns": note.at_ns,
    }


_STATE = ("kind", "step", "at_ns", "reason", "cause")
_KEPT = (
    "message_id", "leg_of", "forward_key", "sent_height", "sent_time_ns", "sent_hash",
    "app", "sender", "receiver", "denom", "amount", "next_client", "final_chain", "final_client", "refused",
)  # fmt: skip


@cache
def _upsert_packets(dialect: str, *, certain: bool) -> Any:
    statement = insert_into(dialect, PacketRow)
    new, old = statement.excluded, PacketRow
    open_ = or_(old.outcome.is_(None), old.outcome == Outcome.SETTLED.value)
    moves = and_(open_, or_(old.kind == RECEIVE, new.kind != RECEIVE))
    if not certain:
        moves = and_(moves, or_(and_(old.kind == RECEIVE, new.kind != RECEIVE), old.step == Step.SEEN.value))
    changes: dict[str, Any] = {name: case((moves, new[name]), else_=getattr(old, name)) for name in _STATE}
    changes |= {name: func.coalesce(getattr(old, name), new[name]) for name in _KEPT}
    # Told once, by whom the key is told; from then on it is pairing's.
    changes["unpaired_key"] = case((old.forward_key.is_(None), new.unpaired_key), else_=old.unpaired_key)
    for name in ("outcome", "settled_at_ns"):
        changes[name] = case((moves, new[name]), else_=getattr(old, name))
    return statement.on_conflict_do_update(index_elements=["packet_id"], set_=changes)


_UPDATE_PACKET = (
    update(PacketRow)
    .where(
        PacketRow.packet_id == bindparam("new_packet_id"),
        or_(PacketRow.outcome.is_(None), PacketRow.outcome == Outcome.SETTLED.value),
        or_(PacketRow.kind == RECEIVE, bindparam("new_kind") != RECEIVE),
    )
    .values({name: bindparam(f"new_{name}") for name in (*_STATE, "outcome", "settled_at_ns")})
)


@cache
def _upsert_steps(dialect: str) -> Any:
    statement = insert_into(dialect, StepRow)
    new = statement.excluded
    changes = {"chain": new.chain, "at_ns": new.at_ns, "count": StepRow.count + new["count"]}
    for name in ("height", "block_time_ns", "transaction_hash", "reason"):
        changes[name] = func.coalesce(new[name], getattr(StepRow, name))
    return statement.on_conflict_do_update(index_elements=["packet_id", "kind", "step"], set_=changes)


@cache
def _upsert_routes(dialect: str) -> Any:
    statement = insert_into(dialect, RouteRow)
    new = statement.excluded
    changes = {name: new[name] for name in ("reason", "cause", "failures", "at_ns")}
    changes["since_ns"] = case(
        (or_(RouteRow.reason.is_(None), new.reason.is_(None)), new.since_ns), else_=RouteRow.since_ns
    )
    return statement.on_conflict_do_update(index_elements=["owner", "route"], set_=changes)
