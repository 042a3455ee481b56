"""The `[api]` table: where the HTTP API listens, and what it lets others do; servers of other daemons have the same.

Example:

    [api]
    listen = "127.0.0.1:9480"            # port 0: the system chooses
    keys_file = "api-keys.json"          # made by `hutong api keys create`
    cors_origins = ["https://dapp.example"]
    # tls_certificate = "tls/chain.pem"  # needed on any other address than loopback,
    # tls_key = "tls/key.pem"            # unless behind_proxy = true, with trusted_proxies
"""

import re
from ipaddress import ip_address, ip_network
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from hutong.relay.config.fields import FilePath, ListenAddress, Model

MAX_ORIGINS = 64
MAX_PROXIES = 64

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]{1,255}")


def _check_origin(origin: str) -> str:
    if origin == "*":
        return origin
    if _ORIGIN.fullmatch(origin) is None or not urlsplit(origin).hostname:
        raise ValueError('must be an origin as browsers send it, such as "https://dapp.example", or "*"')
    return origin


def _check_network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        raise ValueError("must be an address or a network, such as 10.0.0.5 or 10.0.0.0/24") from None
    return text


def check_public_url(url: str) -> str:
    """What clients call a server by, without a slash at its end.

    Raises:
        ValueError: it is no URL of HTTP.
    """
    if len(url) > 2048 or urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ValueError("must be a URL that starts with http:// or https://")
    return url.rstrip("/")


class ServerConfig(Model):
    """An HTTP server. What changes something needs a key of `keys_file`."""

    listen: ListenAddress
    keys_file: FilePath | None = None
    """Without it nobody has a key."""
    cors_origins: Annotated[
        tuple[Annotated[str, AfterValidator(_check_origin)], ...], Field(max_length=MAX_ORIGINS, strict=False)
    ] = ()
    tls_certificate: FilePath | None = None
    tls_key: FilePath | None = None
    behind_proxy: bool = False
    """A proxy in front ends TLS; without it only loopback is served in the clear."""
    trusted_proxies: Annotated[
        tuple[Annotated[str, AfterValidator(_check_network)], ...], Field(max_length=MAX_PROXIES, strict=False)
    ] = ()
    """Whose X-Forwarded-For is believed."""
    rate_limit_per_s: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    """Of each address or key, in bursts of five times as many."""

    @property
    def host(self) -> str:
        """The host of `listen`, an IPv6 address without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port of `listen`; 0 lets the system choose."""
        return int(self.listen.rpartition(":")[2])

    @property
    def has_tls(self) -> bool:
        """Whether it ends TLS itself."""
        return self.tls_certificate is not None

    @model_validator(mode="after")
    def _both_parts_of_tls(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("needs both tls_certificate and tls_key, or neither")
        return self

    @model_validator(mode="after")
    def _proxy_is_known(self) -> Self:
        if self.behind_proxy and not self.trusted_proxies:
            raise ValueError(
                "has behind_proxy = true and no trusted_proxies: every client would have the proxy's address, and one rate"
                " limit; name the proxy's address or network in trusted_proxies"
            )
        return self

    @model_validator(mode="after")
    def _nothing_in_the_clear(self) -> Self:
        if not self.has_tls and not self.behind_proxy and not is_loopback(self.host):
            raise ValueError(
                f"listens on {self.host} without TLS: give tls_certificate and tls_key, listen on 127.0.0.1,"
                " or set behind_proxy = true where a proxy ends TLS"
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class ApiConfig(ServerConfig):
    """The HTTP API. Reading is free; submitting and administering need a key of `keys_file`."""

    inside_relay: bool = True
    """`hutong relay run` serves it too; false where `hutong api run` alone does."""
    public_url: Annotated[str, AfterValidator(check_public_url)] | None = None
    """What clients call it by, for the OpenAPI document."""
    cases_folder: FilePath | None = None
    """Folder with `reports` and `evidence` of application cases, which everybody may read then (docs/city.md)."""
    max_streams: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    """Event streams and WebSockets open at once."""
