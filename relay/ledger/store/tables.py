"""Tables of the ledger. A change here needs a migration in `migrations/versions`."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Index, LargeBinary, String, Text, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from hutong.relay.ledger.store.bounds import MAX_UINT256

ONLY_OWNER = "relay"
"""The owner's name where one relay has a ledger to itself."""


class Wei(TypeDecorator[int]):
    """An amount as decimal text: no database integer holds every uint256."""

    impl = String(78)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        """Into the database: decimal digits. A larger amount than a uint256 becomes the largest; a negative one is not
        noticed.
        """
        return None if value is None else str(min(value, MAX_UINT256))

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Out of the database.

        Raises:
            ValueError: a damaged row has another text; where rows may be damaged, `rows.raw_columns` reads it as text.
        """
        return None if value is None else int(value)


def _partial(name: str, *columns: str, where: str) -> Index:
    """An index of the rows of `where` alone.

    It is small, costs nothing where a row is not of these, and no planner can choose it to find the others: of an index of
    all rows, SQLite takes `leg_of IS NULL` for a way to few rows, and walks through nearly the whole table.
    """
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class Base(DeclarativeBase):
    """Metadata of all tables."""


def _owner() -> Mapped[str]:
    """Which relay it is of, where several write one ledger."""
    return mapped_column(String(32), server_default=ONLY_OWNER)


class CursorRow(Base):
    """Every event of `chain` up to and including `height` has been in the queue of the relay `owner`."""

    __tablename__ = "cursors"

    owner: Mapped[str] = mapped_column(String(32), primary_key=True)
    chain: Mapped[str] = mapped_column(String(32), primary_key=True)
    height: Mapped[int] = mapped_column(BigInteger)


class TransactionRow(Base):
    """A signed transaction, written before it is sent, so that a crash never leaves an unknown one behind."""

    __tablename__ = "transactions"
    __table_args__ = (
        _partial("transactions_open", "chain", "sender", where="state = 'signed'"),
        Index("transactions_by_end", "ended_at_ns"),
        Index("transactions_by_hash", "hash"),
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
    owner: Mapped[str] = _owner()


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
    owner: Mapped[str] = _owner()


class PacketRow(Base):
    """A packet that the relay has seen, and what happened to it last. `outcome` is null while it is unsettled."""

    __tablename__ = "packets"
    __table_args__ = (
        _partial("packets_open", "first_seen_at_ns", "packet_id", where="outcome IS NULL"),
        _partial("packets_open_by_sender", "source_chain", "source_client", "sequence", where="outcome IS NULL"),
        _partial("packets_by_end", "settled_at_ns", where="settled_at_ns IS NOT NULL"),
        _partial("packets_by_message", "message_id", where="message_id IS NOT NULL"),
        _partial("packets_by_hash", "sent_hash", where="sent_hash IS NOT NULL"),
        _partial("packets_by_leg", "leg_of", where="leg_of IS NOT NULL"),
        _partial(
            "packets_unpaired", "unpaired_key", "next_client", "timeout_timestamp_s", where="unpaired_key IS NOT NULL"
        ),
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
    unpaired_key: Mapped[str | None] = mapped_column(String(64))
    """`forward_key` while the packet may be one of a pair and its other half is not known (`hutong.relay.ledger.writing.pairing`)."""
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
    app: Mapped[str | None] = mapped_column(String(16))
    sender: Mapped[str | None] = mapped_column(String(128))
    receiver: Mapped[str | None] = mapped_column(String(128))
    denom: Mapped[str | None] = mapped_column(Text)
    amount: Mapped[int | None] = mapped_column(Wei)
    next_client: Mapped[str | None] = mapped_column(String(64))
    final_chain: Mapped[str | None] = mapped_column(String(32))
    final_client: Mapped[str | None] = mapped_column(String(64))
    refused: Mapped[bool | None] = mapped_column(Boolean)


class RecordRow(Base):
    """The job of an event that this relay has seen, as the queue has it: packet, acknowledgement and block of the event.

    While its packet is unsettled (`hutong.relay.ledger.writing.packet_records`). `kind` is what the event asks for: `receive` or `acknowledge`.
    """

    __tablename__ = "packet_records"

    packet_id: Mapped[str] = mapped_column(String(160), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    record: Mapped[bytes] = mapped_column(LargeBinary)


class MessageRow(Base):
    """A packet that no other one caused, with the one that it caused: what lists are searched and ordered by.

    Derived from `packets` and `steps` in the transaction that writes them (`hutong.relay.ledger.writing.message_rows`). Every list is
    the newest of some pairs of lane and state, and each index gives the newest of one pair without looking at others.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_by_time", "ordered_at_ns", "packet_id"),
        Index("messages_by_state", "state", "ordered_at_ns", "packet_id"),
        Index("messages_by_lane", "lane", "state", "ordered_at_ns", "packet_id"),
        Index("messages_by_sender", "sender", "lane", "state", "ordered_at_ns", "packet_id"),
        Index("messages_by_receiver", "receiver", "lane", "state", "ordered_at_ns", "packet_id"),
        Index("messages_by_change", "change", "packet_id"),
        Index("messages_by_end", "settled_at_ns", "latency_ns"),
    )

    packet_id: Mapped[str] = mapped_column(String(160), primary_key=True)
    second_id: Mapped[str | None] = mapped_column(String(160))
    lane: Mapped[str] = mapped_column(String(100))
    """`source destination app`, chains by name, the destination that of the whole way."""
    state: Mapped[str] = mapped_column(String(16))
    sender: Mapped[str | None] = mapped_column(String(128))
    receiver: Mapped[str | None] = mapped_column(String(128))
    """Of the packet, in lower case where they begin with 0x."""
    ordered_at_ns: Mapped[int] = mapped_column(BigInteger)
    """Block time of the sending, else when it was first seen, as it was known first; never changes."""
    updated_at_ns: Mapped[int] = mapped_column(BigInteger)
    settled_at_ns: Mapped[int | None] = mapped_column(BigInteger)
    latency_ns: Mapped[int | None] = mapped_column(BigInteger)
    """From the sending block to the settling one, where both are known."""
    change: Mapped[int] = mapped_column(BigInteger)
    """The counter's value when the row was last written."""


class CounterRow(Base):
    """One row. Raised in every transaction that changes messages, which makes them come one after the other."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


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


class IgnoredRow(Base):
    """A job that an operator said is to be left alone; gone again when that is undone."""

    __tablename__ = "ignored"
    __table_args__ = (Index("ignored_by_packet", "packet_id"),)

    job: Mapped[str] = mapped_column(String(180), primary_key=True)
    packet_id: Mapped[str] = mapped_column(String(160))
    reason: Mapped[str] = mapped_column(Text)
    at_ns: Mapped[int] = mapped_column(BigInteger)


class RouteRow(Base):
    """Why the route `chain:client` waits at the relay `owner`; null while it goes on."""

    __tablename__ = "routes"

    owner: Mapped[str] = mapped_column(String(32), primary_key=True)
    route: Mapped[str] = mapped_column(String(100), primary_key=True)
    reason: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(String(24))
    failures: Mapped[int] = mapped_column(BigInteger)
    since_ns: Mapped[int] = mapped_column(BigInteger)
    at_ns: Mapped[int] = mapped_column(BigInteger)
