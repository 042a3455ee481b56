"""`hutong transfer`: tokens between chains, their limits, and amounts that wait for their owners."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.administration.addresses import address_of, decider_of
from hutong.relay.administration.configured import chain_of, evm_chain_of, member_chain_of, only_client_of
from hutong.relay.administration.holding import Holding
from hutong.relay.cli.chains.transfer_options import WHAT_IS_SENT, SendOptions, WindowOptions
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile, DecideAs, EvmChainName
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.config import Config, CosmosChainConfig, EvmChainConfig, HubChainConfig
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.evm import EvmChain
    from hutong.adapters.evm.administration.transfer import Limit, SentTransfer
    from hutong.adapters.hub.transfers import SentFromHub
    from hutong.relay.administration.evm.limits import LimitScope
    from hutong.relay.administration.evm.transfers import Packet

app = command_group("Tokens between chains.")
limits = command_group("What may move of a token in a window.")
app.add_typer(limits, name="limits")


AnyChain = Annotated[str, typer.Option(help="Name of the chain, or of the hub, in the configuration.")]
TransferAddress = Annotated[str, typer.Option("--transfer", help="Address of its Transfer.")]
Token = Annotated[
    str, typer.Option(help="Address of the ERC-20 or voucher, or a voucher's trace (transfer/client-0/…).")
]
OptionalTransfer = Annotated[str | None, typer.Option("--transfer", help="Address of an EVM chain's Transfer.")]
LimitedClient = Annotated[str | None, typer.Option("--client", help="Limit one token over this client of the chain.")]
Origin = Annotated[
    str | None,
    typer.Option(
        help="Limit each token of an origin: the hops of its trace, or an empty text for tokens of this chain."
    ),
]


@dataclass(frozen=True, slots=True)
class LimitedOptions:
    """What a limit is about."""

    token: Annotated[str | None, typer.Option(help="With --client: the token that is limited.")] = None
    client: LimitedClient = None
    origin: Origin = None

    def scope(self) -> "LimitScope":
        """A token over a client, or each token of an origin.

        Raises:
            Refused: code 2, it is both or neither, or the token is missing or too much.
        """
        scope = _scope(self.client, self.origin)
        if (self.client is None) != (self.token is None):
            raise Refused("--token goes with --client; --origin is about each token of the origin", UNUSABLE)
        return scope


@dataclass(frozen=True, slots=True)
class PacketOptions:
    """A packet whose amount waits."""

    client: Annotated[str, typer.Option("--client", help="This chain's client over which the packet went.")]
    sequence: Annotated[int, typer.Option(help="The packet's sequence.", min=1)]

    def of(self, *, refund: bool) -> "Packet":
        """The same as a Transfer names it."""
        from hutong.relay.administration.evm.transfers import Packet

        return Packet(refund, self.client, self.sequence)


REFUND_HELP = "The amount is a refund that could not be paid, not a large receive that waited."


@app.command()
def send(
    config: ConfigFile,
    chain: AnyChain,
    transfer: OptionalTransfer = None,
    as_json: AsJson = False,
    *,
    payer: SignerOptions,
    wish: SendOptions,
) -> None:
    """Send tokens, after allowing Transfer to take them where that is needed. Prints the packet's id.

    What cannot arrive is refused before anything is paid: a receiver that is no address of the destination, a client
    that leads nowhere, a way that is not the token's, an amount that is not held, and tokens that would stay on the hub
    without --stay-on-hub. With --chain HUB tokens that stayed there go home, or over --client to another of its chains.
    """
    from hutong.relay.administration.evm.transfers import parse_token
    from hutong.relay.api.sending.checking import send_checked_from_cosmos

    if wish.memo and wish.next_client is not None:
        raise Refused("with --next-client the memo is the instruction to the hub; leave --memo out", UNUSABLE)
    if wish.stay_on_hub and wish.next_client is not None:
        raise Refused("with --next-client the tokens do not stay on the hub; leave --stay-on-hub out", UNUSABLE)
    loaded = config_of(config)
    named = chain_of(loaded, chain)
    if isinstance(named, HubChainConfig):
        _send_from_hub(loaded, named, transfer, payer, wish, as_json=as_json)
        return
    member = member_chain_of(loaded, chain)
    signer = payer.open()
    if isinstance(member, CosmosChainConfig):
        if transfer is not None:
            raise Refused(f"--transfer is for EVM chains; {chain} is of kind cosmos", UNUSABLE)
        over = wish.client or only_client_of(loaded, chain)
        _demand_its_end(loaded, chain, over, wish)
        packet, denom = run_administration(
            partial(send_checked_from_cosmos, loaded, member, signer, wish.from_cosmos(over), not wish.unchecked)
        )
        _print_sent(chain, over, packet.sequence, denom, packet.transaction_hash, as_json)
        return
    if transfer is None:
        raise Refused(f"{chain} is an EVM chain: name its --transfer", UNUSABLE)
    parse_token(wish.token)
    at = address_of(transfer, "--transfer")
    sent = run_administration(partial(_send_from_evm, loaded, member, signer, at, wish))
    _print_sent(chain, sent.client, sent.sequence, sent.denom, sent.transaction_hash, as_json)


def _send_from_hub(
    config: Config, hub: HubChainConfig, transfer: str | None, payer: SignerOptions, wish: SendOptions, *, as_json: bool
) -> None:
    from hutong.relay.administration.hub.transfers import denom_on_hub, send_from, way_home
    from hutong.relay.api.sending.checking import choice_over

    denom = denom_on_hub(wish.token)
    for option, given in (
        ("--transfer", transfer),
        ("--next-client", wish.next_client),
        ("--stay-on-hub", wish.stay_on_hub),
    ):
        if given:
            raise Refused(f"{option} is not for tokens on the hub {hub.name}: leave it out", UNUSABLE)
    over = wish.client or way_home(denom)

    async def send_on(random: Random) -> "SentFromHub":
        if not wish.unchecked:
            choice_over(config, hub.name, over, None, wish.receiver).way_for(denom)
        return await send_from(hub, signer, wish.from_hub(over, denom), random)

    signer = payer.open()
    sent = run_administration(send_on)
    _print_sent(hub.name, sent.client, sent.sequence, sent.denom, sent.transaction_hash, as_json)


async def _send_from_evm(
    config: Config, evm: EvmChainConfig, signer: Signer, transfer: bytes, wish: SendOptions, random: Random
) -> "SentTransfer":
    from hutong.relay.administration.evm.transfers import send
    from hutong.relay.api.sending.checking import check_on_evm, choice_over

    order = wish.from_evm()
    if wish.client and not wish.unchecked:
        choice_over(config, evm.name, wish.client, wish.next_client, wish.receiver)  # asks nobody

    async def before(adapter: "EvmChain", client: str) -> None:
        _demand_its_end(config, evm.name, client, wish)
        if not wish.unchecked:
            choice = choice_over(config, evm.name, client, wish.next_client, wish.receiver)
            await check_on_evm(adapter, transfer, choice, signer.address, order)

    return await send(evm, signer, transfer, order, before, random)


def _demand_its_end(config: Config, chain: str, client: str, wish: SendOptions) -> None:
    """Tokens on the hub are not where most who forget --next-client want them, and do not come back by themselves.

    Raises:
        Refused: code 2, the transfer would end on the hub, and nobody said that it shall.
    """
    from hutong.relay.api.sending.checking import end_on_hub

    if wish.next_client is not None or wish.stay_on_hub:
        return
    said = end_on_hub(config, chain, client)
    if said is not None:
        raise Refused(f"{said}; to leave the tokens on the hub give --stay-on-hub. Nothing was sent", UNUSABLE)


def _print_sent(chain: str, client: str, sequence: int, denom: str, transaction_hash: bytes, as_json: bool) -> None:
    packet = f"{chain}/{client}/{sequence}"
    if as_json:
        document = {"packet": packet, "client": client, "sequence": sequence, "denom": denom}
        typer.echo(json.dumps({**document, "transaction": f"0x{transaction_hash.hex()}"}))
        return
    typer.echo(packet)


@app.command()
def balance(
    config: ConfigFile,
    chain: AnyChain,
    holder: Annotated[str, typer.Option(help="The account's address there.")],
    token: Annotated[
        str | None, typer.Option(help=f"{WHAT_IS_SENT} Without it everything (Cosmos chains only).")
    ] = None,
    transfer: OptionalTransfer = None,
    as_json: AsJson = False,
) -> None:
    """What an account holds of a token, in its smallest unit."""
    from hutong.relay.administration.cosmos_transfers import holdings
    from hutong.relay.administration.evm.transfers import held_by, parse_token
    from hutong.relay.administration.hub.transfers import denom_on_hub, held_on

    loaded = config_of(config)
    named = chain_of(loaded, chain)
    held: Sequence[Holding]
    if isinstance(named, HubChainConfig):
        if token is None:
            raise Refused(f"{chain} is a hub: name the --token", UNUSABLE)
        held = run_administration(partial(held_on, named, denom_on_hub(token), address_of(holder, "--holder")))
    elif isinstance(member := member_chain_of(loaded, chain), CosmosChainConfig):
        held = run_administration(partial(holdings, member, holder, token))
    else:
        if token is None:
            raise Refused(f"{chain} is an EVM chain: name the --token", UNUSABLE)
        wanted, at = parse_token(token), None if transfer is None else address_of(transfer, "--transfer")
        if at is None and isinstance(wanted, str):
            raise Refused("a voucher's trace is looked up at its --transfer", UNUSABLE)
        held = [run_administration(partial(held_by, member, at, wanted, address_of(holder, "--holder")))]
    if as_json:
        typer.echo(json.dumps([asdict(one) | {"amount": str(one.amount)} for one in held]))
        return
    for one in held:
        typer.echo(f"{one.amount} {one.denom}" + (f"  {one.trace}" if one.trace not in (None, one.denom) else ""))


@limits.command()
def show(
    config: ConfigFile,
    chain: EvmChainName,
    transfer: TransferAddress,
    token: Token,
    client: LimitedClient = None,
    origin: Origin = None,
    as_json: AsJson = False,
) -> None:
    """A limit, what its current window has moved of a token, and when that window ends."""
    from hutong.adapters.evm.administration.moments import moment_text
    from hutong.relay.administration.evm.limits import read_limit
    from hutong.relay.administration.evm.transfers import parse_token

    scope = _scope(client, origin)
    evm = evm_chain_of(config_of(config), chain)
    now = run_administration(partial(read_limit, evm, address_of(transfer, "--transfer"), parse_token(token), scope))
    use = now.use
    if as_json:
        typer.echo(json.dumps(asdict(use) | {"window_ends_at_s": now.window_ends_at_s}))
        return
    if now.window_ends_at_s is None:
        typer.echo("no limit")
        return
    typer.echo(f"window: {use.limit.window_s} s, ends at {moment_text(now.window_ends_at_s, now.now_s)}")
    typer.echo(f"send: {use.sent} of {_bound(use.limit.send_cap)}")
    typer.echo(f"receive: {use.received} of {_bound(use.limit.receive_cap)}")
    typer.echo(f"waits {use.limit.delay_s} s: a receive of more than {_bound(use.limit.delay_above)}")


@limits.command(name="set")
def set_(
    config: ConfigFile,
    chain: EvmChainName,
    transfer: TransferAddress,
    decide_as: DecideAs = None,
    *,
    limited: LimitedOptions,
    payer: SignerOptions,
    window: WindowOptions,
) -> None:
    """Change what is named of a limit, and keep the rest; its windows begin anew. For holders of the limiter role.

    Where the role has a delay the first call schedules the limit, and the same command sets it once that has passed.
    Exit code 1: not set yet. With --decide-as a limit that stands already is done.
    """
    from hutong.relay.administration.evm.access import Decider
    from hutong.relay.administration.evm.limits import LimitWish, set_limit
    from hutong.relay.administration.evm.transfers import parse_token

    scope, change = limited.scope(), window.change()
    evm = evm_chain_of(config_of(config), chain)
    signer = payer.open()
    token = None if limited.token is None else parse_token(limited.token)
    decider = Decider(signer, decider_of(decide_as, signer))
    at = address_of(transfer, "--transfer")
    wish = LimitWish(scope, token, change, _say_change)
    done = run_administration(partial(set_limit, evm, decider, at, wish))
    if done.ready_at_s is None:
        typer.echo("limit removed" if window.window_s == 0 else "limit set")
        return
    ready = datetime.fromtimestamp(done.ready_at_s, UTC).isoformat(timespec="seconds")
    typer.echo(
        f"scheduled: the limit may be set from {ready} on, in {done.wait_s} s.\nRun the same command again then; pausers can"
        " cancel it until it is done, and after a week it has to be scheduled anew."
    )
    raise typer.Exit(REFUSED)


@app.command(name="held")
def held_(config: ConfigFile, chain: EvmChainName, transfer: TransferAddress, as_json: AsJson = False) -> None:
    """List what waits for owners: large receives until their time, and refunds that could not be paid.

    Read from the chain's events since its start_height in the configuration.
    """
    from hutong.relay.administration.evm.held import list_held

    evm = evm_chain_of(config_of(config), chain)
    kept = run_administration(partial(list_held, evm, address_of(transfer, "--transfer")))
    if as_json:
        lines = [
            {"kind": "refund" if one.refund else "receive", "client": one.client, "sequence": one.sequence}
            | {"token": one.amount.token, "owner": one.amount.owner, "amount": str(one.amount.amount)}
            | {"releasable_at_s": one.amount.releasable_at_s}
            for one in kept
        ]
        typer.echo(json.dumps(lines))
        return
    for one in kept:
        held, kind = one.amount, "refund" if one.refund else "receive"
        since = datetime.fromtimestamp(held.releasable_at_s, UTC).isoformat(timespec="seconds")
        typer.echo(
            f"{kind} {one.client}/{one.sequence}: {held.amount} of {held.token} for {held.owner}, to release from {since} on"
        )
    if not kept:
        typer.echo("nothing is held")


@app.command(name="release")
def release_(
    config: ConfigFile,
    chain: EvmChainName,
    transfer: TransferAddress,
    refund: Annotated[bool, typer.Option("--refund", help=REFUND_HELP)] = False,
    *,
    packet: PacketOptions,
    payer: SignerOptions,
) -> None:
    """Pay what waits to its owner. Anyone may, once its time has come."""
    from hutong.relay.administration.evm.transfers import pay

    evm = evm_chain_of(config_of(config), chain)
    signer = payer.open()
    at = address_of(transfer, "--transfer")
    held = run_administration(partial(pay, evm, signer, at, packet.of(refund=refund), None))
    typer.echo(f"{held.amount} of {held.token} paid to {held.owner}")


@app.command(name="claim")
def claim_(
    config: ConfigFile,
    chain: EvmChainName,
    transfer: TransferAddress,
    to: Annotated[str, typer.Option(help="Address that can take the token.")],
    refund: Annotated[bool, typer.Option("--refund/--receive", help=REFUND_HELP)] = True,
    *,
    packet: PacketOptions,
    payer: SignerOptions,
) -> None:
    """Have what waits for the keystore's account paid to another address: for owners that the token refuses."""
    from hutong.relay.administration.evm.transfers import pay

    evm = evm_chain_of(config_of(config), chain)
    signer = payer.open()
    there, at = address_of(to, "--to"), address_of(transfer, "--transfer")
    held = run_administration(partial(pay, evm, signer, at, packet.of(refund=refund), there))
    typer.echo(f"{held.amount} of {held.token} paid to {to}")


def _scope(client: str | None, origin: str | None) -> "LimitScope":
    from hutong.relay.administration.evm.limits import LimitScope

    if (client is None) == (origin is None):
        raise Refused("give exactly one of --client and --origin", UNUSABLE)
    return LimitScope(client, origin)


def _say_change(before: "Limit", after: "Limit") -> None:
    """On standard error, before anything is sent, scheduled or printed for another account to send."""
    typer.echo(f"before: {_limit_text(before)}\nafter:  {_limit_text(after)}", err=True)


def _limit_text(limit: "Limit") -> str:
    if limit.window_s == 0:
        return "no limit"
    caps = f"send {_bound(limit.send_cap)}, receive {_bound(limit.receive_cap)} in {limit.window_s} s"
    return f"{caps}; a receive of more than {_bound(limit.delay_above)} waits {limit.delay_s} s"


def _bound(cap: int | None) -> str:
    return "any amount" if cap is None else str(cap)
