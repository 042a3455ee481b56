"""What a file may say about endpoints: what they ask for before they answer, and how patient the relay is with them.

Example:

    [[chains]]
    name = "alpha"
    rpc = ["https://alpha-1.example/rpc", "https://alpha-2.example:8443"]
    ws = ["wss://alpha-1.example/ws"]

    [[chains.access]]                    # for every endpoint of that host
    host = "alpha-1.example"
    bearer_token_file = "secrets/alpha-1.token"

    [[chains.access]]
    host = "alpha-2.example:8443"        # of that port alone
    ca_file = "tls/consortium-ca.pem"    # trusted there, and no other
    client_certificate = "tls/relay.pem"
    client_key = "tls/relay.key"
    headers = [{ name = "x-api-key", value_env = "ALPHA_2_KEY" }]

    [chains.endpoints]
    attempt_timeout_ms = 5_000
    max_lag_blocks = 3
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from hutong.relay.config.errors import Problem
from hutong.relay.config.fields import EnvironmentName, FilePath, Model

MAX_ACCESS = 64
MAX_CONFIGURED_HEADERS = 15
"""Beside `authorization`."""
_HOST = re.compile(r"(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_FRAMING = {"host", "content-type", "content-length", "transfer-encoding", "connection", "upgrade", "accept-encoding"}
_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def _check_host(text: str) -> str:
    match = _HOST.fullmatch(text)
    if match is None or (match[2] is not None and not 1 <= int(match[2]) <= 65535):
        raise ValueError('must be a host of one of the URLs, or host:port, such as "alpha-1.example:8443"')
    return text.lower()


def _check_header_name(name: str) -> str:
    if _HEADER.fullmatch(name) is None:
        raise ValueError("must be the name of a header, such as x-api-key")
    if name.lower() in _FRAMING:
        raise ValueError("is a header that the client sets itself")
    return name


class HeaderConfig(Model):
    """One header; its value stands in a file of mode 0600 or in an environment variable."""

    name: Annotated[str, AfterValidator(_check_header_name)]
    value_file: FilePath | None = None
    value_env: EnvironmentName | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.value_file is None) == (self.value_env is None):
            raise ValueError("needs exactly one of value_file and value_env")
        return self


class AccessConfig(Model):
    """What the endpoints of one host ask for. Secrets are named by file or environment variable, never written here."""

    host: Annotated[str, AfterValidator(_check_host)]
    bearer_token_file: FilePath | None = None
    bearer_token_env: EnvironmentName | None = None
    basic_user: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[\x20-\x39\x3b-\x7e]+$")] | None = None
    basic_password_file: FilePath | None = None
    basic_password_env: EnvironmentName | None = None
    headers: Annotated[tuple[HeaderConfig, ...], Field(max_length=MAX_CONFIGURED_HEADERS, strict=False)] = ()
    ca_file: FilePath | None = None
    """PEM of the authorities that are trusted for this host; the system's are not, then."""
    client_certificate: FilePath | None = None
    """PEM, with the chain up to the authority that the server knows."""
    client_key: FilePath | None = None
    """PEM, unencrypted, mode 0600."""
    allow_plaintext: bool = False
    """Send secrets over http:// and ws:// too, where the way is protected otherwise. To this machine itself they always go."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        bearer = [source for source in (self.bearer_token_file, self.bearer_token_env) if source is not None]
        passwords = [source for source in (self.basic_password_file, self.basic_password_env) if source is not None]
        if len(bearer) > 1:
            raise ValueError("needs at most one of bearer_token_file and bearer_token_env")
        if len(passwords) != (self.basic_user is not None):
            raise ValueError("basic_user goes with exactly one of basic_password_file and basic_password_env")
        names = [header.name.lower() for header in self.headers]
        names += ["authorization"] * (len(bearer) + len(passwords))
        if len(set(names)) != len(names):
            raise ValueError("sets a header twice; a bearer token and a basic user both set authorization")
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("client_certificate goes with client_key")
        if not names and self.ca_file is None and self.client_certificate is None:
            raise ValueError("says nothing but the host: name a token, a user, headers, ca_file or client_certificate")
        return self

    @property
    def host_and_port(self) -> tuple[str, int | None]:
        """The host in lower case and without brackets; port None means each port of the host."""
        match = _HOST.fullmatch(self.host)
        if match is None:
            raise ValueError(self.host)
        return match[1].strip("[]"), None if match[2] is None else int(match[2])

    @property
    def has_secrets(self) -> bool:
        """Whether it sends something that a listener could use. A client's certificate is not counted: TLS protects its
        key.
        """
        return bool(self.headers or self.bearer_token_file or self.bearer_token_env or self.basic_user)


class EndpointsConfig(Model):
    """How patient the relay is with a chain's endpoints; left out, the values that `hutong relay run` was measured with."""

    attempt_timeout_ms: Annotated[int, Field(ge=100, le=120_000)] = 10_000
    """One request on one endpoint; then the next is asked."""
    rounds: Annotated[int, Field(ge=1, le=20)] = 4
    """How often all endpoints are asked before a call fails."""
    backoff_first_ms: Annotated[int, Field(ge=1, le=60_000)] = 200
    """Wait before the second round; it doubles with each."""
    backoff_most_ms: Annotated[int, Field(ge=1, le=300_000)] = 5_000
    burst: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Requests at once before `requests_per_s` binds; left out, a quarter of it, at least 50."""
    max_answer_bytes: Annotated[int, Field(ge=64 * 1024, le=256 * 1024 * 1024)] = 16 * 1024 * 1024
    max_lag_blocks: Annotated[int, Field(ge=0, le=10_000)] = 5
    """An endpoint further behind the best one is asked after the others."""
    straggler_grace_ms: Annotated[int, Field(ge=10, le=60_000)] = 1_000
    """Where all are asked at once: how long the others are waited for after the first answer."""
    quarantine_s: Annotated[int, Field(ge=1, le=86_400)] = 30
    """Longest time that an endpoint is left alone after failures in a row."""
    mismatch_quarantine_s: Annotated[int, Field(ge=1, le=86_400)] = 300
    """How long one that lied, or serves another chain, is left alone."""
    max_concurrency: Annotated[int, Field(ge=1, le=256)] = 16
    """Requests under way at once, over all endpoints."""


def access_problems(field: str, urls: Iterable[str], entries: tuple[AccessConfig, ...]) -> Iterator[Problem]:
    """Entries for no URL, twice the same host, and secrets that would go in the clear.

    Args:
        field: of the table that holds the entries, such as `chains.1`; named in the problems.
        urls: of every endpoint of that table.
    """
    parts = [urlsplit(url) for url in urls]
    seen: dict[tuple[str, int | None], int] = {}
    for index, entry in enumerate(entries):
        where = f"{field}.access.{index}"
        host, port = entry.host_and_port
        first = seen.setdefault((host, port), index)
        if first != index:
            yield Problem(f"{where}.host", f"{entry.host!r} is also access.{first}", "write one entry for each host")
        its = [
            part
            for part in parts
            if (part.hostname or "").lower() == host and port in (None, part.port or _DEFAULT_PORTS[part.scheme])
        ]
        if not its:
            yield Problem(f"{where}.host", f"no URL of the chain is at {entry.host!r}", "use the host of one of them")
        clear = next((part for part in its if part.scheme in ("http", "ws")), None)
        if clear is not None and entry.has_secrets and not (entry.allow_plaintext or _is_loopback(host)):
            yield Problem(
                where,
                f"its secrets would go over {clear.scheme}:// in the clear",
                f"use {clear.scheme}s://, or allow_plaintext = true where the way is protected otherwise",
            )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
