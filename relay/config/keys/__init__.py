"""Where a key is: one table for each kind of source (docs/keys.md)."""

from hutong.relay.config.keys.aws_kms import AwsKmsConfig
from hutong.relay.config.keys.eth1_signer import Eth1SignerConfig
from hutong.relay.config.keys.key_base import KeyBase, NamedFile
from hutong.relay.config.keys.key_file import KeyFile
from hutong.relay.config.keys.keystore import KeystoreConfig
from hutong.relay.config.keys.kinds import KEY_KINDS, AnyKeyConfig
from hutong.relay.config.keys.pkcs11 import Pkcs11Config
from hutong.relay.config.keys.privval import PrivvalConfig
from hutong.relay.config.keys.token_key import TokenKeyConfig, token_key_problems
from hutong.relay.config.keys.unix_socket import socket_path

__all__ = [
    "KEY_KINDS",
    "AnyKeyConfig",
    "AwsKmsConfig",
    "Eth1SignerConfig",
    "KeyBase",
    "KeyFile",
    "KeystoreConfig",
    "NamedFile",
    "Pkcs11Config",
    "PrivvalConfig",
    "TokenKeyConfig",
    "socket_path",
    "token_key_problems",
]
