"""Packets in more than one entry, and legs of one delivery in different entries or in none."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from hutong.light_clients.ibc.forward import FORWARD_PORT, decode_stamped_payload
from hutong.light_clients.ibc.packet import Packet, decode_packet
from hutong.light_clients.interface import VerificationError
from hutong.relay.archive.bundle import Claim
from hutong.relay.archive.legs import is_second_leg, next_client, was_sent_on
from hutong.relay.audit.period.entries import Entry, LegFacts, PacketId
from hutong.relay.audit.period.findings import Finding, FindingKind

MAX_CANDIDATES = 1_000
"""Equal transfers that wait for a second leg at one time; more of them are matched in order."""


def chosen_entries(proven: Sequence[Entry]) -> tuple[list[Entry], list[Finding]]:
    """Each packet once, by the entry that shows most of its life.

    Returns:
        The entries that are kept, in their order, and a finding for each group of duplicates or contradictions.
    """
    holders: dict[PacketId, list[Entry]] = {}
    for entry in proven:
        for leg in entry.legs:
            holders.setdefault(leg.packet_id, []).append(entry)
    groups: dict[tuple[str, ...], list[PacketId]] = {}
    by_name = {entry.name: entry for entry in proven}
    for packet_id, entries in holders.items():
        if len(entries) > 1:
            groups.setdefault(tuple(entry.name for entry in entries), []).append(packet_id)
    findings = []
    dropped: set[str] = set()
    for names, packets in groups.items():
        entries = [by_name[name] for name in names]
        findings.append(_duplicate(entries, packets))
        keep = max(entries, key=_shown)
        dropped.update(entry.name for entry in entries if entry is not keep)
    return [entry for entry in proven if entry.name not in dropped], findings


def _shown(entry: Entry) -> tuple[int, int]:
    return len(entry.legs), sum(leg.progress for leg in entry.legs)


def _duplicate(entries: Sequence[Entry], packets: Sequence[PacketId]) -> Finding:
    names = tuple(entry.name for entry in entries)
    ids = tuple(map(str, packets))
    wanted = set(packets)
    legs = [leg for entry in entries for leg in entry.legs if leg.packet_id in wanted]
    for packet_id in packets:
        same = [leg for leg in legs if leg.packet_id == packet_id]
        if len({leg.packet_sha256 for leg in same}) > 1:
            reason = "two different packets of one number are proven: the sending chain has broken its own rules"
            return Finding(FindingKind.CONTRADICTION, names, ids, reason)
        outcomes = {leg.outcome is Claim.TIMED_OUT for leg in same}
        acknowledged = {
            (leg.is_error, leg.acknowledgement_commitment) for leg in same if leg.outcome is Claim.ACKNOWLEDGED
        }
        if len(outcomes) > 1 or len(acknowledged) > 1:
            reason = "two outcomes of one packet are proven: the receiving chain has shown two histories"
            return Finding(FindingKind.CONTRADICTION, names, ids, reason)
    onward = {entry.legs[1].packet_id for entry in entries if len(entry.legs) > 1}
    if len(onward) > 1:
        reason = "one packet was sent on twice"
        return Finding(FindingKind.CONTRADICTION, names, (*ids, *map(str, sorted(onward, key=str))), reason)
    same_bytes = len({entry.sha256 for entry in entries}) == 1
    what = "the same bytes" if same_bytes else "different evidence of the same outcome, or of an earlier moment"
    return Finding(
        FindingKind.DUPLICATE, names, ids, f"the same packet in {len(entries)} entries ({what}); counted once"
    )


def half_findings(entries: Sequence[Entry]) -> tuple[list[Finding], list[tuple[Entry, Entry]]]:
    """Of entries with one leg: what has no other half, or is sent on once more than another entry shows already. Also
    the halves that fit, as (first, second)."""
    firsts: list[tuple[Entry, LegFacts, Packet]] = []
    seconds: list[tuple[Entry, LegFacts, Packet]] = []
    stamped = {
        _origin(entry.legs[0]): (entry.name, entry.legs[1].packet_id) for entry in entries if len(entry.legs) > 1
    }
    findings: list[Finding] = []
    for entry in entries:
        leg = entry.legs[0]
        if len(entry.legs) != 1 or leg.packet is None:
            continue
        packet = decode_packet(leg.packet)
        if was_sent_on(packet):
            seconds.append((entry, leg, packet))
        elif leg.outcome is not Claim.TIMED_OUT and next_client(packet) is not None:
            firsts.append((entry, leg, packet))
    couples: list[tuple[Entry, Entry]] = []
    take = _matcher(firsts)
    for entry, leg, packet in seconds:
        origin = _stamp(leg, packet)
        if origin is not None and origin in stamped:
            other, packet_id = stamped[origin]
            both = (str(packet_id), str(leg.packet_id))
            reason = "one packet was sent on twice"
            findings.append(Finding(FindingKind.CONTRADICTION, (other, entry.name), both, reason))
            continue
        if origin is not None:
            stamped[origin] = entry.name, leg.packet_id
        found = take(leg, packet, origin)
        if found is None:
            reason = f"{leg.packet_id.chain_id} sent it on, and no entry has the packet that it was made of"
            findings.append(Finding(FindingKind.SECOND_LEG_ALONE, (entry.name,), (str(leg.packet_id),), reason))
            continue
        first_entry, first = found
        couples.append((first_entry, entry))
        if first.is_error and not leg.is_failure:
            reason = "the first leg is acknowledged with an error, which refunds its sender, and the second arrived"
            findings.append(
                Finding(
                    FindingKind.REFUND_WITHOUT_FAILURE,
                    (first_entry.name, entry.name),
                    (str(first.packet_id), str(leg.packet_id)),
                    reason,
                )
            )
    matched = {first.name for first, _ in couples}
    for entry, leg, _ in firsts:
        if entry.name not in matched and not leg.is_error:
            reason = (
                f"received by {leg.destination_chain_id}, to be sent on from there, and no entry says where it arrived"
            )
            findings.append(Finding(FindingKind.FIRST_LEG_ALONE, (entry.name,), (str(leg.packet_id),), reason))
    return findings, couples


Origin = tuple[str, str, int]
"""Hub, its client of the chain before, and the sequence there: what a stamp says, and what one first leg has."""


def _origin(first: LegFacts) -> Origin:
    return first.destination_chain_id, first.destination_client, first.packet_id.sequence


def _stamp(leg: LegFacts, packet: Packet) -> Origin | None:
    payload = packet.payloads[0]
    if payload.source_port != FORWARD_PORT:
        return None
    try:
        stamp = decode_stamped_payload(payload.value).stamp
    except VerificationError:
        return None
    return leg.packet_id.chain_id, stamp.client_id, stamp.sequence


def _matcher(
    firsts: Iterable[tuple[Entry, LegFacts, Packet]],
) -> Callable[[LegFacts, Packet, Origin | None], tuple[Entry, LegFacts] | None]:
    by_origin: dict[Origin, tuple[Entry, LegFacts, Packet]] = {}
    transfers: dict[tuple[str, str | None], list[tuple[Entry, LegFacts, Packet]]] = {}
    for entry, leg, packet in firsts:
        by_origin[_origin(leg)] = (entry, leg, packet)
        transfers.setdefault((leg.destination_chain_id, next_client(packet)), []).append((entry, leg, packet))

    def candidates(leg: LegFacts, packet: Packet, origin: Origin | None) -> Iterator[tuple[Entry, LegFacts, Packet]]:
        if origin is not None:
            if origin in by_origin:
                yield by_origin[origin]
            return
        yield from transfers.get((leg.packet_id.chain_id, packet.source_client), [])[:MAX_CANDIDATES]

    def take(leg: LegFacts, packet: Packet, origin: Origin | None) -> tuple[Entry, LegFacts] | None:
        for entry, first, first_packet in candidates(leg, packet, origin):
            if is_second_leg(first_packet, packet):
                if origin is None:
                    transfers[leg.packet_id.chain_id, packet.source_client].remove((entry, first, first_packet))
                return entry, first
        return None

    return take
