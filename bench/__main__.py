"""Figures. `python -m bench verify`: verifiers beside their bare signatures and hashes, and
beside other projects' verifiers from npm and PyPI. `python -m bench lane`: the whole lane.
`python -m bench hub`: a one-validator hub between two anvils, with the processor time of every process.
`python -m bench records`: observations of another chain at several sizes of the hub's state.
`python -m bench records_push`: a changed value of one chain read on another, and never once it is too old.
`python -m bench record_wait`: from a transaction of a native module to the judged proof of its record, beside the 7 s of a test kit.
`python -m bench hub_chains`: one hub with 50 chains, of which one stops.
`python -m bench relay`: the direct path beside the Hyperlane relayer from npm. `python -m bench ledger`: the API's queries.
`python -m bench audit`: a period replayed.
`python -m bench accel`: where two cores pay, and wrong engines found by a differential run.
`python -m bench spam`: a fee-free hub under a stranger's spam.
`python -m bench pause`: tokens that wait for a paused Transfer, and how soon they are delivered after the pause.
`python -m bench worst_program`: the search for the slowest and the largest block.
`python -m bench identity verify`: presentations of credentials beside bare signatures and other verifiers.
`python -m bench identity issue`: credentials signed, alone and by the hundred, beside openvc-core.
`python -m bench identity register`: a million persons on a hub, and a second node that joins it.
`python -m bench identity generated`: a hundred million persons by generated shards and lists.
`python -m bench identity flows`: credentials taken and presented over HTTPS by our wallet and by others', and how many fail.
`python -m bench identity revoke`: how soon a revocation is refused by gates on three chains: pushed, pulled, hub stopped.
`python -m bench keys`: signatures by each kind of key, each judged by two libraries, and how many a second.
`python -m bench tokens`: 10^5 signatures of a key on a token of SoftHSM2, from 16 tasks.
`python -m bench storage pipeline`: plain bytes sealed, coded, masked and hashed, beside the bare parts; `storage coding`: beside pyeclib; `storage catalogue`: a petabyte's index.
`python -m bench storage year`: a year of storage audits judged offline; `losses`, `grinding`, `free_loader`: what audits find.
`python -m bench directory search`: Tantivy, PostgreSQL and SQLite FTS5 on the same entries and queries, and the proofs.
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
    from bench import api, audit, identity, ledger, pause, relay, spam
    from bench.accel import command as accel
    from bench.directory import command as directory
    from bench.hub import chains as hub_chains
    from bench.hub import command as hub
    from bench.hub import growth as hub_growth
    from bench.hub import record_wait, records_push, worst_program
    from bench.hub import records as hub_records
    from bench.keys import command as keys
    from bench.keys import tokens
    from bench.storage import command as storage

    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="headers/s and proofs/s beside their bare cost and other projects'")
    verify.add_argument("--no-peers", action="store_true", help="without node and the packages from npm")
    verify.add_argument("--page", action="store_true", help="write docs/performance.md and its plot")
    lane = commands.add_parser("lane", help="anvil, hub, anvil, and what it costs in gas")
    lane.add_argument("--messages", type=int, default=200)
    lane.add_argument("--keys", type=int, default=100_000, help="in each chain's state beforehand")
    for name, module, says in (
        ("hub", hub, "messages/s, latency and processor time through a hub"),
        ("hub_growth", hub_growth, "the hub alone at several sizes of its state"),
        ("records", hub_records, "observations at several sizes of the hub's state"),
        ("records_push", records_push, "a value of one chain read on another in time"),
        ("record_wait", record_wait, "from a module's transaction to the judged proof of its record"),
        ("hub_chains", hub_chains, "one hub with many chains, of which one stops"),
        ("relay", relay, "the direct path beside the Hyperlane relayer"),
        ("audit", audit, "a period of deliveries replayed, then with damage planted"),
        ("accel", accel, "two cores against one for engines of cryptography, and wrong engines found"),
        ("api", api, "the HTTP API beside its server's bare hello"),
        ("ledger", ledger, "lists and searches over a million messages beside 100 ms"),
        ("spam", spam, "a fee-free hub while a stranger floods every door of it"),
        ("pause", pause, "a live pause of Transfer, and what is delivered after it"),
        ("identity", identity, "credentials judged beside bare signatures and other verifiers"),
        ("keys", keys, "signatures by each kind of key, each judged by two libraries"),
        ("storage", storage, "trusted storage beside the bare parts of the same run"),
        ("directory", directory, "search engines of the data directory on the same entries and queries, and proofs"),
        ("tokens", tokens, "signatures of a key on a token, from 16 tasks"),
        ("worst_program", worst_program, "search for the slowest and the largest block"),
    ):
        parser_of = commands.add_parser(name, help=says)
        module.add_arguments(parser_of)
        parser_of.set_defaults(run=module.main)
    arguments = parser.parse_args()
    if arguments.command == "verify":
        bench_verify(with_peers=not arguments.no_peers, page=arguments.page)
    elif arguments.command == "lane":
        from bench import lane as whole_lane

        whole_lane.run(console, arguments.messages, arguments.keys)
    else:
        arguments.run(console, arguments)


if __name__ == "__main__":
    main()
