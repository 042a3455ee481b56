"""`hutong roles`: who may do what on a chain's contracts, read from the chain and compared with a file."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from hutong.relay.administration.addresses import address_of
from hutong.relay.administration.configured import evm_chain_of
from hutong.relay.base.durable_files import READABLE, create_durably
from hutong.relay.cli.chains.decisions import decision_text
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.config import EvmChainConfig

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.rights_reading import StandingRights
    from hutong.relay.administration.evm.roles import Source

app = command_group("Who may do what on a chain's contracts.")

ConfigOption = Annotated[Path | None, typer.Option("--config", help="The relay's TOML file, instead of --rpc.")]
ChainOption = Annotated[str | None, typer.Option("--chain", help="Name of the EVM chain in the configuration.")]
RpcOption = Annotated[str | None, typer.Option("--rpc", help="JSON-RPC endpoint of the chain.")]
ChainIdOption = Annotated[int | None, typer.Option(help="EIP-155 id that the endpoint must have.", min=1)]
RouterOption = Annotated[str | None, typer.Option(help="Address of the router; with --rpc.")]
FromHeightOption = Annotated[
    int | None, typer.Option(help="Block of the first contract, as `hutong deploy` printed it; with --rpc.", min=0)
]


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(help="What shall stand: a file of `hutong deploy --out` or `roles show --out`.")
    ],
    config: ConfigOption = None,
    chain: ChainOption = None,
    rpc: RpcOption = None,
    as_json: AsJson = False,
) -> None:
    """Compare a chain with the file and say each difference, and what is decided and not in force yet.

    Exit code 1 if there is a difference or a pending decision that would make one, 2 if the file is unusable.
    """
    from hutong.adapters.evm.administration.decisions import deviations
    from hutong.adapters.evm.administration.rights import differences
    from hutong.relay.administration.evm.pending import decision_document
    from hutong.relay.administration.evm.roles import rights_as_expected
    from hutong.relay.administration.evm.roles_file import UnusableRolesFile, load_rights

    source = _source(config, chain, rpc)
    with refusing(UnusableRolesFile):
        expected = load_rights(file)
    standing = run_administration(partial(rights_as_expected, source, expected))
    found = standing.rights
    wrong = differences(expected, found)
    pending = [
        (each, () if each.call is None else deviations(expected, found, each.call)) for each in standing.decisions
    ]
    clean = not wrong and not any(deviating for _, deviating in pending)
    if as_json:
        documents = [
            {**decision_document(each, standing.now_s), "deviations": [asdict(one) for one in deviating]}
            for each, deviating in pending
        ]
        said = {"clean": clean, "differences": [asdict(each) for each in wrong], "pending": documents}
        typer.echo(json.dumps(said))
    else:
        for difference in wrong:
            typer.echo(str(difference))
        for each, deviating in pending:
            typer.echo(
                f"pending{', DEVIATES from the file' if deviating else ''}: {decision_text(each, standing.now_s)}"
            )
            for difference in deviating:
                typer.echo(f"  {difference.said('would stand')}")
        members = sum(len(role.members) for role in found.roles.values())
        if clean:
            typer.echo(f"clean: {len(found.targets)} contracts and {members} members of roles are as the file says")
    if not clean:
        raise typer.Exit(REFUSED)


@app.command()
def show(
    config: ConfigOption = None,
    chain: ChainOption = None,
    rpc: RpcOption = None,
    chain_id: ChainIdOption = None,
    router: RouterOption = None,
    from_height: FromHeightOption = None,
    out: Annotated[Path | None, typer.Option(help="New file for it; unless given it is printed.")] = None,
) -> None:
    """What stands, as the file that `roles check` takes."""
    from hutong.relay.administration.evm.roles_file import encode_rights

    text = encode_rights(_asked(_source(config, chain, rpc), chain_id, router, from_height).rights)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        create_durably(out, text.encode(), READABLE)
    except OSError as error:
        raise Refused(f"{out}: {error.strerror or error}", UNUSABLE) from None


@app.command()
def pending(
    config: ConfigOption = None,
    chain: ChainOption = None,
    rpc: RpcOption = None,
    chain_id: ChainIdOption = None,
    router: RouterOption = None,
    from_height: FromHeightOption = None,
    as_json: AsJson = False,
) -> None:
    """What is decided on a chain's contracts and has no effect yet: by whom, and from when on. Exit code 0 either way."""
    from hutong.relay.administration.evm.pending import decision_document

    standing = _asked(_source(config, chain, rpc), chain_id, router, from_height)
    if as_json:
        documents = [decision_document(each, standing.now_s) for each in standing.decisions]
        typer.echo(json.dumps({"chain_id": standing.rights.chain_id, "now_s": standing.now_s, "pending": documents}))
        return
    for each in standing.decisions:
        typer.echo(decision_text(each, standing.now_s))
    if not standing.decisions:
        typer.echo("nothing is pending", err=True)


def _asked(source: "Source", chain_id: int | None, router: str | None, from_height: int | None) -> "StandingRights":
    """Of the contracts that a router names; the options count with --rpc alone."""
    from hutong.relay.administration.evm.roles import rights_of_router

    if isinstance(source, EvmChainConfig):
        chain_id, router, from_height = source.chain_id, source.router, source.start_height
    if chain_id is None or router is None or from_height is None:
        raise Refused("--rpc needs --chain-id, --router and --from-height as well", UNUSABLE)
    return run_administration(partial(rights_of_router, source, chain_id, address_of(router, "--router"), from_height))


def _source(config: Path | None, chain: str | None, rpc: str | None) -> "Source":
    from hutong.relay.administration.evm.roles import Url

    if (rpc is None) == (config is None):
        raise Refused("give --rpc, or --config with --chain", UNUSABLE)
    if config is None:
        if rpc is None or urlsplit(rpc).scheme not in ("http", "https"):
            raise Refused("--rpc must be a URL that starts with http:// or https://", UNUSABLE)
        return Url(rpc)
    if chain is None:
        raise Refused("--config needs --chain as well", UNUSABLE)
    return evm_chain_of(config_of(config), chain)
