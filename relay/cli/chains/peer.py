"""`hutong peer`: whom a Mailbox listens to."""

import json
from dataclasses import asdict, dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.chains.decisions import decision_document, decision_text
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import (
    AsJson,
    ConfigFile,
    DecideAs,
    EvmChainName,
    HubName,
)
from hutong.relay.cli.common.session import address_of, config_of, evm_chain_of, hub_of, run_administration
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.config import EvmChainConfig, HubChainConfig
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.decisions import Decision
    from hutong.adapters.evm.administration.peers import Peer

app = command_group("Peers of a Mailbox.")

PEER_FUNCTIONS = ("setHubClient", "setForwardedPeer", "setDirectPeer")
ALREADY = " already; nothing was sent"
MAX_SHOWN = 32

PeerName = Annotated[str, typer.Option(help="Name that receivers see as the message's chain.")]


@dataclass(frozen=True, slots=True)
class _Change:
    """What `mailbox` of a chain shall call messages from behind the hub's client; an empty name is no peer."""

    evm: EvmChainConfig
    mailbox: bytes
    hub_client: str
    name: str


@app.command()
@grouped
def add(
    config: ConfigFile,
    chain: EvmChainName,
    mailbox: Annotated[str, typer.Option(help="Address of its Mailbox.")],
    hub_client: Annotated[str, typer.Option(help="The hub's client of the remote chain, e.g. bft-evm-1.")],
    name: PeerName,
    decide_as: DecideAs = None,
    hub: HubName = None,
    as_json: AsJson = False,
    *,
    payer: SignerOptions,
) -> None:
    """Accept messages that the hub forwards from the chain behind one of its clients.

    The client must exist on the hub, where the configuration has one. Once the peer is set the command says so and sends
    nothing.
    """
    loaded = config_of(config)
    evm = evm_chain_of(loaded, chain)
    asked = None
    if hub is not None or any(isinstance(each, HubChainConfig) for each in loaded.chains):
        asked = hub_of(loaded, hub)
    else:
        typer.echo(f"the configuration has no hub: whether it has a client {hub_client} is not looked at", err=True)
    signer = payer.open()
    change = _Change(evm, address_of(mailbox, "--mailbox"), hub_client, name)
    sent = run_administration(partial(_set_peer, change, asked, signer, _account(decide_as)), as_json=as_json)
    if as_json:
        typer.echo(json.dumps({"chain": chain, "mailbox": mailbox, "hub_client": hub_client, "name": name}))
        return
    typer.echo(f"{chain} listens to {name} ({hub_client}){'' if sent else ALREADY}")


@app.command()
@grouped
def remove(
    config: ConfigFile,
    chain: EvmChainName,
    mailbox: Annotated[str, typer.Option(help="Address of its Mailbox.")],
    hub_client: Annotated[str, typer.Option(help="The hub's client of the remote chain.")],
    decide_as: DecideAs = None,
    *,
    payer: SignerOptions,
) -> None:
    """Listen no longer."""
    evm = evm_chain_of(config_of(config), chain)
    signer = payer.open()
    change = _Change(evm, address_of(mailbox, "--mailbox"), hub_client, "")
    sent = run_administration(partial(_set_peer, change, None, signer, _account(decide_as)))
    typer.echo(f"{chain} no longer listens to {hub_client}{'' if sent else ALREADY}")


@app.command("list")
def list_peers(
    config: ConfigFile,
    chain: EvmChainName,
    as_json: AsJson = False,
) -> None:
    """Whom a chain's Mailbox listens to, over which client of the hub, and which changes of that are pending.

    Read from the router's applications and from the Mailbox's events since `start_height` of the configuration.
    """
    evm = evm_chain_of(config_of(config), chain)
    found = run_administration(partial(_listening, evm))
    if as_json:
        said = asdict(found) | {
            "chain": chain,
            "pending": [decision_document(each, found.now_s) for each in found.decisions],
        }
        del said["decisions"]
        typer.echo(json.dumps(said))
        return
    over = f"the hub over {_shown(found.hub_client)}" if found.hub_client else "no hub"
    typer.echo(f"{chain}: the Mailbox {found.mailbox} hears {over}")
    if found.transfer is not None:
        client = found.transfer_hub_client
        over = f"to the hub over {_shown(client)}" if client else "to no hub"
        typer.echo(f"{chain}: the Transfer {found.transfer} forwards {over}")
    for peer in found.peers:
        typer.echo(
            f"{chain} listens to {_shown(peer.name)} ({peer.client}{', direct' if peer.kind == 'direct' else ''})"
        )
    if not found.peers:
        typer.echo(f"{chain} listens to nobody")
    for each in found.decisions:
        typer.echo(f"pending: {decision_text(each, found.now_s)}")


def _shown(text: str) -> str:
    """An endpoint that lies must not write on the reader's terminal."""
    return text if text.isprintable() else json.dumps(text)


