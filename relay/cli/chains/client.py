"""`hutong client`: light clients, wherever they live."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.administration.addresses import decider_of
from hutong.relay.administration.configured import (
    chain_of,
    client_end_of,
    evm_chain_of,
    followed_of,
    hub_of,
    member_chain_of,
)
from hutong.relay.administration.cosmos_recovery import RecoveryWish, deposit_of, recover_by_proposal
from hutong.relay.administration.router_recovery import RouterOrder, recover_router_client
from hutong.relay.cli.chains import quota
from hutong.relay.cli.chains.client_creation import create
from hutong.relay.cli.chains.client_upgrade import upgrade
from hutong.relay.cli.chains.logs.packets import commitment, deliver, observe
from hutong.relay.cli.chains.misbehaviour import misbehaviour
from hutong.relay.cli.chains.rotation import rotate
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import (
    AsJson,
    ConfigFile,
    DecideAs,
    HostChain,
    HostedClient,
    HubName,
    PasswordEnv,
    PasswordFile,
)
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, run_administration, signer_of
from hutong.relay.cli.common.signers import OptionalHubAdminOptions, SignerOptions
from hutong.relay.config import Config, CosmosChainConfig
from hutong.relay.keys import Signer
from hutong.relay.verify.inputs import read_state

app = command_group("Light clients.")
app.add_typer(quota.app, name="quota")
app.command()(commitment)
app.command()(create)
app.command()(deliver)
app.command()(observe)
app.command()(misbehaviour)
app.command()(rotate)
app.command()(upgrade)


@app.command(name="list")
def list_(config: ConfigFile, as_json: AsJson = False) -> None:
    """Every client of the configured paths with its status, age and time to expiry. All chains are asked at once.

    Exit code 1: a chain does not answer, or has no such client; the others' clients are listed.
    """
    from hutong.relay.administration.clients.listing import list_clients

    loaded = config_of(config)
    ends = [end for path in loaded.paths for end in (path.a, path.b)]
    found = run_administration(partial(list_clients, loaded, ends))
    if as_json:
        typer.echo(json.dumps([line.as_dict() for line in found.lines]))
    for line in () if as_json else found.lines:
        typer.echo(
            f"{line.chain:12} {line.client:16} {line.type:14} {line.status:8} height {line.latest_height:12} "
            f"age {line.age_s} s, expires in {line.expires_in_s} s, counterparty {line.counterparty or '-'}"
        )
    if found.refusals:
        raise Refused("\n".join(found.refusals), REFUSED)


@app.command()
def status(config: ConfigFile, chain: HostChain, client: HostedClient, as_json: AsJson = False) -> None:
    """One client. Exit code 0 if it is Active, 1 if it is frozen, expired or unknown."""
    from hutong.relay.administration.clients.updates import read_clients

    loaded = config_of(config)
    (line,) = run_administration(partial(read_clients, loaded, [client_end_of(loaded, chain, client)]))
    if as_json:
        typer.echo(json.dumps(line.as_dict()))
    else:
        for name, value in line.as_dict().items():
            typer.echo(f"{name}: {value if value is not None else '-'}")
    if line.status != "Active":
        raise typer.Exit(REFUSED)


@app.command()
def update(
    config: ConfigFile,
    chain: HostChain,
    client: HostedClient,
    follows: Annotated[
        str | None,
        typer.Option(
            help="Chain or signed log that it follows; unneeded if it is an end of a configured path (substitutes are not)."
        ),
    ] = None,
    message: Annotated[
        Path | None, typer.Option(help="File with an update message made elsewhere, raw or hex, in place of a node's.")
    ] = None,
    *,
    payer: SignerOptions,
) -> None:
    """Bring a client to the newest header of the chain that it follows. Not with the key of a running relay."""
    from hutong.relay.administration.clients.updates import bring_to_log, bring_to_newest, submit_update

    loaded = config_of(config)
    end = client_end_of(loaded, chain, client)
    host = chain_of(loaded, end.chain)
    if message is not None:
        header = read_state(message)
        signer = payer.open()
        height = run_administration(partial(submit_update, host, end.client, header, signer))
        typer.echo(f"{chain} {client} is at height {height}")
        return
    log = None if follows is None else loaded.log(follows)
    if log is not None:
        signer = payer.open()
        height = run_administration(partial(bring_to_log, host, end.client, log, signer))
        typer.echo(f"{chain} {client} is at height {height}")
        return
    followed = chain_of(loaded, followed_of(loaded, end).chain if follows is None else follows)
    signer = payer.open()
    height = run_administration(partial(bring_to_newest, host, end.client, followed, signer))
    typer.echo(f"{chain} {client} is at height {height}")


@dataclass(frozen=True, slots=True)
class OnChainOptions:
    """A client that is not the hub's: on which chain, and whose keystore acts there."""

    chain: Annotated[str | None, typer.Option(help="EVM or Cosmos chain that has the client; without it the hub.")] = (
        None
    )
    keystore: Annotated[
        Path | None,
        typer.Option(
            help="With --chain: keystore of a holder of the migrator role, on a Cosmos chain of who pays the deposit."
        ),
    ] = None
    password_file: PasswordFile = None
    password_env: PasswordEnv = None
    decide_as: DecideAs = None
    deposit: Annotated[
        str | None,
        typer.Option(help="On a Cosmos chain: of the proposal, as 10000000stake; else what the chain asks for."),
    ] = None
    vote: Annotated[
        bool,
        typer.Option(
            "--vote", help="On a Cosmos chain: vote yes with the same account and wait for the end (test chains)."
        ),
    ] = False

    def open(self) -> Signer:
        """Open the keystore.

        Raises:
            Refused: code 2, none is given, or as `signer_of`.
        """
        if self.keystore is None:
            raise Refused("--chain goes with --keystore", UNUSABLE)
        return signer_of(self.keystore, self.password_file, self.password_env)


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
    hub: HubName = None,
    *,
    there: OnChainOptions,
    admins: OptionalHubAdminOptions,
) -> None:
    """Let a frozen or expired client go on with a substitute's state (ICS-02 recovery).

    On a router whose migrations are delayed the first call schedules, and the same command with the substitute that it
    prints executes after the delay; exit code 1 until then. On a Cosmos chain it makes a governance proposal and prints
    its number: the client is recovered when that has passed.
    """
    from hutong.relay.administration.clients.on_hub import recover as recover_on_hub

    loaded = config_of(config)
    if there.chain is not None:
        owner = there.open()
        deposit = None if there.deposit is None else deposit_of(there.deposit)
        wish = RecoveryWish(subject, substitute, deposit, there.vote)
        _recover_on_chain(loaded, there.chain, wish, owner, decider_of(there.decide_as, owner))
        return
    if there.decide_as is not None:
        raise Refused("--decide-as goes with --chain; on the hub its members decide with --hub-admin", UNUSABLE)
    if substitute is None or not admins.hub_admin:
        raise Refused("the hub's client needs --substitute and --hub-admin", UNUSABLE)
    deciding = admins.open()
    run_administration(partial(recover_on_hub, hub_of(loaded, hub), subject, substitute, deciding))
    typer.echo(f"{subject} has taken over the state of {substitute}")


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
