"""Tables of the ledger. A change here needs a migration in `migrations/versions`."""

from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Wei(TypeDecorator[int]):
    """An amount as decimal text: no database integer holds every uint256."""

    impl = String(78)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


class Base(DeclarativeBase):
    """Metadata of all tables."""


class CursorRow(Base):
    """Every event of `chain` up to and including `height` has been in the queue."""

    __tablename__ = "cursors"

    chain: Mapped[str] = mapped_column(String(32), primary_key=True)
    height: Mapped[int] = mapped_column(BigInteger)


class TransactionRow(Base):
    """A signed transaction, written before it is sent, so that a crash never leaves an unknown one behind."""

    __tablename__ = "transactions"
    __table_args__ = (
        Index("transactions_by_state", "chain", "sender", "state"),
        Index("transactions_by_end", "ended_at_ns"),
    )

    chain: Mapped[str] = mapped_column(String(32), primary_key=True)
    hash: Mapped[str] = mapped_column(String(66), primary_key=True)
    sender: Mapped[str] = mapped_column(String(128))
    nonce: Mapped[int] = mapped_column(BigInteger)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    """What was sent; emptied at the transaction's end."""
    prepared: Mapped[str] = mapped_column(Text)
    """JSON of everything but nonce and signature, so that a dearer copy can be signed; emptied at the end."""
    jobs: Mapped[str] = mapped_column(Text)
    """JSON list in the order of the batch's messages: [job id, event time in ns], null for a client update."""
    state: Mapped[str] = mapped_column(String(16))
    signed_at_ns: Mapped[int] = mapped_column(BigInteger)
    height: Mapped[int | None] = mapped_column(BigInteger)
    gas_used: Mapped[int | None] = mapped_column(BigInteger)
    fee_wei: Mapped[int | None] = mapped_column(Wei)
    ended_at_ns: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)


class DeliveryRow(Base):
    """One packet's delivery, acknowledgement or timeout by us. Gas and fee are its share of the batch."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("deliveries_by_time", "at_ns"), Index("deliveries_by_hash", "transaction_hash"))

    packet_id: Mapped[str] = mapped_column(String(160), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    chain: Mapped[str] = mapped_column(String(32))
    transaction_hash: Mapped[str] = mapped_column(String(66))
    height: Mapped[int] = mapped_column(BigInteger)
    batch_size: Mapped[int] = mapped_column(BigInteger)
    gas_used: Mapped[int] = mapped_column(BigInteger)
    fee_wei: Mapped[int] = mapped_column(Wei)
    event_time_ns: Mapped[int] = mapped_column(BigInteger)
    """Block time of the event that was proven."""
    block_time_ns: Mapped[int] = mapped_column(BigInteger)
    """Block time of the delivery."""
    at_ns: Mapped[int] = mapped_column(BigInteger)
    """The relay's clock when it knew."""


class PacketRow(Base):
    """A packet that the relay has seen, and what happened to it last. `outcome` is null while it is unsettled."""

    __tablename__ = "packets"
    __table_args__ = (
        Index("packets_by_outcome", "outcome", "first_seen_at_ns"),
        Index("packets_by_end", "settled_at_ns"),
        Index("packets_by_sender", "source_chain", "source_client", "sequence"),
        Index("packets_by_message", "message_id"),
        Index("packets_by_hash", "sent_hash"),
        Index("packets_by_leg", "leg_of"),
        Index("packets_by_forward", "forward_key"),
    )

    packet_id: Mapped[str] = mapped_column(String(160), primary_key=True)
    source_chain: Mapped[str] = mapped_column(String(32))
    source_client: Mapped[str] = mapped_column(String(64))
    destination_chain: Mapped[str] = mapped_column(String(32))
    destination_client: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[int] = mapped_column(BigInteger)
    """At most the largest int64; the id has every digit."""
    source_port: Mapped[str] = mapped_column(String(128))
    destination_port: Mapped[str] = mapped_column(String(128))
    payload_bytes: Mapped[int] = mapped_column(BigInteger)
    timeout_timestamp_s: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[str | None] = mapped_column(String(66))
    leg_of: Mapped[str | None] = mapped_column(String(160))
    forward_key: Mapped[str | None] = mapped_column(String(64))
    sent_height: Mapped[int | None] = mapped_column(BigInteger)
    sent_time_ns: Mapped[int | None] = mapped_column(BigInteger)
    sent_hash: Mapped[str | None] = mapped_column(String(66))
    first_seen_at_ns: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(16))
    step: Mapped[str] = mapped_column(String(16))
    at_ns: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(String(24))
    outcome: Mapped[str | None] = mapped_column(String(16))
    settled_at_ns: Mapped[int | None] = mapped_column(BigInteger)


class StepRow(Base):
    """A step of a packet: first and last time, how often, and the block, hash and reason of the last."""

    __tablename__ = "steps"

    packet_id: Mapped[str] = mapped_column(String(160), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    step: Mapped[str] = mapped_column(String(16), primary_key=True)
    chain: Mapped[str] = mapped_column(String(32))
    first_at_ns: Mapped[int] = mapped_column(BigInteger)
    at_ns: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(BigInteger)
    height: Mapped[int | None] = mapped_column(BigInteger)
    block_time_ns: Mapped[int | None] = mapped_column(BigInteger)
    transaction_hash: Mapped[str | None] = mapped_column(String(66))
    reason: Mapped[str | None] = mapped_column(Text)


class RouteRow(Base):
    """Why the route `chain:client` waits; null while it goes on."""

    __tablename__ = "routes"

    route: Mapped[str] = mapped_column(String(100), primary_key=True)
    reason: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(String(24))
    failures: Mapped[int] = mapped_column(BigInteger)
    since_ns: Mapped[int] = mapped_column(BigInteger)
    at_ns: Mapped[int] = mapped_column(BigInteger)
