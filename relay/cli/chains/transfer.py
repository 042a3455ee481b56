"""`hutong transfer`: tokens between chains, their limits, and amounts that wait for their owners."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.chains.cosmos_transfer import Holding, holdings, send_from_cosmos
from hutong.relay.cli.chains.transfer_check import Order, check_on_evm, choice_over
from hutong.relay.cli.chains.transfer_options import WHAT_IS_SENT, SendOptions, WindowOptions
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import (
    AsJson,
    ConfigFile,
    DecideAs,
    EvmChainName,
)
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import (
    address_of,
    config_of,
    evm_chain_of,
    member_chain_of,
    run_administration,
)
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.config import Config, CosmosChainConfig, EvmChainConfig
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.delayed import Progress
    from hutong.adapters.evm.administration.transfer import HeldAmount, LimitUse, SentTransfer
    from hutong.adapters.ics26.execution import ExecutionRpc

app = command_group("Tokens between chains.")
limits = command_group("What may move of a token in a window.")
app.add_typer(limits, name="limits")


AnyChain = Annotated[str, typer.Option(help="Name of the EVM or Cosmos chain in the configuration.")]
TransferAddress = Annotated[str, typer.Option("--transfer", help="Address of its Transfer.")]
Token = Annotated[
    str, typer.Option(help="Address of the ERC-20 or voucher, or a voucher's trace (transfer/client-0/…).")
]
PacketClient = Annotated[str, typer.Option("--client", help="This chain's client over which the packet went.")]
Sequence = Annotated[int, typer.Option(help="The packet's sequence.", min=1)]
OptionalTransfer = Annotated[str | None, typer.Option("--transfer", help="Address of an EVM chain's Transfer.")]
LimitedClient = Annotated[str | None, typer.Option("--client", help="Limit one token over this client of the chain.")]
Origin = Annotated[
    str | None,
    typer.Option(
        help="Limit each token of an origin: the hops of its trace, or an empty text for tokens of this chain."
    ),
]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a limit is about: a token over a client, or each token of an origin."""

    client: str | None
    origin: str | None


REFUND_HELP = "The amount is a refund that could not be paid, not a large receive that waited."


@app.command()
@grouped
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
    that leads nowhere, a way that is not the token's, an amount that is not held.
    """
    if wish.memo and wish.next_client is not None:
        raise Refused("with --next-client the memo is the instruction to the hub; leave --memo out", UNUSABLE)
    loaded = config_of(config)
    member = member_chain_of(loaded, chain)
    signer = payer.open()
    if isinstance(member, CosmosChainConfig):
        if transfer is not None:
            raise Refused(f"--transfer is for EVM chains; {chain} is of kind cosmos", UNUSABLE)
        over = wish.client or _only_client(loaded, chain)
        checked = None if wish.unchecked else partial(choice_over, loaded, chain, over, wish.next_client, wish.receiver)
        packet, denom = run_administration(partial(send_from_cosmos, member, signer, wish.from_cosmos(over), checked))
        _print_sent(chain, over, packet.sequence, denom, packet.transaction_hash, as_json)
        return
    if transfer is None:
        raise Refused(f"{chain} is an EVM chain: name its --transfer", UNUSABLE)
    _address_or_trace(wish.token)
    at = address_of(transfer, "--transfer")
    sent = run_administration(partial(_send, loaded, member, signer, at, wish.from_evm(), wish.unchecked))
    _print_sent(chain, sent.client, sent.sequence, sent.denom, sent.transaction_hash, as_json)


def _print_sent(chain: str, client: str, sequence: int, denom: str, transaction_hash: bytes, as_json: bool) -> None:
    packet = f"{chain}/{client}/{sequence}"
    if as_json:
        document = {"packet": packet, "client": client, "sequence": sequence, "denom": denom}
        typer.echo(json.dumps({**document, "transaction": f"0x{transaction_hash.hex()}"}))
        return
    typer.echo(packet)


def _only_client(config: Config, chain: str) -> str:
    """The chain's client of its only path; Refused where it has none or several."""
    clients = [end.client for path in config.paths for end in (path.a, path.b) if end.chain == chain]
    if len(clients) != 1:
        raise Refused(f"{chain} has {len(clients)} paths in the configuration; name its client with --client", UNUSABLE)
    return clients[0]


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
    member = member_chain_of(config_of(config), chain)
    if isinstance(member, CosmosChainConfig):
        held = run_administration(partial(holdings, member, holder, token))
    else:
        if token is None:
            raise Refused(f"{chain} is an EVM chain: name the --token", UNUSABLE)
        wanted, at = _address_or_trace(token), None if transfer is None else address_of(transfer, "--transfer")
        if at is None and isinstance(wanted, str):
            raise Refused("a voucher's trace is looked up at its --transfer", UNUSABLE)
        held = run_administration(partial(_held_on_evm, member, at, wanted, address_of(holder, "--holder")))
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
    """A limit, and what its current window has moved of a token."""
    scope = _scope(client, origin)
    evm = evm_chain_of(config_of(config), chain)
    use = run_administration(
        partial(_read_limit, evm, address_of(transfer, "--transfer"), _address_or_trace(token), scope)
    )
    if as_json:
        typer.echo(json.dumps(asdict(use)))
        return
    if use.limit.window_s == 0:
        typer.echo("no limit")
        return
    typer.echo(f"window: {use.limit.window_s} s")
    typer.echo(f"send: {use.sent} of {_bound(use.limit.send_cap)}")
    typer.echo(f"receive: {use.received} of {_bound(use.limit.receive_cap)}")
    typer.echo(f"waits {use.limit.delay_s} s: a receive of more than {_bound(use.limit.delay_above)}")


