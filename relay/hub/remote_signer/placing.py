"""`hutong hub key source`: a node's consensus key is with a key source from now on, and leaves the node's home."""

import shutil
from contextlib import suppress
from pathlib import Path

from hutong.light_clients.tendermint.types import PublicKey
from hutong.relay.base.durable_files import write_durably
from hutong.relay.config import PrivvalConfig
from hutong.relay.hub.home.filepv import KEY_FILE, STATE_FILE, encode_state
from hutong.relay.hub.home.home import REMOTE_KEY_FILE, SIGNER_FILE, VALIDATOR_KEY_FILE, UnusableHome, load_genesis
from hutong.relay.hub.home.key_file import read_key_file
from hutong.relay.hub.home.last_signed import load_record
from hutong.relay.hub.home.process import lock_home
from hutong.relay.hub.network.network_file import NETWORK_FILE
from hutong.relay.hub.remote_signer.key_place import public_key_of, read_key_table, write_key_table


def place_key(home: Path, key_file: Path, to: Path | None) -> PublicKey:
    """Name the source of `key_file` to a stopped node, or to a signer, and take the key file out of the home.

    The record stays in the home: it goes on to be written before the source is asked. The key leaves last; interrupted,
    it is in the home as well, and the node refuses to start.

    Args:
        to: a new folder for the key and its record in CometBFT's form, for a stock signer; None to delete the key, which
            the source has.

    Raises:
        UnusableHome: a file cannot be used or written, or the source has another key than the home.
        NodeRefused: the node runs.
    """
    genesis = load_genesis(home)
    table = read_key_table(key_file)
    own, named = read_key_file(home / VALIDATOR_KEY_FILE), public_key_of(table, key_file)
    if own.public_key != named:
        raise UnusableHome(
            f"{key_file}: names the key {named.data.hex()}, the key of {home} is {own.public_key.data.hex()}; put that key"
            " where the source is, or swap keys first (docs/member/keys.md)"
        )
    if isinstance(table, PrivvalConfig) and table.chain_id != genesis.chain_id:
        raise UnusableHome(f"{key_file}: key.chain_id is {table.chain_id}, this home is of {genesis.chain_id}")
    if not (home / NETWORK_FILE).exists() and not (home / SIGNER_FILE).exists():
        raise UnusableHome(
            f"{home}: a key elsewhere is not supported without {NETWORK_FILE} (`hutong hub network init`)"
        )
    if to is not None and own.is_encrypted:
        raise UnusableHome(f"{own.path} is encrypted: a stock signer reads no such file (`hutong hub key decrypt`)")
    if to is not None and to.exists():
        raise UnusableHome(f"{to} exists: give a new folder")
    lock_home(home)
    table_path = home / REMOTE_KEY_FILE
    made = [path for path in (table_path, to) if path is not None and not path.exists()]
    try:
        write_key_table(home, key_file)
        if to is not None:
            to.mkdir(parents=True, mode=0o700)
            write_durably(to / KEY_FILE, own.data)
            # Under the lock: the node may have signed until now.
            write_durably(to / STATE_FILE, encode_state(load_record(home)))
        (home / VALIDATOR_KEY_FILE).unlink()
    except OSError as error:
        _take_back(made)
        raise UnusableHome(f"{error.filename or home}: {error.strerror or error}") from None
    return named


def _take_back(made: list[Path]) -> None:
    """Nothing was moved: the key is in the home still, and a copy of it, or a table beside it, would be in the way."""
    for path in made:
        with suppress(OSError):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
