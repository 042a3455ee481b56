"""`hutong identity prove` and `check`: the records of a DID in a bundle, and what they say together, judged offline."""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.administration.identity.identifiers import METHOD, did_of_text, schema_of_text
from hutong.relay.cli.audit.options import judged_at_ns
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.verdicts import failure_sentence, print_verdict
from hutong.relay.services.identity.rules.records.keys import hub_name

if TYPE_CHECKING:
    from hutong.relay.archive.checkpoint import Checkpoint
    from hutong.relay.verify.credentials.identity_records import DidQuestion, DidReport

Schema = Annotated[
    str | None,
    typer.Option("--accredited", help="SHA-256 of a schema, or `all`: show the DID's chain of accreditations for it."),
]


def prove(
    did: Annotated[str, typer.Argument(metavar="DID", help="did:hutong:<hub>:<id>.")],
    config: ConfigFile,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the bundle goes, such as issuer.record.json.")],
    hub: HubName = None,
    schema: Schema = None,
    lists: Annotated[
        list[int] | None, typer.Option("--list", min=0, help="Number of a status list of the DID's; repeatable.")
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Show the record of the DID's issuance log too.")] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="What you trust of the hub. Without it the node is believed for the block before."),
    ] = None,
) -> None:
    """Write a bundle of a DID's records from a hub's node, for `hutong identity check`. 0 written, 1 not to be had, 2 unusable."""
    from hutong.relay.administration.bundles.written import write_record
    from hutong.relay.administration.configured import hub_of
    from hutong.relay.administration.identity.proving import prove_did
    from hutong.relay.cli.common.session import config_of, run_administration

    loaded = config_of(config)
    chosen = hub_of(loaded, hub)
    asked = (did_of_text(did, hub_name(chosen.chain_id)), None if schema is None else _schema(schema))
    proving = partial(prove_did, loaded, chosen, asked, _checkpoint(checkpoint), lists=tuple(lists or ()), log=log)
    made = run_administration(proving)
    report = write_record(out, made)
    if report.failure is not None:
        raise Refused(f"not written: {failure_sentence(report.failure.subject, report.failure.check)}", REFUSED)
    typer.echo(str(out))


def check(
    did: Annotated[str, typer.Argument(metavar="DID", help="did:hutong:<hub>:<id>.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A bundle, as `hutong identity prove` writes it.")],
    checkpoint: Annotated[Path, typer.Option(help="What you trust of the hub.")],
    schema: Schema = None,
    at: Annotated[
        str | None, typer.Option(help="Your time, RFC 3339 or Unix seconds; without it the header's.")
    ] = None,
    max_age: Annotated[int | None, typer.Option(min=1, help="Seconds that the header may be old.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a DID's records offline: 0 they hold (or it is proven that the DID is not registered), 1 refused, 2 unusable."""
    from hutong.relay.audit.records import Asked
    from hutong.relay.verify.credentials.identity_records import did_fields, judge_did_file

    question = _question(did, schema)
    now_ns = judged_at_ns(at, "--at")
    trusted = _checkpoint(checkpoint)
    if trusted is None:
        raise TypeError("the option is required")
    asked = Asked(None if at is None else now_ns // NANOSECONDS_PER_SECOND, max_age)
    report = judge_did_file(file, trusted, question, now_ns, asked)
    if as_json:
        typer.echo(json.dumps(did_fields(question, report), indent=2))
    else:
        _print(report)
    raise typer.Exit(REFUSED if report.is_refused else 0)


def _question(text: str, schema: str | None) -> "DidQuestion":
    from hutong.relay.verify.credentials.identity_records import DidQuestion

    if not text.startswith(METHOD):
        raise Refused(f"{text[:80]!r} is not a DID of a hub: did:hutong:<hub>:<id>", UNUSABLE)
    name = text[len(METHOD) :].rpartition(":")[0]
    return DidQuestion(name, did_of_text(text), None if schema is None else _schema(schema))


def _schema(text: str) -> bytes:
    return schema_of_text(None if text == "all" else text)


def _checkpoint(file: Path | None) -> "Checkpoint | None":
    from hutong.relay.verify.bundles.inputs import read_checkpoint

    return None if file is None else read_checkpoint(file)


def _print(report: "DidReport") -> None:
    console = Console(soft_wrap=True, highlight=False)
    failure = report.records.failure
    if failure is not None:
        console.print(f"[red]invalid[/]: {failure_sentence(failure.subject, failure.check)}")
        return
    for verdict in report.checks:
        print_verdict(console, verdict)
    if report.is_refused:
        console.print("[red]invalid[/]")
        return
    proven = report.proven
    if proven is None:
        console.print("[green]valid[/]: the DID is not registered")
        return
    counting = proven.counting_at(report.time_s)
    for print_of, key in proven.keys.items():
        state = "good" if print_of in counting else key.end.state.name.lower()
        console.print(printable(f"key {print_of.hex()} {key.key.algorithm.name}: {state}"))
    for level in proven.chain:
        by = "the hub's governance" if level.grant.is_root else level.grant.accreditor.hex()
        console.print(printable(f"accredited by {by}, depth {level.grant.depth}"))
    console.print("[green]valid[/]" + ("" if proven.record.is_active else ": deactivated"))
