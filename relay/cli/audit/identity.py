"""`hutong audit identity`: one acceptance of a credential or a seal, judged offline from the reader's checkpoint of the hub."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hutong.relay.cli.audit.options import Now, judged_at_ns
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.cli.common.verdicts import failure_sentence, print_by_subject

if TYPE_CHECKING:
    from hutong.relay.audit.identity import AcceptanceReport, AcceptanceTerms


@dataclass(frozen=True, slots=True)
class DemandOptions:
    """What the reader demands beside the proofs."""

    max_age: Annotated[
        int, typer.Option(min=0, help="Seconds that the holder may have signed before the hub's header.")
    ] = 300
    skew: Annotated[int, typer.Option(min=0, help="Seconds that other clocks may differ from the hub's.")] = 60
    newest_epoch: Annotated[
        int, typer.Option(min=0, help="The highest epoch of the issuer that you have seen; an older one is refused.")
    ] = 0
    schema: Annotated[str | None, typer.Option(help="SHA-256 of the schema that you ask for; without it any.")] = None
    types: Annotated[
        list[str],
        typer.Option(
            "--type", metavar="VCT=SHA256", help="Of which schema a type is that says none itself; repeatable."
        ),
    ] = field(default_factory=list)
    algorithms: Annotated[
        list[str], typer.Option("--algorithm", help="What a holder may sign with; repeatable. Without it ES256.")
    ] = field(default_factory=list)

    def terms(self) -> "AcceptanceTerms":
        """As the rules take them.

        Raises:
            UnusableInput: one is out of its rule.
        """
        from hutong.relay.verify.credentials.acceptances import terms_of

        ages = (self.max_age, self.skew)
        return terms_of(ages, self.newest_epoch, self.schema, self.types, self.algorithms)


def identity(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An acceptance, as `hutong identity bundle` writes it.")],
    checkpoint: Annotated[Path, typer.Option(help="What you trust of the hub.")],
    demand: DemandOptions,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Judge an acceptance offline: 0 it was right to accept, 1 it is refused, 2 it cannot be judged."""
    from hutong.relay.verify.bundles.inputs import read_checkpoint
    from hutong.relay.verify.credentials.acceptances import acceptance_fields, judge_acceptance_file

    report = judge_acceptance_file(file, read_checkpoint(checkpoint), judged_at_ns(now), demand.terms())
    if as_json:
        typer.echo(json.dumps(acceptance_fields(report), indent=2, ensure_ascii=False))
    else:
        print_acceptance(report)
    raise typer.Exit(0 if report.is_valid else REFUSED)


def print_acceptance(report: "AcceptanceReport") -> None:
    """Every rule under what it is about, then what was accepted."""
    from hutong.relay.verify.credentials.acceptances import accepted_fields, kind_of

    console = Console(soft_wrap=True, highlight=False)
    print_by_subject(console, report.verdicts)
    accepted, acceptance = report.accepted, report.acceptance
    if accepted is None or acceptance is None:
        failure = report.failure
        why = "" if failure is None else f": {failure_sentence(failure.subject, failure.check)}"
        console.print(f"[red]invalid[/]{why}")
        return
    fields = accepted_fields(accepted)
    console.print(f"{kind_of(acceptance)} of {printable(accepted.did)}, schema {fields['schema']}")
    console.print(f"presented to {printable(fields['audience'])}, nonce {printable(fields['nonce'])}")
    console.print(f"list {fields['list']}, index {fields['index']}: valid; key {fields['key']}: {fields['key_state']}")
    for level in fields["accreditation"]:
        by = level["accreditor"] or "the hub's governance"
        console.print(f"accredited by {by}, depth {level['depth']}")
    for name, value in fields["claims"].items():
        console.print(f"  {printable(name)}: {printable(json.dumps(value, ensure_ascii=False))}")
    console.print(f"hub: {printable(fields['chain_id'])} at height {fields['height']} of {fields['time']}")
    console.print(f"trust: {printable(report.trust)}")
    console.print(f"[green]valid[/]: {report.rules} predicates held")
