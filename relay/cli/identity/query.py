"""`hutong identity query`: which credentials answer a verifier's query, and what of them would be disclosed."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.verify.credentials.credential_queries import (
    QueryReport,
    answer,
    read_held,
    read_query_file,
    report_fields,
)


def query(
    file: Annotated[Path, typer.Argument(metavar="QUERY", help="The `dcql_query` of a request, as JSON.")],
    credentials: Annotated[
        list[Path],
        typer.Argument(metavar="CREDENTIAL…", help="SD-JWT VCs with all their disclosures, as a holder has them."),
    ],
    as_json: AsJson = False,
) -> None:
    """Say what answers a query (DCQL): 0 it is answered, 1 something is missing, 2 an input cannot be read."""
    report = answer(read_query_file(file), [read_held(path) for path in credentials])
    if as_json:
        typer.echo(json.dumps(report_fields(report, credentials), indent=2, ensure_ascii=False))
    else:
        print_answer(report, credentials)
    raise typer.Exit(0 if report.refusal is None else REFUSED)


def print_answer(report: QueryReport, files: list[Path]) -> None:
    """By credential query: the files that answer it with what they would disclose, or why none does."""
    console = Console(soft_wrap=True, highlight=False)
    for name, answering in report.found.items():
        for match in answering:
            console.print(f"{printable(name)}: {printable(str(files[match.position]))}")
            for place in match.disclosed:
                console.print(f"  {printable(json.dumps(list(place), ensure_ascii=False))}")
            if not match.disclosed:
                console.print("  no claim that could be kept back")
    for name, verdicts in report.reasons.items():
        console.print(f"[red]{printable(name)}: nothing answers it[/]")
        for path, verdict in zip(files, verdicts, strict=True):
            console.print(f"  {printable(str(path))}: {printable(str(verdict.error)) if verdict else ''}")
    if report.refusal is None:
        console.print(f"[green]answered[/]: present {printable(', '.join(report.present)) or 'nothing'}")
    else:
        console.print(f"[red]not answered[/]: {printable(str(report.refusal))}")
