"""An account that signs: where its key is."""

from typing import Any, Self

from pydantic import model_validator

from hutong.relay.config.fields import EnvironmentName, FilePath, Model

_REMOTE_SIGNER_KEYS = {"kms", "remote", "remote_signer", "signer", "signer_url", "url", "vault"}


class KeyConfig(Model):
    """A V3 keystore and where its password is found: exactly one of the two sources."""

    keystore: FilePath
    password_file: FilePath | None = None
    password_env: EnvironmentName | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_remote_signer(cls, value: Any) -> Any:
        if isinstance(value, dict) and (offered := sorted(_REMOTE_SIGNER_KEYS & value.keys())):
            raise ValueError(f"remote signers are not supported ({offered[0]}); name a keystore")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.password_file is None) == (self.password_env is None):
            raise ValueError("needs exactly one of password_file and password_env")
        return self
