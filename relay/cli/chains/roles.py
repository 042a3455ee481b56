"""`hutong roles`: who may do what on a chain's contracts, read from the chain and compared with a file."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from hutong.relay.base.durable_files import READABLE, create_durably
from hutong.relay.cli.common.session import (
    REFUSED,
    UNUSABLE,
    AsJson,
    address_of,
    config_of,
    evm_chain_of,
    refuse,
    run_administration,
)
from hutong.relay.config import EvmChainConfig

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.rights import Rights
    from hutong.adapters.ics26.execution import ExecutionRpc

app = typer.Typer(
    add_completion=False, help="Who may do what on a chain's contracts.", no_args_is_help=True, rich_markup_mode=None
)

ConfigOption = Annotated[Path | None, typer.Option("--config", help="The relay's TOML file, instead of --rpc.")]
ChainOption = Annotated[str | None, typer.Option("--chain", help="Name of the EVM chain in the configuration.")]
RpcOption = Annotated[str | None, typer.Option("--rpc", help="JSON-RPC endpoint of the chain.")]


@dataclass(frozen=True, slots=True)
class _Source:
    """An endpoint by itself, or a chain of a configuration."""

    rpc: str | None
    chain: EvmChainConfig | None


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
    """Compare a chain with the file and say each difference. Exit code 1 if there is one, 2 if the file is unusable."""
    from hutong.adapters.evm.administration.rights import differences
    from hutong.relay.cli.chains.roles_file import UnusableRolesFile, load_rights

    source = _source(config, chain, rpc)
    try:
        expected = load_rights(file)
    except UnusableRolesFile as error:
        raise refuse(str(error), UNUSABLE) from None
    found = run_administration(partial(_standing, source, expected))
    wrong = differences(expected, found)
    if as_json:
        typer.echo(json.dumps({"clean": not wrong, "differences": [asdict(each) for each in wrong]}))
    else:
        for difference in wrong:
            typer.echo(str(difference))
        members = sum(len(role.members) for role in found.roles.values())
        if not wrong:
            typer.echo(f"clean: {len(found.targets)} contracts and {members} members of roles are as the file says")
    if wrong:
        raise typer.Exit(REFUSED)


@app.command()
def show(
    config: ConfigOption = None,
    chain: ChainOption = None,
    rpc: RpcOption = None,
    chain_id: Annotated[int | None, typer.Option(help="EIP-155 id that the endpoint must have.", min=1)] = None,
    router: Annotated[str | None, typer.Option(help="Address of the router; with --rpc.")] = None,
    from_height: Annotated[
        int | None, typer.Option(help="Block of the first contract, as `hutong deploy` printed it; with --rpc.", min=0)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="New file for it; unless given it is printed.")] = None,
) -> None:
    """What stands, as the file that `roles check` takes."""
    from hutong.relay.cli.chains.roles_file import encode_rights

    source = _source(config, chain, rpc)
    if source.chain is not None:
        chain_id, router, from_height = source.chain.chain_id, source.chain.router, source.chain.start_height
    if chain_id is None or router is None or from_height is None:
        raise refuse("--rpc needs --chain-id, --router and --from-height as well", UNUSABLE)
    text = encode_rights(
        run_administration(partial(_read, source, chain_id, address_of(router, "--router"), from_height))
    )
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        create_durably(out, text.encode(), READABLE)
    except OSError as error:
        raise refuse(f"{out}: {error.strerror or error}", UNUSABLE) from None


def _source(config: Path | None, chain: str | None, rpc: str | None) -> _Source:
    if (rpc is None) == (config is None):
        raise refuse("give --rpc, or --config with --chain", UNUSABLE)
    if config is None:
        if rpc is None or urlsplit(rpc).scheme not in ("http", "https"):
            raise refuse("--rpc must be a URL that starts with http:// or https://", UNUSABLE)
        return _Source(rpc, None)
    if chain is None:
        raise refuse("--config needs --chain as well", UNUSABLE)
    return _Source(None, evm_chain_of(config_of(config), chain))


@asynccontextmanager
async def _execution(source: _Source, chain_id: int, random: Random) -> "AsyncIterator[ExecutionRpc]":
    from hutong.adapters.evm.submit import evm_reverts
    from hutong.adapters.ics26.execution import ExecutionRpc, identify_execution
    from hutong.adapters.rpc import RpcOptions, open_rpc_client
    from hutong.relay.core.topology.chains import open_chain

    if source.chain is not None:
        async with open_chain(source.chain, random) as chain:
            await chain.check_identity()
            yield chain.execution
        return
    identify = partial(identify_execution, chain_id=chain_id)
    async with open_rpc_client("chain", (source.rpc or "",), random, RpcOptions(), identify) as client:
        yield ExecutionRpc(client, evm_reverts())


async def _standing(source: _Source, expected: "Rights", random: Random) -> "Rights":
    """Of the contracts that the file names."""
    from eth_utils.address import to_canonical_address

    from hutong.adapters.evm.administration.rights_reading import read_rights

    contracts = {name: bytes(to_canonical_address(target.address)) for name, target in expected.targets.items()}
    async with _execution(source, expected.chain_id, random) as execution:
        chain_id = expected.chain_id if source.chain is None else source.chain.chain_id
        return await read_rights(execution, chain_id, contracts, expected.height)


async def _read(source: _Source, chain_id: int, router: bytes, from_height: int, random: Random) -> "Rights":
    from hutong.adapters.evm.administration.rights_reading import contracts_of, read_rights

    async with _execution(source, chain_id, random) as execution:
        return await read_rights(execution, chain_id, await contracts_of(execution, router), from_height)
