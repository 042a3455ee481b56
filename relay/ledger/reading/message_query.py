"""Which messages come next: SQL whose cost is that of what it gives.

An index has the messages of one pair of lane and state (of one party, or of all) in their order. A list is the newest of
some such pairs, so it asks for the newest of each pair and takes the newest of those: no filter, alone or with others,
makes the database walk through messages that it does not give.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, String, column, text

from hutong.relay.ledger.reading.message_cursor import Position
from hutong.relay.ledger.values.messages import App, MessageState

MAX_TERMS = 400
"""SQLite takes 500 parts of one union. A list of more pairs is read by state or by time, and sifted."""
MAX_LANES = 10_000

Rows = Callable[[Any, dict[str, Any]], list[dict[str, Any]]]
STATES = tuple(MessageState)


@dataclass(frozen=True, slots=True)
class Lane:
    """Messages of one app from chain to chain."""

    name: str
    source: str
    destination: str
    app: App

    @classmethod
    def parse(cls, name: object) -> "Lane | None":
        """The lane of a row's `lane` column (`source destination app`); None where a damaged row has another value
        there.
        """
        parts = name.split(" ") if isinstance(name, str) else []
        if len(parts) != 3 or parts[2] not in frozenset(App):
            return None
        return cls(str(name), parts[0], parts[1], App(parts[2]))


@dataclass(frozen=True, slots=True)
class Term:
    """One stretch of one index: equal in all that is set."""

    party: tuple[str, str] | None = None
    """(`sender` or `receiver`, address)."""
    lane: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Part of the order: later than `after`, from `from_ns` (included) and before `until_ns`."""

    after: Position | None = None
    from_ns: int | None = None
    until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a list is sifted by. A damaged row may have any `ordered_at_ns`."""

    packet_id: str
    ordered_at_ns: object
    lane: str
    state: str
    sender: str | None
    receiver: str | None


@dataclass(slots=True)
class _Statement:
    """SQL of constants; what comes from outside is bound."""

    parameters: dict[str, Any] = field(default_factory=dict)

    def bind(self, name: str, value: Any) -> str:
        self.parameters[name] = value
        return f":{name}"


_FIELDS = "packet_id, ordered_at_ns, lane, state, sender, receiver"
_ORDER = "ORDER BY ordered_at_ns DESC, packet_id DESC"
_TYPES: list[Any] = [column("packet_id", String), column("ordered_at_ns", BigInteger), *(column(name, String) for name in ("lane", "state", "sender", "receiver"))]  # fmt: skip


def lanes(rows: Rows, party: tuple[str, str] | None = None) -> list[Lane]:
    """Lanes that have a message, MAX_LANES at most: one step in the index for each.

    Args:
        rows: runs a statement with its parameters and gives rows by column name; blocks.
        party: (`sender` or `receiver`, address as `searched` gives it); None: of anybody.
    """
    mine = "" if party is None else f"m.{party[0]} = :party AND "
    query = text(
        "WITH RECURSIVE found(lane) AS ("  # noqa: S608
        f"SELECT (SELECT m.lane FROM messages m WHERE {mine}m.lane >= '' ORDER BY m.lane LIMIT 1) UNION ALL "
        f"SELECT (SELECT m.lane FROM messages m WHERE {mine}m.lane > found.lane ORDER BY m.lane LIMIT 1)"
        " FROM found WHERE found.lane IS NOT NULL) "
        f"SELECT lane FROM found WHERE lane IS NOT NULL LIMIT {MAX_LANES}"
    )  # constants only
    found = rows(query, {} if party is None else {"party": party[1]})
    return [lane for row in found if (lane := Lane.parse(row["lane"])) is not None]


def terms_of(
    party: tuple[str, str] | None, chosen: Sequence[Lane] | None, state: MessageState | None
) -> list[Term] | None:
    """Stretches of an index that together are a list.

    Args:
        party: (`sender` or `receiver`, address as `searched` gives it); None: of anybody.
        chosen: the lanes of the list; None: every lane.
        state: None: every state.

    Returns:
        None where they are more than MAX_TERMS, or no index has the list: of a party, `chosen` is needed.
    """
    if chosen is None:
        return [Term(party, None, None if state is None else state.value)] if party is None else None
    states: Iterable[MessageState] = STATES if state is None else (state,)
    terms = [Term(party, lane.name, one.value) for lane in chosen for one in states]
    return terms if len(terms) <= MAX_TERMS else None


def newest(rows: Rows, terms: Sequence[Term], bounds: Bounds, limit: int, *, lateral: bool) -> list[Candidate]:
    """The first `limit` messages of all terms together, newest first, and within one time by descending packet id.

    Args:
        terms: without overlap, or a message comes twice.
        lateral: the database is PostgreSQL.
    """
    if not terms:
        return []
    statement = _Statement()
    count = statement.bind("count", limit)
    if lateral and all(term.lane is not None and term.state is not None for term in terms):
        parts = _lateral_parts(terms, bounds, statement, count)
    else:
        parts = [
            f"SELECT * FROM (SELECT {_FIELDS} FROM messages WHERE {_where(term, bounds, statement, index)} {_ORDER} LIMIT {count}) AS t{index}"  # noqa: S608
            for index, term in enumerate(terms)
        ]
    sql = parts[0]
    if len(parts) > 1 or lateral:
        sql = f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS u {_ORDER} LIMIT {count}"  # noqa: S608
    return [Candidate(**row) for row in rows(text(sql).columns(*_TYPES), statement.parameters)]


def _lateral_parts(terms: Sequence[Term], bounds: Bounds, statement: _Statement, count: str) -> list[str]:
    """One part a party: PostgreSQL plans hundreds of parts for longer than it takes to read them."""
    by_party: dict[tuple[str, str] | None, list[Term]] = {}
    for term in terms:
        by_party.setdefault(term.party, []).append(term)
    parts = []
    for index, (party, theirs) in enumerate(by_party.items()):
        pairs = ", ".join(
            f"CAST({statement.bind(f'{name}{index}', [getattr(term, name) for term in theirs])} AS text[])"
            for name in ("lane", "state")
        )
        where = _where(Term(party), bounds, statement, index)
        parts.append(
            f"SELECT t{index}.* FROM unnest({pairs}) AS pair{index}(lane, state) CROSS JOIN LATERAL (SELECT {_FIELDS} FROM messages m"  # noqa: S608
            f" WHERE m.lane = pair{index}.lane AND m.state = pair{index}.state AND {where} {_ORDER} LIMIT {count}) AS t{index}"
        )
    return parts


def of_ids(
    rows: Rows, packet_ids: Collection[str], bounds: Bounds, limit: int, keep: Callable[[Candidate], bool]
) -> list[Candidate]:
    """Those of the named messages that are in `bounds` and `keep` accepts, newest first, `limit` at most.

    Args:
        packet_ids: of first legs; few, since each is a parameter of one statement.
    """
    if not packet_ids:
        return []
    statement = _Statement()
    names = ", ".join(statement.bind(f"id{index}", packet_id) for index, packet_id in enumerate(packet_ids))
    sql = f"SELECT {_FIELDS} FROM messages WHERE packet_id IN ({names}) AND {_bounded(bounds, statement)} {_ORDER}"  # noqa: S608
    found = [Candidate(**row) for row in rows(text(sql).columns(*_TYPES), statement.parameters)]
    return [one for one in found if keep(one)][:limit]


def _where(term: Term, bounds: Bounds, statement: _Statement, index: int) -> str:
    conditions = []
    if term.party is not None:
        conditions.append(f"{term.party[0]} = {statement.bind('party_' + term.party[0], term.party[1])}")
    if term.lane is not None:
        conditions.append(f"lane = {statement.bind(f'lane{index}', term.lane)}")
    if term.state is not None:
        conditions.append(f"state = {statement.bind(f'state_{term.state}', term.state)}")
    return " AND ".join([*conditions, _bounded(bounds, statement)])


def _bounded(bounds: Bounds, statement: _Statement) -> str:
    conditions = []
    if bounds.after is not None:
        at, packet_id = statement.bind("at", bounds.after.value), statement.bind("after", bounds.after.packet_id)
        conditions.append(f"(ordered_at_ns, packet_id) < ({at}, {packet_id})")
    if bounds.from_ns is not None:
        conditions.append(f"ordered_at_ns >= {statement.bind('from_ns', bounds.from_ns)}")
    if bounds.until_ns is not None:
        conditions.append(f"ordered_at_ns < {statement.bind('until_ns', bounds.until_ns)}")
    return " AND ".join(conditions) or "1 = 1"
