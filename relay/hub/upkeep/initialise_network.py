"""`hutong hub init --validators N`: one genesis, and a home for each validator with its keys and its peers."""

from dataclasses import dataclass
from pathlib import Path

from hutong.relay.base.durable_files import write_durably
from hutong.relay.hub.application.genesis import Genesis, encode_genesis
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.home.home import GENESIS_FILE, LAST_SIGNED_FILE, VALIDATOR_KEY_FILE, UnusableHome, validator_key
from hutong.relay.hub.home.initialise import NewHub, build_genesis
from hutong.relay.hub.home.key_file import PLAIN, EncodeKey, new_secret
from hutong.relay.hub.home.last_signed import encode_last_signed
from hutong.relay.hub.network.link.node_key import NODE_KEY_FILE, NodeKey, new_node_key, write_node_key
from hutong.relay.hub.network.network_file import NETWORK_FILE, Endpoint, Network, Peer, write_network

LOOPBACK = "127.0.0.1"
PORTS_PER_VALIDATOR = 10


@dataclass(frozen=True, slots=True)
class ValidatorHome:
    """One validator; `p2p + 1` serves eth_*, `p2p + 2` the CometBFT RPC."""

    home: Path
    node_id: str
    p2p: int

    @property
    def eth(self) -> int:
        """Port of the JSON-RPC service."""
        return self.p2p + 1

    @property
    def cometbft(self) -> int:
        """Port of CometBFT's RPC."""
        return self.p2p + 2


def initialise_network(
    home: Path, hub: NewHub, validators: int, base_port: int, encode_key: EncodeKey = PLAIN
) -> tuple[Genesis, list[ValidatorHome]]:
    """Make `validators` homes, `home/validator-1` and so on, on this machine, ten ports apart from `base_port` on.

    Each lists all others as peers. A home is never overwritten; a failure leaves those that were made before it.

    Raises:
        UnusableHome: a file exists or cannot be written, or a key cannot be encoded.
        MalformedInput: a chain id, amount or parameter is out of its bounds.
        ValueError: there are not as many operators as validators.
    """
    keys = [validator_key(new_secret()) for _ in range(validators)]
    node_keys = [new_node_key() for _ in range(validators)]
    genesis = build_genesis(hub, tuple(keys))
    members = [
        ValidatorHome(home / f"validator-{index + 1}", node_key.node_id, base_port + PORTS_PER_VALIDATOR * index)
        for index, node_key in enumerate(node_keys)
    ]
    peers = [
        Peer(node_key.node_id, Endpoint(LOOPBACK, member.p2p), node_key.certificate)
        for member, node_key in zip(members, node_keys, strict=True)
    ]
    try:
        for member, key, node_key in zip(members, keys, node_keys, strict=True):
            others = tuple(peer for peer in peers if peer.node_id != member.node_id)
            _write(member, genesis, encode_key(key), node_key, Network(Endpoint(LOOPBACK, member.p2p), others))
    except OSError as error:
        raise UnusableHome(f"{home}: {error.strerror or error}") from None
    return genesis, members


def _write(member: ValidatorHome, genesis: Genesis, key_file: bytes, node_key: NodeKey, network: Network) -> None:
    home = member.home
    home.mkdir(parents=True, exist_ok=True)
    for name in (GENESIS_FILE, VALIDATOR_KEY_FILE, LAST_SIGNED_FILE, NETWORK_FILE, NODE_KEY_FILE):
        if (home / name).exists():
            raise UnusableHome(f"{home / name} exists: a home is initialised once")
    write_durably(home / VALIDATOR_KEY_FILE, key_file)
    write_durably(home / LAST_SIGNED_FILE, encode_last_signed(LastSigned()))
    write_node_key(home, node_key)
    write_network(home, network)
    # Last, since it is what marks a home as initialised.
    write_durably(home / GENESIS_FILE, encode_genesis(genesis), mode=0o644)
