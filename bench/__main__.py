"""Figures. `python -m bench verify`: verifiers beside their bare signatures and hashes. `python -m bench lane`: the whole lane.
`python -m bench relay`: the direct path beside the Hyperlane relayer from npm.

Timings are ratios against the bare cost in the same run, or against a stated limit; none is asserted in a test.
"""

import argparse
import json
import subprocess
import sys

from rich.console import Console
from rich.table import Table

console = Console()


def bench_verify() -> None:
    """Rates of each verifier, and how many times its bare cost it takes."""
    from bench import verify_headers, verify_proofs, verify_qbft

    table = Table(title="one core, one process", title_justify="left")
    for name in ("what", "per second", "bare per second", "cost over bare"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for module in (verify_headers, verify_qbft, verify_proofs):
        for row in module.run():
            table.add_row(row.name, f"{row.rate_per_s:,.0f}", f"{row.bare_rate_per_s:,.0f}", f"{row.ratio:.2f}")
    console.print(table)


def bench_lane(messages: int) -> None:
    """Messages/s, latency and processor time per message and process, from a run of the demo."""
    command = [sys.executable, "-m", "relay.cli", "demo", "--messages", str(messages), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(result.stderr or result.stdout)
    report = json.loads(result.stdout)
    table = Table(title=f"{messages} messages over the hub, both ways", show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    table.add_row("messages/s", f"{report['throughput_per_s']:.1f}")
    table.add_row("latency p50, p95", f"{report['latency_s']['p50']} s, {report['latency_s']['p95']} s")
    table.add_row(
        "delivered, acknowledged, lost, twice", "{delivered}, {acknowledged}, {lost}, {duplicates}".format(**report)
    )
    for process, cpu_ms in report["cpu_ms_per_message"].items():
        table.add_row(f"CPU-ms per message: {process}", f"{cpu_ms:.1f}")
    for chain, cost in report["costs"].items():
        table.add_row(f"gas per message: {chain}", f"{cost['gas'] / max(report['sent'], 1):,.0f}")
    console.print(table)


def main() -> None:
    from bench import relay

    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("verify", help="headers/s and proofs/s beside their bare cost")
    lane = commands.add_parser("lane", help="the whole lane")
    lane.add_argument("--messages", type=int, default=200)
    relay.add_arguments(commands.add_parser("relay", help="the direct path beside the Hyperlane relayer"))
    arguments = parser.parse_args()
    if arguments.command == "verify":
        bench_verify()
    elif arguments.command == "relay":
        relay.main(arguments)
    else:
        bench_lane(arguments.messages)


main()
