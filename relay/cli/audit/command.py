"""`hutong audit`: proof bundles and checkpoints from the chains, and their verdict offline, one by one or a whole
period.

What judges needs neither relay nor network; what asks the chains is imported when it is called.
"""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.audit.case import case
from hutong.relay.cli.audit.export import checkpoint, export
from hutong.relay.cli.audit.identity import identity
from hutong.relay.cli.audit.identity_period import identity_period
from hutong.relay.cli.audit.options import Now, judged_at_ns
from hutong.relay.cli.audit.record import record
from hutong.relay.cli.audit.storage import storage
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable, printable_reason
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE
from hutong.relay.verify.output_files import write_file

if TYPE_CHECKING:
    from hutong.relay.verify.bundles.period import Judging

BUNDLE_SUFFIX = ".bundle.json"
CHECKPOINT_SUFFIX = ".checkpoint.json"
MAX_JOBS = 256

app = command_group("Proof bundles.")

Checkpoints = Annotated[
    list[Path],
    typer.Option(
        "--checkpoint",
        help=f"What you trust of a chain; one for each chain of the bundles, or a folder of *{CHECKPOINT_SUFFIX}.",
    ),
]
MaybeCheckpoints = Annotated[
    list[Path],
    typer.Option(
        "--checkpoint",
        help=f"What you trust of a chain, or a folder of *{CHECKPOINT_SUFFIX}, where a folder or archive is to be judged.",
    ),
]

Jobs = Annotated[int | None, typer.Option(min=1, max=MAX_JOBS, help="Processes; without it as many as processors.")]

Output = Annotated[Path, typer.Option("--html", help="Where the report goes.")]

SOURCE = f"A folder of *{BUNDLE_SUFFIX} and *.acceptance, or an archive."


