"""The Cosmos demo's closing words, for people and for machines."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from hutong.relay.demo.cosmos.checker import Findings
from hutong.relay.demo.cosmos.traffic import Kill
from hutong.relay.demo.report import validator_rows
from hutong.relay.local.validators import Validators


def as_json(
    findings: Findings,
    kills: Sequence[Kill],
    seen: Mapping[str, int],
    after_evidence: str,
    validators: Validators | None,
    duration_s: float,
) -> dict[str, Any]:
    """The fields that scripts read; `docs/demo.md` names them.

    Args:
        seen: how often each status of simd's client of the hub was seen during the traffic.
        after_evidence: the status in the end.
        validators: None where nothing happened to validators; then the field is left out.
    """
    report = {
        "transfers": {name: asdict(way) for name, way in findings.ways.items()},
        "sent": findings.sent,
        "delivered": findings.delivered,
        "acknowledged": findings.acknowledged,
        "timed_out": findings.timed_out,
        "refunded": findings.refunded,
        "timed_out_first_leg": findings.late_first_leg,
        "timed_out_second_leg": findings.late_second_leg,
        "refused": findings.refused,
        "duplicates": findings.duplicates,
        "lost": findings.lost,
        "unsettled": findings.unsettled,
        "paid_duplicates": findings.paid_duplicates,
        "supply_conserved_abroad": findings.abroad,
        "supply_conserved": findings.at_the_end,
        "most_abroad": {chain: str(amount) for chain, amount in findings.most_abroad.items()},
        "kills": len(kills),
        "in_flight_at_kills": [kill.in_flight for kill in kills],
        "client_status": dict(seen),
        "client_status_after_evidence": after_evidence,
        "costs": {chain: asdict(cost) for chain, cost in findings.costs.items()},
        "duration_s": round(duration_s, 1),
    }
    return report if validators is None else report | {"validators": asdict(validators)}


def print_table(console: Console, report: Mapping[str, Any], validators: Validators | None) -> None:
    """The same, in words.

    Args:
        report: what `as_json` returned.
    """
    table = Table(title="Read from the three chains", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    rows = [
        (
            name.replace("_", " "),
            f"{way['sent']} sent, {way['delivered']} delivered, {way['acknowledged']} acknowledged",
        )
        for name, way in report["transfers"].items()
    ]
    rows += [
        ("timed out on the first leg, from", _counts(report["timed_out_first_leg"])),
        ("timed out on the second leg, to", _counts(report["timed_out_second_leg"])),
        ("refunded", str(report["refunded"])),
        ("lost, delivered twice, unsettled", f"{report['lost']}, {report['duplicates']}, {report['unsettled']}"),
        ("paid for in vain", str(report["paid_duplicates"])),
    ]
    rows += [
        (f"supply on {chain}", "every unit accounted for" if conserved else "NOT conserved")
        for chain, conserved in report["supply_conserved"].items()
    ]
    in_flight = ", ".join(map(str, report["in_flight_at_kills"]))
    rows += [
        (f"relay killed {report['kills']} times", f"with {in_flight} packets in flight"),
        ("simd's client of the hub meanwhile", _counts(report["client_status"])),
        ("after evidence of two blocks at one height", report["client_status_after_evidence"]),
    ]
    if validators is not None:
        rows += validator_rows(validators)
    rows += [
        (
            f"relayer's cost on {chain}",
            f"{cost['transactions']} transactions, {cost['gas']:,} gas, {cost['fee_wei']} paid",
        )
        for chain, cost in report["costs"].items()
    ]
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(f"{report['duration_s']:.0f} s in all.")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
