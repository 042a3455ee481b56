"""`hutong hub join`: the home of a node that joins a running hub, under CometBFT or of the embedded engine."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.base.regular_files import open_regular
from hutong.relay.cli.common.key_password import NewKeyPassword
from hutong.relay.cli.common.option_groups import grouped
from hutong.relay.cli.common.options import NewHome
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.hub.node.member_lines import member_lines

if TYPE_CHECKING:
    from hutong.relay.hub.abci.cometbft_home import TrustedHeader
    from hutong.relay.hub.application.genesis import Genesis
    from hutong.relay.hub.home.key_file import EncodeKey
    from hutong.relay.hub.joining.light_follow import TrustedHash

_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,255}(?:/[A-Za-z0-9._~/-]{0,200})?")
_PEER = re.compile(r"([0-9a-f]{40})@([A-Za-z0-9.:\[\]-]{1,255}:[0-9]{1,5})")


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

    def header_for_cometbft(self, trusting_period_s: int) -> "TrustedHeader | None":
        """What CometBFT syncs from; None where no option is given.

        Args:
            trusting_period_s: the hub's, in seconds.

        Raises:
            Refused: code 2, an option is missing or unusable.
        """
        from hutong.relay.hub.abci.cometbft_home import TrustedHeader

        if not self.trust_rpc and self.trust_height is None and self.trust_hash is None:
            return None
        if self.trust_hash is None or self.trust_height is None or len(self.trust_rpc or ()) < 2:
            raise Refused("state sync needs --trust-height, --trust-hash and --trust-rpc twice", UNUSABLE)
        hashed = _hash_of(self.trust_hash)
        servers = tuple(server.removeprefix("http://").rstrip("/") for server in self.trust_rpc or ())
        for server in servers:
            if re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,255}:[0-9]{1,5}", server) is None:
                raise Refused(f"--trust-rpc {server[:80]}: give HOST:PORT", UNUSABLE)
        return TrustedHeader(self.trust_height, hashed, servers, trusting_period_s)

    def hash_from_members(self) -> "TrustedHash | None":
        """What a node of the embedded engine syncs from; None where no option is given.

        Raises:
            Refused: code 2, an option is missing or unusable, or is CometBFT's.
        """
        from hutong.relay.hub.joining.light_follow import TrustedHash

        if self.trust_rpc:
            raise Refused("--trust-rpc is for CometBFT; with --from the members serve the headers", UNUSABLE)
        if (self.trust_height is None) != (self.trust_hash is None):
            raise Refused("give --trust-height and --trust-hash together", UNUSABLE)
        if self.trust_height is None or self.trust_hash is None:
            return None
        return TrustedHash(self.trust_height, _hash_of(self.trust_hash))


def _hash_of(text: str) -> bytes:
    if re.fullmatch(r"(?:0x)?[0-9a-fA-F]{64}", text) is None:
        raise Refused("--trust-hash: 32 bytes in hex", UNUSABLE)
    return bytes.fromhex(text.removeprefix("0x"))


@grouped
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
    from hutong.relay.hub.home.home import UnusableHome

    if bool(from_member) == bool(peer):
        raise Refused("give --from for a hub of the embedded engine, or --peer for one under CometBFT", UNUSABLE)
    document = genesis_of(genesis)
    try:
        encode_key = password.encoding(home)
    except UnusableHome as error:
        raise Refused(str(error), UNUSABLE) from None
    if from_member:
        _join_members(home, document, from_member, trust.hash_from_members(), encode_key)
        return
    if password.is_named:
        raise Refused("CometBFT reads its key plain: an encrypted one is not supported under it", UNUSABLE)
    _join_under_cometbft(home, document, peer or [], base_port, trust)


def _join_under_cometbft(
    home: Path, document: "Genesis", addresses: list[str], base_port: int, trust: TrustOptions
) -> None:
    from hutong.relay.hub.abci.cometbft_home import Peer
    from hutong.relay.hub.abci.initialise import ports_from
    from hutong.relay.hub.abci.joining import initialise_joining
    from hutong.relay.hub.home.home import UnusableHome

    peers = []
    for text in addresses:
        match = _PEER.fullmatch(text)
        if match is None:
            raise Refused(f"--peer {text[:80]}: give ID@HOST:PORT, ID in 40 lower-case hex digits", UNUSABLE)
        peers.append(Peer(match[1], match[2]))
    trusted = trust.header_for_cometbft(document.params.trusting_period_s)
    try:
        member = initialise_joining(home, document, ports_from(base_port, 0), peers, trusted)
    except UnusableHome as error:
        raise Refused(str(error), UNUSABLE) from None
    typer.echo(f"node {member.node_id} of hub {document.chain_id} initialised in {home}")
    for line in member_lines(member):
        typer.echo(line)


def genesis_of(path: Path) -> "Genesis":
    """The genesis in a file.

    Raises:
        Refused: code 2, the file cannot be read, or is no genesis.
    """
    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.hub.application.genesis import MAX_GENESIS_BYTES, decode_genesis

    try:
        with open_regular(path) as file:
            return decode_genesis(file.read(MAX_GENESIS_BYTES + 1))
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}", UNUSABLE) from None
    except MalformedInput as error:
        raise Refused(f"{path}: {error}", UNUSABLE) from None


def _join_members(
    home: Path, genesis: "Genesis", urls: list[str], trusted: "TrustedHash | None", encode_key: "EncodeKey"
) -> None:
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.joining.joining import JoinFailed, join_hub, prepare_home
    from hutong.relay.hub.joining.member_rpc import Member

    for url in urls:
        if _URL.fullmatch(url) is None:
            raise Refused(f"--from {url[:80]}: give http://HOST:PORT or https://HOST:PORT", UNUSABLE)
    try:
        made = prepare_home(home, genesis, encode_key)
        if made:
            typer.echo(f"node of hub {genesis.chain_id} initialised in {home}")
        members = [Member(url) for url in dict.fromkeys(urls)]
        done = join_hub(home, genesis, members, trusted, lambda sentence: typer.echo(sentence, err=True))
    except (UnusableHome, NodeRefused) as error:
        raise Refused(str(error), UNUSABLE) from None
    except JoinFailed as error:
        raise Refused(f"not joined: {error}", REFUSED) from None
    if done.restored_height is not None:
        typer.echo(f"restored the state after block {done.restored_height}")
    typer.echo(f"at block {done.height}: {done.blocks} blocks verified, app hash {done.app_hash.hex()}")
    typer.echo(f"hutong hub start --home {home}")
