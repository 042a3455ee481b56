"""The demo's closing words, for people and for machines."""

from typing import Any

from rich.console import Console
from rich.table import Table

from relay.cli.demo.checker import Findings


def as_json(findings: Findings, duration_s: float, cpu_ms_per_message: dict[str, float]) -> dict[str, Any]:
    """The fields that scripts read; `docs/quickstart-operator.md` names them."""
    return {
        "sent": findings.sent,
        "delivered": findings.delivered,
        "acknowledged": findings.acknowledged,
        "refused": findings.refused,
        "duplicates": findings.duplicates,
        "lost": findings.lost,
        "paid_duplicates": findings.paid_duplicates,
        "latency_s": {"p50": findings.latency_s(50), "p95": findings.latency_s(95)},
        "throughput_per_s": round(findings.throughput_per_s, 2),
        "costs": {
            chain: {"transactions": cost.transactions, "gas": cost.gas, "fee_wei": cost.fee_wei}
            for chain, cost in findings.costs.items()
        },
        "cpu_ms_per_message": cpu_ms_per_message,
        "duration_s": round(duration_s, 1),
    }


def print_table(console: Console, findings: Findings, duration_s: float) -> None:
    """What the checker found in the chains' state."""
    table = Table(title="Read from the chains' state", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    rows = [
        ("sent", str(findings.sent)),
        ("delivered", str(findings.delivered)),
        ("acknowledged back at the sender's chain", str(findings.acknowledged)),
        ("lost", str(findings.lost)),
        ("delivered twice", str(findings.duplicates)),
        ("paid for in vain", str(findings.paid_duplicates)),
        ("latency p50, p95", f"{findings.latency_s(50)} s, {findings.latency_s(95)} s"),
        ("throughput", f"{findings.throughput_per_s:.1f} messages/s"),
    ]
    rows += [
        (f"relayer's cost on {chain}", f"{cost.transactions} transactions, {cost.gas:,} gas, {cost.fee_wei} wei")
        for chain, cost in findings.costs.items()
    ]
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(f"{duration_s:.0f} s in all.")
