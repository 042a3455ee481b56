"""The demo's closing words, for people and for machines."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from hutong.relay.demo.chaos import Chaos
from hutong.relay.demo.checker import Findings
from hutong.relay.local.validators import Validators


def as_json(
    findings: Findings,
    duration_s: float,
    cpu_ms_per_packet: dict[str, float],
    chaos: Chaos | None,
    validators: Validators | None,
) -> dict[str, Any]:
    """The fields that scripts read; `docs/demo.md` names them.

    Args:
        cpu_ms_per_packet: by the name of a process.
        chaos, validators: None where there was no such thing; then their fields are left out.
    """
    report = {
        "sent": findings.sent,
        "delivered": findings.delivered,
        "acknowledged": findings.acknowledged,
        "timed_out": findings.timed_out,
        "refunded": findings.refunded,
        "refused": findings.refused,
        "duplicates": findings.duplicates,
        "lost": findings.lost,
        "unsettled": findings.unsettled,
        "paid_duplicates": findings.paid_duplicates,
        "supply_conserved": {supply.chain: supply.conserved for supply in findings.supplies},
        "latency_s": {"p50": findings.latency_s(50), "p95": findings.latency_s(95)},
        "throughput_per_s": round(findings.throughput_per_s, 2),
        "costs": {
            chain: {"transactions": cost.transactions, "gas": cost.gas, "fee_wei": cost.fee_wei}
            for chain, cost in findings.costs.items()
        },
        "cpu_ms_per_message": cpu_ms_per_packet,
        "duration_s": round(duration_s, 1),
    }
    if chaos is not None:
        report |= {
            "kills": len(chaos.kills),
            "kill_windows": [kill.window.value for kill in chaos.kills],
            "in_flight_at_kills": [kill.in_flight for kill in chaos.kills],
            "redis_wipes": chaos.redis_wipes,
            "wiped_keys": chaos.wiped_keys,
            "proxy_faults": sum(chaos.proxy_faults.values()),
            "proxy_faults_by_kind": chaos.proxy_faults,
        }
    if validators is not None:
        report["validators"] = asdict(validators)
    return report


def print_table(
    console: Console, findings: Findings, duration_s: float, chaos: Chaos | None, validators: Validators | None
) -> None:
    """What the checker found in the chains' state, for a person; `chaos` and `validators` as for `as_json`."""
    table = Table(title="Read from the chains' state", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    rows = [
        ("packets sent by users", str(findings.sent)),
        ("delivered", str(findings.delivered)),
        ("acknowledged back at the sender's chain", str(findings.acknowledged)),
        ("timed out, refunded", f"{findings.timed_out}, {findings.refunded}"),
        ("lost", str(findings.lost)),
        ("delivered twice", str(findings.duplicates)),
        ("paid for in vain", str(findings.paid_duplicates)),
        ("message latency p50, p95", f"{findings.latency_s(50)} s, {findings.latency_s(95)} s"),
        ("message throughput", f"{findings.throughput_per_s:.1f}/s"),
    ]
    rows += [
        (f"{supply.chain}'s token", "every unit accounted for" if supply.conserved else f"NOT conserved: {supply}")
        for supply in findings.supplies
    ]
    rows += [
        (f"relayer's cost on {chain}", f"{cost.transactions} transactions, {cost.gas:,} gas, {cost.fee_wei} wei")
        for chain, cost in findings.costs.items()
    ]
    if chaos is not None:
        kills = ", ".join(f"{kill.window.value} ({kill.in_flight} in flight)" for kill in chaos.kills)
        rows += [
            (f"relay killed {len(chaos.kills)} times", kills),
            ("queue wiped", f"{chaos.redis_wipes} times, {chaos.wiped_keys} keys"),
            ("answers spoilt by the proxies", str(sum(chaos.proxy_faults.values()))),
        ]
    if validators is not None:
        rows += validator_rows(validators)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(f"{duration_s:.0f} s in all.")


def validator_rows(validators: Validators) -> list[tuple[str, str]]:
    """The rows of either demo's table that tell what became of the hub's nodes: label, text."""
    rows = [
        (f"{crash.validator} killed", f"at height {crash.height}, level again at {crash.back_at_height}")
        for crash in validators.crashes
    ]
    if (joined := validators.joined) is not None:
        at = f"from the snapshot of height {joined.snapshot_height}, level at {joined.level_at_height}"
        rows.append((f"{joined.node} joined by state sync", at))
    agreed = validators.agreed_height
    rows.append(("state of all hub nodes", "NOT the same" if agreed is None else f"the same at height {agreed}"))
    return rows
