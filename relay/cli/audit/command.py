"""`hutong audit`: proof bundles and checkpoints from the chains, and their verdict offline, one by one or a whole
period.

What judges needs neither relay nor network; what asks the chains is imported when it is called.
"""

import json
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.base.durable_files import READABLE, write_durably
from hutong.relay.cli.audit.options import Now, judged_at_ns
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE
from hutong.relay.verify.inputs import UnusableInput, read_file

if TYPE_CHECKING:
    from hutong.relay.audit import Auditor
    from hutong.relay.audit.period import Entry, Replay

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

SOURCE = f"A folder of *{BUNDLE_SUFFIX}, or an archive."


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
    from hutong.relay.archive.bundle import MAX_BUNDLE_BYTES
    from hutong.relay.audit import Auditor, MissingTrust
    from hutong.relay.audit.period import EntryState
    from hutong.relay.cli.audit.inputs import bundle_files, read_checkpoints
    from hutong.relay.cli.audit.report import print_many, print_one

    files = bundle_files(paths)
    try:
        auditor = Auditor(read_checkpoints(checkpoint), judged_at_ns(now))
    except MissingTrust as error:
        raise UnusableInput(str(error)) from None
    if len(files) == 1 and not paths[0].is_dir():
        try:
            report = auditor.audit(read_file(files[0], MAX_BUNDLE_BYTES))
        except MissingTrust as error:
            raise UnusableInput(f"{files[0]}: {error}") from None
        print_one(report, as_json=as_json)
        raise typer.Exit(0 if report.is_valid else REFUSED)
    judged = [(file, _judged(auditor, file)) for file in files]
    print_many(judged, as_json=as_json)
    entries = [entry for _, entry in judged]
    if all(entry.state in (EntryState.UNJUDGED, EntryState.UNREADABLE) for entry in entries):
        raise typer.Exit(UNUSABLE)
    if not all(entry.is_proven for entry in entries):
        raise typer.Exit(REFUSED)


def _judged(auditor: "Auditor", file: Path) -> "Entry":
    from hutong.relay.audit.period import judge_entry, unreadable_entry
    from hutong.relay.cli.audit.inputs import read_entry

    name = file.name.encode(errors="backslashreplace").decode()
    try:
        return judge_entry(auditor, name, read_entry(file))
    except UnusableInput as error:
        return unreadable_entry(name, str(error).encode(errors="backslashreplace").decode())


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
    as_json: AsJson = False,
) -> None:
    """Judge a whole period offline: every bundle, what they add up to, and what is missing, twice, or wrong.

    0: all proven, nothing found. 1: something was found, and is named. 2: it cannot be judged.
    """
    from hutong.relay.audit.period.document import encode_replay
    from hutong.relay.cli.audit.period_report import print_replay

    found = _replay(source, checkpoint, now, jobs, expect)
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

    replays = [_replay_or_result(text, checkpoint, now, jobs) for text in (a, b)]
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

    found = _replay_or_result(source, checkpoint, now, jobs)
    try:
        write_durably(html, page_of(found).encode(), READABLE)
    except OSError as error:
        raise UnusableInput(f"{html} cannot be written: {error.strerror}") from None
    _say_unjudged([] if found.result_file is None else [found.result_file])
    typer.echo(str(html))
    if not found.is_clean:
        raise typer.Exit(REFUSED)


