"""Packets that are not settled, by the ledger and, where it is asked for, by the chains."""

from dataclasses import dataclass
from typing import Any

from hutong.relay.administration.errors import Unusable
from hutong.relay.administration.packets.ledgers import opened_ledger
from hutong.relay.config import Config
from hutong.relay.ledger import KnownPacket, LedgerReader, why

MAX_EXPLAINED = 1_000
"""Packets of one list for which it is said what they wait for; the others have the last reason that was noted."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What is not settled, the oldest first.

    Attributes:
        has_ledger: whether there is one.
        rows: packets by the names that `--json` prints.
        more: whether the ledger has more than were asked for.
        unknown: ids of packets that a chain holds unsettled and the ledger does not know.
    """

    has_ledger: bool
    rows: list[dict[str, Any]]
    more: bool
    unknown: list[str]

    def as_dict(self) -> dict[str, Any]:
        """The fields that `--json` prints."""
        return {
            "ledger": self.has_ledger,
            "pending": self.rows,
            "more": self.more,
            "unknown_to_ledger": self.unknown,
        }


def list_unsettled(config: Config, chain: str | None, limit: int, now_ns: int, *, ask: bool) -> Unsettled:
    """At most `limit` unsettled packets.

    Args:
        chain: only those from or to this one; None: from and to each.
        now_ns: the host's clock, for ages.
        ask: whether the chains are asked for what the ledger does not know.

    Raises:
        Unusable: no chain has the name, the ledger cannot be read, or a chain that is asked does not answer.
    """
    with opened_ledger(config.relay) as reader:
        if chain is not None and all(one.name != chain for one in config.chains):
            raise Unusable(f"no chain is called {chain}")
        found = None if reader is None else reader.pending(chain, limit)
        packets = () if found is None else found.packets
        rows = [_row(packet, reader, now_ns, explained=index < MAX_EXPLAINED) for index, packet in enumerate(packets)]
        unknown = _unknown(config, chain, reader) if ask else []
    return Unsettled(reader is not None, rows, found is not None and found.more, unknown)


def _unknown(config: Config, chain: str | None, reader: LedgerReader | None) -> list[str]:
    from hutong.relay.administration.packets.asking import unknown_to_ledger

    return unknown_to_ledger(config, chain, reader)


def _row(packet: KnownPacket, reader: LedgerReader | None, now_ns: int, *, explained: bool) -> dict[str, Any]:
    answer = None if reader is None or not explained else why(packet.packet_id, reader, now_ns)
    return {
        "id": packet.packet_id,
        "to": f"{packet.destination_chain}:{packet.destination_client}",
        "age_s": max(0, now_ns - packet.first_seen_at_ns) // 10**9,
        "kind": packet.kind,
        "state": packet.step,
        "since_s": max(0, now_ns - packet.at_ns) // 10**9,
        "reason": packet.reason,
        "waits_for": packet.reason if answer is None else answer.waits_for,
        "timeout_timestamp_s": packet.timeout_timestamp_s,
        "message_id": packet.message_id,
        "leg_of": packet.leg_of,
    }
