"""Figures. `python -m bench verify`: verifiers beside their bare signatures and hashes, and
beside other projects' verifiers from npm and PyPI. `python -m bench lane`: the whole lane.
`python -m bench hub`: a one-validator hub between two anvils, with the processor time of every process.
`python -m bench hub_chains`: one hub with 50 chains, of which one stops.
`python -m bench relay`: the direct path beside the Hyperlane relayer from npm. `python -m bench ledger`: the API's queries.
`python -m bench audit`: a period replayed.
`python -m bench spam`: a fee-free hub under a stranger's spam.
`python -m bench pause`: tokens that wait for a paused Transfer, and how soon they are delivered after the pause.
`python -m bench worst_program`: the search for the slowest and the largest block.
`python -m bench api`: status look-ups beside the server's bare hello, and a thousand event streams.

Timings are ratios against the bare cost in the same run, or against a stated limit; none is asserted in a test.
"""

import argparse

from rich.console import Console
from rich.table import Table

console = Console()


def bench_verify(*, with_peers: bool, page: bool) -> None:
    """Rates of each verifier, how many times its bare cost it takes, and beside other projects' verifiers."""
    from bench.verify import clique, ethereum, fisco, headers, proofs, qbft

    table = Table(title="one core, one process, best rounds of processor time", title_justify="left")
    for name in ("what", "per second", "bare per second", "cost over bare"):
        table.add_column(name, justify="left" if name == "what" else "right")
    rows = []
    for module in (headers, qbft, clique, ethereum, fisco, proofs):
        for row in module.run():
            rows.append(row)
            table.add_row(row.name, f"{row.rate_per_s:,.0f}", f"{row.bare_rate_per_s:,.0f}", f"{row.ratio:.2f}")
    console.print(table)
    if not with_peers:
        return
    from bench import performance_page
    from bench.verify import peers as other_projects

    beside = Table(title="the same bytes, other projects' verifiers", title_justify="left")
    for name in ("what", "ours per second", "peer", "its per second", "ours over it"):
        beside.add_column(name, justify="left" if name in {"what", "peer"} else "right")
    peers = []
    for peer_row in other_projects.run():
        peers.append(peer_row)
        for name, rate in peer_row.peers_per_s.items():
            ratio = f"{peer_row.rate_per_s / rate:.2f}"
            beside.add_row(peer_row.name, f"{peer_row.rate_per_s:,.0f}", name, f"{rate:,.0f}", ratio)
    console.print(beside)
    if page:
        performance_page.write(rows, peers, other_projects.node_version())
        console.print(f"written: {performance_page.PAGE.name} and {performance_page.PLOT.name}")


def main() -> None:
    from bench import api, audit, ledger, pause, relay, spam
    from bench.hub import chains as hub_chains
    from bench.hub import command as hub
    from bench.hub import growth as hub_growth
    from bench.hub import worst_program

    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="headers/s and proofs/s beside their bare cost and other projects'")
    verify.add_argument("--no-peers", action="store_true", help="without node and the packages from npm")
    verify.add_argument("--page", action="store_true", help="write docs/performance.md and its plot")
    lane = commands.add_parser("lane", help="anvil, hub, anvil, and what it costs in gas")
    lane.add_argument("--messages", type=int, default=200)
    lane.add_argument("--keys", type=int, default=100_000, help="in each chain's state beforehand")
    hub.add_arguments(commands.add_parser("hub", help="messages/s, latency and processor time through a hub"))
    hub_growth.add_arguments(commands.add_parser("hub_growth", help="the hub alone at several sizes of its state"))
    hub_chains.add_arguments(commands.add_parser("hub_chains", help="one hub with many chains, of which one stops"))
    relay.add_arguments(commands.add_parser("relay", help="the direct path beside the Hyperlane relayer"))
    audit.add_arguments(commands.add_parser("audit", help="a period of deliveries replayed, then with damage planted"))
    api.add_arguments(commands.add_parser("api", help="the HTTP API beside its server's bare hello"))
    ledger.add_arguments(commands.add_parser("ledger", help="lists and searches over a million messages beside 100 ms"))
    spam.add_arguments(commands.add_parser("spam", help="a fee-free hub while a stranger floods every door of it"))
    pause.add_arguments(commands.add_parser("pause", help="a live pause of Transfer, and what is delivered after it"))
    worst_program.add_arguments(
        commands.add_parser("worst_program", help="search for the slowest and the largest block")
    )
    arguments = parser.parse_args()
    if arguments.command == "verify":
        bench_verify(with_peers=not arguments.no_peers, page=arguments.page)
    elif arguments.command == "relay":
        relay.main(arguments)
    elif arguments.command == "hub":
        hub.main(console, arguments)
    elif arguments.command == "hub_growth":
        hub_growth.main(console, arguments)
    elif arguments.command == "hub_chains":
        hub_chains.main(console, arguments)
    elif arguments.command == "audit":
        audit.main(console, arguments)
    elif arguments.command == "spam":
        spam.main(console, arguments)
    elif arguments.command == "pause":
        pause.main(console, arguments)
    elif arguments.command == "api":
        api.main(arguments)
    elif arguments.command == "worst_program":
        worst_program.main(console, arguments)
    elif arguments.command == "ledger":
        ledger.main(arguments)
    else:
        from bench import lane as whole_lane

        whole_lane.run(console, arguments.messages, arguments.keys)


if __name__ == "__main__":
    main()