@app.command()
def export(
    config: ConfigFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the bundle goes; with --all, a folder.")],
    packet_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="chain/client/sequence of the sending end.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every packet in the relay's archive.")] = False,
    checkpoint: Annotated[
        list[Path], typer.Option("--checkpoint", help="Make the bundle provable from this one; as often as needed.")
    ] = [],  # noqa: B006  typer copies it
    as_json: AsJson = False,
) -> None:
    """Write the proof bundle of a packet, of both legs if it was sent on. The chains give what the archive lacks."""
    from hutong.relay.cli.audit.export import export_bundles

    export_bundles(config, output, packet_id, checkpoint, every=every, as_json=as_json)


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
    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.archive.checkpoint import decode_checkpoint
    from hutong.relay.audit.skips import MAX_EVIDENCE_BYTES, decode_evidence, judge_skip

    try:
        trusted = decode_checkpoint(read_file(checkpoint, MAX_EVIDENCE_BYTES))
        evidence = decode_evidence(read_file(file, MAX_EVIDENCE_BYTES))
    except MalformedInput as error:
        raise UnusableInput(str(error)) from None
    verdicts = judge_skip(evidence, trusted, judged_at_ns(now))
    statement = evidence.certificate.statement
    holds = verdicts[-1].held
    if as_json:
        rows = [{"predicate": one.name, "source": one.source, "error": str(one.error or "")} for one in verdicts]
        signers = [one.public_key.hex() for one in evidence.certificate.signatures]
        typer.echo(json.dumps({"height": statement.height, "holds": holds, "signers": signers, "predicates": rows}))
    else:
        typer.echo(f"{'holds' if holds else 'REFUSED'}: {statement} counts as empty, {len(verdicts)} predicates")
        for one in verdicts if holds else verdicts[-1:]:
            typer.echo(
                f"  {'ok' if one.held else 'FAILED'} {printable(one.name)}{'' if one.held else f': {printable(str(one.error))}'}"
            )
        for signer in evidence.certificate.signatures if holds else ():
            typer.echo(f"signed by {signer.public_key.hex()}")
    if not holds:
        raise typer.Exit(REFUSED)


@app.command("checkpoint")
def checkpoint_command(
    config: ConfigFile,
    chain: Annotated[str, typer.Option(help="Name of the chain.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the checkpoint goes.")],
    height: Annotated[int | None, typer.Option(help="Height of the block; without it the newest.", min=1)] = None,
) -> None:
    """Write down what a node says of a chain. Worth as much as that node: ask one of your own."""
    from hutong.relay.cli.audit.export import write_checkpoint

    write_checkpoint(config, chain, output, height)


def _replay(
    source: str, checkpoint: list[Path], now: str | None, jobs: int | None, expect: Path | None = None
) -> "Replay":
    """Raises UnusableInput, also where no entry at all could be judged for want of a checkpoint."""
    from hutong.relay.audit import MissingTrust
    from hutong.relay.audit.period import EntryState, Inputs, summarise
    from hutong.relay.cli.audit.inputs import open_bundles, read_expected, read_roots
    from hutong.relay.cli.audit.replay import default_jobs, judge_all, progress_on_terminal

    now_ns = judged_at_ns(now)
    roots = read_roots(checkpoint)
    checkpoints = [found for found, _ in roots]
    expected = [] if expect is None else read_expected(expect, [one.chain_id for one in checkpoints])
    opened = open_bundles(source)
    try:
        with progress_on_terminal(len(opened.names)) as advance:
            entries = judge_all(
                opened.source, opened.names, checkpoints, now_ns, jobs=jobs or default_jobs(), advance=advance
            )
    except MissingTrust as error:
        raise UnusableInput(str(error)) from None
    if all(entry.state is EntryState.UNJUDGED for entry in entries):
        failure = entries[0].failure
        raise UnusableInput("no entry could be judged" if failure is None else failure.reason)
    inputs = Inputs(opened.text, now_ns, tuple(root for _, root in roots), metadata.version("hutong"))
    return summarise(inputs, entries, checkpoints, expected)


def _replay_or_result(text: str, checkpoint: list[Path], now: str | None, jobs: int | None) -> "Replay":
    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.audit.period.agreement import demand_agreement
    from hutong.relay.audit.period.document import MAX_REPLAY_BYTES, decode_replay

    path = Path(text)
    if path.is_file():
        try:
            replay = decode_replay(
                read_file(path, MAX_REPLAY_BYTES), path.name.encode(errors="backslashreplace").decode()
            )
            demand_agreement(replay)
        except MalformedInput as error:
            raise UnusableInput(f"{text}: {error}") from None
        return replay
    if not checkpoint:
        raise UnusableInput(
            f"{text} is not a file: to judge a folder or an archive, give a --checkpoint for each chain"
        )
    return _replay(text, checkpoint, now, jobs)


def _say_unjudged(result_files: list[str]) -> None:
    for name in result_files:
        typer.echo(f"not judged here: {printable(name)} is a result file, which proves no more than its author's word")
