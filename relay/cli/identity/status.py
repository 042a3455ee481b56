"""`hutong identity status`: whether a credential still holds, by a Status List Token in a file, judged offline."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, MalformedInput
from hutong.relay.cli.audit.options import judged_at_ns
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.cli.common.verdicts import print_verdict
from hutong.relay.services.identity.rules.sd_jwt import Clock
from hutong.relay.services.identity.rules.sd_jwt.policy import DEFAULT_SKEW_S
from hutong.relay.services.identity.rules.status import ListDemand, StatusReference, status_claim_well_formed
from hutong.relay.verify.credentials.presentations import read_trust
from hutong.relay.verify.credentials.status_lists import StatusReport, judge_status_file, report_fields, status_name
from hutong.relay.verify.inputs import UnusableInput

if TYPE_CHECKING:
    from hutong.relay.services.identity.rules.sd_jwt import IssuerTrust
    from hutong.relay.verify.credentials.proven_lists import ListProof


@dataclass(frozen=True, slots=True)
class ListTrustOptions:
    """Who may have signed the list: the credential's issuer, or whom it names for this."""

    issuer_keys: Annotated[
        list[Path], typer.Option("--issuer-key", help="JWK or JWK set of who signs this list; repeatable.")
    ] = field(default_factory=list)
    issuer: Annotated[str | None, typer.Option(help="Whose keys these are, as `iss` says it.")] = None
    anchors: Annotated[
        list[Path], typer.Option("--trust", help="PEM file of authorities that certify who signs it; repeatable.")
    ] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ListTimeOptions:
    """When, and how old a list is taken."""

    at: Annotated[
        str | None, typer.Option(help="The time to judge at, RFC 3339 or Unix seconds; without it the host's clock.")
    ] = None
    skew: Annotated[int, typer.Option(help="Seconds that a list may be signed after your time.")] = DEFAULT_SKEW_S
    fetched: Annotated[
        str | None,
        typer.Option(help="When this copy was fetched. Without it the list's ttl counts from when it was signed."),
    ] = None
    max_age: Annotated[
        int | None, typer.Option(min=1, help="Seconds after signing that you take a list, whatever it says itself.")
    ] = None


@dataclass(frozen=True, slots=True)
class ProvenOptions:
    """The list's record on a hub, which no mirror and no stolen key can change."""

    proven: Annotated[
        Path | None,
        typer.Option(help="Records of the issuer and its list, as `hutong identity prove --list N` writes them."),
    ] = None
    did: Annotated[str | None, typer.Option(help="The issuer's did:hutong.")] = None
    checkpoint: Annotated[Path | None, typer.Option(help="What you trust of the hub.")] = None
    max_header_age: Annotated[
        int | None, typer.Option(min=1, help="Seconds that the hub's header may be old at --at.")
    ] = None
    newest_epoch: Annotated[
        int, typer.Option(min=0, help="The highest epoch of the issuer that you have seen; an older one is refused.")
    ] = 0

    def judged(self, uri: str, at: str | None) -> "ListProof | None":
        """The list's record, None where none is given.

        Raises:
            UnusableInput: something of it is missing or cannot be read.
        """
        from hutong.relay.administration.identity.identifiers import METHOD, did_of_text
        from hutong.relay.audit.records import Asked
        from hutong.relay.services.identity.rules.acceptance.list_place import status_uri_names_a_list
        from hutong.relay.verify.bundles.inputs import read_checkpoint
        from hutong.relay.verify.credentials.identity_records import DidQuestion
        from hutong.relay.verify.credentials.proven_lists import judge_list_proof

        if self.proven is None:
            return None
        if self.did is None or self.checkpoint is None or not self.did.startswith(METHOD):
            raise UnusableInput("--proven needs --did did:hutong:<hub>:<id>, whose list it is, and --checkpoint")
        try:
            number = status_uri_names_a_list(uri)
        except MalformedInput as error:
            raise UnusableInput(str(error)) from None
        now_ns = judged_at_ns(at, "--at")
        at_s = None if at is None and self.max_header_age is None else now_ns // NANOSECONDS_PER_SECOND
        question = DidQuestion(self.did[len(METHOD) :].rpartition(":")[0], did_of_text(self.did))
        asked = Asked(at_s, self.max_header_age)
        return judge_list_proof(self.proven, read_checkpoint(self.checkpoint), (question, number), now_ns, asked)


def status(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A Status List Token in JWT form.")],
    uri: Annotated[str, typer.Option(help="The list, as the credential's `status.status_list.uri` says it.")],
    index: Annotated[int, typer.Option(min=0, help="The credential's `status.status_list.idx`.")],
    trust: ListTrustOptions,
    time: ListTimeOptions,
    records: ProvenOptions,
    as_json: AsJson = False,
) -> None:
    """Read one status of a list offline: 0 the credential holds, 1 it does not or the list is refused, 2 not judged."""
    shown = records.judged(uri, time.at)
    if shown is not None and shown.proven is None:
        refused = StatusReport(shown.verdicts, None)
        _finish(refused, StatusReference(uri, index), as_json=as_json)
    try:
        reference = status_claim_well_formed({"status_list": {"idx": index, "uri": uri}})
        demand = ListDemand(
            _trust(trust, shown),
            Clock(judged_at_ns(time.at, "--at") // NANOSECONDS_PER_SECOND, time.skew),
            fetched_at_s=None
            if time.fetched is None
            else judged_at_ns(time.fetched, "--fetched") // NANOSECONDS_PER_SECOND,
            max_age_s=time.max_age,
            newest_epoch=records.newest_epoch,
        )
    except MalformedInput as error:
        raise UnusableInput(str(error)) from None
    found = judge_status_file(file, reference, demand, None if shown is None else shown.proven)
    earlier = () if shown is None else shown.verdicts
    _finish(StatusReport((*earlier, *found.verdicts), found.reading), reference, as_json=as_json)


def _trust(given: ListTrustOptions, shown: "ListProof | None") -> "IssuerTrust":
    """Whom the reader names; else the key that the proven record binds the list to."""
    if shown is not None and shown.trust is not None and not given.issuer_keys and not given.anchors:
        return shown.trust
    return read_trust(given.issuer_keys, given.issuer, given.anchors)


def _finish(report: StatusReport, reference: StatusReference, *, as_json: bool) -> NoReturn:
    if as_json:
        typer.echo(json.dumps(report_fields(report, reference), indent=2, ensure_ascii=False))
    else:
        print_status(report, reference)
    raise typer.Exit(0 if report.is_valid else REFUSED)


def print_status(report: StatusReport, reference: StatusReference) -> None:
    """Every rule, then the status and the list that says so."""
    console = Console(soft_wrap=True, highlight=False)
    for verdict in report.verdicts:
        print_verdict(console, verdict)
    reading = report.reading
    if reading is None:
        console.print("[red]refused[/]: the list says nothing of this credential")
        return
    claims = reading.claims
    console.print(f"list: {printable(reference.uri)}, {claims.statuses.size} statuses of {claims.statuses.bits} bits")
    color = "green" if report.is_valid else "red"
    console.print(f"[{color}]{status_name(reading.status)}[/]: status {reading.status} at index {reference.index}")
