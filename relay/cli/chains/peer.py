"""`hutong peer`: whom a Mailbox listens to."""

import json
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from hutong.relay.administration.addresses import address_of, decider_of
from hutong.relay.administration.configured import evm_chain_of, hub_of
from hutong.relay.cli.chains.decisions import decision_text
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile, DecideAs, EvmChainName, HubName
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.config import HubChainConfig

app = command_group("Peers of a Mailbox.")

ALREADY = " already; nothing was sent"

MailboxAddress = Annotated[str, typer.Option(help="Address of its Mailbox.")]


@dataclass(frozen=True, slots=True)
class NewPeerOptions:
    """Which chain the Mailbox shall listen to, and what receivers see of it."""

    mailbox: MailboxAddress
    hub_client: Annotated[str, typer.Option(help="The hub's client of the remote chain, e.g. bft-evm-1.")]
    name: Annotated[str, typer.Option(help="Name that receivers see as the message's chain.")]
    decide_as: DecideAs = None


@app.command()
def add(
    config: ConfigFile,
    chain: EvmChainName,
    hub: HubName = None,
    as_json: AsJson = False,
    *,
    peer: NewPeerOptions,
    payer: SignerOptions,
) -> None:
    """Accept messages that the hub forwards from the chain behind one of its clients.

    The client must exist on the hub, where the configuration has one. Once the peer is set the command says so and sends
    nothing.
    """
    from hutong.relay.administration.evm.access import Decider
    from hutong.relay.administration.evm.peers import PeerChange, set_peer

    loaded = config_of(config)
    evm = evm_chain_of(loaded, chain)
    asked = None
    if hub is not None or any(isinstance(each, HubChainConfig) for each in loaded.chains):
        asked = hub_of(loaded, hub)
    else:
        typer.echo(
            f"the configuration has no hub: whether it has a client {peer.hub_client} is not looked at", err=True
        )
    signer = payer.open()
    change = PeerChange(evm, address_of(peer.mailbox, "--mailbox"), peer.hub_client, peer.name)
    decider = Decider(signer, decider_of(peer.decide_as, signer))
    sent = run_administration(partial(set_peer, change, asked, decider), as_json=as_json)
    if as_json:
        shown = {"chain": chain, "mailbox": peer.mailbox, "hub_client": peer.hub_client, "name": peer.name}
        typer.echo(json.dumps(shown))
        return
    typer.echo(f"{chain} listens to {peer.name} ({peer.hub_client}){'' if sent else ALREADY}")


@app.command()
def remove(
    config: ConfigFile,
    chain: EvmChainName,
    mailbox: MailboxAddress,
    hub_client: Annotated[str, typer.Option(help="The hub's client of the remote chain.")],
    decide_as: DecideAs = None,
    hub: HubName = None,
    *,
    payer: SignerOptions,
) -> None:
    """Listen no longer. Where nobody was listened to, the client must at least exist on the hub, if the configuration has one."""
    from hutong.relay.administration.evm.access import Decider
    from hutong.relay.administration.evm.peers import PeerChange, set_peer

    loaded = config_of(config)
    evm = evm_chain_of(loaded, chain)
    hubs = [each for each in loaded.chains if isinstance(each, HubChainConfig)]
    # Several hubs without --hub: removing needs none, so nothing is asked of one.
    asked = hub_of(loaded, hub) if hub is not None or len(hubs) == 1 else None
    signer = payer.open()
    change = PeerChange(evm, address_of(mailbox, "--mailbox"), hub_client, "")
    sent = run_administration(partial(set_peer, change, asked, Decider(signer, decider_of(decide_as, signer))))
    typer.echo(f"{chain} no longer listens to {hub_client}{'' if sent else ALREADY}")


@app.command("list")
def list_peers(config: ConfigFile, chain: EvmChainName, as_json: AsJson = False) -> None:
    """Whom a chain's Mailbox listens to, over which client of the hub, and which changes of that are pending.

    Read from the router's applications and from the Mailbox's events since `start_height` of the configuration.
    """
    from hutong.relay.administration.evm.peers import read_listening

    evm = evm_chain_of(config_of(config), chain)
    found = run_administration(partial(read_listening, evm))
    if as_json:
        typer.echo(json.dumps(found.as_dict(chain)))
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
