"""`hutong hub signer init`: a node's key and its record go into a signer's home, and the node is told where they are."""

from pathlib import Path

from hutong.relay.base.durable_files import write_durably
from hutong.relay.hub.home.home import (
    GENESIS_FILE,
    LAST_SIGNED_FILE,
    REMOTE_KEY_FILE,
    SIGNER_FILE,
    VALIDATOR_KEY_FILE,
    UnusableHome,
    load_genesis,
)
from hutong.relay.hub.home.key_file import read_key_file
from hutong.relay.hub.home.last_signed import encode_last_signed, load_record
from hutong.relay.hub.home.process import lock_home
from hutong.relay.hub.network.link.node_key import NODE_KEY_FILE, new_node_key, write_node_key
from hutong.relay.hub.network.membership import own_lines
from hutong.relay.hub.network.network_file import Endpoint, Network, Peer, encode_network, encode_signer
from hutong.relay.hub.remote_signer.turns import TURN_FILE, Turn, encode_turn


def move_key(node: Path, to: Path, listen: Endpoint) -> Peer:
    """Make the signer's home `to`, and take the key out of the stopped node's.

    Returned is the signer as the node knows it. The key stays encrypted or plain as it is. It leaves the node's home
    last: interrupted, it is in both, and the node names no signer or refuses to start.

    Raises:
        UnusableHome: a file of either home cannot be used or written, or the signer's home exists.
        NodeRefused: the node runs.
    """
    load_genesis(node)
    own = own_lines(node)
    key, record = read_key_file(node / VALIDATOR_KEY_FILE), load_record(node)
    for name in (SIGNER_FILE, VALIDATOR_KEY_FILE, LAST_SIGNED_FILE, GENESIS_FILE, NODE_KEY_FILE, TURN_FILE):
        if (to / name).exists():
            raise UnusableHome(f"{to / name} exists: a signer's home is made once")
    lock_home(node)
    # Read again under the lock: the node may have signed until now.
    record = load_record(node)
    identity = new_node_key()
    signer = Peer(identity.node_id, listen, identity.certificate)
    try:
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(to / GENESIS_FILE, (node / GENESIS_FILE).read_bytes(), mode=0o644)
        write_durably(to / VALIDATOR_KEY_FILE, key.data)
        write_durably(to / LAST_SIGNED_FILE, encode_last_signed(record))
        write_durably(to / TURN_FILE, encode_turn(Turn(own.node_id, 0)))
        write_node_key(to, identity)
        write_durably(to / SIGNER_FILE, encode_network(Network(listen, (own,))))
        write_durably(node / REMOTE_KEY_FILE, encode_signer(signer))
        (node / VALIDATOR_KEY_FILE).unlink()
        (node / LAST_SIGNED_FILE).unlink()
    except OSError as error:
        raise UnusableHome(f"{error.filename or to}: {error.strerror or error}") from None
    return signer
