"""Figures of trusted storage: `python -m bench storage pipeline | coding | catalogue | network | clients | year | losses | grinding | free_loader`.

Rates are in MB (10^6 bytes) a second. Each stands beside what the same run gives for the bare parts, so that a busy machine slows both.
"""

import argparse

from rich.console import Console

from bench.storage import catalogue, clients, coding, free_loader, grinding, losses, network, pipeline, year

BENCHES = {
    "pipeline": pipeline,
    "coding": coding,
    "catalogue": catalogue,
    "network": network,
    "clients": clients,
    "year": year,
    "losses": losses,
    "grinding": grinding,
    "free_loader": free_loader,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m bench storage`."""
    commands = parser.add_subparsers(dest="what", required=True)
    for name, module in BENCHES.items():
        module.add_arguments(commands.add_parser(name, help=(module.__doc__ or "").partition("\n")[0]))


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Run one of them."""
    BENCHES[arguments.what].main(console, arguments)
