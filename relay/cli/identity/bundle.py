"""`hutong identity bundle`: an acceptance in one file, for an auditor without network; `acceptances`: what a contract accepted."""

import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.identity.identifiers import did_of_text
from hutong.relay.cli.audit.identity import DemandOptions
from hutong.relay.cli.common.endpoint_options import ChainId, Rpc
from hutong.relay.cli.common.options import ConfigFile, HubName
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing
from hutong.relay.cli.common.verdicts import failure_sentence


def bundle(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A presentation, or what `hutong wallet present-contract` prints.")
    ],
    statuses: Annotated[Path, typer.Option(help="The Status List Token that was read, for the status's chunk.")],
    config: ConfigFile,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the acceptance goes, such as visit.acceptance.")],
    demand: DemandOptions,
    issuer: Annotated[str | None, typer.Option(help="The issuer's did:hutong; a seal names it itself.")] = None,
    audience: Annotated[str | None, typer.Option(help="Who asked, of a presentation.")] = None,
    nonce: Annotated[str | None, typer.Option(help="The request's nonce, of a presentation.")] = None,
    log_entry: Annotated[
        Path | None, typer.Option(help="The credential's entry in the issuer's log, where the issuer's key has ended.")
    ] = None,
    hub: HubName = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="What you trust of the hub. Without it the node is believed for the block before."),
    ] = None,
) -> None:
    """Write an acceptance for `hutong audit identity`: 0 written, 1 it does not hold or cannot be had, 2 unusable."""
    from hutong.relay.administration.bundles.written import write_evidence
    from hutong.relay.administration.configured import hub_of
    from hutong.relay.administration.identity.accepting import ListPlace, judged_acceptance, prove_issuer
    from hutong.relay.cli.common.session import config_of, run_administration
    from hutong.relay.services.identity.rules.records.keys import hub_name
    from hutong.relay.verify.bundles.inputs import read_checkpoint
    from hutong.relay.verify.credentials.shown_files import read_chunk, read_log_entry, read_showing

    showing = read_showing(file, audience, nonce)
    chunk = read_chunk(statuses, showing.index)
    entry = None if log_entry is None else read_log_entry(log_entry)
    loaded = config_of(config)
    chosen = hub_of(loaded, hub)
    did = showing.issuer if issuer is None else did_of_text(issuer, hub_name(chosen.chain_id))
    if did is None:
        raise Refused("whose credential is it: give --issuer did:hutong:<hub>:<id>", UNUSABLE)
    trusted = None if checkpoint is None else read_checkpoint(checkpoint)
    place = ListPlace(did, showing.list_number)
    made = run_administration(partial(prove_issuer, loaded, chosen, place, trusted))
    shown = (showing.shown, chunk, entry)
    data, report = judged_acceptance(made, did, shown, demand.terms(), time.time_ns())
    if report.failure is not None:
        raise Refused(f"not written: {failure_sentence(report.failure.subject, report.failure.check)}", REFUSED)
    write_evidence(out, data)
    typer.echo(f"{out} ({len(data)} bytes)")


def acceptances(
    issuer: Annotated[str, typer.Argument(metavar="DID", help="The issuer: did:hutong:<hub>:<id>.")],
    gate: Annotated[str, typer.Option(help="Address of the contract that accepts, a CredentialGate.")],
    rpc: Rpc,
    chain_id: ChainId,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the events go, for `hutong audit identity-period`.")],
    first: Annotated[int, typer.Option("--from", min=0, help="First block.")] = 0,
    last: Annotated[int | None, typer.Option("--to", min=0, help="Last block; without it the newest.")] = None,
) -> None:
    """Write every acceptance of an issuer's seals by a contract. The node is believed as to which there are."""
    from hutong.relay.administration.addresses import address_of
    from hutong.relay.administration.evm.access import endpoint_of
    from hutong.relay.administration.identity.gate_events import read_acceptances
    from hutong.relay.cli.common.session import run_administration
    from hutong.relay.services.identity.rules.organisations.gate_acceptances import encode_gate_export
    from hutong.relay.verify.output_files import write_file

    with refusing(MalformedInput):
        did = did_of_text(issuer)
    chain, address = endpoint_of(rpc, chain_id, "--rpc"), address_of(gate, "--gate")
    found = run_administration(partial(read_acceptances, chain, address, did, (first, last)))
    write_file(out, encode_gate_export(found))
    typer.echo(f"{len(found.events)} acceptances in blocks {found.first} to {found.last}: {out}")
