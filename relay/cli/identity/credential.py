"""`hutong identity credential`: a credential of VC Data Model 2.0, as token or with proofs in it, judged offline."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hutong.relay.cli.audit.options import judged_at_ns
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.cli.common.verdicts import print_verdict
from hutong.relay.services.identity.rules.jose import HAIP_ALGORITHMS, Algorithm
from hutong.relay.verify.credentials.w3c_documents import (
    DocumentReport,
    judge_document_file,
    read_issuer_keys,
    report_fields,
)


def credential(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="vc+jwt or vc+sd-jwt, or JSON with Data Integrity proofs.")
    ],
    issuer_keys: Annotated[
        list[Path] | None, typer.Option("--issuer-key", help="JWK or JWK set of the issuer, for tokens; repeatable.")
    ] = None,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            "--method", metavar="URL=JWK", help="A key of the issuer by the URL that proofs name; repeatable."
        ),
    ] = None,
    algorithms: Annotated[
        list[Algorithm] | None, typer.Option("--algorithm", help="One that tokens may have; without it ES256 alone.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="The time to judge at, RFC 3339 or Unix seconds; without it the host's clock.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a W3C credential offline: 0 it holds, 1 it is refused, 2 it cannot be judged. Its status is not checked."""
    keys = read_issuer_keys(methods or (), issuer_keys or ())
    report = judge_document_file(file, keys, frozenset(algorithms or ()) or HAIP_ALGORITHMS, judged_at_ns(at, "--at"))
    if as_json:
        typer.echo(json.dumps(report_fields(report), indent=2, ensure_ascii=False))
    else:
        print_document(report)
    raise typer.Exit(0 if report.credential is not None else REFUSED)


def print_document(report: DocumentReport) -> None:
    """Every rule, then what the credential says of its subjects."""
    console = Console(soft_wrap=True, highlight=False)
    for verdict in report.verdicts:
        print_verdict(console, verdict)
    if report.credential is None:
        console.print("[red]invalid[/]")
        return
    for name in ("type", "issuer", "credentialSubject"):
        console.print(f"{name}: {printable(json.dumps(report.credential[name], ensure_ascii=False))}")
    console.print("revocation: not checked")
    console.print(f"[green]valid[/]: {len(report.verdicts)} predicates held")
