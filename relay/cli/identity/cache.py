"""`hutong identity deploy-cache`, `sync` and `caches`: what contracts on chains know of the hub's issuers."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.identity.identifiers import did_of_text
from hutong.relay.cli.common.endpoint_options import ChainId, Rpc
from hutong.relay.cli.common.named_values import print_values
from hutong.relay.cli.common.options import AsJson, ConfigFile, PasswordEnv, PasswordFile
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.identity.organisation import AccountKey


def deploy_cache(
    rpc: Rpc,
    chain_id: ChainId,
    router: Annotated[str, typer.Option(help="Address of the chain's Router.")],
    client: Annotated[str, typer.Option(help="Its client of the hub, such as client-0.")],
    as_json: AsJson = False,
    *,
    payer: AccountKey,
) -> None:
    """Deploy an IdentityCache, which gates on the chain ask. Anybody may: nobody has rights in it. One is enough for a chain."""
    from hutong.relay.administration.addresses import address_of
    from hutong.relay.administration.evm.access import endpoint_of
    from hutong.relay.administration.evm.identity_cache import deploy_cache as deploy
    from hutong.relay.cli.common.session import run_administration

    chain, address = endpoint_of(rpc, chain_id, "--rpc"), address_of(router, "--router")
    try:
        check_client_id(client, "--client")
    except MalformedInput as error:
        raise Refused(str(error), UNUSABLE) from None
    signer = payer.open()
    deployed = asdict(run_administration(partial(deploy, chain, address, client, signer), as_json=as_json))
    said = {"cache": deployed.pop("reader")} | deployed
    print_values(said | ({"chain_id": chain_id} if as_json else {}), as_json=as_json)


def sync(
    issuer: Annotated[str, typer.Argument(metavar="DID", help="The issuer: did:hutong:<hub>:<id>.")],
    number: Annotated[list[int], typer.Option("--list", help="A status list of the issuer; repeat it.", min=0)],
    rpc: Rpc,
    chain_id: ChainId,
    cache: Annotated[str, typer.Option(help="Address of the chain's IdentityCache.")],
    hub_rpc: Annotated[str, typer.Option(help="JSON-RPC endpoint of a node of the hub.")],
    hub_chain_id: Annotated[int, typer.Option(help="EIP-155 id that the hub's endpoint must have.", min=1)],
    keystore: Annotated[
        Path | None, typer.Option(help="Who sends and pays. Without it nothing is sent, and the call is printed.")
    ] = None,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
    as_json: AsJson = False,
) -> None:
    """Show a chain what the hub says of an issuer and its lists, under the newest header of the hub that the chain has.

    Also what is wrong with it, such as a key that has ended. The proof is checked here first. Anybody may send it.
    """
    from hutong.relay.administration.addresses import address_of
    from hutong.relay.administration.evm.access import endpoint_of
    from hutong.relay.administration.evm.identity_cache import sync_call, sync_issuer
    from hutong.relay.cli.common.session import run_administration, signer_of

    chain, hub = endpoint_of(rpc, chain_id, "--rpc"), endpoint_of(hub_rpc, hub_chain_id, "--hub-rpc")
    address, did = address_of(cache, "--cache"), did_of_text(issuer)
    signer = None if keystore is None else signer_of(keystore, password_file, password_env)
    try:
        made = run_administration(partial(sync_call, chain, address, hub, did, tuple(number)), as_json=True)
    except MalformedInput as error:
        raise Refused(str(error), UNUSABLE) from None
    said = {
        "header_height": made.header_height,
        "header_time_s": made.header_time_s,
        "standing": "good" if made.flaw == 0 else made.flaw.name.lower(),
    }
    if signer is None:
        typer.echo(json.dumps({"to": cache, "data": f"0x{made.data.hex()}"} | said))
        return
    transaction = run_administration(partial(sync_issuer, chain, address, made, signer), as_json=as_json)
    print_values(said | {"transaction": transaction}, as_json=as_json)


def caches(
    config: ConfigFile,
    as_json: AsJson = False,
    only: Annotated[str | None, typer.Option("--name", help="Only the issuer of that name.")] = None,
) -> None:
    """What the relay keeps up to date of [[issuers]]: epoch, age, and what holds it up. Works beside a running relay.

    Exit codes: 0 all are good, 1 something is held up, 2 unusable input.
    """
    from hutong.relay.administration.identity.cached_issuers import read_caches
    from hutong.relay.cli.common.session import config_of, run_administration

    loaded = config_of(config)
    if not loaded.issuers:
        raise Refused("the configuration brings no issuer to a cache: it has no [[issuers]]", UNUSABLE)
    if only is not None and all(one.name != only for one in loaded.issuers):
        raise Refused(f"no issuer is named {only[:80]!r}", UNUSABLE)
    rows = [row for row in run_administration(partial(read_caches, loaded)) if only in (None, row["name"])]
    if as_json:
        typer.echo(json.dumps({"caches": rows}, indent=1))
    else:
        for row in rows:
            typer.echo(_line(row))
    if any(row["held_up_by"] is not None for row in rows):
        raise typer.Exit(REFUSED)


def _line(row: dict[str, Any]) -> str:
    what = f"{row['name']} at {row['cache']} on {row['chain']}"
    ends = "" if row["held_up_by"] is None else f"; {row['held_up_by']}"
    if row["epoch"] is None:
        return f"{what}: nothing is kept{ends}"
    return (
        f"{what}: {row['standing_on_hub']}, epoch {row['epoch']} of {row['epoch_on_hub']}, {row['age_s']} s old{ends}"
    )
