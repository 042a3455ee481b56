"""Packets that were sent and not settled, as far as this process knows: counted as they come and go, summed up when
scraped.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from hutong.relay.telemetry.labels import Ends

MAX_BACKLOG = 100_000
"""Packets that are remembered of each path end; `backlog_size` stands still there."""
NANOSECONDS_PER_SECOND = 10**9
_LABELS = ["chain", "counterparty", "channel"]


@dataclass(slots=True)
class _End:
    """`seen` are the packets whose event was read, `standing` those that were found unsettled later; both by sequence,
    with the relay's clock at that time."""

    seen: dict[int, int] = field(default_factory=dict)
    standing: dict[int, int] = field(default_factory=dict)
    updated_at_ns: int = 0

    def __len__(self) -> int:
        return len(self.seen) + len(self.standing)


class Backlog(Collector):
    """By path end. Calls cost one step of a dictionary each, so that every packet can afford them."""

    def __init__(self, ends: Ends) -> None:
        self._counterparty = dict(ends)
        self._ends = {end: _End() for end in ends}

    def sent(self, chain: str, client_id: str, sequence: int, at_ns: int) -> None:
        """A packet's event stands in final state. It may be known already.

        A path end that is not configured is passed over, and so is a packet while MAX_BACKLOG others of its end are
        known.

        Args:
            client_id: the source client, on `chain`.
            at_ns: the relay's clock, nanoseconds of Unix time.
        """
        end = self._ends.get((chain, client_id))
        if end is None or sequence in end.seen or len(end) >= MAX_BACKLOG:
            return
        end.seen[sequence] = end.standing.pop(sequence, at_ns)
        end.updated_at_ns = at_ns

    def settled(self, chain: str, client_id: str, sequence: int, at_ns: int) -> int | None:
        """A packet's acknowledgement or timeout is in a final block of the chain that sent it.

        Args:
            client_id: the source client, on `chain`.
            at_ns: the relay's clock, nanoseconds of Unix time.

        Returns:
            Nanoseconds since its event was seen; None if this process did not see it.
        """
        end = self._ends.get((chain, client_id))
        if end is None:
            return None
        end.updated_at_ns = at_ns
        end.standing.pop(sequence, None)
        seen_at_ns = end.seen.pop(sequence, None)
        return None if seen_at_ns is None else max(0, at_ns - seen_at_ns)

    def compare(self, chain: str, client_id: str, unsettled: Collection[int], read: range, at_ns: int) -> None:
        """Forget what was settled unseen, and take in what was sent unseen.

        Args:
            unsettled: of the sequences in `read`, those whose commitment the chain still has.
            at_ns: the relay's clock, nanoseconds of Unix time.
        """
        end = self._ends.get((chain, client_id))
        if end is None:
            return
        for known in (end.seen, end.standing):
            for sequence in [one for one in known if one in read and one not in unsettled]:
                del known[sequence]
        for sequence in sorted(unsettled):
            if len(end) >= MAX_BACKLOG:
                break
            if sequence in read and sequence not in end.seen:
                end.standing.setdefault(sequence, at_ns)
        end.updated_at_ns = at_ns

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The families, empty, so that a registry knows their names without a scrape."""
        yield from _families()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One sample of each kind for each configured path end, asked for at each scrape; 0 where nothing waits."""
        size, sequence, timestamp, updated = _families()
        for (chain, client_id), end in self._ends.items():
            labels = [chain, self._counterparty[chain, client_id], client_id]
            oldest = min((*end.seen, *end.standing), default=0)
            oldest_at_ns = end.seen.get(oldest, end.standing.get(oldest, 0))
            size.add_metric(labels, len(end))
            sequence.add_metric(labels, oldest)
            timestamp.add_metric(labels, oldest_at_ns // NANOSECONDS_PER_SECOND)
            updated.add_metric(labels, end.updated_at_ns // NANOSECONDS_PER_SECOND)
        yield from (size, sequence, timestamp, updated)


def _families() -> tuple[GaugeMetricFamily, ...]:
    return (
        GaugeMetricFamily("backlog_size", "Packets sent and not settled.", labels=_LABELS),
        GaugeMetricFamily("backlog_oldest_sequence", "Lowest sequence of them; 0 if there are none.", labels=_LABELS),
        GaugeMetricFamily(
            "backlog_oldest_timestamp",
            "When that one was first noticed here, seconds since 1970; 0 if none.",
            labels=_LABELS,
        ),
        GaugeMetricFamily(
            "backlog_latest_update_timestamp", "When the backlog last changed or was compared.", labels=_LABELS
        ),
    )
