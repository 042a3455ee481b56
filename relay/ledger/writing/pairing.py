"""Which packet made the hub send which: second legs of forwarded transfers say nothing of their origin."""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Select,
    String,
    and_,
    bindparam,
    delete,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)

from hutong.relay.ledger.store.bounds import MAX_ADDRESS_CHARS, MAX_DENOM_CHARS, bounded_text
from hutong.relay.ledger.store.tables import MessageRow, PacketRow
from hutong.relay.ledger.values.life import PacketFacts
from hutong.relay.ledger.writing.message_rows import chunks

CLOCK_DRIFT_NS = 60 * 10**9
"""How far the hub's clock may be behind a chain that it proves; the second leg is not older than the first but for that."""
MAX_PAIRED = 1_000
"""Unpaired packets of one key (of first legs: of one sender's) that are looked at: the newest."""
CHUNK_KEYS = 50
NS = 10**9
TRANSFER = "transfer"

Way = tuple[str, str, str]
"""Forward key, hub, client of the hub."""


def unpaired_key(facts: PacketFacts) -> str | None:
    """`forward_key` of what the hub shall send on, and of what it may have sent on.

    The hub's own transfers have no `/` in their senders, and never a first leg; nor have those between two chains.
    """
    if facts.leg_of is not None:
        return None
    sent_on = facts.sender is None or "/" in bounded_text(facts.sender, MAX_ADDRESS_CHARS)
    return facts.forward_key if facts.next_client is not None or sent_on else None


def pair_legs(connection: Connection, packet_ids: Collection[str]) -> None:
    """Give `leg_of` to second legs of forwarded transfers, and to those whose first legs are among `packet_ids`.

    The hub sends on what it receives: of the packets with one key over one of its clients, each second leg without first
    goes to the oldest first leg without second that can have caused it.
    """
    pairs: list[dict[str, str]] = []
    touched = _touched(connection, packet_ids)
    for keys in chunks(touched, CHUNK_KEYS):
        seconds: dict[Way, list[Any]] = defaultdict(list)
        since_s = min(touched[key] for key in keys) // NS
        for found in connection.execute(_unpaired_seconds(), {"keys": keys, "since_s": since_s}):
            seconds[found.unpaired_key, found.source_chain, found.source_client].append(found)
        if not seconds:
            continue
        firsts: dict[Way, list[Any]] = defaultdict(list)
        wanted = _wanted([second for ours in seconds.values() for second in ours])
        for found in connection.execute(_unpaired_firsts(), wanted):
            firsts[found.unpaired_key, found.destination_chain, found.next_client].append(found)
        for way, ours in seconds.items():
            pairs += _pairs(_in_order(firsts.get(way, ())), sorted(ours, key=_sequence))
    if pairs:
        connection.execute(_SET_FIRST, pairs)
        connection.execute(_SET_SECOND, pairs)
        for ids in chunks([pair["second"] for pair in pairs]):
            connection.execute(delete(MessageRow).where(MessageRow.packet_id.in_(ids)))


def _touched(connection: Connection, packet_ids: Collection[str]) -> dict[str, int]:
    """Keys of those that are unpaired, each with the time from which on a second leg can be of a pair that is new.

    What this write did not touch was compared with the rest when it was touched itself.
    """
    since_ns: dict[str, int] = {}
    for ids in chunks(packet_ids):
        rows: Any = connection.execute(_TOUCHED, {"ids": ids})
        for key, sent_ns in rows:
            from_ns = 0 if sent_ns is None else sent_ns - CLOCK_DRIFT_NS
            since_ns[key] = min(since_ns.get(key, from_ns), from_ns)
    return since_ns


_COLUMNS = [
    PacketRow.__table__.c[name]
    for name in (
        "packet_id", "unpaired_key", "source_chain", "source_client", "destination_chain", "destination_client", "next_client",
        "sequence", "first_seen_at_ns", "sent_time_ns", "timeout_timestamp_s", "sender", "denom", "outcome", "refused",
        "settled_at_ns",
    )
]  # fmt: skip


_TOUCHED = select(PacketRow.unpaired_key, PacketRow.sent_time_ns).where(
    PacketRow.packet_id.in_(bindparam("ids", expanding=True)), PacketRow.unpaired_key.is_not(None)
)


def _unpaired() -> Any:
    """Of some keys, and not timed out before `since_s`: one stretch of the index for each key and client."""
    since_s = bindparam("since_s", type_=BigInteger)
    return and_(PacketRow.unpaired_key.in_(bindparam("keys", expanding=True)), PacketRow.timeout_timestamp_s > since_s)


@cache
def _unpaired_seconds() -> Any:
    """No packet is sent with a timeout that is over, so what was sent since then has a later one."""
    row = PacketRow
    way = (row.unpaired_key, row.source_chain, row.source_client)
    place = func.row_number().over(partition_by=way, order_by=row.sequence.desc()).label("place")
    return _newest(select(*_COLUMNS, place).where(_unpaired(), row.next_client.is_(None)))


