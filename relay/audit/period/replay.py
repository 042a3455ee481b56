"""A whole period from its entries: totals, conservation, and everything that is wrong, by name."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.audit.period.entries import Entry, EntryState, LegFacts, PacketId
from hutong.relay.audit.period.findings import Finding, FindingKind
from hutong.relay.audit.period.halves import chosen_entries, half_findings
from hutong.relay.audit.period.missing import SentRange, missing_findings, sent_ranges
from hutong.relay.audit.period.supply import Conservation, SupplyLine, supply_lines
from hutong.relay.audit.period.totals import ChainTotals, RouteTotals, chain_totals, route_totals

_KIND_OF_STATE = {
    EntryState.REFUSED: FindingKind.REFUSED,
    EntryState.UNREADABLE: FindingKind.UNREADABLE,
    EntryState.UNJUDGED: FindingKind.UNJUDGED,
}
_ORDER = {kind: index for index, kind in enumerate(FindingKind)}


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """A checkpoint as it was used: `sha256` of its file, and the block that it names."""

    file: str
    sha256: bytes
    chain_id: str
    kind: str
    height: int
    hash: bytes
    time_ns: int
    expires_at_ns: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was judged, under what, and when (`judged_at_ns`: Unix, by the clock or by the reader's choice)."""

    source: str
    judged_at_ns: int
    roots: tuple[TrustRoot, ...]
    version: str
    """Of hutong."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The result on one period. `modes` says by what each chain's headers were believed, as the bundles' verdicts do."""

    inputs: Inputs
    entries: tuple[Entry, ...]
    deliveries: int
    """Different ones that are proven."""
    chains: tuple[ChainTotals, ...]
    routes: tuple[RouteTotals, ...]
    ranges: tuple[SentRange, ...]
    supply: tuple[SupplyLine, ...]
    modes: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    result_file: str | None = None
    """The name of the file that this was read from, without judging anything; None where the evidence was judged."""

    @property
    def is_clean(self) -> bool:
        """Whether there are entries, each of them is proven, and nothing else was found."""
        return bool(self.entries) and not self.findings

    @property
    def predicates(self) -> int:
        """How many predicates were asked, over all entries."""
        return sum(entry.predicates for entry in self.entries)

    def count(self, state: EntryState) -> int:
        """How many entries are in that state."""
        return sum(entry.state is state for entry in self.entries)


def summarise(
    inputs: Inputs, entries: Sequence[Entry], checkpoints: Iterable[Checkpoint], expected: Iterable[PacketId] = ()
) -> Replay:
    """The replay of judged entries: totals, conservation and everything that is wrong. The order of entries is kept.

    Args:
        entries: each with a name of its own; none of them is judged again.
        checkpoints: those under which they were judged.
        expected: packets that the reader knows of from elsewhere; each that is not proven is a finding.
    """
    clients = {checkpoint.chain_id: checkpoint.clients for checkpoint in checkpoints}
    proven = [entry for entry in entries if entry.is_proven]
    unproven = [entry for entry in entries if not entry.is_proven]
    legs = each_leg_once(proven)
    chosen, findings = chosen_entries([entry for entry in proven if entry.legs])
    halves, couples = half_findings(chosen)
    findings += halves
    deliveries = _deliveries(chosen, couples)
    ranges = sent_ranges(legs)
    pairs = [(legs[0], legs[1]) for legs in deliveries if len(legs) > 1]
    gaps, explained = missing_findings(ranges, pairs, unproven)
    findings += gaps
    findings += [_accepted_twice(outcome, names) for outcome, names in accepted_twice(proven)]
    findings += [_unproven(entry, explained.get(entry.name, [])) for entry in unproven]
    supply = supply_lines(legs, ranges, clients, unproven)
    findings += [_more_home(line) for line in supply if line.conservation is Conservation.VIOLATED]
    found = {leg.packet_id for leg in legs}
    findings += [_absent(packet_id) for packet_id in expected if packet_id not in found]
    modes = sorted({mode for entry in proven for mode in entry.trust})
    findings.sort(key=lambda finding: (_ORDER[finding.kind], finding.entries, finding.packets))
    return Replay(
        inputs,
        tuple(entries),
        len(deliveries),
        tuple(chain_totals(legs)),
        tuple(route_totals(deliveries, clients)),
        tuple(ranges),
        tuple(supply),
        tuple(modes),
        tuple(findings),
    )


def each_leg_once(proven: Iterable[Entry]) -> list[LegFacts]:
    """Of each packet that is proven, the leg that shows most of its life; of equal ones the first."""
    best: dict[PacketId, LegFacts] = {}
    for entry in proven:
        for leg in entry.legs:
            known = best.get(leg.packet_id)
            if known is None or leg.progress > known.progress:
                best[leg.packet_id] = leg
    return list(best.values())


def _deliveries(chosen: Iterable[Entry], couples: Iterable[tuple[Entry, Entry]]) -> list[tuple[LegFacts, ...]]:
    """The legs of each, first to last; halves in two entries are one delivery."""
    second_of = {first.name: second for first, second in couples}
    taken = {second.name for second in second_of.values()}
    deliveries = []
    for entry in chosen:
        if entry.name in taken:
            continue
        second = second_of.get(entry.name)
        deliveries.append(entry.legs if second is None else (*entry.legs, *second.legs))
    return deliveries


def _unproven(entry: Entry, rows: Sequence[str]) -> Finding:
    failure = entry.failure
    if failure is None:
        raise ValueError("an entry that is not proven says why")
    reason = failure.reason
    if rows:
        reason += "; its packets are proven by no other entry"
    packets = tuple(dict.fromkeys(rows)) or tuple(map(str, entry.claimed))
    return Finding(_KIND_OF_STATE[entry.state], (entry.name,), packets, reason, failure.subject, failure.predicate)


def _more_home(line: SupplyLine) -> Finding:
    reason = (
        f"{line.came_home} of {line.denom} came home to {line.chain_id} over {line.client_id}, and in all that this client "
        f"ever sent there were {line.sent + line.sent_open}: {line.unexplained} too many"
    )
    return Finding(FindingKind.MORE_HOME_THAN_SENT, (), (f"{line.chain_id}/{line.client_id}",), reason)


def accepted_twice(proven: Iterable[Entry]) -> list[tuple[str, tuple[str, ...]]]:
    """Outcomes that more than one entry without packets shows, such as one nonce taken twice, with the entries' names."""
    names: dict[str, list[str]] = defaultdict(list)
    for entry in proven:
        if not entry.legs:
            names[entry.outcome].append(entry.name)
    return [(outcome, tuple(found)) for outcome, found in names.items() if len(found) > 1]


def _accepted_twice(outcome: str, names: tuple[str, ...]) -> Finding:
    return Finding(FindingKind.DUPLICATE, names, (), f"{outcome}: in {len(names)} entries, and a nonce is taken once")


def _absent(packet_id: PacketId) -> Finding:
    reason = "it is on the reader's list of packets, and no entry of the period proves it"
    return Finding(FindingKind.EXPECTED_ABSENT, (), (str(packet_id),), reason)
