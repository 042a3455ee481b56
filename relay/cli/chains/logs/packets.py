"""`hutong client commitment | deliver | observe`: what stands in a signed log, brought to the hub."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hutong.light_clients.ibc.abi import decode_packet_abi
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.records import StorePlace
from hutong.light_clients.tlog.membership import entry_path
from hutong.relay.administration.configured import chain_of, client_end_of, log_of
from hutong.relay.cli.common.options import ConfigFile, HostChain, HostedClient
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.config import HubChainConfig
from hutong.relay.verify.inputs import UnusableInput, parse_hex, read_state


def deliver(
    config: ConfigFile,
    chain: HostChain,
    client: HostedClient,
    packet: Annotated[Path, typer.Option(help="The packet as the routers' events have it (ABI), raw or hex.")],
    follows: Annotated[str, typer.Option(help="Signed log of the configuration, whose publisher committed it.")],
    *,
    payer: SignerOptions,
) -> None:
    """Bring a log's packet to the hub: client update, proof of the publisher's message, and the packet, in one transaction.

    It is verified here before it is paid for: exit code 1 if the log holds no such message, or the hub refuses it. A packet
    that was received already changes nothing.
    """
    from hutong.relay.administration.logs import deliver_packet

    loaded = config_of(config)
    log = log_of(loaded, follows)
    shown = _packet_in(packet)
    end = client_end_of(loaded, chain, client)
    if shown.destination_client != end.client:
        raise Refused(f"{packet} goes to {shown.destination_client}, not to {end.client}", UNUSABLE)
    host = chain_of(loaded, end.chain)
    size = run_administration(partial(deliver_packet, host, end.client, log, shown, payer.open()))
    typer.echo(f"{chain} {client} has packet {shown.sequence}, proven in the log's tree of {size} entries")


def observe(
    config: ConfigFile,
    chain: HostChain,
    client: HostedClient,
    follows: Annotated[str, typer.Option(help="Signed log of the configuration that the client follows.")],
    entry: Annotated[int | None, typer.Option(help="Index of an entry, from 0.", min=0, max=2**63 - 1)] = None,
    message: Annotated[
        str | None, typer.Option(help="Key of a publisher's message, hex, as `client commitment` prints it.")
    ] = None,
    *,
    payer: SignerOptions,
) -> None:
    """Make a record on the hub of an entry or a message of a log: that it stands there, proven by the log's quorum.

    The client is brought to the log's tree first, and the proof judged here before anything is paid for. A key is opened by
    a named writer of the hub; exit code 1 if the log holds no such thing, or the hub refuses it.
    """
    from hutong.relay.administration.logs import observe_in_log

    if (entry is None) is (message is None):
        raise Refused("give one of --entry and --message", UNUSABLE)
    try:
        path = entry_path(entry) if entry is not None else (b"", parse_hex(message or "", "--message"))
        place = StorePlace(*path)
    except (MalformedInput, UnusableInput) as error:
        raise Refused(str(error), UNUSABLE) from None
    loaded = config_of(config)
    log, end = log_of(loaded, follows), client_end_of(loaded, chain, client)
    host = chain_of(loaded, end.chain)
    if not isinstance(host, HubChainConfig):
        raise Refused(f"{chain} is no hub: records are of hubs", UNUSABLE)
    found = run_administration(partial(observe_in_log, host, end.client, log, place, payer.open()))
    said = "is written" if found.written else "stood already"
    typer.echo(f"{chain} record 0x{found.key.hex()} {said}, of the log's tree of {found.size} entries")


def commitment(
    packet: Annotated[Path, typer.Argument(metavar="PACKET", help="The packet as the routers' events have it (ABI).")],
) -> None:
    """Print as JSON the key and value that a log's publisher publishes for a packet."""
    shown = _packet_in(packet)
    typer.echo(json.dumps({"key": commitment_key(shown).hex(), "value": packet_commitment(shown).hex()}))


def _packet_in(path: Path) -> Packet:
    try:
        return decode_packet_abi(read_state(path))
    except MalformedInput as error:
        raise Refused(f"{path} is not a packet: {error}", UNUSABLE) from None
