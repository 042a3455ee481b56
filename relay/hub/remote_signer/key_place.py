"""A consensus key that a key source has: consensus_key.toml holds its `[key]` table, as key files do, of any kind that signs votes."""

import tomllib
from pathlib import Path

from hutong.light_clients.tendermint.hashing import sign_digest
from hutong.light_clients.tendermint.types import KeyType, PublicKey
from hutong.relay.base.durable_files import write_durably
from hutong.relay.config import AnyKeyConfig, ConfigError, Eth1SignerConfig, Pkcs11Config, PrivvalConfig, load_key_file
from hutong.relay.hub.engine.source_signer import SourceSigner
from hutong.relay.hub.home.home import REMOTE_KEY_FILE, VALIDATOR_KEY_FILE, UnusableHome
from hutong.relay.hub.home.last_signed import load_record
from hutong.relay.hub.network.network_file import MAX_FILE_BYTES
from hutong.relay.keys import KeyAlgorithm, KeySource, KeyUnavailable, open_source
from hutong.relay.keys.opening import account_of_key
from hutong.relay.keys.sources.blocking import BlockingSource
from hutong.relay.keys.sources.pkcs11.mark import MarkedKey, MarkPlace, TokenMarks

SOURCE_LIMIT_S = 5.0
"""One signature of a token or cloud. The kind privval has a bound of its own, below this one."""


def load_key_table(home: Path) -> AnyKeyConfig | None:
    """The table of the source that has this home's key; None where the key is in the home, or with a signer of ours.

    Raises:
        UnusableHome: the file cannot be read, or its table is of no use for a validator's key.
    """
    path = home / REMOTE_KEY_FILE
    try:
        with path.open("rb") as file:
            document = tomllib.loads(file.read(MAX_FILE_BYTES + 1).decode())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnusableHome(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise UnusableHome(f"{path}: is not TOML: {error}") from None
    return read_key_table(path) if "key" in document else None


def read_key_table(path: Path) -> AnyKeyConfig:
    """The table of a key file, of a kind that signs votes.

    Raises:
        UnusableHome: the file cannot be used; one sentence.
    """
    try:
        key = load_key_file(path)
    except ConfigError as error:
        raise UnusableHome(f"{path}: {error.problems[0]}") from None
    if isinstance(key, Eth1SignerConfig):
        raise UnusableHome(f"{path}: key.kind: a signer over REST signs no votes; not supported for a validator's key")
    return key


def write_key_table(home: Path, key_file: Path) -> None:
    """Copy a key file into a home, as its consensus_key.toml.

    Raises:
        UnusableHome: it would mean something else there, since it names files relative to its own folder.
        OSError: it cannot be written.
    """
    path = home / REMOTE_KEY_FILE
    write_durably(path, key_file.read_bytes())
    try:
        same = read_key_table(path) == read_key_table(key_file)
    except UnusableHome:
        same = False
    if not same:
        path.unlink()
        raise UnusableHome(f"{key_file}: must name its files by their whole paths, since it is copied to {path}")


def public_key_of(key: AnyKeyConfig, path: Path) -> PublicKey:
    """The key that a table names, as far as table and keystore say. Nothing is opened.

    Raises:
        UnusableHome: a keystore does not say its public key; `path`, of the table, is named.
    """
    found = account_of_key(key).public_key
    if found is None:
        raise UnusableHome(f"{path}: {key.place} does not say its public key, as those of `hutong keys add` do")
    return PublicKey(KeyType.SECP256K1, found)


def source_signer_of(home: Path, key: AnyKeyConfig, chain_id: str) -> SourceSigner:
    """The signer of a home whose key is with a source, under the home's lock. The source is not asked, and may be away.

    Raises:
        UnusableHome: the source or the record cannot be used, or the home has a key as well.
    """
    path = home / REMOTE_KEY_FILE
    if (home / VALIDATOR_KEY_FILE).exists():
        raise UnusableHome(
            f"{path} and {home / VALIDATOR_KEY_FILE}: a key must be in one place, remove the one that is not used"
        )
    if isinstance(key, PrivvalConfig) and key.chain_id != chain_id:
        raise UnusableHome(f"{path}: key.chain_id is {key.chain_id}, this home is of {chain_id}")
    try:
        source = open_source(key)
    except KeyUnavailable as error:
        raise UnusableHome(f"{path}: {error}") from None
    if source.algorithm is not KeyAlgorithm.SECP256K1:
        raise UnusableHome(f"{path}: a validator's key is of secp256k1, not of {source.algorithm}")
    # A source that waits for its signer waits no longer than its own bound says.
    limit_s = max(SOURCE_LIMIT_S, getattr(key, "timeout_ms", 0) / 1000)
    if isinstance(key, Pkcs11Config):
        source = _marked(home, key, source, chain_id, limit_s)
    return SourceSigner(home, BlockingSource(source, limit_s), chain_id, signs_skips=not isinstance(key, PrivvalConfig))


def _marked(home: Path, key: Pkcs11Config, source: KeySource, chain_id: str, limit_s: float) -> MarkedKey:
    """The key with its marks on the token, which is asked how far the key signed; a token that is away is asked later."""
    record = load_record(home)
    last = max(record.signed, key=lambda entry: entry.step, default=None)
    recorded = MarkPlace(record.height, record.round, 0 if last is None else int(last.step))
    content = b"" if last is None else sign_digest(KeyType.SECP256K1, last.sign_bytes)
    marked = MarkedKey(source, TokenMarks(key, chain_id), recorded, content)
    BlockingSource(marked, limit_s).health()
    if marked.refusal is not None:
        raise UnusableHome(f"{home}: {marked.refusal}")
    return marked
