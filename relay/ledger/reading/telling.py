"""A packet as it is told to a person: its life, what it waits for, and how its message stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hutong.relay.ledger.reading.explain import Explanation
from hutong.relay.ledger.reading.message_reader import MessageReader
from hutong.relay.ledger.reading.reader import LedgerReader
from hutong.relay.ledger.reading.why import why_of_life
from hutong.relay.ledger.store.rows import packet_columns
from hutong.relay.ledger.values.life import Outcome
from hutong.relay.ledger.values.messages import MessageState
from hutong.relay.ledger.values.packets import Delivery, LifeCycle


@dataclass(frozen=True, slots=True)
class ToldPacket:
    """One packet, with what is said of it elsewhere: by `hutong why`, and of its whole message by the API."""

    life: LifeCycle
    answer: Explanation
    message_state: MessageState | None

    @classmethod
    def of(cls, life: LifeCycle, reader: LedgerReader, now_ns: int) -> "ToldPacket":
        """What is said of a packet at `now_ns`, nanoseconds of Unix time.

        Raises:
            LedgerUnavailable: the ledger cannot be read.
        """
        message = MessageReader.beside(reader).message(life.packet_id)
        return cls(life, why_of_life(life, reader, now_ns), None if message is None else message.state)

    @property
    def state(self) -> str:
        """How the packet ended, in the API's words, or the step that it is at; empty if only its deliveries are known.

        The hub answers a first leg with an error where the second was late, so that its own outcome tells less than
        the message's.
        """
        packet = self.life.packet
        if packet is None:
            return ""
        if packet.outcome is None:
            return f"{packet.kind} {packet.step}"
        if packet.leg_of is None and self.message_state is not None:
            return self.message_state.value
        refused = packet.outcome == Outcome.ACKNOWLEDGED and packet.refused is True
        return MessageState.REFUSED.value if refused else packet.outcome

    def as_dict(self) -> dict[str, Any]:
        """The fields that `--json` prints."""
        life, packet, answer = self.life, self.life.packet, self.answer
        facts: dict[str, Any] = {}
        if packet is not None:
            facts = packet_columns(packet)
            del facts["packet_id"], facts["forward_key"]
        return {
            "id": life.packet_id,
            "packet": facts or None,
            "message_state": self.message_state,
            "settled": answer.settled,
            "waits_for": answer.waits_for,
            "do": answer.remedy,
            "steps": [
                {name: getattr(step, name) for name in step.__slots__ if name != "packet_id"} for step in life.steps
            ],
            "deliveries": [_delivery(one) for one in life.deliveries],
        }


def costs_of(lives: Sequence[LifeCycle]) -> dict[str, dict[str, Any]]:
    """What the deliveries of all cost by chain: gas, and wei as text."""
    sums: dict[str, tuple[int, int]] = {}
    for life in lives:
        for delivery in life.deliveries:
            gas_used, fee_wei = sums.get(delivery.chain, (0, 0))
            sums[delivery.chain] = (gas_used + delivery.gas_used, fee_wei + delivery.fee_wei)
    return {
        chain: {"gas_used": gas_used, "fee_wei": str(fee_wei)} for chain, (gas_used, fee_wei) in sorted(sums.items())
    }


def _delivery(one: Delivery) -> dict[str, Any]:
    fields = {name: getattr(one, name) for name in one.__slots__ if name != "packet_id"}
    return fields | {"transaction_hash": f"0x{one.transaction_hash.hex()}", "fee_wei": str(one.fee_wei)}
