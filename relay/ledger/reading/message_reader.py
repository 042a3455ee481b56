"""Messages beside a running relay: lists, look-ups and changes."""

import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, select, tuple_

from hutong.relay.ledger.reading.explain import mend_of
from hutong.relay.ledger.reading.figures import Figures
from hutong.relay.ledger.reading.message_cursor import CursorKind, Position, decode_cursor, encode_cursor
from hutong.relay.ledger.reading.message_query import Bounds, Candidate, Lane, Term, lanes, newest, of_ids, terms_of
from hutong.relay.ledger.reading.message_records import is_told_by_steps, record_of
from hutong.relay.ledger.reading.receiver_remedies import explained
from hutong.relay.ledger.store.bounds import MAX_INT64
from hutong.relay.ledger.store.rows import known_packet, message_row, raw_columns, route_state, step_record
from hutong.relay.ledger.store.tables import (
    CounterRow,
    DeliveryRow,
    MessageRow,
    PacketRow,
    RouteRow,
    StepRow,
    TransactionRow,
)
from hutong.relay.ledger.values.errors import CursorOfAnotherLedger, DamagedRow, LedgerDamaged
from hutong.relay.ledger.values.messages import (
    DeadPage,
    DeadStep,
    Found,
    FoundKind,
    MessageChanges,
    MessageFilter,
    MessagePage,
    MessageRecord,
    MessageState,
)
from hutong.relay.ledger.values.packets import StepRecord
from hutong.relay.ledger.writing.message_rows import searched

MAX_LIMIT = 1_000
MAX_OF_TRANSACTION = 1_000
"""Packets of one transaction that are looked at; no batch has as many."""
MAX_SEARCH_CHARS = MAX_PACKET_ID_CHARS = 160
SIFT_ROWS = 2_000
MAX_SIFTED = 6_000
"""Candidates that one page looks at where no index has its filter; then it ends early and says where to go on."""

_HASH = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Loaded:
    items: tuple[MessageRecord, ...]
    damaged: tuple[DamagedRow, ...]


