"""Sequences that are missing between the first and the last of each sending client."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hutong.relay.audit.period.entries import Entry, LegFacts, PacketId
from hutong.relay.audit.period.findings import Finding, FindingKind

MAX_PAIRED = 10_000
"""Missing second legs that are looked at one by one; a longer row is reported as a row."""


@dataclass(frozen=True, slots=True)
class SentRange:
    """One sending client in the period. `gaps`: first and last of each missing row, ascending."""

    chain_id: str
    client_id: str
    first: int
    last: int
    proven: int
    gaps: tuple[tuple[int, int], ...]

    @property
    def is_whole_from_the_start(self) -> bool:
        """Whether every packet that the client ever sent up to the last of the period is proven."""
        return self.first == 1 and not self.gaps


def sent_ranges(legs: Iterable[LegFacts]) -> list[SentRange]:
    """First, last and missing sequences of each sending client, in order of chain and client.

    Args:
        legs: each packet once; one that is there twice would be counted twice.
    """
    sequences: dict[tuple[str, str], list[int]] = {}
    for leg in legs:
        sequences.setdefault((leg.packet_id.chain_id, leg.packet_id.client_id), []).append(leg.packet_id.sequence)
    found = []
    for (chain_id, client_id), numbers in sorted(sequences.items()):
        numbers.sort()
        gaps = tuple((low + 1, high - 1) for low, high in pairwise(numbers) if high > low + 1)
        found.append(SentRange(chain_id, client_id, numbers[0], numbers[-1], len(numbers), gaps))
    return found


@dataclass(slots=True)
class _Row:
    chain_id: str
    client_id: str
    first: int
    last: int
    entries: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        start = f"{self.chain_id}/{self.client_id}/{self.first}"
        return start if self.first == self.last else f"{start}..{self.last}"


def missing_findings(
    ranges: Sequence[SentRange], deliveries: Iterable[tuple[LegFacts, LegFacts]], unproven: Iterable[Entry]
) -> tuple[list[Finding], Mapping[str, list[str]]]:
    """A finding for each row that is missing, and for each entry that is not proven the rows that it says it is about:
    those stand with it, not by themselves.

    A missing packet of a chain and one of a hub stand together where the hub's neighbours show that it sent on the one
    as the other. That is an inference from the order, and the finding says so.
    """
    rows = _all_rows(ranges, unproven)
    couples = _couples(rows, list(deliveries))
    findings: list[Finding] = []
    explained: dict[str, list[str]] = {}
    second_legs = {id(second) for second in couples.values()}
    for row in rows:
        if id(row) in second_legs:
            continue
        second = couples.get(id(row))
        packets = [row.text] if second is None else [row.text, second.text]
        entries = [*row.entries, *(() if second is None else second.entries)]
        if entries:
            for name in dict.fromkeys(entries):
                explained.setdefault(name, []).extend(packets)
            continue
        sent = f"{row.chain_id} sent packets before and after over {row.client_id}, and no entry has this one"
        if row.first != row.last:
            sent = f"{row.chain_id} sent packets before and after over {row.client_id}, and no entry has these"
        if second is not None:
            sent += "; the packet of the hub is missing where it would have sent this one on, so both are taken for one delivery"
        findings.append(Finding(FindingKind.MISSING, (), tuple(packets), sent))
    return findings, explained


def missing_rows(ranges: Sequence[SentRange], unproven: Iterable[Entry]) -> list[str]:
    """The packets that are missing, a text for each row, as findings name them."""
    return [row.text for row in _all_rows(ranges, unproven)]


def _all_rows(ranges: Sequence[SentRange], unproven: Iterable[Entry]) -> list[_Row]:
    claims: dict[PacketId, str] = {}
    for entry in unproven:
        for packet_id in entry.claimed:
            claims.setdefault(packet_id, entry.name)
    return [row for sent in ranges for row in _rows(sent, claims)]


def _rows(sent: SentRange, claims: Mapping[PacketId, str]) -> list[_Row]:
    """Gaps, cut at the packets that unproven entries claim."""
    rows: list[_Row] = []
    by_client = sorted(
        (packet_id.sequence, name)
        for packet_id, name in claims.items()
        if (packet_id.chain_id, packet_id.client_id) == (sent.chain_id, sent.client_id)
    )
    for first, last in sent.gaps:
        start = first
        index = bisect_left(by_client, (first, ""))
        while index < len(by_client) and by_client[index][0] <= last:
            sequence, name = by_client[index]
            if start < sequence:
                rows.append(_Row(sent.chain_id, sent.client_id, start, sequence - 1))
            rows.append(_Row(sent.chain_id, sent.client_id, sequence, sequence, [name]))
            start, index = sequence + 1, index + 1
        if start <= last:
            rows.append(_Row(sent.chain_id, sent.client_id, start, last))
    return rows


def _couples(rows: list[_Row], deliveries: list[tuple[LegFacts, LegFacts]]) -> dict[int, _Row]:
    """For a missing first leg (by identity of its row) the missing second leg, where there is one way to couple them."""
    onward: dict[tuple[str, str], dict[tuple[str, str], list[tuple[int, int]]]] = {}
    for first, second in deliveries:
        hub = (second.packet_id.chain_id, second.packet_id.client_id)
        source = (first.packet_id.chain_id, first.packet_id.client_id)
        onward.setdefault(hub, {}).setdefault(source, []).append((second.packet_id.sequence, first.packet_id.sequence))
    for sources in onward.values():
        for pairs in sources.values():
            pairs.sort()
    single = [row for row in rows if row.first == row.last]
    by_source: dict[tuple[str, str], list[_Row]] = {}
    for row in single:
        by_source.setdefault((row.chain_id, row.client_id), []).append(row)
    couples: dict[int, _Row] = {}
    for row in single[:MAX_PAIRED]:
        candidates: list[_Row] = []
        for source, pairs in onward.get((row.chain_id, row.client_id), {}).items():
            low, high = _between(row.first, pairs)
            others = by_source.get(source, [])
            start = bisect_right(others, low, key=_first_of)
            candidates += others[start : bisect_left(others, high, key=_first_of)]
            if len(candidates) > 1:
                break
        if len(candidates) == 1 and id(candidates[0]) not in couples:
            couples[id(candidates[0])] = row
    return couples


def _between(second: int, pairs: list[tuple[int, int]]) -> tuple[int, int]:
    """The packets of one source that the hub sent on just before and just after `second`; nothing lies between 0 and 0."""
    index = bisect_left(pairs, (second, 0))
    if index == 0 or index == len(pairs):
        return 0, 0
    low, high = sorted((pairs[index - 1][1], pairs[index][1]))
    return low, high


def _first_of(row: _Row) -> int:
    return row.first
