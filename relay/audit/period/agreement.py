"""Whether what a result file concludes follows from the entries that it lists.

The entries themselves are not judged: their bundles are not there. A file whose list was forged as a whole agrees with
itself. What is found here is a conclusion that was edited: findings taken out, sums changed.
"""

from collections import Counter

from hutong.light_clients.interface import MalformedInput
from hutong.relay.audit.period.findings import FindingKind
from hutong.relay.audit.period.missing import missing_rows, sent_ranges
from hutong.relay.audit.period.replay import Replay, each_leg_once
from hutong.relay.audit.period.supply import Conservation
from hutong.relay.audit.period.totals import chain_totals


def demand_agreement(replay: Replay) -> None:
    """Recompute from the entries what follows from them.

    Raises:
        MalformedInput: a range, a total or a finding is not what the entries make it; named by its field.
    """
    proven = [entry for entry in replay.entries if entry.is_proven]
    unproven = [entry for entry in replay.entries if not entry.is_proven]
    legs = each_leg_once(proven)
    ranges = sent_ranges(legs)
    if tuple(ranges) != replay.ranges:
        raise MalformedInput("replay.clients", "are not what the entries make them")
    if tuple(chain_totals(legs)) != replay.chains:
        raise MalformedInput("replay.chains", "are not what the entries make them")
    named_entries = {name for finding in replay.findings for name in finding.entries}
    named_packets = {packet for finding in replay.findings for packet in finding.packets}
    for entry in unproven:
        if entry.name not in named_entries:
            raise MalformedInput("replay.findings", "say nothing of an entry that is not proven", got=entry.name)
    for packets in missing_rows(ranges, unproven):
        if packets not in named_packets:
            raise MalformedInput("replay.findings", "say nothing of what is missing", got=packets)
    holders = Counter(str(leg.packet_id) for entry in proven for leg in entry.legs)
    for packet, count in holders.items():
        if count > 1 and packet not in named_packets:
            raise MalformedInput("replay.findings", "say nothing of a packet in several entries", got=packet)
    violated = sum(line.conservation is Conservation.VIOLATED for line in replay.supply)
    if violated != sum(finding.kind is FindingKind.MORE_HOME_THAN_SENT for finding in replay.findings):
        raise MalformedInput("replay.findings", "do not say where more came home than was sent", expected=violated)
