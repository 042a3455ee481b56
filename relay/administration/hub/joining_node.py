"""What a node that joins a hub is told of members and of a trusted header, as a person writes it."""

import re
from collections.abc import Sequence

from hutong.relay.administration.errors import Unusable
from hutong.relay.hub.abci.cometbft_home import Peer, TrustedHeader
from hutong.relay.hub.joining.light_follow import TrustedHash
from hutong.relay.hub.joining.member_rpc import Member

_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,255}(?:/[A-Za-z0-9._~/-]{0,200})?")
_PEER = re.compile(r"([0-9a-f]{40})@([A-Za-z0-9.:\[\]-]{1,255}:[0-9]{1,5})")
_SERVER = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}:[0-9]{1,5}")


def peers_of(texts: Sequence[str]) -> list[Peer]:
    """Members' p2p addresses under CometBFT.

    Raises:
        Unusable: one is not ID@HOST:PORT.
    """
    peers = []
    for text in texts:
        match = _PEER.fullmatch(text)
        if match is None:
            raise Unusable(f"--peer {text[:80]}: give ID@HOST:PORT, ID in 40 lower-case hex digits")
        peers.append(Peer(match[1], match[2]))
    return peers


def members_of(urls: Sequence[str]) -> list[Member]:
    """Members of the embedded engine by the URLs of their CometBFT RPC, each once.

    Raises:
        Unusable: one is no URL.
    """
    for url in urls:
        if _URL.fullmatch(url) is None:
            raise Unusable(f"--from {url[:80]}: give http://HOST:PORT or https://HOST:PORT")
    return [Member(url) for url in dict.fromkeys(urls)]


def header_for_cometbft(
    servers: Sequence[str], height: int | None, block_hash: str | None, trusting_period_s: int
) -> TrustedHeader | None:
    """What CometBFT syncs from; None where nothing is given.

    Args:
        servers: its RPC servers, HOST:PORT each, two at least.
        block_hash: 64 hex digits, with or without 0x.
        trusting_period_s: the hub's, in seconds.

    Raises:
        Unusable: a part is missing or unusable.
    """
    if not servers and height is None and block_hash is None:
        return None
    if block_hash is None or height is None or len(servers) < 2:
        raise Unusable("state sync needs --trust-height, --trust-hash and --trust-rpc twice")
    hashed = _hash_of(block_hash)
    named = tuple(server.removeprefix("http://").rstrip("/") for server in servers)
    for server in named:
        if _SERVER.fullmatch(server) is None:
            raise Unusable(f"--trust-rpc {server[:80]}: give HOST:PORT")
    return TrustedHeader(height, hashed, named, trusting_period_s)


def hash_from_members(servers: Sequence[str], height: int | None, block_hash: str | None) -> TrustedHash | None:
    """What a node of the embedded engine syncs from; None where nothing is given.

    Args:
        servers: CometBFT's, which must not be given.

    Raises:
        Unusable: a part is missing or unusable, or is CometBFT's.
    """
    if servers:
        raise Unusable("--trust-rpc is for CometBFT; with --from the members serve the headers")
    if (height is None) != (block_hash is None):
        raise Unusable("give --trust-height and --trust-hash together")
    return None if height is None or block_hash is None else TrustedHash(height, _hash_of(block_hash))


def _hash_of(text: str) -> bytes:
    if re.fullmatch(r"(?:0x)?[0-9a-fA-F]{64}", text) is None:
        raise Unusable("--trust-hash: 32 bytes in hex")
    return bytes.fromhex(text.removeprefix("0x"))
