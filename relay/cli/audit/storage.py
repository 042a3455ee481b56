"""`hutong audit storage`: one storage audit, or all of a period, judged offline from files and the reader's checkpoint of the hub."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from hutong.relay.cli.audit.options import Now, judged_at_ns
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable, printable_reason
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.verify.inputs import UnusableInput

if TYPE_CHECKING:
    from hutong.relay.audit.storage import StoragePeriod, StorageReport

MAX_JOBS = 256
MAX_LISTED = 200
"""Findings; `--json` has them all."""
OPERATOR_DIGITS = 64


def storage(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="An audit file, a folder of *.audit and *.record.json, or an archive of them."
        ),
    ],
    checkpoint: Annotated[Path, typer.Option(help="What you trust of the hub, from before the audits.")],
    first: Annotated[
        int | None, typer.Option("--from", min=1, help="Of a folder: the first epoch that has to be there.")
    ] = None,
    last: Annotated[int | None, typer.Option("--to", min=1, help="Likewise the last.")] = None,
    operators: Annotated[
        list[str] | None,
        typer.Option(
            "--operator", metavar="HEX", help="Of a folder: an operator that has to be there in each epoch; repeatable."
        ),
    ] = None,
    now: Now = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=MAX_JOBS, help="Processes; without it as many as processors.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge storage audits offline: 0 all is proven and nothing is missing, 1 something is refused, missing or weak, 2 not judged.

    A file is shown rule by rule. Of a folder, gaps, missing epochs and audits, failures, early removals and weak seeds are named;
    without --from, --to and --operator nothing can be missing before, after or beside what is there.
    """
    from hutong.relay.verify.bundles.audit_sources import audit_source
    from hutong.relay.verify.bundles.inputs import read_checkpoint

    now_ns, trust = judged_at_ns(now), read_checkpoint(checkpoint)
    source = audit_source(path)
    if source is not None:
        from hutong.relay.acceleration.machine import usable_cores
        from hutong.relay.audit.storage import Demand
        from hutong.relay.audit.storage.document import encode_period
        from hutong.relay.cli.audit.period_report import progress_on_terminal
        from hutong.relay.verify.bundles.storage_periods import judge_period

        asked = Demand(first, last, None if not operators else tuple(map(_operator, operators)))
        if first is not None and last is not None and first > last:
            raise UnusableInput(f"--from {first} is after --to {last}")
        period = judge_period(source, trust, now_ns, asked, jobs=jobs or usable_cores(), progress=progress_on_terminal)
        if as_json:
            typer.echo(encode_period(period), nl=False)
        else:
            print_period(period)
        raise typer.Exit(0 if period.is_clean else REFUSED)
    if first is not None or last is not None or operators:
        raise UnusableInput("--from, --to and --operator are of a folder")
    report = _judge_one(Path(path), trust, now_ns)
    print_audit(report, as_json=as_json)
    raise typer.Exit(0 if report.is_valid else REFUSED)


def _operator(text: str) -> bytes:
    if len(text) != OPERATOR_DIGITS or set(text) - set("0123456789abcdef"):
        raise UnusableInput(f"--operator {text[:80]!r}: {OPERATOR_DIGITS} hexadecimal digits, lower case")
    return bytes.fromhex(text)


def _judge_one(path: Path, trust: Any, now_ns: int) -> "StorageReport":
    from hutong.relay.audit import MissingTrust
    from hutong.relay.audit.storage import StorageAuditor
    from hutong.relay.services.storage.rules.records.audit_file import MAX_AUDIT_FILE_BYTES
    from hutong.relay.verify.inputs import read_file

    try:
        return StorageAuditor(trust, now_ns).audit(read_file(path, MAX_AUDIT_FILE_BYTES))
    except MissingTrust as error:
        raise UnusableInput(f"{path}: {error}") from None


def print_audit(report: "StorageReport", *, as_json: bool) -> None:
    """What an audit showed, every rule under what it is about, and what it showed again.

    Args:
        as_json: one JSON object instead.
    """
    from hutong.relay.cli.common.verdicts import print_by_subject

    if as_json:
        typer.echo(json.dumps(audit_fields(report), indent=2))
        return
    console = Console(soft_wrap=True, highlight=False)
    _print_summary(console, report)
    print_by_subject(console, report.verdicts)
    if report.bundle is not None and report.state is not None:
        console.print(f"trust: {printable(report.bundle.chain.chain_id)} {printable(report.state.mode)}")
    _print_summary(console, report)


