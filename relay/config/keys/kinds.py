"""The kinds of key sources, chosen by `kind`; a table without it names a keystore, as it always did."""

from typing import Annotated, Any, TypeAlias

from pydantic import Discriminator, Tag

from hutong.relay.config.keys.aws_kms import AwsKmsConfig
from hutong.relay.config.keys.eth1_signer import Eth1SignerConfig
from hutong.relay.config.keys.keystore import KeystoreConfig
from hutong.relay.config.keys.pkcs11 import Pkcs11Config
from hutong.relay.config.keys.privval import PrivvalConfig

KEY_KINDS = ("keystore", "eth1-signer", "aws-kms", "pkcs11", "privval")
"""Those of `AnyKeyConfig`, by the word of the configuration."""


def _kind_of(value: Any) -> Any:
    return value.get("kind", "keystore") if isinstance(value, dict) else getattr(value, "kind", "keystore")


AnyKeyConfig: TypeAlias = Annotated[
    Annotated[KeystoreConfig, Tag("keystore")]
    | Annotated[Eth1SignerConfig, Tag("eth1-signer")]
    | Annotated[AwsKmsConfig, Tag("aws-kms")]
    | Annotated[Pkcs11Config, Tag("pkcs11")]
    | Annotated[PrivvalConfig, Tag("privval")],
    Discriminator(_kind_of),
]
