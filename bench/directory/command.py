"""Figures of the data directory: `python -m bench directory search`."""

import argparse

from rich.console import Console

from bench.directory import search

BENCHES = {"search": search}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m bench directory`."""
    commands = parser.add_subparsers(dest="what", required=True)
    for name, module in BENCHES.items():
        module.add_arguments(commands.add_parser(name, help=(module.__doc__ or "").partition("\n")[0]))


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Run one of them."""
    BENCHES[arguments.what].main(console, arguments)
