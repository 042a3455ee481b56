"""CometBFT's home directory for a hub validator, beside the hub's own files: `HOME/cometbft` (cometbft config/{config,toml}.go).

What `config.toml` does not name keeps CometBFT's default.
"""

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.crypto import ed25519
from hutong.light_clients.tendermint.types import KeyType, PublicKey
from hutong.relay.base.durable_files import write_durably
from hutong.relay.evm.chain.mempool import DEFAULT_MAX_BYTES, DEFAULT_MAX_TRANSACTIONS
from hutong.relay.evm.vm.transaction import MAX_TRANSACTION_BYTES
from hutong.relay.hub.abci.address import ListenAddress
from hutong.relay.hub.abci.genesis import cometbft_genesis
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.home.home import ValidatorKey, encode_validator_key

COMETBFT_DIRECTORY = "cometbft"
CONFIG_FILE = "config/config.toml"
GENESIS_FILE = "config/genesis.json"
VALIDATOR_KEY_FILE = "config/priv_validator_key.json"
NODE_KEY_FILE = "config/node_key.json"
LAST_SIGNED_FILE = "data/priv_validator_state.json"

_NO_SIGNATURE = b'{\n  "height": "0",\n  "round": 0,\n  "step": 0\n}\n'


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a validator's CometBFT is reached by the others."""

    node_id: str
    address: str

    def __str__(self) -> str:
        return f"{self.node_id}@{self.address}"


@dataclass(frozen=True, slots=True)
class CometBftPorts:
    """On one host."""

    host: str
    p2p: int
    rpc: int


@dataclass(frozen=True, slots=True)
class NodeKey:
    """Identity among peers: an Ed25519 secret that signs nothing of the chain; never shown."""

    secret: bytes

    def __repr__(self) -> str:
        return f"NodeKey({self.node_id})"

    @property
    def node_id(self) -> str:
        """40 hex digits: the address of the public key, as CometBFT names a peer."""
        return PublicKey(KeyType.ED25519, ed25519.public_key_of(self.secret)).address.hex()

    def encode(self) -> bytes:
        """CometBFT's node_key.json. It holds the secret as plain text."""
        secret = self.secret + ed25519.public_key_of(self.secret)
        document = {"priv_key": {"type": "tendermint/PrivKeyEd25519", "value": base64.b64encode(secret).decode()}}
        return json.dumps(document).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class CometBftKeys:
    """Of one node."""

    validator: ValidatorKey
    node: NodeKey


@dataclass(frozen=True, slots=True)
class TrustedHeader:
    """Where a new node's CometBFT begins to believe: a header hash that its operator got from members he trusts, and the
    RPC servers (two at least) that it takes headers from."""

    height: int
    hash: bytes
    rpc_servers: tuple[str, ...]
    trusting_period_s: int


@dataclass(frozen=True, slots=True)
class CometBftPlace:
    """Where one node's CometBFT listens and whom it asks."""

    application: ListenAddress
    ports: CometBftPorts
    peers: Sequence[Peer] = ()
    trusted: TrustedHeader | None = None
    """None to begin at block 1."""


def moniker_of(home: Path) -> str:
    """How CometBFT calls this node to its peers: the folder's name. They refuse one that is not printable ASCII (cometbft
    p2p/node_info.go), so each other character is `?`.
    """
    name = "".join(character if " " <= character <= "~" else "?" for character in home.name)
    return name.strip() or "hub"


def _toml_text(text: str) -> str:
    """A TOML basic string. JSON escapes all that TOML wants escaped (toml.io v1.0.0, String), but DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def state_sync_toml(trusted: TrustedHeader) -> str:
    """The section that lets CometBFT begin from a peer's snapshot instead of block 1."""
    return f"""
[statesync]
enable = true
rpc_servers = {_toml_text(",".join(trusted.rpc_servers))}
trust_height = {trusted.height}
trust_hash = "{trusted.hash.hex().upper()}"
trust_period = "{trusted.trusting_period_s}s"
discovery_time = "5s"
"""


def new_node_key() -> NodeKey:
    """A new key of 32 bytes from the system's random source."""
    return NodeKey(os.urandom(32))


def config_toml(genesis: Genesis, moniker: str, place: CometBftPlace) -> str:
    """What differs from CometBFT's defaults. Text that TOML cannot hold as it is, is escaped.

    CometBFT makes a block at once when the app hash has changed or a transaction waits, but not before `timeout_commit`
    has passed; an empty one after `create_empty_blocks_interval` more (consensus/state.go, enterNewRound).
    """
    params = genesis.params
    idle_ms = params.block_interval_ms - params.proof_block_delay_ms
    ports, persistent = place.ports, ",".join(str(peer) for peer in place.peers)
    settings = f"""# Written by `hutong hub init`. What is not here is CometBFT's default.
proxy_app = {_toml_text(str(place.application))}
moniker = {_toml_text(moniker)}

[rpc]
laddr = {_toml_text(f"tcp://{ports.host}:{ports.rpc}")}

[p2p]
laddr = {_toml_text(f"tcp://{ports.host}:{ports.p2p}")}
persistent_peers = {_toml_text(persistent)}
pex = false
# Validators may share a host or a private network.
addr_book_strict = false
allow_duplicate_ip = true

[mempool]
# Not less than the application's own pool.
size = {DEFAULT_MAX_TRANSACTIONS}
cache_size = {2 * DEFAULT_MAX_TRANSACTIONS}
max_txs_bytes = {DEFAULT_MAX_BYTES}
max_tx_bytes = {MAX_TRANSACTION_BYTES}
recheck_timeout = "10s"

[consensus]
timeout_commit = "{params.proof_block_delay_ms}ms"
create_empty_blocks_interval = "{idle_ms}ms"

[tx_index]
# The hub's events are Ethereum logs: eth_getLogs finds them.
indexer = "null"
"""
    return settings if place.trusted is None else settings + state_sync_toml(place.trusted)


def write_cometbft_home(home: Path, genesis: Genesis, keys: CometBftKeys, place: CometBftPlace) -> Path:
    """Fill `home/cometbft`, and return it.

    What is there is overwritten, the last-signed record too: the caller asks before.

    The key is written plain, since CometBFT reads no other; files with secrets are 0600.

    Raises:
        OSError: a file cannot be written.
    """
    directory = home / COMETBFT_DIRECTORY
    for name in ("config", "data"):
        (directory / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    config = config_toml(genesis, moniker_of(home), place)
    for name, data, mode in (
        (VALIDATOR_KEY_FILE, encode_validator_key(keys.validator), 0o600),
        (NODE_KEY_FILE, keys.node.encode(), 0o600),
        (LAST_SIGNED_FILE, _NO_SIGNATURE, 0o600),
        (GENESIS_FILE, cometbft_genesis(genesis), 0o644),
        (CONFIG_FILE, config.encode(), 0o644),
    ):
        write_durably(directory / name, data, mode)
    return directory
