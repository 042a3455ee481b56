"""`hutong reader`: a contract that reads the hub's records on a chain, for dapps."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.addresses import address_of
from hutong.relay.base.durable_files import READABLE, create_durably
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.endpoint_options import ChainId, Rpc
from hutong.relay.cli.common.named_values import print_values
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import run_administration
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.verify.inputs import UnusableInput, parse_hex

if TYPE_CHECKING:
    pass

app = command_group("A HubReader: reads other chains' state on a chain.")


@app.command()
def deploy(
    rpc: Rpc,
    chain_id: ChainId,
    router: Annotated[str, typer.Option(help="Address of the chain's Router.")],
    client: Annotated[str, typer.Option(help="Its client of the hub, such as client-0.")],
    out: Annotated[Path | None, typer.Option(help="New JSON file for what then stands.")] = None,
    as_json: AsJson = False,
    *,
    payer: SignerOptions,
) -> None:
    """Deploy a reader of the hub's records. Anybody may: nobody has rights in it, and it holds nothing of value.

    It asks the router for the client at each read, so that it goes on after the client was recovered.
    """
    from hutong.relay.administration.evm.access import endpoint_of
    from hutong.relay.administration.evm.reader import deploy_reader

    chain = endpoint_of(rpc, chain_id, "--rpc")
    address = address_of(router, "--router")
    try:
        check_client_id(client, "--client")
    except MalformedInput as error:
        raise Refused(str(error), UNUSABLE) from None
    signer = payer.open()
    if out is not None and out.exists():
        raise Refused(f"{out} is there already; nothing was sent", UNUSABLE)
    deployed = run_administration(partial(deploy_reader, chain, address, client, signer), as_json=as_json)
    text = json.dumps(asdict(deployed) | {"chain_id": chain_id})
    if out is not None:
        try:
            create_durably(out, f"{text}\n".encode(), READABLE)
        except OSError as error:
            raise Refused(f"{out}: {error.strerror or error}; what was deployed is {text}", REFUSED) from None
    print_values(asdict(deployed) | ({"chain_id": chain_id} if as_json else {}), as_json=as_json)


@app.command()
def show(
    rpc: Rpc,
    chain_id: ChainId,
    reader: Annotated[str, typer.Option(help="Address of the reader.")],
    as_json: AsJson = False,
) -> None:
    """Say which router a reader asks, for which client, and which HubClient it gets."""
    from hutong.relay.administration.evm.access import endpoint_of
    from hutong.relay.administration.evm.reader import look_at_reader

    chain = endpoint_of(rpc, chain_id, "--rpc")
    address = address_of(reader, "--reader")
    found = run_administration(partial(look_at_reader, chain, address), as_json=as_json)
    print_values(asdict(found) | ({"chain_id": chain_id} if as_json else {}), as_json=as_json)


@app.command()
def prove(
    rpc: Rpc,
    chain_id: ChainId,
    reader: Annotated[str, typer.Option(help="Address of the reader.")],
    hub_rpc: Annotated[str, typer.Option(help="JSON-RPC endpoint of a node of the hub.")],
    hub_chain_id: Annotated[int, typer.Option(help="EIP-155 id that the hub's endpoint must have.", min=1)],
    key: Annotated[list[str], typer.Option(help="Key of a record, hex, as `hutong_observations` lists them.")],
    max_age_s: Annotated[int, typer.Option(help="How old header and source may be, in seconds.", min=0)] = 60,
    min_trust: Annotated[int, typer.Option(help="0 any, 1 to 64 attestors at least, 255 proven alone.", min=0)] = 255,
    keep: Annotated[
        bool, typer.Option("--keep", help="Make the call that keeps them, not the one that reads.")
    ] = False,
) -> None:
    """Make the call that shows records to a reader, under the newest header of the hub that its chain has, as JSON.

    Epochs of the clients are shown too. The proof is checked here against the root that the chain has; nothing is sent.
    """
    from hutong.relay.administration.evm.access import endpoint_of
    from hutong.relay.administration.evm.reader_calls import CallTerms, call_of, show_records

    chain, hub = endpoint_of(rpc, chain_id, "--rpc"), endpoint_of(hub_rpc, hub_chain_id, "--hub-rpc")
    address = address_of(reader, "--reader")
    try:
        keys = tuple(parse_hex(text, "--key") for text in key)
        terms = CallTerms(max_age_s, min_trust, keep)
    except (UnusableInput, MalformedInput) as error:
        raise Refused(str(error), UNUSABLE) from None
    shown = run_administration(partial(show_records, chain, address, hub, keys), as_json=True)
    typer.echo(json.dumps({"to": reader} | call_of(shown, terms)))
