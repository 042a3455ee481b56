"""Where a validator's key is: consensus_key.toml in a node's home names its signer, signer.toml in a signer's its nodes."""

from pathlib import Path

from relay.hub.network.network_file import MAX_FILE_BYTES, Network, Peer, decode_network, decode_signer
from relay.hub.node.home import REMOTE_KEY_FILE, SIGNER_FILE, UnusableHome


def load_signer_place(home: Path) -> Peer | None:
    """None where the node has its key itself. Raises UnusableHome."""
    path = home / REMOTE_KEY_FILE
    try:
        with path.open("rb") as file:
            return decode_signer(file.read(MAX_FILE_BYTES + 1))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnusableHome(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise UnusableHome(f"{path}: {error}") from None


def load_nodes(home: Path) -> Network:
    """Of a signer's home: where it listens, and whom it signs for. Raises UnusableHome."""
    path = home / SIGNER_FILE
    try:
        with path.open("rb") as file:
            network = decode_network(file.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        raise UnusableHome(f"{path}: {error.strerror or error}; make it with `hutong hub signer init`") from None
    except ValueError as error:
        raise UnusableHome(f"{path}: {error}") from None
    if not network.peers:
        raise UnusableHome(f"{path}: lists no node to sign for")
    return network
