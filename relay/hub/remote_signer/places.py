"""Where a validator's key is: consensus_key.toml in a node's home names its signer, signer.toml in a signer's its nodes."""

from pathlib import Path

from hutong.relay.hub.home.home import REMOTE_KEY_FILE, SIGNER_FILE, UnusableHome
from hutong.relay.hub.network.network_file import Network, Peer, decode_network, decode_signer, read_file


def load_signer_place(home: Path) -> Peer | None:
    """The signer of a node's home; None where the node has its key itself.

    Raises:
        UnusableHome: the file is there and cannot be used.
    """
    return read_file(home / REMOTE_KEY_FILE, decode_signer)


def load_nodes(home: Path) -> Network:
    """Where the signer of this home listens, and the nodes that it signs for, at least one.

    Raises:
        UnusableHome: the file is missing, names no node, or cannot be used.
    """
    path = home / SIGNER_FILE
    network = read_file(path, decode_network)
    if network is None:
        raise UnusableHome(f"{path} is missing; make it with `hutong hub signer init`")
    if not network.peers:
        raise UnusableHome(f"{path}: lists no node to sign for")
    return network