@limits.command(name="set")
@grouped
def set_(
    config: ConfigFile,
    chain: EvmChainName,
    transfer: TransferAddress,
    token: Annotated[str | None, typer.Option(help="With --client: the token that is limited.")] = None,
    client: LimitedClient = None,
    origin: Origin = None,
    decide_as: DecideAs = None,
    *,
    payer: SignerOptions,
    window: WindowOptions,
) -> None:
    """Set a limit; its windows begin anew. For holders of the limiter role.

    Where the role has a delay the first call schedules the limit, and the same command sets it once that has passed.
    Exit code 1: not set yet. With --decide-as a limit that stands already is done.
    """
    scope = _scope(client, origin)
    if (client is None) != (token is None):
        raise Refused("--token goes with --client; --origin is about each token of the origin", UNUSABLE)
    evm = evm_chain_of(config_of(config), chain)
    signer = payer.open()
    limit = (window.send_cap, window.receive_cap, window.delay_above, window.window_s, window.delay_s)
    limited = None if token is None else _address_or_trace(token)
    decider = _Decider(signer, None if decide_as is None else address_of(decide_as, "--decide-as"))
    done = run_administration(
        partial(_set_limit, evm, decider, address_of(transfer, "--transfer"), limited, scope, limit)
    )
    if done.ready_at_s is None:
        typer.echo("limit removed" if window.window_s == 0 else "limit set")
        return
    ready = datetime.fromtimestamp(done.ready_at_s, UTC).isoformat(timespec="seconds")
    typer.echo(
        f"scheduled: the limit may be set from {ready} on, in {done.wait_s} s.\nRun the same command again then; pausers can"
        " cancel it until it is done, and after a week it has to be scheduled anew."
    )
    raise typer.Exit(REFUSED)


@app.command(name="release")
@grouped
def release_(
    config: ConfigFile,
    chain: EvmChainName,
    transfer: TransferAddress,
    client: PacketClient,
    sequence: Sequence,
    refund: Annotated[bool, typer.Option("--refund", help=REFUND_HELP)] = False,
    *,
    payer: SignerOptions,
) -> None:
    """Pay what waits to its owner. Anyone may, once its time has come."""
    evm = evm_chain_of(config_of(config), chain)
    signer = payer.open()
    packet = (refund, client, sequence)
    held = run_administration(partial(_pay, evm, signer, address_of(transfer, "--transfer"), packet, None))
    typer.echo(f"{held.amount} of {held.token} paid to {held.owner}")


@app.command(name="claim")
@grouped
def claim_(
    config: ConfigFile,
    chain: EvmChainName,
    transfer: TransferAddress,
    client: PacketClient,
    sequence: Sequence,
    to: Annotated[str, typer.Option(help="Address that can take the token.")],
    refund: Annotated[bool, typer.Option("--refund/--receive", help=REFUND_HELP)] = True,
    *,
    payer: SignerOptions,
) -> None:
    """Have what waits for the keystore's account paid to another address: for owners that the token refuses."""
    evm = evm_chain_of(config_of(config), chain)
    signer = payer.open()
    packet, there = (refund, client, sequence), address_of(to, "--to")
    held = run_administration(partial(_pay, evm, signer, address_of(transfer, "--transfer"), packet, there))
    typer.echo(f"{held.amount} of {held.token} paid to {to}")


def _scope(client: str | None, origin: str | None) -> Scope:
    if (client is None) == (origin is None):
        raise Refused("give exactly one of --client and --origin", UNUSABLE)
    return Scope(client, origin)


def _address_or_trace(token: str) -> bytes | str:
    return token if "/" in token else address_of(token, "--token")


def _bound(cap: int | None) -> str:
    return "any amount" if cap is None else str(cap)


@asynccontextmanager
async def _execution(evm: EvmChainConfig, random: Random) -> "AsyncIterator[ExecutionRpc]":
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(evm, random) as chain:
        await chain.check_identity()
        yield chain.execution


async def _held_on_evm(
    evm: EvmChainConfig, transfer: bytes | None, token: bytes | str, holder: bytes, random: Random
) -> list[Holding]:
    from eth_utils.address import to_checksum_address

    from hutong.adapters.evm.administration.transfer import balance_of

    async with _execution(evm, random) as execution:
        address = token if isinstance(token, bytes) else await _token(execution, transfer or b"", token)
        trace = token if isinstance(token, str) else None
        return [Holding(await balance_of(execution, address, holder), to_checksum_address(address), trace)]


