"""A home that was not made together with the others' becomes one of a network: its own identity, and the others' lines."""

from pathlib import Path

from hutong.relay.hub.home.home import GENESIS_FILE, UnusableHome
from hutong.relay.hub.network.link.node_key import NODE_KEY_FILE, load_node_key, new_node_key, write_node_key
from hutong.relay.hub.network.network_file import (
    MAX_PEERS,
    NETWORK_FILE,
    Endpoint,
    Network,
    Peer,
    decode_peers,
    load_network,
    write_network,
)


def enter_network(home: Path, listen: Endpoint) -> Peer:
    """Make node key and network file of a joined home, without peers yet; what the others are to list.

    Raises:
        UnusableHome: it is no home of a hub, has its place already, or cannot be written.
    """
    if not (home / GENESIS_FILE).exists():
        raise UnusableHome(f"{home}: not a home of a hub, run `hutong hub join` first")
    for name in (NETWORK_FILE, NODE_KEY_FILE):
        if (home / name).exists():
            raise UnusableHome(f"{home / name} exists: this node has its place already, see `hutong hub network show`")
    node_key = new_node_key()
    try:
        write_node_key(home, node_key)
        # Last, since it is what makes a start look for peers.
        write_network(home, Network(listen, ()))
    except OSError as error:
        raise UnusableHome(f"{home}: {error.strerror or error}") from None
    return Peer(node_key.node_id, listen, node_key.certificate)


def own_lines(home: Path) -> Peer:
    """What the others are to list of this node.

    Raises:
        UnusableHome: network file or node key is missing or cannot be used.
    """
    network, node_key = _loaded(home), load_node_key(home)
    return Peer(node_key.node_id, network.listen, node_key.certificate)


def add_peers(home: Path, lines: bytes) -> tuple[Peer, ...]:
    """Write the peers in `lines` into network.toml, in place of older lines of the same nodes.

    Returns:
        Those that were in `lines`.

    Raises:
        UnusableHome: `lines` do not parse, name none or this node itself, or the file would list more than MAX_PEERS.
    """
    network, own = _loaded(home), load_node_key(home).node_id
    try:
        added = decode_peers(lines)
    except ValueError as error:
        raise UnusableHome(f"what was given {error}") from None
    if not added:
        raise UnusableHome("what was given names no peer: pass what `hutong hub network show` prints at the other node")
    named = {peer.node_id for peer in added}
    if own in named:
        raise UnusableHome(f"{own} is this node itself")
    peers = (*(peer for peer in network.peers if peer.node_id not in named), *added)
    if len(peers) > MAX_PEERS:
        raise UnusableHome(f"{home / NETWORK_FILE} would list {len(peers)} peers, {MAX_PEERS} are the most")
    _write(home, Network(network.listen, peers))
    return added


def remove_peer(home: Path, node_id: str) -> Peer:
    """Take the peer with this id (40 hex digits) out of network.toml; the line that is gone.

    Raises:
        UnusableHome: the file lists no such peer, or cannot be used.
    """
    network = _loaded(home)
    removed = next((peer for peer in network.peers if peer.node_id == node_id), None)
    if removed is None:
        raise UnusableHome(f"{home / NETWORK_FILE} lists no peer {node_id}")
    _write(home, Network(network.listen, tuple(peer for peer in network.peers if peer is not removed)))
    return removed


def _write(home: Path, network: Network) -> None:
    try:
        write_network(home, network)
    except OSError as error:
        raise UnusableHome(f"{home / NETWORK_FILE}: {error.strerror or error}") from None


def _loaded(home: Path) -> Network:
    network = load_network(home)
    if network is None:
        raise UnusableHome(f"{home / NETWORK_FILE} is missing: make it with `hutong hub network init`")
    return network
