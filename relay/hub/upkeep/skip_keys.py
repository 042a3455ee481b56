"""The consensus key that signs a skip: in the node's home, with a signer, or CometBFT's."""

from pathlib import Path
from typing import Any

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.relay.base.durable_files import write_durably
from hutong.relay.config import UnsafeFile, read_private_file
from hutong.relay.hub.consensus.signing import LastSigned, above
from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.home.home import LAST_SIGNED_FILE, UnusableHome, decode_validator_key
from hutong.relay.hub.home.key_file import Password
from hutong.relay.hub.home.last_signed import encode_last_signed, load_record
from hutong.relay.hub.home.process import lock_home
from hutong.relay.hub.process.start import signer_of
from hutong.relay.hub.remote_signer.client import NodeSigner

COMETBFT_KEY_FILE = "cometbft/config/priv_validator_key.json"
COMETBFT_STATE_FILE = "cometbft/data/priv_validator_state.json"
MAX_STATE_BYTES = 64 * 1024


def skip_signer_of(home: Path, chain_id: str, password: Password) -> NodeSigner:
    """The consensus key of a home, under the home's lock, which this process then holds.

    Under CometBFT the record is first brought up to the height that CometBFT's own record names.

    Raises:
        UnusableHome: key, record or CometBFT's state cannot be used, or the password is wrong.
        NodeRefused: another process runs in the home.
        OSError: the record cannot be written.
    """
    if not (home / "cometbft").is_dir():
        return signer_of(home, chain_id, password)
    lock_home(home)
    try:
        key = decode_validator_key(read_private_file(home / COMETBFT_KEY_FILE))
    except (UnsafeFile, ValueError) as error:
        raise UnusableHome(f"{home / COMETBFT_KEY_FILE}: {error}") from None
    # CometBFT's own record says what it signed; the promise is kept by the application, which executes for it.
    record = above(skip_record_of(home), _cometbft_height(home))
    write_durably(home / LAST_SIGNED_FILE, encode_last_signed(record))
    return FileSigner(home, key, chain_id)


def skip_record_of(home: Path) -> LastSigned:
    """The record of a home under CometBFT: empty until a skip is signed there.

    Raises:
        UnusableHome: there is one, and it cannot be read.
    """
    return load_record(home) if (home / LAST_SIGNED_FILE).exists() else LastSigned()


def _cometbft_height(home: Path) -> int:
    path = home / COMETBFT_STATE_FILE
    try:
        document: Any = parse_json(path.read_bytes(), "state", MAX_STATE_BYTES)
        height = int(document["height"])
    except OSError as error:
        raise UnusableHome(
            f"{path}: {error.strerror or error}; without it this validator could contradict what it signed"
        ) from None
    except (MalformedInput, KeyError, TypeError, ValueError):
        raise UnusableHome(f"{path}: is not a CometBFT signing state") from None
    if height < 0:
        raise UnusableHome(f"{path}: is not a CometBFT signing state")
    return height