@cache
def _unpaired_firsts() -> Any:
    """Of the senders that the second legs name, so that a stranger's packets stay out; and not what ended before those."""
    row = PacketRow
    as_sent_on = func.substr(row.destination_client + literal("/", String) + row.sender, 1, MAX_ADDRESS_CHARS)
    any_sender = bindparam("any_sender", type_=Boolean)
    wanted = or_(any_sender, row.sender.is_(None), as_sent_on.in_(bindparam("senders", expanding=True)))
    undone = or_(row.outcome == "timed_out", and_(row.outcome == "acknowledged", row.refused.is_(True)))
    ended = and_(undone, row.settled_at_ns < bindparam("ended_ns", type_=BigInteger))
    alive = not_(func.coalesce(ended, False))
    sent_on_over = row.next_client.in_(bindparam("clients", expanding=True))
    way = (row.unpaired_key, row.destination_chain, row.next_client, row.destination_client, row.sender)
    newest_first = (func.coalesce(row.sent_time_ns, row.first_seen_at_ns).desc(), row.sequence.desc())
    place = func.row_number().over(partition_by=way, order_by=newest_first).label("place")
    return _newest(select(*_COLUMNS, place).where(_unpaired(), sent_on_over, wanted, alive))


def _newest(numbered: Select[Any]) -> Any:
    """However many a key has, and whoever sent them: the newest of every one, and never more than a chunk's share."""
    rows = numbered.subquery()
    return select(rows).where(rows.c.place <= MAX_PAIRED).order_by(rows.c.place).limit(MAX_PAIRED * CHUNK_KEYS)


def _wanted(seconds: Collection[Any]) -> dict[str, Any]:
    since_ns = min(second.sent_time_ns or 0 for second in seconds)
    senders = {second.sender for second in seconds}
    return {
        "keys": list({second.unpaired_key for second in seconds}),
        "clients": list({second.source_client for second in seconds}),
        "any_sender": None in senders,
        "senders": list(senders - {None}),
        "since_s": since_ns // NS,
        "ended_ns": since_ns - CLOCK_DRIFT_NS,
    }


def _in_order(firsts: Iterable[Any]) -> list[Any]:
    """Oldest first. One chain's client sends in the order of its sequences, whenever this relay heard of each."""
    ages: dict[str, tuple[int, int]] = {}
    oldest_ns: dict[tuple[str, str], int] = {}
    for packet in sorted(firsts, key=_sequence, reverse=True):
        source, (at_ns, sequence) = (packet.source_chain, packet.source_client), _age(packet)
        oldest_ns[source] = min(at_ns, oldest_ns.get(source, at_ns))
        ages[packet.packet_id] = oldest_ns[source], sequence
    return sorted(firsts, key=lambda packet: ages[packet.packet_id])


def _age(packet: Any) -> tuple[int, int]:
    at_ns: int = packet.first_seen_at_ns if packet.sent_time_ns is None else packet.sent_time_ns
    return at_ns, int(packet.sequence)


def _sequence(packet: Any) -> int:
    return int(packet.sequence)


def _pairs(firsts: Iterable[Any], seconds: Sequence[Any]) -> Iterator[dict[str, str]]:
    """Each second leg, in the hub's order, with the oldest first leg that can have caused it."""
    waiting = deque(firsts)
    for second in seconds:
        while waiting and second.sent_time_ns is not None and _ended_ns(waiting[0]) <= second.sent_time_ns:
            waiting.popleft()  # nor can it have caused a later one
        first = next((one for one in waiting if _can_cause(one, second)), None)
        if first is not None:
            waiting.remove(first)
            yield {"second": second.packet_id, "first": first.packet_id}


def _can_cause(first: Any, second: Any) -> bool:
    """The hub sent the second packet while the first one could be received, for its sender and with its tokens."""
    if not _is_sender(first, second) or not _is_token(first, second):
        return False
    if second.sent_time_ns is None or first.sent_time_ns is None:
        return True
    return bool(first.sent_time_ns - CLOCK_DRIFT_NS <= second.sent_time_ns < _ended_ns(first))


def _ended_ns(first: Any) -> int:
    """When the hub could no longer send it on: timed out, or given back. By this relay's clock, so with some room."""
    timeout_ns: int = first.timeout_timestamp_s * NS
    undone = first.outcome == "timed_out" or (first.outcome == "acknowledged" and first.refused)
    if not undone or first.settled_at_ns is None:
        return timeout_ns
    return min(timeout_ns, int(first.settled_at_ns) + CLOCK_DRIFT_NS)


def _is_sender(first: Any, second: Any) -> bool:
    """The hub writes the proven client before the sender (docs/spec/hub-transfer.md), so nobody writes as another."""
    if first.sender is None or second.sender is None:
        return True
    return bool(second.sender == bounded_text(f"{first.destination_client}/{first.sender}", MAX_ADDRESS_CHARS))


def _is_token(first: Any, second: Any) -> bool:
    """One hop on, or one hop less where the first packet brings it home."""
    if first.denom is None or second.denom is None:
        return True
    home = f"{TRANSFER}/{first.source_client}/"
    if first.denom.startswith(home):
        return bool(second.denom == first.denom.removeprefix(home))
    return bool(second.denom == bounded_text(f"{TRANSFER}/{first.destination_client}/{first.denom}", MAX_DENOM_CHARS))


_SET_FIRST = (
    update(PacketRow.__table__)  # type: ignore[arg-type]
    .where(PacketRow.packet_id == bindparam("second"))
    .values(leg_of=bindparam("first"), unpaired_key=None)
)
_SET_SECOND = (
    update(PacketRow.__table__)  # type: ignore[arg-type]
    .where(PacketRow.packet_id == bindparam("first"))
    .values(unpaired_key=None)
)
