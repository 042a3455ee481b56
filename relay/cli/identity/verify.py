"""`hutong identity verify`: a presentation of a credential, judged offline by what the verifier trusts and asked for."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, MalformedInput
from hutong.relay.cli.audit.options import judged_at_ns
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.cli.common.verdicts import print_verdict
from hutong.relay.services.identity.rules.jose import HAIP_ALGORITHMS, Algorithm
from hutong.relay.services.identity.rules.sd_jwt import Clock, KeyBindingDemand, PresentationPolicy
from hutong.relay.services.identity.rules.sd_jwt.policy import DEFAULT_MAX_AGE_S, DEFAULT_SKEW_S
from hutong.relay.verify.credentials.presentations import (
    PresentationReport,
    issuer_fields,
    judge_file,
    read_trust,
    report_fields,
)
from hutong.relay.verify.inputs import UnusableInput

if TYPE_CHECKING:
    from hutong.relay.services.identity.rules.sd_jwt import IssuerTrust, VerifiedPresentation


@dataclass(frozen=True, slots=True)
class TrustOptions:
    """Who may have issued."""

    issuer_keys: Annotated[
        list[Path], typer.Option("--issuer-key", help="JWK or JWK set of an issuer that you trust; repeatable.")
    ] = field(default_factory=list)
    issuer: Annotated[
        str | None,
        typer.Option(help="Whose keys these are, as `iss` says it. Without it no name is bound to them."),
    ] = None
    anchors: Annotated[
        list[Path], typer.Option("--trust", help="PEM file of authorities that certify issuers; repeatable.")
    ] = field(default_factory=list)

    def read(self) -> "IssuerTrust":
        """The files.

        Raises:
            UnusableInput: as `read_trust`.
        """
        return read_trust(self.issuer_keys, self.issuer, self.anchors)


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """What was asked of the holder."""

    audience: Annotated[
        str | None, typer.Option(help="Your name, as the request said it. With --nonce the holder must have signed.")
    ] = None
    nonce: Annotated[str | None, typer.Option(help="The request's nonce. Take each one once.")] = None
    max_age: Annotated[int, typer.Option(help="Seconds that the holder's signature may be old.")] = DEFAULT_MAX_AGE_S
    types: Annotated[list[str], typer.Option("--type", help="A `vct` that you take; repeatable. Without it any.")] = (
        field(default_factory=list)
    )

    def demand(self) -> KeyBindingDemand | None:
        """None where the holder need not have signed.

        Raises:
            UnusableInput: one of the two without the other, or out of bounds.
        """
        if self.audience is None and self.nonce is None:
            return None
        if self.audience is None or self.nonce is None:
            raise UnusableInput("--audience and --nonce bind a presentation to you together: give both, or neither")
        try:
            return KeyBindingDemand(self.audience, self.nonce, self.max_age)
        except MalformedInput as error:
            raise UnusableInput(str(error)) from None


@dataclass(frozen=True, slots=True)
class JudgingOptions:
    """When, and by which algorithms."""

    at: Annotated[
        str | None, typer.Option(help="The time to judge at, RFC 3339 or Unix seconds; without it the host's clock.")
    ] = None
    skew: Annotated[int, typer.Option(help="Seconds that other clocks may differ from yours.")] = DEFAULT_SKEW_S
    algorithms: Annotated[
        list[Algorithm], typer.Option("--algorithm", help="One that you take; repeatable. Without it ES256 alone.")
    ] = field(default_factory=list)

    def clock(self) -> Clock:
        """The time and the skew.

        Raises:
            UnusableInput: no time, or out of bounds.
        """
        try:
            return Clock(judged_at_ns(self.at, "--at") // NANOSECONDS_PER_SECOND, self.skew)
        except MalformedInput as error:
            raise UnusableInput(str(error)) from None


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The presentation: an SD-JWT VC in its compact form.")],
    trust: TrustOptions,
    request: RequestOptions,
    judging: JudgingOptions,
    as_json: AsJson = False,
) -> None:
    """Judge a presentation offline: 0 it holds, 1 it is refused, 2 it cannot be judged. Revocation is not checked."""
    policy = PresentationPolicy(
        trust.read(),
        judging.clock(),
        request.demand(),
        frozenset(request.types) or None,
        frozenset(judging.algorithms) or HAIP_ALGORITHMS,
    )
    report = judge_file(file, policy)
    if as_json:
        typer.echo(json.dumps(report_fields(report), indent=2, ensure_ascii=False))
    else:
        print_report(report)
    raise typer.Exit(0 if report.shown is not None else REFUSED)


def print_report(report: PresentationReport) -> None:
    """Every rule, then what is shown."""
    console = Console(soft_wrap=True, highlight=False)
    for verdict in report.verdicts:
        print_verdict(console, verdict)
    if report.shown is None:
        console.print("[red]invalid[/]")
        return
    print_shown(console, report.shown)
    console.print(f"[green]valid[/]: {len(report.verdicts)} predicates held")


def print_shown(console: Console, shown: "VerifiedPresentation") -> None:
    """Type, issuer, holder, claims; and what was not judged."""
    issuer = issuer_fields(shown)
    who = issuer["name"] or issuer["subject"] or "no name is bound to its key"
    console.print(f"credential: {printable(shown.vct)}")
    console.print(f"issuer: {printable(who)}, key {issuer['key']}")
    console.print("holder: signed this presentation" if shown.holder else "holder: did not sign; anybody may show it")
    for name, value in shown.claims.items():
        mark = "shown " if (name,) in shown.unpacked.disclosed else "signed"
        console.print(f"  {mark} {printable(name)}: {printable(json.dumps(value, ensure_ascii=False))}")
    status = "names no list" if shown.status is None else printable(json.dumps(shown.status, ensure_ascii=False))
    console.print(f"revocation: not checked; the credential {status if shown.status is None else 'says ' + status}")
