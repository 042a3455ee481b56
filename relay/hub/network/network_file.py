"""network.toml of a home: where this node listens, and the peers that it talks to. Anybody else is refused."""

import base64
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hutong.relay.base.durable_files import write_durably
from hutong.relay.hub.home.home import UnusableHome
from hutong.relay.hub.network.link.node_key import UnusableCertificate, node_id_of
from hutong.relay.hub.network.link.tls import require_readable

NETWORK_FILE = "network.toml"
MAX_FILE_BYTES = 256 * 1024
MAX_PEERS = 128
Decoded = TypeVar("Decoded")
_ADDRESS = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9a-fA-F:]{2,39}\]):([0-9]{1,5})")
_PEER = re.compile(r"([0-9a-f]{40})@(.+)")


@dataclass(frozen=True, slots=True)
class Endpoint:
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Peer:
    """`certificate` (DER) is pinned: it alone opens a connection under this id."""

    node_id: str
    endpoint: Endpoint
    certificate: bytes

    def __str__(self) -> str:
        return f"{self.node_id}@{self.endpoint}"


@dataclass(frozen=True, slots=True)
class Network:
    listen: Endpoint
    peers: tuple[Peer, ...]


def parse_endpoint(text: object, field: str) -> Endpoint:
    """An endpoint from `host:port`, with IPv6 addresses in brackets; names are not resolved.

    `field` is named in errors.

    Raises:
        ValueError: it is anything else, or a port above 65535.
    """
    match = _ADDRESS.fullmatch(text) if isinstance(text, str) else None
    if match is None or int(match[2]) > 65_535:
        raise ValueError(f"{field} must look like host:port, not {str(text)[:80]!r}")
    return Endpoint(match[1].strip("[]"), int(match[2]))


def encode_network(network: Network) -> bytes:
    """The bytes of network.toml; `decode_network` reads them."""
    lines = [
        "# Peers of this validator. A peer's line and certificate come from its owner, over a way that you trust.",
        f'listen = "{network.listen}"',
        *(f"\n{peer_lines(peer)}" for peer in network.peers),
    ]
    return "\n".join(lines).encode() + b"\n"


def peer_lines(peer: Peer) -> str:
    """The lines of TOML by which others list this peer."""
    return "\n".join(
        ["[[peers]]", f'peer = "{peer}"', f'certificate = "{base64.b64encode(peer.certificate).decode()}"']
    )


def decode_network(data: bytes) -> Network:
    """Inverse of `encode_network`: at most MAX_FILE_BYTES and MAX_PEERS, each certificate one that TLS can read.

    Raises:
        ValueError: a sentence without its subject, which says what is wrong.
    """
    document = _parsed(data)
    peers = _peers(document, {"listen"})
    return Network(parse_endpoint(document.get("listen"), "listen"), peers)


def decode_peers(data: bytes) -> tuple[Peer, ...]:
    """The peers in one or several `peer_lines`, and nothing else; may be none.

    Raises:
        ValueError: a sentence without its subject, which says what is wrong.
    """
    return _peers(_parsed(data), set())


def encode_signer(signer: Peer) -> bytes:
    """The bytes of consensus_key.toml, of a home whose key is with this signer."""
    return f'# The consensus key is with this signer.\nconsensus_key = "remote"\n\n{peer_lines(signer)}\n'.encode()


def decode_signer(data: bytes) -> Peer:
    """Inverse of `encode_signer`.

    Raises:
        ValueError: a sentence without its subject, which says what is wrong.
    """
    document = _parsed(data)
    peers = _peers(document, {"consensus_key"})
    if document.get("consensus_key") != "remote" or len(peers) != 1:
        raise ValueError('holds `consensus_key = "remote"` and one [[peers]], the signer')
    return peers[0]


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"has more than {MAX_FILE_BYTES} bytes")
    try:
        return tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"is not TOML: {error}") from None


def _peers(document: dict[str, Any], besides: set[str]) -> tuple[Peer, ...]:
    rows = document.get("peers", [])
    if set(document) - {*besides, "peers"} or not isinstance(rows, list) or len(rows) > MAX_PEERS:
        named = "".join(f"`{name}` and " for name in sorted(besides))
        raise ValueError(f"holds {named}at most {MAX_PEERS} [[peers]], nothing else")
    peers = tuple(_peer(row, f"peers[{index}]") for index, row in enumerate(rows))
    if len({peer.node_id for peer in peers}) != len(peers):
        raise ValueError("lists a peer twice")
    return peers


def _peer(row: Any, field: str) -> Peer:
    if not isinstance(row, dict) or set(row) != {"peer", "certificate"}:
        raise ValueError(f"{field} must hold `peer` and `certificate`, nothing else")
    match = _PEER.fullmatch(row["peer"]) if isinstance(row["peer"], str) else None
    if match is None:
        raise ValueError(f"{field}.peer must look like id@host:port")
    endpoint = parse_endpoint(match[2], f"{field}.peer")
    try:
        certificate = base64.b64decode(row["certificate"], validate=True)
        node_id = node_id_of(certificate)
        require_readable(certificate)
    except (TypeError, ValueError, UnusableCertificate):
        raise ValueError(f"{field}.certificate is not the certificate of a hub's node key") from None
    if node_id != match[1]:
        raise ValueError(f"{field}.certificate is of node {node_id}, the line names {match[1]}")
    return Peer(node_id, endpoint, certificate)


def read_file(path: Path, decode: Callable[[bytes], Decoded]) -> Decoded | None:
    """What `decode` makes of at most MAX_FILE_BYTES + 1 bytes of the file; None where there is none.

    Raises:
        UnusableHome: it cannot be read, or `decode` raised ValueError.
    """
    try:
        with path.open("rb") as file:
            return decode(file.read(MAX_FILE_BYTES + 1))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnusableHome(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise UnusableHome(f"{path}: {error}") from None


def load_network(home: Path) -> Network | None:
    """The network file of a home; None where it has none, which is a validator without peers.

    Raises:
        UnusableHome: it cannot be read, or is not one.
    """
    return read_file(home / NETWORK_FILE, decode_network)


def write_network(home: Path, network: Network) -> None:
    """Write network.toml durably, readable by others.

    Raises:
        OSError: it cannot be written; the file of before is unchanged.
    """
    write_durably(home / NETWORK_FILE, encode_network(network), mode=0o644)
