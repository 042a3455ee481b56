"""A key in an encrypted file, which this process opens and keeps in its memory."""

from collections.abc import Hashable, Iterator
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from hutong.relay.config.fields import EnvironmentName, FilePath
from hutong.relay.config.keys.key_base import KeyBase, NamedFile

_OF_OTHER_KINDS = {"kms", "module", "remote", "remote_signer", "signer", "signer_url", "socket", "url", "vault"}


class KeystoreConfig(KeyBase):
    """A V3 keystore and where its password is found: exactly one of the two sources."""

    named_by: ClassVar[str] = "keystore"

    kind: Literal["keystore"] = "keystore"
    keystore: FilePath
    password_file: FilePath | None = None
    password_env: EnvironmentName | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_another_kind(cls, value: Any) -> Any:
        if isinstance(value, dict) and "kind" not in value and (offered := sorted(_OF_OTHER_KINDS & value.keys())):
            raise ValueError(f'is not of a keystore ({offered[0]}): say which kind it is, such as kind = "eth1-signer"')
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.password_file is None) == (self.password_env is None):
            raise ValueError("needs exactly one of password_file and password_env")
        return self

    @property
    def place(self) -> str:
        """See `KeyBase`."""
        return f"keystore {self.keystore}"

    @property
    def same_key(self) -> Hashable:
        """See `KeyBase`."""
        return self.keystore

    def files(self) -> Iterator[NamedFile]:
        """See `KeyBase`."""
        yield NamedFile("keystore", self.keystore, is_private=True)
        if self.password_file is not None:
            yield NamedFile("password_file", self.password_file, is_private=True)
