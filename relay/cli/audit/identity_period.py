"""`hutong audit identity-period`: what an issuer did, and contracts accepted of it, between two heights of the hub, recounted offline from what was kept."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hutong.relay.cli.audit.options import Now, judged_at_ns
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable, printable_reason
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.verify.inputs import UnusableInput


def identity_period(
    did: Annotated[str, typer.Argument(metavar="DID", help="The issuer's did:hutong:<hub>:<id>.")],
    before: Annotated[
        Path, typer.Option(help="Its records as the period began, `hutong identity prove --log --list N`.")
    ],
    after: Annotated[Path, typer.Option(help="Its records as the period ended.")],
    log: Annotated[Path, typer.Option(help='{"leavesBefore": [hex], "entries": [hex]} of the issuance log.')],
    checkpoint: Annotated[Path, typer.Option(help="What you trust of the hub, from before the period.")],
    lists: Annotated[
        list[str] | None,
        typer.Option(
            "--list", metavar="N=BEFORE,AFTER", help="A list's tokens; N=,AFTER where it was opened meanwhile."
        ),
    ] = None,
    acceptances: Annotated[
        list[Path] | None,
        typer.Option(help="Events of a contract that accepted its seals, `hutong identity acceptances`; repeatable."),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Recount an issuer's issuances, revocations, rotations and contracts' acceptances offline: 0 all is there, 1 something is hidden, 2 not judged."""
    from hutong.relay.verify.bundles.inputs import read_checkpoint
    from hutong.relay.verify.credentials.identity_records import DidQuestion
    from hutong.relay.verify.credentials.issuer_periods import PeriodFiles, judge_period_files, period_fields

    name, _, digits = did.removeprefix("did:hutong:").rpartition(":")
    if not did.startswith("did:hutong:") or len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise UnusableInput(f"{did[:80]!r} is not a DID of a hub: did:hutong:<hub>:<id>")
    files = PeriodFiles(before, after, log, dict(_list_of(text) for text in lists or ()), tuple(acceptances or ()))
    question = DidQuestion(name, bytes.fromhex(digits))
    report = judge_period_files(files, question, read_checkpoint(checkpoint), judged_at_ns(now))
    fields = period_fields(report)
    if as_json:
        typer.echo(json.dumps(fields, indent=2))
    else:
        console = Console(soft_wrap=True, highlight=False)
        if report.count is None:
            console.print(f"[red]invalid[/]: {printable_reason(fields['failure']['reason'])}")
        else:
            revoked = sum(len(one) for one in report.count.risen.values())
            console.print(f"{printable(did)} from height {fields['from']} to {fields['to']}")
            console.print(f"issued {len(report.count.issued)}, revoked or suspended {revoked}")
            console.print(f"keys added {len(report.count.keys_added)}, ended {len(report.count.keys_ended)}")
            console.print(f"operations of its controllers {report.count.operations}, epochs {report.count.epochs}")
            for one in fields["accepted"]:
                console.print(
                    f"accepted by {one['gate']} on chain {one['chain_id']}: {one['valid']} valid, "
                    f"{len(one['undecided'])} undecided, {one['outside']} of other heights"
                )
            console.print(f"[green]valid[/]: {fields['predicates']} predicates held, and nothing is hidden")
    raise typer.Exit(0 if report.count is not None else REFUSED)


def _list_of(text: str) -> tuple[int, tuple[Path | None, Path]]:
    number, equals, paths = text.partition("=")
    before, comma, after = paths.partition(",")
    if not equals or not comma or not after or not (number.isascii() and number.isdigit()) or len(number) > 5:
        raise UnusableInput(f"--list {text[:80]!r}: write N=BEFORE,AFTER")
    return int(number), (Path(before) if before else None, Path(after))
