"""What two replays say differently: of which packets, about which of them, and in which sums."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hutong.relay.audit.period.document import replay_document
from hutong.relay.audit.period.entries import Entry, LegFacts, PacketId
from hutong.relay.audit.period.replay import Replay

NOT_COMPARED = ("format", "version", "clean", "entries", "findings", "summary", "clients", "trust")
"""Sums and trust roots are compared field by field; entries by packet, findings whole; the rest follows from these."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A packet that is proven in both, with something else shown of it; or a sum that differs."""

    what: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Differences:
    """`only_a`, `only_b`: ids of packets that are proven in one alone. `findings_*`: what was found in one alone."""

    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    packets: tuple[Changed, ...]
    findings_a: tuple[str, ...]
    findings_b: tuple[str, ...]
    sums: tuple[Changed, ...]

    @property
    def are_none(self) -> bool:
        """Whether the two replays say the same."""
        return not any((self.only_a, self.only_b, self.packets, self.findings_a, self.findings_b, self.sums))


def differences(a: Replay, b: Replay) -> Differences:
    """What two replays say differently, packet by packet: names of entries, and which bytes prove a thing, may differ.

    Of a packet in several entries the leg that shows most counts. Neither replay is judged here.
    """
    legs_a, legs_b = _legs(a), _legs(b)
    both = [packet_id for packet_id in legs_a if packet_id in legs_b]
    changed = [
        Changed(str(packet_id), said_a, said_b)
        for packet_id in both
        if (said_a := _said(legs_a[packet_id])) != (said_b := _said(legs_b[packet_id]))
    ]
    found_a, found_b = _findings(a), _findings(b)
    return Differences(
        tuple(str(packet_id) for packet_id in legs_a if packet_id not in legs_b),
        tuple(str(packet_id) for packet_id in legs_b if packet_id not in legs_a),
        tuple(changed),
        tuple(text for text in found_a if text not in found_b),
        tuple(text for text in found_b if text not in found_a),
        tuple(_sums(a, b)),
    )


def _legs(replay: Replay) -> dict[PacketId, LegFacts]:
    legs: dict[PacketId, LegFacts] = {}
    for entry in replay.entries:
        for leg in _proven(entry):
            known = legs.get(leg.packet_id)
            if known is None or leg.progress > known.progress:
                legs[leg.packet_id] = leg
    return legs


def _proven(entry: Entry) -> tuple[LegFacts, ...]:
    return entry.legs if entry.is_proven else ()


def _said(leg: LegFacts) -> str:
    what = leg.outcome.value + (" with an error" if leg.is_error else "") + (", settled" if leg.is_settled else "")
    tokens = "".join(f"; {one.amount} {one.denom}" for one in leg.tokens)
    to = f"to {leg.destination_chain_id}/{leg.destination_client}"
    return f"{what} {to}{tokens}; packet {leg.packet_sha256.hex()[:16]}"


def _findings(replay: Replay) -> list[str]:
    found = []
    for finding in replay.findings:
        about = ", ".join([*finding.entries, *finding.packets])
        found.append(f"{finding.kind.value}: {about}: {finding.predicate or finding.reason}")
    return list(dict.fromkeys(found))


def _sums(a: Replay, b: Replay) -> Iterator[Changed]:
    left, right = (_flat(_comparable(replay)) for replay in (a, b))
    for key in dict.fromkeys([*left, *right]):
        if left.get(key) != right.get(key):
            yield Changed(key, left.get(key, "absent"), right.get(key, "absent"))


def _comparable(replay: Replay) -> dict[str, Any]:
    document = {name: value for name, value in replay_document(replay).items() if name not in NOT_COMPARED}
    document["checkpoints"] = {root["chain_id"]: root for root in document.pop("inputs")["checkpoints"]}
    for root in document["checkpoints"].values():
        del root["file"], root["sha256"]
    document["chains"] = {one.pop("chain_id"): one for one in document["chains"]}
    document["routes"] = {" > ".join(one.pop("chains")): one for one in document["routes"]}
    for route in document["routes"].values():
        route["tokens"] = {one.pop("token"): one for one in route["tokens"]}
    document["supply"] = {
        f"{one.pop('chain_id')}/{one.pop('client_id')}/{one.pop('denom')}": one for one in document["supply"]
    }
    return document


def _flat(value: Any, prefix: str = "") -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {prefix: str(value)}
    found: dict[str, str] = {}
    for name, item in value.items():
        found |= _flat(item, f"{prefix}: {name}" if prefix else name)
    return found
