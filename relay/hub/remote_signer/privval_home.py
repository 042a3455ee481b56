"""A signer's home for a stock CometBFT node: which node it dials and for which chain, beside key and record."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.light_clients.tendermint.types import PublicKey
from hutong.relay.base.durable_files import write_durably
from hutong.relay.base.file_lock import is_locked
from hutong.relay.config import UnsafeFile, read_private_file, socket_path
from hutong.relay.hub.home.filepv import KEY_FILE, STATE_FILE, read_state
from hutong.relay.hub.home.home import (
    LAST_SIGNED_FILE,
    REMOTE_KEY_FILE,
    VALIDATOR_KEY_FILE,
    UnusableHome,
    decode_validator_key,
)
from hutong.relay.hub.home.last_signed import encode_last_signed
from hutong.relay.hub.network.network_file import read_file
from hutong.relay.hub.remote_signer.key_place import public_key_of, read_key_table, write_key_table

PRIVVAL_FILE = "privval.toml"
MAX_GENESIS_BYTES = 100 * 1024 * 1024
"""CometBFT's own bound of what it takes over RPC; a genesis of a Cosmos chain has tens of megabytes."""
_CHAIN_ID = re.compile(r"[ -!#-\[\]-~]{1,50}")
"""Printable ASCII without quotation marks and backslashes, so that it stands in TOML as it is."""


@dataclass(frozen=True, slots=True)
class DialledNode:
    """The node's `priv_validator_laddr`, and its chain."""

    address: str
    chain_id: str

    @property
    def path(self) -> Path:
        """The socket's."""
        return socket_path(self.address)


def encode_node(node: DialledNode) -> bytes:
    """The bytes of privval.toml, which `decode_node` reads."""
    return (
        f'# The CometBFT node that this signer dials.\nconnect = "{node.address}"\nchain_id = "{node.chain_id}"\n'
    ).encode()


def decode_node(data: bytes) -> DialledNode:
    """Inverse of `encode_node`.

    Raises:
        ValueError: a sentence without its subject, which says what is wrong.
    """
    document = tomllib.loads(data.decode())
    if set(document) != {"connect", "chain_id"} or not all(isinstance(value, str) for value in document.values()):
        raise ValueError("holds `connect` and `chain_id`, nothing else")
    return checked_node(document["connect"], document["chain_id"])


def checked_node(address: str, chain_id: str) -> DialledNode:
    """Raises ValueError, a sentence without its subject, for an address or chain id that cannot be used."""
    try:
        socket_path(address)
    except ValueError as error:
        raise ValueError(f"connect {error}") from None
    if _CHAIN_ID.fullmatch(chain_id) is None:
        raise ValueError("chain_id must be 1 to 50 printable characters of ASCII, no quotation mark, no backslash")
    return DialledNode(address, chain_id)


def load_node(home: Path) -> DialledNode | None:
    """The node that the signer of this home dials; None where it is a signer for nodes of ours, which dial it.

    Raises:
        UnusableHome: the file is there and cannot be used.
    """
    return read_file(home / PRIVVAL_FILE, decode_node)


def take_over(cometbft: Path, to: Path, address: str, key_file: Path | None) -> tuple[DialledNode, PublicKey]:
    """Make the signer's home `to` from the home of a stopped CometBFT node: its key moves, its record is taken over.

    Args:
        cometbft: with config/ and data/.
        address: `unix:///path`, the node's priv_validator_laddr from now on.
        key_file: names the source that has the key; then the node's home must not have it any more.

    Returns:
        The node, and the key that signs for it.

    Raises:
        UnusableHome: a file of either home cannot be used or written, the node runs, or the signer's home exists.
    """
    key_path, state_path = cometbft / "config" / KEY_FILE, cometbft / "data" / STATE_FILE
    for name in (PRIVVAL_FILE, VALIDATOR_KEY_FILE, REMOTE_KEY_FILE, LAST_SIGNED_FILE):
        if (to / name).exists():
            raise UnusableHome(f"{to / name} exists: a signer's home is made once")
    try:
        node = checked_node(address, _chain_id_of(cometbft / "config" / "genesis.json"))
    except ValueError as error:
        raise UnusableHome(f"{cometbft}: {error}") from None
    _refuse_running(cometbft)
    record = read_state(state_path)
    if key_file is not None and key_path.exists():
        raise UnusableHome(f"{key_path} exists: a key must be in one place, move the file away where {key_file} has it")
    try:
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        if key_file is None:
            secret = read_private_file(key_path)
            key = decode_validator_key(secret).public_key
            write_durably(to / VALIDATOR_KEY_FILE, secret)
        else:
            key = public_key_of(read_key_table(key_file), key_file)
            write_key_table(to, key_file)
        write_durably(to / LAST_SIGNED_FILE, encode_last_signed(record))
        write_durably(to / PRIVVAL_FILE, encode_node(node), mode=0o644)
        if key_file is None:
            key_path.unlink()
    except UnsafeFile as error:
        raise UnusableHome(f"{key_path}: {error}") from None
    except ValueError as error:
        raise UnusableHome(f"{key_path}: {error}") from None
    except OSError as error:
        raise UnusableHome(f"{error.filename or to}: {error.strerror or error}") from None
    return node, key


def _chain_id_of(path: Path) -> str:
    try:
        document: Any = parse_json(path.read_bytes(), "genesis", MAX_GENESIS_BYTES)
        return str(document["chain_id"])
    except OSError as error:
        raise UnusableHome(f"{path}: {error.strerror or error}") from None
    except (MalformedInput, KeyError, TypeError):
        raise UnusableHome(f"{path}: is not a CometBFT genesis") from None


def _refuse_running(cometbft: Path) -> None:
    """A node that runs has the key in its memory, and would go on to sign. Raises UnusableHome."""
    for lock in sorted((cometbft / "data").glob("*.db/LOCK")):
        if is_locked(lock):
            raise UnusableHome(f"{cometbft}: CometBFT runs in this home; stop it first")