@app.command()
def verify(
    paths: Annotated[
        list[Path], typer.Argument(metavar="BUNDLE...", help=f"Bundle files, or folders of *{BUNDLE_SUFFIX}.")
    ],
    checkpoint: Checkpoints,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Judge bundles offline: 0 all valid, 1 one is refused, 2 none can be judged.

    One file is shown predicate by predicate; of a folder, or of several files, each has a line, whatever is wrong with it.
    """
    from hutong.relay.audit.period import EntryState
    from hutong.relay.cli.audit.report import print_many, print_one
    from hutong.relay.verify.bundles.bundle_files import auditor_of, judge_as_entry, judge_bundle
    from hutong.relay.verify.bundles.inputs import bundle_files, read_checkpoints

    files = bundle_files(paths)
    auditor = auditor_of(read_checkpoints(checkpoint), judged_at_ns(now))
    if len(files) == 1 and not paths[0].is_dir():
        report = judge_bundle(auditor, files[0])
        print_one(report, as_json=as_json)
        raise typer.Exit(0 if report.is_valid else REFUSED)
    judged = [(file, judge_as_entry(auditor, file)) for file in files]
    print_many(judged, as_json=as_json)
    entries = [entry for _, entry in judged]
    if all(entry.state in (EntryState.UNJUDGED, EntryState.UNREADABLE) for entry in entries):
        raise typer.Exit(UNUSABLE)
    if not all(entry.is_proven for entry in entries):
        raise typer.Exit(REFUSED)


@app.command()
def replay(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=SOURCE)],
    checkpoint: Checkpoints,
    now: Now = None,
    jobs: Jobs = None,
    expect: Annotated[
        Path | None,
        typer.Option(help="Packets that you know of, chain id/client/sequence a line: each must be proven here."),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="VCT=SHA256",
            help="Of acceptances: the schema of a type that says none itself; repeatable.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a whole period offline: every bundle, what they add up to, and what is missing, twice, or wrong.

    0: all proven, nothing found. 1: something was found, and is named. 2: it cannot be judged.
    """
    from hutong.relay.audit.period.document import encode_replay
    from hutong.relay.cli.audit.period_report import print_replay

    found = _judging(checkpoint, now, jobs, types).replay(source, expect)
    if as_json:
        typer.echo(encode_replay(found), nl=False)
    else:
        print_replay(found)
    if not found.is_clean:
        raise typer.Exit(REFUSED)


@app.command()
def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=f"What `audit replay --json` wrote, or: {SOURCE}")],
    b: Annotated[str, typer.Argument(metavar="B", help="Likewise.")],
    checkpoint: MaybeCheckpoints = [],  # noqa: B006  typer copies it
    now: Now = None,
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Compare two periods packet by packet: 0 they show the same, 1 they differ, 2 one cannot be read or judged.

    A result file is compared as it is, and the first line says that it was not judged here.
    """
    from dataclasses import asdict

    from hutong.relay.audit.period.differences import differences
    from hutong.relay.cli.audit.period_report import print_differences

    judging = _judging(checkpoint, now, jobs)
    replays = [judging.replay_or_result(text) for text in (a, b)]
    found = differences(*replays)
    unjudged = [replay.result_file for replay in replays if replay.result_file is not None]
    if as_json:
        typer.echo(json.dumps({"same": found.are_none, "not_judged_here": unjudged} | asdict(found), indent=2))
    else:
        _say_unjudged(unjudged)
        print_differences(found)
    if not found.are_none:
        raise typer.Exit(REFUSED)


@app.command()
def explain(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=f"What `audit replay --json` wrote, or: {SOURCE}")],
    html: Output,
    checkpoint: MaybeCheckpoints = [],  # noqa: B006  typer copies it
    now: Now = None,
    jobs: Jobs = None,
) -> None:
    """Write a report in plain words, one page of HTML to read or to print: 0 nothing was found, 1 something, 2 unusable.

    Of a result file it repeats what that says, and page and first line say that nothing was judged.
    """
    from hutong.relay.audit.period.page import page_of

    found = _judging(checkpoint, now, jobs).replay_or_result(source)
    write_file(html, page_of(found).encode())
    _say_unjudged([] if found.result_file is None else [found.result_file])
    typer.echo(str(html))
    if not found.is_clean:
        raise typer.Exit(REFUSED)


app.command()(export)


@app.command()
def skip(
    file: Annotated[Path, typer.Argument(help="What `hutong hub skip show --evidence` wrote.")],
    checkpoint: Annotated[Path, typer.Option(help="What you trust of the hub, from before the skipped block.")],
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Judge offline that a block of the hub counts as empty: who signed, and that the hub's state says so.

    Exit codes: 0 it holds, 1 it is refused, 2 unusable input.
    """
    from hutong.relay.verify.bundles.skips import judge_skip_files

    judged = judge_skip_files(file, checkpoint, judged_at_ns(now))
    verdicts, holds = judged.verdicts, judged.holds
    if as_json:
        typer.echo(json.dumps(judged.as_dict()))
    else:
        statement = judged.certificate.statement
        typer.echo(f"{'holds' if holds else 'REFUSED'}: {statement} counts as empty, {len(verdicts)} predicates")
        for one in verdicts if holds else verdicts[-1:]:
            typer.echo(
                f"  {'ok' if one.held else 'FAILED'} {printable(one.name)}{'' if one.held else f': {printable_reason(str(one.error))}'}"
            )
        for signer in judged.signers if holds else ():
            typer.echo(f"signed by {signer}")
    if not holds:
        raise typer.Exit(REFUSED)


app.command()(record)
app.command()(identity)
app.command()(identity_period)
app.command()(case)
app.command()(storage)
app.command()(checkpoint)


def _judging(checkpoint: list[Path], now: str | None, jobs: int | None, types: list[str] | None = None) -> "Judging":
    from hutong.relay.acceleration.machine import usable_cores
    from hutong.relay.cli.audit.period_report import progress_on_terminal
    from hutong.relay.verify.bundles.period import Judging

    terms = None
    if types:
        from hutong.relay.verify.credentials.acceptances import terms_of

        terms = terms_of((300, 60), 0, None, types, [])
    return Judging(checkpoint, partial(judged_at_ns, now), jobs or usable_cores(), progress_on_terminal, terms)


def _say_unjudged(result_files: list[str]) -> None:
    for name in result_files:
        typer.echo(f"not judged here: {printable(name)} is a result file, which proves no more than its author's word")
