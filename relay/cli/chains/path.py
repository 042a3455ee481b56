"""`hutong path`: two chains that hold light clients of each other."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Annotated, TypeAlias

import typer

from hutong.relay.administration.beginnings import Beginning
from hutong.relay.administration.cosmos_paths import create_cosmos_path
from hutong.relay.administration.paths import (
    CreatedPath,
    Member,
    Trust,
    continue_with_hub,
    create_direct,
    create_with_hub,
)
from hutong.relay.base.durations import DAY_S
from hutong.relay.cli.chains.attestors import attestors_of
from hutong.relay.cli.chains.path_options import (
    BeginningOptions,
    ClockDrift,
    EvmEndOptions,
    MailboxAddress,
    TrustOptions,
)
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import (
    AsJson,
    ConfigFile,
    HubName,
    PasswordEnv,
    PasswordFile,
)
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import (
    address_of,
    chain_of,
    config_of,
    evm_chain_of,
    hub_of,
    member_chain_of,
    run_administration,
    signer_of,
)
from hutong.relay.cli.common.signers import HubAdminOptions, SignerOptions
from hutong.relay.config import CosmosChainConfig, EvmChainConfig, HubChainConfig
from hutong.relay.keys import Signer

app = command_group("Paths between chains.")

Work: TypeAlias = Callable[[Random], Awaitable[CreatedPath]]
"""What is run once all options are known to be good."""
TrustingPeriod = Annotated[int, typer.Option(min=1)]


@dataclass(frozen=True, slots=True)
class _PathWish:
    """What is asked of a path to an EVM chain."""

    end: EvmEndOptions
    trust: TrustOptions
    beginnings: BeginningOptions


@app.command()
@grouped
def create(
    config: ConfigFile,
    chain: Annotated[str, typer.Option(help="Name of the EVM or Cosmos chain in the configuration.")],
    hub: HubName = None,
    as_json: AsJson = False,
    *,
    payer: SignerOptions,
    admins: HubAdminOptions,
    end: EvmEndOptions,
    trust: TrustOptions,
    beginnings: BeginningOptions,
) -> None:
    """Create the hub's client of the chain and the chain's client of the hub, each as the other's counterparty.

    Shows on standard error from which block each client begins, its height and hash, and asks before anything is sent;
    blocks that are pinned are compared instead. Prints the `[[paths]]` entry for the relay's configuration; for an attested
    chain also, on standard error, the `[[destinations]]` entry for its attestors.
    """
    loaded = config_of(config)
    member, hub_chain = member_chain_of(loaded, chain), hub_of(loaded, hub)
    if isinstance(member, CosmosChainConfig):
        _only_for_evm(
            chain,
            mailbox=end.mailbox,
            transfer=end.transfer,
            attestor=end.attestor,
            unbonding_period_s=trust.unbonding_period_s,
            trusted_root=trust.trusted_root,
            min_participants=trust.min_participants,
        )
        agreement, owner = beginnings.agreement(), payer.open()
        wish = trust.of_cosmos_chain()
        work: Work = partial(create_cosmos_path, member, owner, hub_chain, admins.open(), wish, agreement)
    else:
        work = _with_evm_member(member, hub_chain, payer, admins, _PathWish(end, trust, beginnings))
    _print(run_administration(work, as_json=as_json), as_json)


def _with_evm_member(
    chain: EvmChainConfig, hub: HubChainConfig, payer: SignerOptions, admins: HubAdminOptions, wish: _PathWish
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
    a_keystore: Annotated[Path, typer.Option(help="Keystore of the account that owns A's contracts.")],
    b_keystore: Annotated[Path, typer.Option(help="The same on B.")],
    a_password_file: PasswordFile = None,
    b_password_file: PasswordFile = None,
    a_password_env: PasswordEnv = None,
    b_password_env: PasswordEnv = None,
    a_mailbox: MailboxAddress = None,
    b_mailbox: MailboxAddress = None,
    a_attestor: Annotated[list[str], typer.Option(help="Address of an attestor of A; once for each.")] = [],  # noqa: B006
    b_attestor: Annotated[list[str], typer.Option(help="Address of an attestor of B; once for each.")] = [],  # noqa: B006
    a_threshold: Annotated[int, typer.Option(min=1, help="How many attestors of A must sign.")] = 1,
    b_threshold: Annotated[int, typer.Option(min=1, help="How many attestors of B must sign.")] = 1,
    trusting_period_s: TrustingPeriod = 7 * DAY_S,
    max_clock_drift_s: ClockDrift = 15,
    as_json: AsJson = False,
) -> None:
    """Connect two attested EVM chains without a hub: a client of each on the other.

    Prints the `[[paths]]` entry for the relay's configuration and, on standard error, the `[[destinations]]` entries
    for the attestors of both chains.
    """
    loaded = config_of(config)
    for name in (a, b):
        if isinstance(chain_of(loaded, name), CosmosChainConfig):
            raise Refused(
                f"not supported: a path without a hub to {name}, of kind cosmos: its clients verify no EVM chain",
                UNUSABLE,
            )
    chain_a, chain_b = evm_chain_of(loaded, a), evm_chain_of(loaded, b)
    if a == b:
        raise Refused("a path joins two chains", UNUSABLE)
    for end in (chain_a, chain_b):
        if end.consensus != "attested":
            raise Refused(
                f"not supported: a path without a hub to {end.name}, whose consensus is {end.consensus}:"
                " EVM chains hold no light client of it",
                UNUSABLE,
            )
    members = (
        _direct_member(
            chain_a, signer_of(a_keystore, a_password_file, a_password_env), a_mailbox, a_attestor, a_threshold, "--a"
        ),
        _direct_member(
            chain_b, signer_of(b_keystore, b_password_file, b_password_env), b_mailbox, b_attestor, b_threshold, "--b"
        ),
    )
    trust = Trust(trusting_period_s, 2 * trusting_period_s, max_clock_drift_s)
    _print(run_administration(partial(create_direct, *members, trust)), as_json)


def _only_for_evm(chain: str, **options: object) -> None:
    for name, value in options.items():
        if value:
            raise Refused(f"--{name.replace('_', '-')} is for EVM chains; {chain} is of kind cosmos", UNUSABLE)


def _direct_member(
    chain: EvmChainConfig, owner: Signer, mailbox: str | None, addresses: list[str], threshold: int, option: str
) -> Member:
    if mailbox is not None:
        address_of(mailbox, f"{option}-mailbox")
    return Member(chain, owner, mailbox, attestors_of(chain, addresses, threshold, f"{option}-attestor"))


def _shown(one: Beginning) -> dict[str, str]:
    return {"on": one.host, "of": one.followed, "height": one.height, "hash": f"0x{one.block_hash.hex()}"}


def _print(path: CreatedPath, as_json: bool) -> None:
    ends = [{"chain": chain, "client": client} for chain, client in (path.a, path.b)]
    if as_json:
        document = {"a": ends[0], "b": ends[1]}
        if path.destinations:
            document["destinations"] = [asdict(destination) for destination in path.destinations]  # type: ignore[assignment]
        if path.beginnings:
            document["begins"] = [_shown(one) for one in path.beginnings]  # type: ignore[assignment]
        typer.echo(json.dumps(document))
        return
    sides = [
        f'{side} = {{ chain = "{end["chain"]}", client = "{end["client"]}" }}'
        for side, end in zip("ab", ends, strict=True)
    ]
    typer.echo("\n".join(["[[paths]]", *sides]))
    for to in path.destinations:  # to stderr: what is printed can be appended to the relay's file as it is
        typer.echo(
            f"# for every attestor of {to.source}\n[[destinations]]\n"
            f'chain_id = "{to.chain_id}"\nrouter = "{to.router}"\nclient = "{to.client}"\n',
            err=True,
        )
