"""The lives of all packets of one message, in as few queries as there are tables."""

from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, select

from hutong.relay.ledger.reading.reader import LedgerReader
from hutong.relay.ledger.reading.receipts import located
from hutong.relay.ledger.store.rows import delivery, raw_columns, step_record
from hutong.relay.ledger.store.tables import DeliveryRow, StepRow
from hutong.relay.ledger.values.life import Step
from hutong.relay.ledger.values.messages import MessageRecord
from hutong.relay.ledger.values.packets import Delivery, KnownPacket, LifeCycle, StepRecord

# Made once: building a statement costs more than running it.
_IDS: Any = bindparam("ids", expanding=True)
_STEPS: Any = (
    select(StepRow.__table__)
    .where(StepRow.packet_id.in_(_IDS))
    .order_by(StepRow.first_at_ns, StepRow.at_ns, StepRow.kind.desc())
)
_DELIVERIES: Any = (
    select(*raw_columns(DeliveryRow))
    .where(DeliveryRow.packet_id.in_(_IDS))
    .order_by(DeliveryRow.at_ns, DeliveryRow.kind.desc())
)


def lives_of(record: MessageRecord, reader: LedgerReader) -> tuple[LifeCycle, ...]:
    """As `LedgerReader.life` of each leg. Blocks.

    Raises:
        LedgerUnavailable: it cannot be read, or one of the rows.
    """
    ids = {"ids": [leg.packet_id for leg in record.legs]}
    steps = [step_record(row) for row in reader._rows(_STEPS, ids)]
    deliveries = [delivery(row) for row in reader._rows(_DELIVERIES, ids)]
    first, *rest = (_life(leg, steps, deliveries, reader) for leg in record.legs)
    onward = record.legs[1].sent if rest else None
    return (replace(first, steps=located(first.steps, onward)), *rest)


def _life(packet: KnownPacket, steps: list[StepRecord], deliveries: list[Delivery], reader: LedgerReader) -> LifeCycle:
    own = tuple(step for step in steps if step.packet_id == packet.packet_id)
    is_open = packet.outcome is None
    sent = [{"step": one.step, "transaction_hash": one.transaction_hash} for one in own if one.step == Step.SUBMITTED]
    return LifeCycle(
        packet_id=packet.packet_id,
        packet=packet,
        steps=own,
        deliveries=tuple(one for one in deliveries if one.packet_id == packet.packet_id),
        route=reader.route(packet.route) if is_open else None,
        transaction=reader._open_transaction(packet.packet_id, sent) if is_open and sent else None,
        ignored=reader.ignored(packet.packet_id) if is_open else (),
    )
