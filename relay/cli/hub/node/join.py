"""`hutong hub join`: the home of a node that joins a running hub, under CometBFT or of the embedded engine."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.key_password import NewKeyPassword
from hutong.relay.cli.common.options import NewHome
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing

if TYPE_CHECKING:
    from hutong.relay.hub.application.genesis import Genesis
    from hutong.relay.hub.home.key_file import EncodeKey


@dataclass(frozen=True, slots=True)
class TrustOptions:
    """The header from which a node syncs its state, in place of replaying every block."""

    trust_rpc: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT", help="State sync instead of replay: CometBFT RPC servers, two at least, repeated."
        ),
    ] = None
    trust_height: Annotated[int | None, typer.Option(min=1, help="Height of a header that you trust.")] = None
    trust_hash: Annotated[str | None, typer.Option(metavar="HEX", help="Its hash.")] = None


def join(
    home: NewHome,
    genesis: Annotated[Path, typer.Option(help="The hub's genesis.json, as a member has it.")],
    peer: Annotated[
        list[str] | None,
        typer.Option(metavar="ID@HOST:PORT", help="Under CometBFT: a member's p2p address; may be repeated."),
    ] = None,
    from_member: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="URL",
            help="Embedded engine: a member's CometBFT RPC, as http://member:26657; may be repeated.",
        ),
    ] = None,
    base_port: Annotated[
        int, typer.Option(min=1024, max=64_000, help="CometBFT's p2p port; +1 its RPC, +2 eth_*.")
    ] = 26_656,
    *,
    trust: TrustOptions,
    password: NewKeyPassword,
) -> None:
    """Make a home with a new validator key that follows a running hub, from block 1 or by state sync.

    With --from it is brought to the members' newest block, every block verified, and the command may be given again: it
    goes on where it was. With --peer CometBFT does that later.

    Exit codes: 0 done, 1 no member helps (each is named), 2 unusable input.
    """
    from hutong.relay.hub.home.home import UnusableHome, read_genesis

    if bool(from_member) == bool(peer):
        raise Refused("give --from for a hub of the embedded engine, or --peer for one under CometBFT", UNUSABLE)
    with refusing(UnusableHome):
        document = read_genesis(genesis)
        encode_key = password.encoding(home)
    if from_member:
        _join_members(home, document, from_member, trust, encode_key)
        return
    if password.is_named:
        raise Refused("CometBFT reads its key plain: an encrypted one is not supported under it", UNUSABLE)
    _join_under_cometbft(home, document, peer or [], base_port, trust)


def _join_under_cometbft(
    home: Path, document: "Genesis", addresses: list[str], base_port: int, trust: TrustOptions
) -> None:
    from hutong.relay.administration.hub.joining_node import header_for_cometbft, peers_of
    from hutong.relay.hub.abci.initialise import ports_from
    from hutong.relay.hub.abci.joining import initialise_joining
    from hutong.relay.hub.home.home import UnusableHome

    peers, trusting_s = peers_of(addresses), document.params.trusting_period_s
    trusted = header_for_cometbft(trust.trust_rpc or (), trust.trust_height, trust.trust_hash, trusting_s)
    with refusing(UnusableHome):
        member = initialise_joining(home, document, ports_from(base_port, 0), peers, trusted)
    typer.echo(f"node {member.node_id} of hub {document.chain_id} initialised in {home}")
    for line in member.lines():
        typer.echo(line)


def _join_members(
    home: Path, genesis: "Genesis", urls: list[str], trust: TrustOptions, encode_key: "EncodeKey"
) -> None:
    from hutong.relay.administration.hub.joining_node import hash_from_members, members_of
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.joining.joining import JoinFailed, join_hub, prepare_home

    trusted = hash_from_members(trust.trust_rpc or (), trust.trust_height, trust.trust_hash)
    members = members_of(urls)
    try:
        if prepare_home(home, genesis, encode_key):
            typer.echo(f"node of hub {genesis.chain_id} initialised in {home}")
        done = join_hub(home, genesis, members, trusted, lambda sentence: typer.echo(sentence, err=True))
    except (UnusableHome, NodeRefused) as error:
        raise Refused(str(error), UNUSABLE) from None
    except JoinFailed as error:
        raise Refused(f"not joined: {error}", REFUSED) from None
    if done.restored_height is not None:
        typer.echo(f"restored the state after block {done.restored_height}")
    typer.echo(f"at block {done.height}: {done.blocks} blocks verified, app hash {done.app_hash.hex()}")
    typer.echo(f"hutong hub start --home {home}")
