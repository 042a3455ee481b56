"""Tables of `identity.toml` that belong to no single role: the server itself.

Example:

    [server]
    home = "state"                          # relative to this file
    listen = "127.0.0.1:9490"
    public_url = "https://id.example"       # what wallets call it by
    keys_file = "api-keys.json"             # made by `hutong identity api-key create`
    # database_url = "postgresql://hutong@db/identity"
"""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from hutong.relay.config import ServerConfig
from hutong.relay.config.api import check_public_url, is_loopback
from hutong.relay.config.fields import MAX_URL_CHARS, EnvironmentName, FilePath


def _check_database_url(url: str) -> str:
    parts = urlsplit(url)
    if len(url) > MAX_URL_CHARS or parts.scheme != "postgresql" or not parts.path.strip("/"):
        raise ValueError("must look like postgresql://user@host:5432/database")
    if parts.password or "password" in parts.query.lower():
        raise ValueError("must not hold a password: name its variable in database_password_env")
    return url


class IdentityServer(ServerConfig):
    """The process itself: where it listens, what it is called by, where its state is."""

    home: FilePath
    public_url: Annotated[str, AfterValidator(check_public_url)]
    """Identifiers, links and audiences begin with it."""
    database_url: Annotated[str, AfterValidator(_check_database_url)] | None = None
    """`postgresql://user@host:port/database`; without it a SQLite file in `home`."""
    database_password_env: EnvironmentName | None = None
    tls_authorities: FilePath | None = None
    """PEM: authorities of HTTPS besides the known ones, for what the daemon fetches, such as status lists."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _public_name_is_safe(self) -> Self:
        parts = urlsplit(self.public_url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise ValueError("has a public_url without https: wallets take credentials over TLS alone")
        if parts.query or parts.fragment:
            raise ValueError("has a public_url with a query or a fragment, which no identifier may have")
        return self
