"""The table of the kinds of key sources: from a key's table of the configuration to its source.

A new kind is a model in `relay/config/keys`, a file in `relay/keys/sources` and a case here.
"""

from collections.abc import Mapping

from eth_utils.address import to_checksum_address

from hutong.light_clients.crypto.addresses import eth_address
from hutong.relay.config import (
    AnyKeyConfig,
    AwsKmsConfig,
    Eth1SignerConfig,
    KeystoreConfig,
    Pkcs11Config,
    PrivvalConfig,
)
from hutong.relay.config.keys.policy import PolicyConfig
from hutong.relay.keys.errors import KeyUnavailable
from hutong.relay.keys.keystore import StoredKey, load_key, stored_key
from hutong.relay.keys.signer import Signer
from hutong.relay.keys.signing_record import SigningRecord
from hutong.relay.keys.source import KeySource
from hutong.relay.keys.sources.guarded import GuardedSource
from hutong.relay.keys.sources.in_memory import KeyInMemory


def open_source(key: AnyKeyConfig, environment: Mapping[str, str] | None = None) -> KeySource:
    """The source of a configured key, under its policy. A keystore is decrypted, which costs a deliberate fraction of a
    second; nothing else is asked, so that what holds the key may be away.

    Raises:
        KeyUnavailable: with the reason, never with a password or key.
    """
    source = _opened(key, environment)
    if key.policy is None:
        return source
    record = None if key.policy.record is None else SigningRecord(key.policy.record)
    try:
        return GuardedSource(source, key.policy, record)
    except KeyUnavailable:
        if record is not None:
            record.close()
        raise


def open_recorded(key: AnyKeyConfig, policy: PolicyConfig, record: SigningRecord) -> KeySource:
    """The same, with everything that it signs written into a record that keys share.

    Raises:
        KeyUnavailable: as `open_source`.
    """
    return GuardedSource(_opened(key, None), policy, record)


def _opened(key: AnyKeyConfig, environment: Mapping[str, str] | None) -> KeySource:
    match key:
        case KeystoreConfig():
            return load_key(key, lambda private_key: KeyInMemory(private_key, key.place), environment)
        case Eth1SignerConfig():
            # Late: HTTP costs every command time, and a wallet is installed without it.
            from hutong.relay.keys.sources.eth1_signer import Eth1Signer

            return Eth1Signer(key)
        case AwsKmsConfig():
            from hutong.relay.keys.sources.aws_kms import AwsKmsKey

            return AwsKmsKey(key)
        case Pkcs11Config():
            from hutong.relay.keys.sources.pkcs11.source import Pkcs11Key

            return Pkcs11Key(key)
        case PrivvalConfig():
            from hutong.relay.keys.sources.privval import PrivvalKey

            return PrivvalKey(key)


def load_signer(
    key: AnyKeyConfig, environment: Mapping[str, str] | None = None, document_chain_id: str | None = None
) -> Signer:
    """The account of a configured key, as `open_source`.

    Args:
        document_chain_id: see `Signer`.

    Raises:
        KeyUnavailable: as `open_source`, or the key is of another curve.
    """
    source = open_source(key, environment)
    try:
        return Signer(source, document_chain_id)
    except ValueError:
        raise KeyUnavailable(key.place, "an account needs a key of secp256k1") from None


def account_of_key(key: AnyKeyConfig) -> StoredKey:
    """Which account a configured key is of, as far as file and configuration say. Nothing is decrypted, nobody is asked."""
    if isinstance(key, KeystoreConfig):
        return stored_key(key.keystore)
    address = eth_address(key.key)
    return StoredKey(key.place, None if address is None else to_checksum_address(address), None, key.key)