@dataclass(frozen=True, slots=True)
class _Listening:
    """Of a chain's Mailbox and Transfer, EIP-55 addresses; clients are empty where there is none."""

    mailbox: str
    hub_client: str
    transfer: str | None
    transfer_hub_client: str
    peers: "tuple[Peer, ...]"
    decisions: "tuple[Decision, ...]"
    now_s: int


async def _listening(evm: EvmChainConfig, random: Random) -> _Listening:
    from eth_utils.address import to_canonical_address, to_checksum_address

    from hutong.adapters.evm.administration.access_manager import AUTHORITY
    from hutong.adapters.evm.administration.decisions import decision_of, function_of
    from hutong.adapters.evm.administration.peers import read_peers
    from hutong.adapters.evm.administration.rights_reading import application_of, scheduled_calls
    from hutong.adapters.evm.administration.transfer import hub_client_of
    from hutong.adapters.interface import RefusedByChain
    from hutong.light_clients.ibc.gmp import GMP_PORT
    from hutong.light_clients.ibc.transfer import TRANSFER_PORT
    from hutong.relay.core.topology.chains import open_chain

    router = address_of(evm.router, "router")
    async with open_chain(evm, random) as chain:
        await chain.check_identity()
        execution = chain.execution
        mailbox = await application_of(execution, router, GMP_PORT)
        transfer = await application_of(execution, router, TRANSFER_PORT)
        if mailbox is None:
            raise RefusedByChain("no Mailbox", f"the router {evm.router} has no application on the port {GMP_PORT}")
        manager = to_canonical_address(AUTHORITY.decode(await execution.call(mailbox, AUTHORITY.encode()))[0])
        now_s, calls = await scheduled_calls(execution, bytes(manager), evm.start_height)
        names = {str(to_checksum_address(mailbox)): "mailbox"}
        if transfer is not None:
            names[str(to_checksum_address(transfer))] = "transfer"
        head = await execution.latest_block()
        return _Listening(
            mailbox=str(to_checksum_address(mailbox)),
            hub_client=await hub_client_of(execution, mailbox),
            transfer=None if transfer is None else str(to_checksum_address(transfer)),
            transfer_hub_client="" if transfer is None else await hub_client_of(execution, transfer),
            peers=await read_peers(execution, mailbox, range(evm.start_height, head.height + 1)),
            decisions=tuple(
                decision_of(call, names)
                for call in sorted(calls, key=lambda each: each.ready_at_s)
                if call.target in names and function_of(call) in PEER_FUNCTIONS
            ),
            now_s=now_s,
        )


def _account(decide_as: str | None) -> bytes | None:
    return None if decide_as is None else address_of(decide_as, "--decide-as")


async def _set_peer(
    change: _Change, hub: HubChainConfig | None, signer: Signer, decides_as: bytes | None, random: Random
) -> bool:
    """False where the Mailbox has it so already, whoever made the call: a multisig sends its own."""
    from eth_utils.address import to_checksum_address

    from hutong.adapters.evm.administration.deciding import Deciding
    from hutong.adapters.evm.administration.deploy import forwarded_peer, require_contract, set_forwarded_peer
    from hutong.adapters.evm.administration.transfer import hub_client_of
    from hutong.adapters.interface import RefusedByChain
    from hutong.light_clients.ibc.identifiers import check_client_id
    from hutong.relay.core.topology.chains import open_chain

    check_client_id(change.hub_client)
    if hub is not None:
        await _require_client(hub, change.hub_client, random)
    async with open_chain(change.evm, random) as chain:
        await chain.check_identity()
        transactor = Deciding(chain.execution, change.evm.chain_id, signer, decides_as)
        await require_contract(transactor, change.mailbox)
        if not await hub_client_of(chain.execution, change.mailbox):
            mailbox = to_checksum_address(change.mailbox)
            raise RefusedByChain(
                "NotHubClient",
                f"the Mailbox {mailbox} has no client of a hub yet: run hutong path create --chain {change.evm.name}"
                f" --mailbox {mailbox} first, and this command once what that decided has taken effect",
            )
        if await forwarded_peer(chain.execution, change.mailbox, change.hub_client) == change.name:
            return False
        await set_forwarded_peer(transactor, change.mailbox, change.hub_client, change.name)
        return True


async def _require_client(config: HubChainConfig, client_id: str, random: Random) -> None:
    """A Mailbox would listen to any identifier: to nobody, or to whoever gets it later."""
    from hutong.adapters.hub import HubChain
    from hutong.adapters.interface import RefusedByChain, UnknownClient
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(config, random) as hub:
        assert isinstance(hub, HubChain)
        await hub.check_identity()
        try:
            await hub.client(client_id)
        except UnknownClient:
            known = await hub.client_ids()
            shown = ", ".join(known[:MAX_SHOWN]) + (
                f" and {len(known) - MAX_SHOWN} more" if len(known) > MAX_SHOWN else ""
            )
            raise RefusedByChain(
                "UnknownClient",
                f"{config.name} has no client {client_id}; it has {shown or 'none'}. Take the one that hutong path create of"
                " the remote chain printed",
            ) from None
