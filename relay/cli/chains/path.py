"""`hutong path`: two chains that hold light clients of each other."""

import json
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import Annotated, TypeAlias

import typer

from hutong.relay.administration.configured import attested_pair_of, hub_of, member_chain_of
from hutong.relay.administration.cosmos_paths import create_cosmos_path
from hutong.relay.administration.paths import CreatedPath, continue_with_hub, create_direct, create_with_hub
from hutong.relay.cli.chains.direct_options import DirectTrustOptions, EndAOptions, EndBOptions
from hutong.relay.cli.chains.path_options import PathWish
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.cli.common.signers import HubAdminOptions, SignerOptions
from hutong.relay.config import CosmosChainConfig, EvmChainConfig, HubChainConfig

app = command_group("Paths between chains.")

Work: TypeAlias = Callable[[Random], Awaitable[CreatedPath]]
"""What is run once all options are known to be good."""


@app.command()
def create(
    config: ConfigFile,
    chain: Annotated[str, typer.Option(help="Name of the EVM or Cosmos chain in the configuration.")],
    hub: HubName = None,
    as_json: AsJson = False,
    *,
    payer: SignerOptions,
    admins: HubAdminOptions,
    wish: PathWish,
) -> None:
    """Create the hub's client of the chain and the chain's client of the hub, each as the other's counterparty.

    Shows on standard error from which block each client begins, its height and hash, and asks before anything is sent;
    blocks that are pinned are compared instead. Prints the `[[paths]]` entry for the relay's configuration; for an attested
    chain also, on standard error, the `[[destinations]]` entry for its attestors.
    """
    loaded = config_of(config)
    member, hub_chain = member_chain_of(loaded, chain), hub_of(loaded, hub)
    if isinstance(member, CosmosChainConfig):
        wish.refuse_for_cosmos(chain)
        agreement, owner = wish.beginnings.agreement(), payer.open()
        trust = wish.trust.of_cosmos_chain()
        work: Work = partial(create_cosmos_path, member, owner, hub_chain, admins.open(), trust, agreement)
    else:
        work = _with_evm_member(member, hub_chain, payer, admins, wish)
    _print(run_administration(work, as_json=as_json), as_json)


def _with_evm_member(
    chain: EvmChainConfig, hub: HubChainConfig, payer: SignerOptions, admins: HubAdminOptions, wish: PathWish
) -> Work:
    """The work of a path between a hub and an EVM chain; all that the options say is checked before it."""
    wish.trust.refuse_beyond_ethereum(chain)
    wish.beginnings.refuse_where_unpinnable(chain)
    agreement, trust = wish.beginnings.agreement(), wish.trust.of_evm_chain()
    member = wish.end.member(chain, payer.open())
    deciding = admins.open()
    begun = wish.end.begun()
    if begun is not None:
        return partial(continue_with_hub, member, hub, deciding, begun)
    return partial(create_with_hub, member, hub, deciding, trust, agreement)


@app.command()
def direct(
    config: ConfigFile,
    a: Annotated[str, typer.Option(help="Name of one attested EVM chain.")],
    b: Annotated[str, typer.Option(help="Name of the other.")],
    as_json: AsJson = False,
    *,
    end_a: EndAOptions,
    end_b: EndBOptions,
    trust: DirectTrustOptions,
) -> None:
    """Connect two attested EVM chains without a hub: a client of each on the other.

    Prints the `[[paths]]` entry for the relay's configuration and, on standard error, the `[[destinations]]` entries
    for the attestors of both chains.
    """
    loaded = config_of(config)
    chain_a, chain_b = attested_pair_of(loaded, a, b)
    members = (end_a.member(chain_a), end_b.member(chain_b))
    _print(run_administration(partial(create_direct, *members, trust.both())), as_json)


def _print(path: CreatedPath, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(path.as_dict()))
        return
    sides = [
        f'{side} = {{ chain = "{chain}", client = "{client}" }}'
        for side, (chain, client) in zip("ab", (path.a, path.b), strict=True)
    ]
    typer.echo("\n".join(["[[paths]]", *sides]))
    for to in path.destinations:  # to stderr: what is printed can be appended to the relay's file as it is
        typer.echo(
            f"# for every attestor of {to.source}\n[[destinations]]\n"
            f'chain_id = "{to.chain_id}"\nrouter = "{to.router}"\nclient = "{to.client}"\n',
            err=True,
        )