class MessageReader(Figures):
    """Every call blocks and is a bounded number of indexed queries. Any thread may call; connections come from a pool.

    Raises, each of them:
        LedgerUnavailable: in one sentence.
        InvalidCursor: where a cursor is given that is not from this list.
        LedgerDamaged: (a LedgerUnavailable) where the one message that is asked for cannot be read.
    """

    def page(self, wanted: MessageFilter, cursor: str | None = None, limit: int = 50) -> MessagePage:
        """One page of messages, newest first.

        Args:
            cursor: of an earlier page of the same list; None begins.
            limit: 1 to `MAX_LIMIT`.

        Raises:
            InvalidCursor: the cursor is not from this list.
            ValueError: `limit` is out of bounds.
        """
        _check_limit(limit)
        after = None if cursor is None else decode_cursor(CursorKind.PAGE, cursor)
        found, further = self._candidates(wanted, Bounds(after, wanted.sent_from_ns, wanted.sent_until_ns), limit)
        loaded = self._load([one.packet_id for one in found])
        return MessagePage(
            loaded.items, None if further is None else encode_cursor(CursorKind.PAGE, further), loaded.damaged
        )

    def message(self, packet_id: str) -> MessageRecord | None:
        """The message that a packet is a leg of, by the id of any of its packets (`chain/client/sequence`).

        Returns:
            None if the ledger has no such packet, also for a text that cannot be an id.

        Raises:
            LedgerDamaged: one of its rows cannot be read.
        """
        if len(packet_id) > MAX_PACKET_ID_CHARS or not packet_id.isascii() or not packet_id.isprintable():
            return None
        row = self._one(select(PacketRow.leg_of).where(PacketRow.packet_id == packet_id))
        if row is None:
            return None
        return self._single(row["leg_of"] or packet_id)

    def by_message_id(self, message_id: str) -> MessageRecord | None:
        """The message with Mailbox's id, `0x` and 64 digits in any case; None if there is none, also for another text.

        Raises:
            LedgerDamaged: one of its rows cannot be read.
        """
        firsts = self._firsts(self._ids_of_message(message_id.lower()))
        return self._single(firsts[0]) if firsts else None

    def by_transaction(self, transaction_hash: str, limit: int = 50) -> MessagePage:
        """Messages that a transaction (of any chain) sent, delivered, acknowledged, timed out or tries to; newest
        first.

        MAX_OF_TRANSACTION packets at most are looked at. Where more than `limit` are found, `next` goes on in `page`
        with a filter of the same transaction.

        Args:
            transaction_hash: `0x` and 64 digits in any case; another text finds nothing.

        Raises:
            ValueError: `limit` is not 1 to MAX_LIMIT.
        """
        return self.page(MessageFilter(transaction=transaction_hash), None, limit)

    def search(self, text: str, limit: int = 50) -> Found:
        """What a person may mean by a packet id, a hash, an address or a chain's name; NOTHING for any other text.

        Args:
            text: of any origin; more than MAX_SEARCH_CHARS or unprintable characters find nothing.

        Raises:
            ValueError: `limit` is not 1 to MAX_LIMIT.
            LedgerDamaged: the packet that was named cannot be read.
        """
        _check_limit(limit)
        text = text.strip()
        if not text or len(text) > MAX_SEARCH_CHARS or "\x00" in text or not text.isprintable():
            return Found(FoundKind.NOTHING, ())
        if text.count("/") == 2:
            one = self.message(text)
            return Found(FoundKind.NOTHING, ()) if one is None else Found(FoundKind.PACKET, (one,))
        if _HASH.fullmatch(text):
            for kind, wanted in (
                (FoundKind.MESSAGE_ID, MessageFilter(message_id=text)),
                (FoundKind.TRANSACTION, MessageFilter(transaction=text)),
            ):
                page = self.page(wanted, None, limit)
                if page.items or page.damaged:
                    return Found(kind, page.items, page.damaged)
            return Found(FoundKind.NOTHING, ())
        if not _ADDRESS.fullmatch(text):
            every = lanes(self._rows)
            chosen = [lane for lane in every if text in (lane.source, lane.destination)]
            if chosen:
                found, _ = self._of_lanes(chosen, len(chosen) == len(every), None, Bounds(), limit)
                return self._found(FoundKind.CHAIN, found)
        parties = [(side, searched(text)) for side in ("sender", "receiver")]
        terms = [term for party in parties for term in self._party_terms(party, None, None) or ()]
        found = newest(self._rows, terms, Bounds(), 2 * limit, lateral=self._lateral)
        return self._found(FoundKind.ADDRESS, list({one.packet_id: one for one in found}.values())[:limit])

    def changes_after(self, cursor: str, limit: int = 100) -> MessageChanges:
        """What changed after a cursor of `newest_change` or of an earlier call; a message comes once, with its last
        change.

        Changes are numbered in the transaction that writes them, one transaction after the other: none appears before a
        cursor that was given already, however late it is written.

        Raises:
            InvalidCursor: the cursor is not from such a call.
            CursorOfAnotherLedger: it is newer than this ledger; the lists must be read again.
            ValueError: `limit` is not 1 to MAX_LIMIT.
        """
        _check_limit(limit)
        after, newest_change = decode_cursor(CursorKind.CHANGES, cursor), self._counter()
        if after.value > newest_change + 1:
            raise CursorOfAnotherLedger("the cursor is of another ledger: read the lists again")
        key = tuple_(MessageRow.change, MessageRow.packet_id)
        query = select(MessageRow.packet_id, MessageRow.change).where(
            key > tuple_(after.value, after.packet_id), MessageRow.change <= newest_change
        )
        rows = self._rows(query.order_by(MessageRow.change, MessageRow.packet_id).limit(limit + 1))
        given, more = rows[:limit], len(rows) > limit
        if given:
            cursor = encode_cursor(CursorKind.CHANGES, Position(given[-1]["change"], given[-1]["packet_id"]))
        loaded = self._load([row["packet_id"] for row in given])
        return MessageChanges(loaded.items, cursor, more, loaded.damaged)

    def newest_change(self) -> str:
        """Cursor of now: what changes later comes after it.

        Raises:
            LedgerDamaged: the counter of changes cannot be read.
        """
        return encode_cursor(CursorKind.CHANGES, Position(self._counter() + 1, ""))

    def dead(self, cursor: str | None = None, limit: int = 50) -> DeadPage:
        """Steps that were given up, those of `limit` messages a page, newest message first.

        Args:
            cursor: of an earlier page; None begins.

        Raises:
            InvalidCursor: the cursor is not from this list.
            ValueError: `limit` is not 1 to MAX_LIMIT.
        """
        page = self.page(MessageFilter(state=MessageState.DEAD), cursor, limit)
        steps = [
            DeadStep(f"{leg.kind}:{leg.packet_id}", message, explained(leg.reason), leg.cause, leg.at_ns, mend_of(leg))
            for message in page.items
            for leg in message.legs
            if leg.step == "dead" and leg.outcome is None
        ]
        return DeadPage(tuple(steps), page.next, page.damaged)

    def _candidates(self, wanted: MessageFilter, bounds: Bounds, limit: int) -> tuple[list[Candidate], Position | None]:
        """(the page, where the next one begins)."""
        if wanted.message_id is not None or wanted.transaction is not None:
            named = self._named(wanted)
            fits = _Fits.of(wanted)
            return _cut(of_ids(self._rows, named, bounds, limit + 1, fits), limit)
        chosen, all_lanes = None, True
        if not (wanted.source is None and wanted.destination is None and wanted.app is None):
            every = lanes(self._rows)
            chosen = [lane for lane in every if _lane_fits(lane, wanted)]
            all_lanes = len(chosen) == len(every)
        parties = [
            (side, searched(address))
            for side, address in (("sender", wanted.sender), ("receiver", wanted.receiver))
            if address is not None
        ]
        if not parties:
            return self._of_lanes(chosen or [], all_lanes, wanted.state, bounds, limit)
        if len(parties) == 2:
            parties.sort(key=self._count_up_to)
        terms = self._party_terms(parties[0], None if all_lanes else chosen, wanted.state)
        if len(parties) == 1 and terms is not None:
            return _cut(newest(self._rows, terms, bounds, limit + 1, lateral=self._lateral), limit)
        if terms is None:
            terms = [Term(parties[0])]
        return self._sift(terms, _Fits.of(wanted), bounds, limit)

    def _of_lanes(
        self, chosen: Sequence[Lane], all_lanes: bool, state: MessageState | None, bounds: Bounds, limit: int
    ) -> tuple[list[Candidate], Position | None]:
        whole = Term(state=None if state is None else state.value)
        if all_lanes:
            return _cut(newest(self._rows, [whole], bounds, limit + 1, lateral=self._lateral), limit)
        terms = terms_of(None, chosen, state)
        if terms is not None:
            return _cut(newest(self._rows, terms, bounds, limit + 1, lateral=self._lateral), limit)
        return self._sift([whole], _Fits(lanes=frozenset(lane.name for lane in chosen)), bounds, limit)

    def _party_terms(
        self, party: tuple[str, str], chosen: Sequence[Lane] | None, state: MessageState | None
    ) -> list[Term] | None:
        theirs = lanes(self._rows, party)
        if chosen is not None:
            names = {lane.name for lane in chosen}
            theirs = [lane for lane in theirs if lane.name in names]
        return terms_of(party, theirs, state)

    def _sift(
        self, terms: Sequence[Term], fits: "_Fits", bounds: Bounds, limit: int
    ) -> tuple[list[Candidate], Position | None]:
        """A filter that no index has: candidates are looked at in their order, at most `MAX_SIFTED` of them."""
        kept: list[Candidate] = []
        for _ in range(MAX_SIFTED // SIFT_ROWS):
            found = newest(self._rows, terms, bounds, SIFT_ROWS, lateral=self._lateral)
            kept += [one for one in found if fits(one)]
            if len(kept) > limit or len(found) < SIFT_ROWS:
                return _cut(kept, limit)
            bounds = Bounds(_position(found), bounds.from_ns, bounds.until_ns)
        return kept, bounds.after

    def _count_up_to(self, party: tuple[str, str]) -> int:
        """How many messages a party has, as far as it matters: of two the one with fewer is sifted."""
        column = MessageRow.sender if party[0] == "sender" else MessageRow.receiver
        some = select(MessageRow.packet_id).where(column == party[1]).limit(SIFT_ROWS).subquery()
        row = self._one(select(func.count().label("count")).select_from(some))
        return 0 if row is None else int(row["count"])

    def _named(self, wanted: MessageFilter) -> list[str]:
        """First legs of the messages that a message id and a transaction name."""
        sets = []
        if wanted.message_id is not None:
            sets.append(self._firsts(self._ids_of_message(wanted.message_id.lower())))
        if wanted.transaction is not None:
            sets.append(self._firsts(self._ids_of_transaction(wanted.transaction.lower())))
        return [one for one in sets[0] if all(one in other for other in sets[1:])]

    def _ids_of_message(self, message_id: str) -> list[str]:
        if not _HASH.fullmatch(message_id):
            return []
        query = select(PacketRow.packet_id).where(PacketRow.message_id == message_id)
        return [row["packet_id"] for row in self._rows(query.limit(MAX_OF_TRANSACTION))]

    def _ids_of_transaction(self, transaction_hash: str) -> list[str]:
        if not _HASH.fullmatch(transaction_hash):
            return []
        sent = select(PacketRow.packet_id).where(PacketRow.sent_hash == transaction_hash)
        done = select(DeliveryRow.packet_id).where(DeliveryRow.transaction_hash == transaction_hash)
        ids = [row["packet_id"] for query in (sent, done) for row in self._rows(query.limit(MAX_OF_TRANSACTION))]
        recorded = select(TransactionRow.jobs).where(TransactionRow.hash == transaction_hash)
        for row in self._rows(recorded.limit(MAX_OF_TRANSACTION)):
            ids += _packet_ids(row["jobs"])
        return list(dict.fromkeys(ids))[:MAX_OF_TRANSACTION]

    def _firsts(self, packet_ids: Collection[str]) -> list[str]:
        """First legs of packets, each once."""
        if not packet_ids:
            return []
        query = select(PacketRow.packet_id, PacketRow.leg_of).where(PacketRow.packet_id.in_(packet_ids))
        rows = self._rows(query)
        return list(dict.fromkeys(row["leg_of"] or row["packet_id"] for row in rows))

    def _single(self, first_id: str) -> MessageRecord | None:
        loaded = self._load([first_id])
        if loaded.damaged:
            raise LedgerDamaged(loaded.damaged[0])
        return loaded.items[0] if loaded.items else None

    def _found(self, kind: FoundKind, candidates: Iterable[Candidate]) -> Found:
        loaded = self._load([one.packet_id for one in candidates])
        if not loaded.items and not loaded.damaged:
            return Found(FoundKind.NOTHING, ())
        return Found(kind, loaded.items, loaded.damaged)

    def _load(self, first_ids: Sequence[str]) -> _Loaded:
        """Messages by the ids of their first legs, in that order; what is gone meanwhile is left out."""
        if not first_ids:
            return _Loaded((), ())
        rows = {row["packet_id"]: row for row in self._rows(_MESSAGES, {"ids": list(first_ids)})}
        wanted = list(
            dict.fromkeys(one for row in rows.values() for one in (row["packet_id"], row["second_id"]) if one)
        )
        packets = {row["packet_id"]: row for row in self._rows(_PACKETS, {"ids": wanted})} if wanted else {}
        read: list[tuple[dict[str, Any], list[Any]]] = []
        damaged: list[DamagedRow] = []
        for first_id in first_ids:
            if (row := rows.get(first_id)) is None or first_id not in packets:
                continue
            try:
                message = message_row(row)
                legs = [known_packet(packets[one]) for one in (first_id, message["second_id"]) if one in packets]
                read.append((message, legs))
            except LedgerDamaged as error:
                damaged.append(error.row)
        routes = {leg.route for _, legs in read for leg in legs if leg.outcome is None}
        waits = self._waits(routes, damaged) if routes else {}
        told = [leg.packet_id for message, legs in read if is_told_by_steps(message, legs) for leg in legs]
        steps = self._steps(told, damaged) if told else []
        return _Loaded(tuple(record_of(message, legs, waits, steps) for message, legs in read), tuple(damaged))

    def _waits(self, routes: Collection[str], damaged: list[DamagedRow]) -> dict[str, str]:
        waits: dict[str, str] = {}
        for row in self._rows(_ROUTES, {"ids": sorted(routes)}):
            try:
                state = route_state(row)
            except LedgerDamaged as error:
                damaged.append(error.row)
            else:
                waits[state.route] = state.reason or ""
        return waits

    def _steps(self, packet_ids: Sequence[str], damaged: list[DamagedRow]) -> list[StepRecord]:
        """Those that have a reason, in the order of `LedgerReader.life`."""
        steps: list[StepRecord] = []
        for row in self._rows(_STEPS, {"ids": packet_ids}):
            try:
                steps.append(step_record(row))
            except LedgerDamaged as error:
                damaged.append(error.row)
        return steps

    def _counter(self) -> int:
        row = self._one(select(CounterRow.value))
        value = None if row is None else row["value"]
        if not isinstance(value, int):
            raise LedgerDamaged(DamagedRow("counter", "changes", "value", repr(value)[:40]))
        return value


_ANY = MessageFilter()


@dataclass(frozen=True, slots=True)
class _Fits:
    """What a candidate must be; None: anything."""

    lanes: frozenset[str] | None = None
    wanted: MessageFilter = _ANY

    @classmethod
    def of(cls, wanted: MessageFilter) -> "_Fits":
        return cls(None, wanted)

    def __call__(self, one: Candidate) -> bool:
        if self.lanes is not None and one.lane not in self.lanes:
            return False
        wanted = self.wanted
        for party, has in ((wanted.sender, one.sender), (wanted.receiver, one.receiver)):
            if party is not None and searched(party) != has:
                return False
        if wanted.state is not None and one.state != wanted.state:
            return False
        if wanted.source is None and wanted.destination is None and wanted.app is None:
            return True
        lane = Lane.parse(one.lane)
        return lane is not None and _lane_fits(lane, wanted)


_IDS: Any = bindparam("ids", expanding=True)
_MESSAGES = select(*raw_columns(MessageRow)).where(MessageRow.packet_id.in_(_IDS))
_PACKETS = select(*raw_columns(PacketRow)).where(PacketRow.packet_id.in_(_IDS))
_STEPS = (
    select(StepRow.__table__)
    .where(StepRow.packet_id.in_(_IDS), StepRow.reason.is_not(None))
    .order_by(StepRow.first_at_ns, StepRow.at_ns, StepRow.kind.desc())
)
_ROUTES = select(*raw_columns(RouteRow)).where(RouteRow.route.in_(_IDS), RouteRow.reason.is_not(None))


def _lane_fits(lane: Lane, wanted: MessageFilter) -> bool:
    return (
        wanted.source in (None, lane.source)
        and wanted.destination in (None, lane.destination)
        and wanted.app in (None, lane.app)
    )


def _cut(found: list[Candidate], limit: int) -> tuple[list[Candidate], Position | None]:
    """The page and, if there is more, its last position."""
    if len(found) <= limit:
        return found, None
    return found[:limit], _position(found[:limit])


def _position(found: Sequence[Candidate]) -> Position:
    """Of the last one. What a damaged row has instead of a time comes before every time."""
    last = found[-1]
    return Position(last.ordered_at_ns if isinstance(last.ordered_at_ns, int) else MAX_INT64, last.packet_id)


def _packet_ids(jobs: str) -> list[str]:
    """From the text that `Ledger.record` writes; nothing where it cannot be read."""
    try:
        entries = json.loads(jobs)
        return [str(entry[0]).partition(":")[2] for entry in entries if entry]
    except (ValueError, TypeError, LookupError):
        return []


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit must be 1 to {MAX_LIMIT}, not {limit}")