async def _token(execution: "ExecutionRpc", transfer: bytes, token: bytes | str) -> bytes:
    from hutong.adapters.evm.administration.transfer import voucher_of

    return token if isinstance(token, bytes) else await voucher_of(execution, transfer, token)


async def _send(
    config: Config, evm: EvmChainConfig, signer: Signer, transfer: bytes, wish: Order, unchecked: bool, random: Random
) -> "SentTransfer":
    from hutong.adapters.evm.administration import transfer as evm_transfer
    from hutong.adapters.ics26.chain import RouterChain
    from hutong.adapters.ics26.transactor import Transactor
    from hutong.adapters.interface import RefusedByChain
    from hutong.relay.core.topology.chains import open_chain

    if wish.client and not unchecked:
        choice_over(config, evm.name, wish.client, wish.next_client, wish.receiver)  # asks nobody
    async with open_chain(evm, random) as chain:
        assert isinstance(chain, RouterChain)
        await chain.check_identity()
        execution = chain.execution
        client = wish.client or await evm_transfer.hub_client_of(execution, transfer)
        if not client:
            raise RefusedByChain("NotHubClient", "this Transfer has no hub client; name one with --client")
        if not unchecked:
            choice = choice_over(config, evm.name, client, wish.next_client, wish.receiver)
            await check_on_evm(chain, transfer, choice, signer.address, wish)
        order = evm_transfer.Order(
            client,
            await _token(execution, transfer, _address_or_trace(wish.token)),
            wish.amount,
            wish.receiver,
            int(time.time()) + wish.timeout_s,
            wish.next_client,
            wish.memo,
        )
        return await evm_transfer.send_tokens(Transactor(execution, evm.chain_id, signer), transfer, order)


async def _read_limit(
    evm: EvmChainConfig, transfer: bytes, token: bytes | str, scope: Scope, random: Random
) -> "LimitUse":
    from hutong.adapters.evm.administration.transfer import client_limit, origin_limit

    async with _execution(evm, random) as execution:
        address = await _token(execution, transfer, token)
        if scope.client is not None:
            return await client_limit(execution, transfer, scope.client, address)
        return await origin_limit(execution, transfer, scope.origin or "", address)


@dataclass(frozen=True, slots=True)
class _Decider:
    """Who signs, and whose limiter role it is where that is another account's."""

    signer: Signer
    account: bytes | None


async def _set_limit(
    evm: EvmChainConfig,
    decider: _Decider,
    transfer: bytes,
    token: bytes | str | None,
    scope: Scope,
    limit: tuple[int | None, int | None, int | None, int, int],
    random: Random,
) -> "Progress":
    from hutong.adapters.evm.administration.deciding import Deciding
    from hutong.adapters.evm.administration.delayed import Progress
    from hutong.adapters.evm.administration.transfer import (
        Limit,
        client_limit,
        origin_limit,
        set_client_limit,
        set_origin_limit,
    )

    wish = Limit(*limit)
    async with _execution(evm, random) as execution:
        transactor = Deciding(execution, evm.chain_id, decider.signer, decider.account)
        address = bytes(20) if token is None else await _token(execution, transfer, token)
        if decider.account is not None:
            if scope.client is not None:
                stands = (await client_limit(execution, transfer, scope.client, address)).limit
            else:
                stands = (await origin_limit(execution, transfer, scope.origin or "", address)).limit
            if stands == wish or stands.window_s == wish.window_s == 0:
                return Progress(None)
        if scope.client is not None:
            return await set_client_limit(transactor, transfer, scope.client, address, wish)
        return await set_origin_limit(transactor, transfer, scope.origin or "", wish)


async def _pay(
    evm: EvmChainConfig,
    signer: Signer,
    transfer: bytes,
    packet: tuple[bool, str, int],
    to: bytes | None,
    random: Random,
) -> "HeldAmount":
    from hutong.adapters.evm.administration.transfer import claim, held_amount, release
    from hutong.adapters.ics26.transactor import Transactor
    from hutong.adapters.interface import RefusedByChain

    refund, client, sequence = packet
    async with _execution(evm, random) as execution:
        held = await held_amount(execution, transfer, refund, client, sequence)
        if held is None:
            raise RefusedByChain("NothingHeld", f"nothing is held of packet {client}/{sequence}")
        now_s = (await execution.latest_block()).time_s
        if held.releasable_at_s > now_s:
            wait_s = held.releasable_at_s - now_s
            raise RefusedByChain("StillHeld", f"{held.amount} of {held.token} wait {wait_s} s more")
        transactor = Transactor(execution, evm.chain_id, signer)
        if to is None:
            await release(transactor, transfer, held.id)
        else:
            await claim(transactor, transfer, held.id, to)
        return held
