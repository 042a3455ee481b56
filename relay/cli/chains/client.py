"""`hutong client`: light clients, wherever they live."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer

from hutong.relay.administration.cosmos_recovery import RecoveryWish, recover_by_proposal
from hutong.relay.administration.hub_trust import approve
from hutong.relay.administration.router_recovery import RouterOrder, recover_router_client
from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.chains import quota
from hutong.relay.cli.chains.client_creation import create, read_state
from hutong.relay.cli.chains.client_upgrade import upgrade
from hutong.relay.cli.chains.misbehaviour import misbehaviour
from hutong.relay.cli.chains.rotation import rotate
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import (
    AsJson,
    ConfigFile,
    DecideAs,
    HostChain,
    HostedClient,
    HubAdminPasswordFiles,
    HubAdmins,
    HubName,
    PasswordEnv,
    PasswordFile,
)
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import (
    address_of,
    admins_of,
    chain_of,
    client_end_of,
    config_of,
    evm_chain_of,
    followed_of,
    hub_of,
    member_chain_of,
    run_administration,
    signer_of,
)
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.config import Config, CosmosChainConfig, HubChainConfig, PathEnd
from hutong.relay.keys import Signer

app = command_group("Light clients.")
app.add_typer(quota.app, name="quota")
app.command()(create)
app.command()(misbehaviour)
app.command()(rotate)
app.command()(upgrade)

NANOSECONDS_PER_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ClientLine:
    """One client as it is printed; ages and periods in seconds."""

    chain: str
    client: str
    type: str
    status: str
    latest_height: str
    age_s: int
    expires_in_s: int
    counterparty: str | None

    @classmethod
    def of(cls, end: PathEnd, info: Any, now_ns: int) -> "ClientLine":
        """The line of a client: how old its newest state is at `now_ns`, nanoseconds of Unix time, and when it expires.

        `expires_in_s` is below zero for one that has expired.
        """
        age_ns = now_ns - info.latest_timestamp_ns
        return cls(
            end.chain,
            end.client,
            info.client_type,
            str(info.status),
            str(info.latest_height),
            age_ns // NANOSECONDS_PER_SECOND,
            (info.trusting_period_ns - age_ns) // NANOSECONDS_PER_SECOND,
            info.counterparty_client_id,
        )

    def as_dict(self) -> dict[str, str | int | None]:
        """The fields that `--json` prints, by their names."""
        return {name: getattr(self, name) for name in self.__slots__}


@app.command(name="list")
def list_(config: ConfigFile, as_json: AsJson = False) -> None:
    """Every client of the configured paths with its status, age and time to expiry."""
    loaded = config_of(config)
    ends = [end for path in loaded.paths for end in (path.a, path.b)]
    lines = run_administration(partial(_read, loaded, ends))
    if as_json:
        typer.echo(json.dumps([line.as_dict() for line in lines]))
        return
    for line in lines:
        typer.echo(
            f"{line.chain:12} {line.client:16} {line.type:14} {line.status:8} height {line.latest_height:12} "
            f"age {line.age_s} s, expires in {line.expires_in_s} s, counterparty {line.counterparty or '-'}"
        )


@app.command()
def status(
    config: ConfigFile,
    chain: HostChain,
    client: HostedClient,
    as_json: AsJson = False,
) -> None:
    """One client. Exit code 0 if it is Active, 1 if it is frozen, expired or unknown."""
    loaded = config_of(config)
    (line,) = run_administration(partial(_read, loaded, [client_end_of(loaded, chain, client)]))
    if as_json:
        typer.echo(json.dumps(line.as_dict()))
    else:
        for name, value in line.as_dict().items():
            typer.echo(f"{name}: {value if value is not None else '-'}")
    if line.status != "Active":
        raise typer.Exit(REFUSED)


@app.command()
@grouped
def update(
    config: ConfigFile,
    chain: HostChain,
    client: HostedClient,
    follows: Annotated[
        str | None,
        typer.Option(
            help="Chain that it follows; unneeded if it is an end of a configured path (substitutes are not)."
        ),
    ] = None,
    message: Annotated[
        Path | None, typer.Option(help="File with an update message made elsewhere, raw or hex, in place of a node's.")
    ] = None,
    *,
    payer: SignerOptions,
) -> None:
    """Bring a client to the newest header of the chain that it follows. Not with the key of a running relay."""
    loaded = config_of(config)
    end = client_end_of(loaded, chain, client)
    if message is not None:
        header = read_state(message)
        signer = payer.open()
        height = run_administration(partial(_submit, loaded, end, header, signer))
        typer.echo(f"{chain} {client} is at height {height}")
        return
    followed = followed_of(loaded, end).chain if follows is None else chain_of(loaded, follows).name
    signer = payer.open()
    height = run_administration(partial(_update, loaded, end, followed, signer))
    typer.echo(f"{chain} {client} is at height {height}")


@app.command()
def recover(
    config: ConfigFile,
    subject: Annotated[str, typer.Option(help="The frozen or expired client.")],
    substitute: Annotated[
        str | None,
        typer.Option(
            help="On the hub: an active client of the same chain with the same parameters. On a router: the address of a "
            "light client contract, on a Cosmos chain a client; without it one is made."
        ),
    ] = None,
    chain: Annotated[
        str | None, typer.Option(help="EVM or Cosmos chain that has the client; without it the hub.")
    ] = None,
    keystore: Annotated[
        Path | None,
        typer.Option(
            help="With --chain: keystore of a holder of the migrator role, on a Cosmos chain of who pays the deposit."
        ),
    ] = None,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
    hub_admin: HubAdmins = [],  # noqa: B006  typer reads it
    hub_admin_password_file: HubAdminPasswordFiles = [],  # noqa: B006
    hub: HubName = None,
    decide_as: DecideAs = None,
    deposit: Annotated[
        str | None,
        typer.Option(help="On a Cosmos chain: of the proposal, as 10000000stake; else what the chain asks for."),
    ] = None,
    vote: Annotated[
        bool,
        typer.Option(
            "--vote", help="On a Cosmos chain: vote yes with the same account and wait for the end (test chains)."
        ),
    ] = False,
) -> None:
    """Let a frozen or expired client go on with a substitute's state (ICS-02 recovery).

    On a router whose migrations are delayed the first call schedules, and the same command with the substitute that it
    prints executes after the delay; exit code 1 until then. On a Cosmos chain it makes a governance proposal and prints
    its number: the client is recovered when that has passed.
    """
    loaded = config_of(config)
    account = None if decide_as is None else address_of(decide_as, "--decide-as")
    if chain is not None:
        if keystore is None:
            raise Refused("--chain goes with --keystore", UNUSABLE)
        owner = signer_of(keystore, password_file, password_env)
        wish = RecoveryWish(subject, substitute, None if deposit is None else _coin(deposit), vote)
        _recover_on_chain(loaded, chain, wish, owner, account)
        return
    if account is not None:
        raise Refused("--decide-as goes with --chain; on the hub its members decide with --hub-admin", UNUSABLE)
    if substitute is None or not hub_admin:
        raise Refused("the hub's client needs --substitute and --hub-admin", UNUSABLE)
    admins = admins_of(hub_admin, hub_admin_password_file)
    run_administration(partial(_recover, hub_of(loaded, hub), subject, substitute, admins))
    typer.echo(f"{subject} has taken over the state of {substitute}")


def _coin(text: str) -> tuple[int, str]:
    """`10stake`; Refused for anything else."""
    match = re.fullmatch(r"([1-9][0-9]{0,77})([a-zA-Z][a-zA-Z0-9/:._-]{2,127})", text)
    if match is None:
        raise Refused(
            f"--deposit: {text[:80]!r} is not an amount with its denomination, such as 10000000stake", UNUSABLE
        )
    return int(match[1]), match[2]


def _recover_on_chain(config: Config, chain: str, wish: RecoveryWish, owner: Signer, account: bytes | None) -> None:
    """`account`, if given, is who decides in place of `owner`: its calls are printed."""
    from eth_utils.address import is_hex_address, to_canonical_address

    member = member_chain_of(config, chain)
    if isinstance(member, CosmosChainConfig):
        if account is not None:
            raise Refused(f"--decide-as is for EVM chains; {chain} is of kind cosmos", UNUSABLE)
        _recover_by_proposal(config, member, wish, owner)
        return
    if wish.vote or wish.deposit is not None:
        raise Refused(f"--vote and --deposit are for Cosmos chains; {chain} is of kind {member.kind}", UNUSABLE)
    if wish.substitute is not None and not is_hex_address(wish.substitute):
        raise Refused(f"--substitute: {wish.substitute[:80]!r} is not an address", UNUSABLE)
    contract = None if wish.substitute is None else bytes(to_canonical_address(wish.substitute))
    _recover_on_router(config, chain, RouterOrder(wish.subject, contract, account), owner)


def _recover_by_proposal(config: Config, cosmos: CosmosChainConfig, wish: RecoveryWish, owner: Signer) -> None:
    followed = followed_of(config, client_end_of(config, cosmos.name, wish.subject, "--subject"))
    done = run_administration(partial(recover_by_proposal, config, cosmos, followed, wish, owner))
    proposal, what = done.proposal, f"{cosmos.name} {wish.subject}"
    typer.echo(f"proposal: {proposal.id}")
    if proposal.status.is_open:
        typer.echo(
            f"{what} goes on with {done.substitute} if proposal {proposal.id} passes; votes are taken for"
            f" {done.voting_period_s} s once its deposit is complete"
        )
    elif proposal.status.name == "PASSED":
        typer.echo(f"{what} goes on with {done.substitute}")
    else:
        reason = f": {proposal.failed_reason}" if proposal.failed_reason else ""
        raise Refused(f"proposal {proposal.id} was {proposal.status.name.lower()}{reason}", REFUSED)


def _recover_on_router(config: Config, chain: str, order: RouterOrder, owner: Signer) -> None:
    subject = order.subject
    evm = evm_chain_of(config, chain)
    followed = followed_of(config, client_end_of(config, chain, subject, "--subject"))
    done = run_administration(partial(recover_router_client, config, evm, followed, order, owner))
    if done.progress.ready_at_s is None:
        typer.echo(f"{chain} {subject} goes on with {done.substitute}")
        return
    ready = datetime.fromtimestamp(done.progress.ready_at_s, UTC).isoformat(timespec="seconds")
    typer.echo(
        f"scheduled: {done.substitute} may stand behind {chain} {subject} from {ready} on, in {done.progress.wait_s} s.\n"
        f"Run the command again then, with --substitute {done.substitute}; pausers can cancel it until it is done, "
        "and after a week it has to be scheduled anew."
    )
    raise typer.Exit(REFUSED)


async def _read(config: Config, ends: Sequence[PathEnd], random: Random) -> list[ClientLine]:
    from hutong.relay.core.topology.chains import open_chain

    lines = []
    for end in ends:
        async with open_chain(chain_of(config, end.chain), random) as chain:
            lines.append(ClientLine.of(end, await chain.client(end.client), time.time_ns()))
    return lines


async def _update(config: Config, end: PathEnd, followed: str, signer: Signer, random: Random) -> str:
    from hutong.adapters.interface import Batch, UpdateClient
    from hutong.relay.administration.submission import submit_batch
    from hutong.relay.core.route.catching_up import in_transactions
    from hutong.relay.core.topology.chains import open_chain

    async with (
        open_chain(config.chain(end.chain), random) as host,
        open_chain(config.chain(followed), random) as source,
    ):
        info = await host.client(end.client)
        target = source.proving_height((await source.head()).height - 1)
        while info.latest_height < target:
            step = target
            if source.blocks_per_update is not None:
                furthest = info.latest_height.revision_height + source.blocks_per_update
                step = min(target, replace(target, revision_height=furthest))
            headers = await source.client_messages(info.client_type, info.client_state, info.latest_height, step)
            updates = tuple(UpdateClient(end.client, header) for header in headers)
            for group in in_transactions(updates, host.batch_limits):
                await submit_batch(host, Batch(group), signer, "updateClient")
            before, info = info, await host.client(end.client)
            if info.latest_height <= before.latest_height:
                break  # somebody froze it, or the node answers with an older state: the height says so
        return str(info.latest_height)


async def _submit(config: Config, end: PathEnd, header: bytes, signer: Signer, random: Random) -> str:
    from hutong.adapters.interface import Batch, UpdateClient
    from hutong.relay.administration.submission import submit_batch
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(config.chain(end.chain), random) as host:
        await submit_batch(host, Batch((UpdateClient(end.client, header),)), signer, "updateClient")
        return str((await host.client(end.client)).latest_height)


async def _recover(
    hub: HubChainConfig, subject: str, substitute: str, admins: Sequence[Signer], random: Random
) -> None:
    from hutong.adapters.hub import HubChain
    from hutong.adapters.hub.admin import recover_client
    from hutong.adapters.ics26.transactor import Transactor
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(hub, random) as chain:
        if not isinstance(chain, HubChain):
            raise TypeError("a hub")
        await chain.check_identity()
        chain_id = await chain.eth_chain_id()
        transactors = [Transactor(chain.execution, chain_id, admin) for admin in admins]
        await approve(hub, chain, transactors, recover_client(new_salt(), subject, substitute))
