"""`hutong feed`: values that k of n signers report, for each of them, for whoever pushes, and for readers."""

import json
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.light_clients.feeds import (
    MAX_DESCRIPTION_BYTES,
    MAX_REPORT_BYTES,
    FeedDescription,
    Report,
    feed_id,
    parse_description,
    parse_report,
    report_digest,
    report_document,
    round_slot,
    text_of_value,
    value_of_text,
)
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.administration.addresses import address_of
from hutong.relay.base.durable_files import READABLE, create_durably
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.endpoint_options import ChainId, Rpc
from hutong.relay.cli.common.named_values import print_values
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing
from hutong.relay.cli.common.session import run_administration, run_signing
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.verify.inputs import read_file

if TYPE_CHECKING:
    pass

app = command_group("Feeds: values that k of n signers report.")

FeedFile = Annotated[Path, typer.Option("--feed", help="JSON file that describes the feed (docs/feeds.md).")]
Contract = Annotated[str, typer.Option(help="Address of the chain's Feed.")]


@app.command(name="id")
def identify(feed: FeedFile, as_json: AsJson = False) -> None:
    """Say what a feed is called on every chain, where its rounds are stored, and how many liars it bears."""
    described = _described(feed)
    said = {
        "id": f"0x{feed_id(described).hex()}",
        "slot": f"0x{round_slot(feed_id(described)).hex()}",
        "threshold": described.threshold,
        "signers": len(described.signers),
        "tolerated_liars": described.tolerated_liars,
    }
    print_values(said, as_json=as_json)


@app.command()
def sign(
    feed: FeedFile,
    value: Annotated[str, typer.Option(help="What the signer reports, a decimal number such as 12.5.")],
    round_time_s: Annotated[
        int | None,
        typer.Option("--round", help="Unix seconds of the round; left out: the last multiple of the heartbeat.", min=1),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="New file for the report, which is printed otherwise.")] = None,
    *,
    signer: SignerOptions,
) -> None:
    """Sign one report, offline, with one signer's key. It is good for this feed and this round, on every chain."""
    described = _described(feed)
    opened = signer.open()
    if address_of(opened.address, "--keystore") not in described.signers:
        raise Refused(f"{opened.address} is no signer of this feed", UNUSABLE)
    now_s = int(time.time())
    time_s = now_s - now_s % described.heartbeat_s if round_time_s is None else round_time_s
    with refusing(MalformedInput):
        units = value_of_text(value, described.decimals)
        report_digest(feed_id(described), time_s, units)  # what cannot be reported is told before the signer is asked
        report = Report(units, run_signing(opened.sign_report, feed_id(described), time_s, units))
        text = json.dumps(report_document(described, time_s, report))
    if out is None:
        typer.echo(text)
        return
    try:
        create_durably(out, f"{text}\n".encode(), READABLE)
    except OSError as error:
        raise Refused(f"{out}: {error.strerror or error}", UNUSABLE) from None


@app.command()
def push(
    feed: FeedFile,
    report: Annotated[
        list[Path], typer.Option(help="A signer's report; as many as the threshold asks for, in any order.")
    ],
    rpc: Rpc,
    chain_id: ChainId,
    contract: Contract,
    as_json: AsJson = False,
    *,
    payer: SignerOptions,
) -> None:
    """Push a round: its reports are verified here first, and nothing is sent that the contract would refuse.

    Anybody may: signatures decide. The same reports can be pushed to every chain.
    """
    from hutong.relay.administration.evm.access import endpoint_of
    from hutong.relay.administration.evm.feed import push_round, round_of

    described = _described(feed)
    chain, address = endpoint_of(rpc, chain_id, "--rpc"), address_of(contract, "--contract")
    with refusing(MalformedInput, refused=(PredicateFailed,)):
        documents = [parse_report(read_file(path, MAX_REPORT_BYTES)) for path in report]
        reported = round_of(described, documents)
    signer = payer.open()
    transaction = run_administration(partial(push_round, chain, address, reported, signer), as_json=as_json)
    stands = reported.stands
    said = {
        "value": text_of_value(stands.value, described.decimals),
        "round": stands.time_s,
        "reports": stands.count,
        "transaction": transaction,
    }
    print_values(said, as_json=as_json)


@app.command()
def show(
    feed: FeedFile,
    rpc: Rpc,
    chain_id: ChainId,
    contract: Contract,
    max_age_s: Annotated[
        int | None, typer.Option(help="How old the round may be, in seconds; left out: the heartbeat.", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a chain has of a feed, and how old it is by that chain's clock. Exit code 1 where it is stale."""
    from hutong.relay.administration.evm.access import endpoint_of
    from hutong.relay.administration.evm.feed import look_at_round

    described = _described(feed)
    chain, address = endpoint_of(rpc, chain_id, "--rpc"), address_of(contract, "--contract")
    found = run_administration(partial(look_at_round, chain, address, described), as_json=as_json)
    if found.stands is None:
        raise Refused(f"nobody has pushed a round of this feed to {contract} yet", REFUSED)
    age_s = max(0, found.block_time_s - found.stands.time_s)
    limit_s = described.heartbeat_s if max_age_s is None else max_age_s
    said = {
        "value": text_of_value(found.stands.value, described.decimals),
        "round": found.stands.time_s,
        "reports": found.stands.count,
        "age_s": age_s,
        "stale": age_s >= limit_s,
    }
    print_values(said, as_json=as_json)
    if said["stale"]:
        raise Refused(f"the round is stale: {age_s} s old, and must be below {limit_s} s", REFUSED)


def _described(file: Path) -> FeedDescription:
    with refusing(MalformedInput):
        return parse_description(read_file(file, MAX_DESCRIPTION_BYTES))
