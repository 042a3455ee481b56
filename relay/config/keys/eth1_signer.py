"""A key that another process holds, which signs over the REST of Web3Signer (`hutong signer run` serves it, too).

Example:

    [chains.key]
    kind = "eth1-signer"
    url = "https://signer.example:9000"
    public_key = "03a1b2…"               # 33 bytes of hex, compressed: another key's signature is refused
    ca_file = "tls/signer-ca.pem"
    client_certificate = "tls/relay.pem"
    client_key = "tls/relay.key"
"""

from collections.abc import Hashable, Iterator
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from hutong.relay.config.fields import FilePath, url_of
from hutong.relay.config.keys.key_base import KeyBase, NamedFile
from hutong.relay.config.keys.public_key import PublicKeyText


class Eth1SignerConfig(KeyBase):
    """Where the signer is, which of its keys, and the certificates of both sides."""

    kind: Literal["eth1-signer"]
    url: Annotated[str, url_of("http", "https")]
    """Without a path, or with the one under which a proxy has it."""
    public_key: PublicKeyText
    ca_file: FilePath | None = None
    """PEM of the authorities that are trusted for the signer; the system's are not, then."""
    client_certificate: FilePath | None = None
    client_key: FilePath | None = None
    """PEM, unencrypted, mode 0600."""
    timeout_ms: Annotated[int, Field(ge=50, le=120_000)] = 5_000
    """One request. An answer that comes later is not used."""
    in_flight: Annotated[int, Field(ge=1, le=64)] = 8
    """Requests at once."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("client_certificate goes with client_key")
        parts = urlsplit(self.url)
        if parts.query or parts.fragment:
            raise ValueError("url must have no query and no fragment")
        if parts.scheme == "http" and (self.ca_file is not None or self.client_certificate is not None):
            raise ValueError("certificates go with an https:// url")
        return self

    @property
    def key(self) -> bytes:
        """The public key, 33 bytes."""
        return bytes.fromhex(self.public_key)

    @property
    def place(self) -> str:
        """See `KeyBase`."""
        return f"eth1-signer {self.url}"

    @property
    def same_key(self) -> Hashable:
        """See `KeyBase`."""
        return self.key

    def files(self) -> Iterator[NamedFile]:
        """See `KeyBase`."""
        if self.client_key is not None:
            yield NamedFile("client_key", self.client_key, is_private=True)
        for name, path in (("ca_file", self.ca_file), ("client_certificate", self.client_certificate)):
            if path is not None:
                yield NamedFile(name, path, is_private=False)
