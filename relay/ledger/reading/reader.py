"""Reading life cycles beside a running relay: nothing is written, and the relay is not kept waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from hutong.relay.ledger.reading.reading import Reading
from hutong.relay.ledger.reading.receipts import lacks_block, located
from hutong.relay.ledger.store.rows import delivery, known_packet, raw_columns, route_state, step_record
from hutong.relay.ledger.store.tables import DeliveryRow, IgnoredRow, PacketRow, RouteRow, StepRow, TransactionRow
from hutong.relay.ledger.values.errors import DamagedRow, LedgerDamaged
from hutong.relay.ledger.values.packets import (
    IgnoredJob,
    KnownPacket,
    LifeCycle,
    OpenTransaction,
    RouteState,
    StepRecord,
)

MAX_PENDING = 10_000
MAX_FOUND = 100


@dataclass(frozen=True, slots=True)
class Pending:
    """Unsettled packets, oldest first; `more` where there are others beyond the limit, `damaged` what cannot be read."""

    packets: tuple[KnownPacket, ...]
    more: bool
    damaged: tuple[DamagedRow, ...] = ()


class LedgerReader(Reading):
    """Every call is one query or a few, blocks, and raises LedgerUnavailable in one sentence."""

    def pending(self, chain: str | None = None, limit: int = MAX_PENDING) -> Pending:
        """Unsettled packets to or from `chain` (None: of all chains), those first that were seen first, `limit` at
        most.

        Rows that cannot be read are named in `damaged` and count towards `limit`.

        Raises:
            LedgerUnavailable: the database cannot be read.
        """
        query = select(*raw_columns(PacketRow)).where(PacketRow.outcome.is_(None))
        if chain is not None:
            query = query.where(or_(PacketRow.source_chain == chain, PacketRow.destination_chain == chain))
        rows = self._rows(query.order_by(PacketRow.first_seen_at_ns, PacketRow.packet_id).limit(limit + 1))
        packets, damaged = [], []
        for row in rows[:limit]:
            try:
                packets.append(known_packet(row))
            except LedgerDamaged as error:
                damaged.append(error.row)
        return Pending(tuple(packets), len(rows) > limit, tuple(damaged))

    def find(self, name: str) -> list[str]:
        """Ids of the packets that `name` may mean: a packet id, a message id or the hash of a transaction.

        MAX_FOUND packets of each meaning at most; hashes in any case. A transaction of the relay is found once it
        delivered.

        Raises:
            LedgerUnavailable: the database cannot be read.
        """
        if "/" in name:
            return [name] if self._knows(name) else []
        name = name.lower()
        by_packet = or_(PacketRow.message_id == name, PacketRow.sent_hash == name)
        found = [row["packet_id"] for row in self._rows(select(PacketRow.packet_id).where(by_packet).limit(MAX_FOUND))]
        by_delivery = select(DeliveryRow.packet_id).where(DeliveryRow.transaction_hash == name).limit(MAX_FOUND)
        found += [row["packet_id"] for row in self._rows(by_delivery)]
        return list(dict.fromkeys(found))

    def life(self, packet_id: str) -> LifeCycle | None:
        """Everything about one packet; None if the ledger has never heard of it.

        Raises:
            LedgerDamaged: one of its rows cannot be read.
        """
        if not self._knows(packet_id):
            return None
        packet = self._one(select(*raw_columns(PacketRow)).where(PacketRow.packet_id == packet_id))
        steps = self._rows(
            select(StepRow.__table__)
            .where(StepRow.packet_id == packet_id)
            .order_by(StepRow.first_at_ns, StepRow.at_ns, StepRow.kind.desc())
        )
        deliveries = self._rows(
            select(*raw_columns(DeliveryRow))
            .where(DeliveryRow.packet_id == packet_id)
            .order_by(DeliveryRow.at_ns, DeliveryRow.kind.desc())
        )
        known = None if packet is None else known_packet(packet)
        return LifeCycle(
            packet_id=packet_id,
            packet=known,
            steps=self._located(packet_id, [step_record(row) for row in steps]),
            deliveries=tuple(delivery(row) for row in deliveries),
            route=None if known is None else self._route(known),
            transaction=self._open_transaction(packet_id, steps),
            ignored=self.ignored(packet_id),
        )

    def ignored(self, packet_id: str) -> tuple[IgnoredJob, ...]:
        """Jobs of a packet that are to be left alone, in the order in which that was said; empty if none is.

        Raises:
            LedgerUnavailable: the database cannot be read.
        """
        row = IgnoredRow
        query = select(row.job, row.reason, row.at_ns).where(row.packet_id == packet_id).order_by(row.at_ns)
        return tuple(IgnoredJob(**found) for found in self._rows(query))

    def legs(self, packet_id: str) -> list[str]:
        """Ids of all packets of one message, first leg first: those that the hub sent on, and what they came from.

        A packet that the ledger does not know, or whose pair it does not know, stands alone.

        Raises:
            LedgerUnavailable: the database cannot be read.
        """
        known = self._one(select(PacketRow.leg_of).where(PacketRow.packet_id == packet_id))
        if known is None:
            return [packet_id]
        first = known["leg_of"] or packet_id
        second = select(PacketRow.packet_id).where(PacketRow.leg_of == first).order_by(PacketRow.sequence)
        following = [found["packet_id"] for found in self._rows(second.limit(MAX_FOUND))]
        return list(dict.fromkeys([first, *following, packet_id]))

    def route(self, name: str) -> RouteState | None:
        """Why the route `chain:client` waits, of several relays at the one that said so last; None if it does not.

        Raises:
            LedgerDamaged: its row cannot be read.
            LedgerUnavailable: the database cannot be read.
        """
        waits = select(RouteRow.__table__).where(RouteRow.route == name, RouteRow.reason.is_not(None))
        row = self._one(waits.order_by(RouteRow.at_ns.desc()).limit(1))
        return None if row is None else route_state(row)

    def _located(self, packet_id: str, steps: Sequence[StepRecord]) -> tuple[StepRecord, ...]:
        onward = None
        if any(lacks_block(step) for step in steps):
            second = select(*raw_columns(PacketRow)).where(PacketRow.leg_of == packet_id).order_by(PacketRow.sequence)
            row = self._one(second.limit(1))
            onward = None if row is None else known_packet(row).sent
        return located(steps, onward)

    def _route(self, packet: KnownPacket) -> RouteState | None:
        return self.route(packet.route)

    def _open_transaction(self, packet_id: str, steps: Sequence[dict[str, Any]]) -> OpenTransaction | None:
        """The last transaction with this packet, while its end is unknown."""
        hashes = [row["transaction_hash"] for row in steps if row["step"] == "submitted" and row["transaction_hash"]]
        row = TransactionRow
        query = select(row.chain, row.hash, row.sender, row.nonce, row.signed_at_ns).where(
            row.hash.in_(hashes), row.state == "signed"
        )
        found = self._one(query.order_by(row.signed_at_ns.desc()).limit(1))
        return None if found is None else OpenTransaction(**found)

    def _knows(self, packet_id: str) -> bool:
        return any(
            self._one(select(row.packet_id).where(row.packet_id == packet_id).limit(1)) is not None
            for row in (PacketRow, StepRow, DeliveryRow)
        )