def audit_fields(report: "StorageReport") -> dict[str, Any]:
    """A report as JSON has it; members of the audit are null where it is refused."""
    from hutong.relay.verify.verdict_fields import check_fields

    judged = report.judged
    verdict = None if judged is None else judged.records.verdict
    return {
        "valid": report.is_valid,
        "chain_id": None if report.bundle is None else report.bundle.chain.chain_id,
        "operator": None if judged is None else judged.file.operator.hex(),
        "epoch": None if judged is None else judged.file.epoch,
        "first": None if judged is None else judged.file.first,
        "count": None if judged is None else judged.file.count,
        "held": None if judged is None else judged.count.held,
        "removed": None if judged is None else judged.count.removed,
        "weak": None if judged is None else judged.records.seed.is_weak,
        "verdict": None if verdict is None else verdict.outcome.name.lower(),
        "failure": None if report.failure is None else check_fields(report.failure),
        "checks": [check_fields(one) for one in report.verdicts],
    }


def _print_summary(console: Console, report: "StorageReport") -> None:
    from hutong.relay.cli.common.verdicts import failure_sentence

    failure, judged = report.failure, report.judged
    if failure is not None:
        console.print(f"[red]invalid[/]: {failure_sentence(failure.subject, failure.check)}")
        return
    if judged is None:
        raise TypeError("a valid report has what was judged")
    file, seed, verdict = judged.file, judged.records.seed, judged.records.verdict
    last = file.first + file.count - 1
    console.print(
        f"operator {file.operator.hex()} in epoch {file.epoch}: probes {file.first} to {last} of {seed.probes}"
    )
    console.print(f"{judged.count.held} leaves shown, {judged.count.removed} of removed shards")
    said = "no verdict yet" if verdict is None else verdict.outcome.name.lower()
    console.print(f"the hub says: {said}; {seed.reveals} of {seed.auditors} auditors revealed")
    if seed.is_weak:
        console.print("[yellow]weak[/]: whoever proposed the header could have chosen the seed")
    console.print(f"[green]valid[/]: {len(report.verdicts)} rules held")


def print_period(period: "StoragePeriod") -> None:
    """A line an operator, then what is wrong, then the verdict."""
    from rich.table import Table

    console = Console(soft_wrap=True, highlight=False)
    table = Table(
        title=f"{printable(period.chain_id)}, epochs {period.first} to {period.last}", box=None, pad_edge=False
    )
    for name in ("operator", "passed", "failed", "missed", "weak", "held", "removed", "leaves"):
        table.add_column(name, justify="left" if name == "operator" else "right", overflow="fold")
    for one in period.operators:
        counts = (one.passed, one.failed, one.missed, one.weak, one.held, one.removed, one.leaves)
        table.add_row(one.operator.hex()[:16], *(f"{count:,}" for count in counts))
    console.print(table)
    for auditor in period.auditors:
        console.print(f"auditor {auditor.auditor.hex()[:16]}: revealed {auditor.revealed} of {auditor.committed}")
    for finding in period.findings[:MAX_LISTED]:
        about = "" if finding.operator is None else f" operator {finding.operator.hex()[:16]}"
        where = f" epoch {finding.epoch}" if finding.epoch else ""
        file = f" {finding.file}:" if finding.file else ""
        console.print(f"[red]{finding.kind}[/]{where}{about}:{printable(file)} {printable_reason(finding.reason)}")
    if len(period.findings) > MAX_LISTED:
        console.print(f"and {len(period.findings) - MAX_LISTED} more: --json has them")
    console.print(f"{period.audits} audits proven in {period.files} files")
    if period.is_clean:
        console.print("[green]clean[/]: every audit of the period is proven, and nothing is missing, failed or weak")
    else:
        count = len(period.findings)
        console.print(f"[red]{count} finding{'' if count == 1 else 's'}[/]" if count else "[red]nothing is proven[/]")
