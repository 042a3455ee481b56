"""`hutong hub join`: the home of a node that joins a running hub under CometBFT."""

import re
from pathlib import Path
from typing import Annotated, NoReturn

import typer

EXIT_UNUSABLE = 2
_PEER = re.compile(r"([0-9a-f]{40})@([A-Za-z0-9.:\[\]-]{1,255}:[0-9]{1,5})")


def join(
    home: Annotated[Path, typer.Option(help="The directory to fill; an initialised one is never changed.")],
    genesis: Annotated[Path, typer.Option(help="The hub's genesis.json, as a member has it.")],
    peer: Annotated[
        list[str], typer.Option(metavar="ID@HOST:PORT", help="A member's CometBFT p2p address; may be repeated.")
    ],
    base_port: Annotated[
        int, typer.Option(min=1024, max=64_000, help="CometBFT's p2p port; +1 its RPC, +2 eth_*.")
    ] = 26_656,
    trust_rpc: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT", help="State sync instead of replay: CometBFT RPC servers, two at least, repeated."
        ),
    ] = None,
    trust_height: Annotated[int | None, typer.Option(min=1, help="Height of a header that you trust.")] = None,
    trust_hash: Annotated[str | None, typer.Option(metavar="HEX", help="Its hash.")] = None,
) -> None:
    """Make a home with a new validator key that follows a running hub, from block 1 or by state sync.

    Exit codes: 0 done, 2 unusable input.
    """
    from light_clients.interface import MalformedInput
    from relay.hub.abci.cometbft_home import Peer, TrustedHeader
    from relay.hub.abci.initialise import ports_from
    from relay.hub.abci.joining import initialise_joining
    from relay.hub.application.genesis import MAX_GENESIS_BYTES, decode_genesis
    from relay.hub.node.home import UnusableHome

    peers = []
    for text in peer:
        match = _PEER.fullmatch(text)
        if match is None:
            _fail(f"--peer {text[:80]}: give ID@HOST:PORT, ID in 40 lower-case hex digits")
        peers.append(Peer(match[1], match[2]))
    try:
        with genesis.open("rb") as file:
            document = decode_genesis(file.read(MAX_GENESIS_BYTES + 1))
    except OSError as error:
        _fail(f"{genesis}: {error.strerror or error}")
    except MalformedInput as error:
        _fail(f"{genesis}: {error}")
    trusted = None
    if trust_rpc or trust_height is not None or trust_hash is not None:
        if trust_hash is None or trust_height is None or len(trust_rpc or ()) < 2:
            _fail("state sync needs --trust-height, --trust-hash and --trust-rpc twice")
        if re.fullmatch(r"(?:0x)?[0-9a-fA-F]{64}", trust_hash) is None:
            _fail("--trust-hash: 32 bytes in hex")
        hashed = bytes.fromhex(trust_hash.removeprefix("0x"))
        servers = tuple(server.removeprefix("http://").rstrip("/") for server in trust_rpc or ())
        for server in servers:
            if re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,255}:[0-9]{1,5}", server) is None:
                _fail(f"--trust-rpc {server[:80]}: give HOST:PORT")
        trusted = TrustedHeader(trust_height, hashed, servers, document.params.trusting_period_s)
    try:
        member = initialise_joining(home, document, ports_from(base_port, 0), peers, trusted)
    except UnusableHome as error:
        _fail(str(error))
    typer.echo(f"node {member.node_id} of hub {document.chain_id} initialised in {home}")
    typer.echo(
        f"hutong hub abci --home {member.home} --listen {member.listen} --cometbft-rpc {member.cometbft_rpc}"
        f" --port {member.ports.eth}"
    )
    typer.echo(f"cometbft node --home {member.cometbft_home}")
    typer.echo(f"peer {member.node_id}@127.0.0.1:{member.ports.p2p}")


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(EXIT_UNUSABLE)
