"""The `[resolver]` table of `identity.toml`.

Example:

    [resolver]
    relay = "relay.toml"                    # the relay's file: it says how the hub is reached
    hub = "hub"                             # its name there; unneeded if there is one
    checkpoint = "hub.checkpoint.json"      # from which readers judge; without it today's validators sign
    supplements = "supplements"             # a folder of <sha256>.json: what DID documents say besides keys
    fetch_webvh = true                      # ask the hosts that a did:webvh names
    [resolver.webvh_addresses]              # of hosts that are not on the public internet
    "did.example.org" = ["10.1.2.3"]
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated

from pydantic import Field

from hutong.light_clients.interface import VerificationError
from hutong.relay.config import Problem
from hutong.relay.config.fields import FilePath, Model
from hutong.relay.services.identity.rules.dids.webvh.identifier import host_is_a_public_name

MAX_NAMED_HOSTS = 256
MAX_NAMED_ADDRESSES = 4


class ResolverConfig(Model):
    """What is resolved here besides did:key and did:jwk, which need nothing."""

    relay: FilePath | None = None
    hub: str | None = None
    checkpoint: FilePath | None = None
    supplements: FilePath | None = None
    fetch_webvh: bool = False
    """Whether logs of did:webvh are fetched from hosts that strangers name; without it that method is not supported."""
    webvh_addresses: Annotated[
        dict[
            Annotated[str, Field(max_length=253)],
            Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_NAMED_ADDRESSES, strict=False)],
        ],
        Field(default_factory=dict, max_length=MAX_NAMED_HOSTS),
    ]
    """Addresses of hosts by name, which are asked wherever they are; every other host must be at public addresses."""


def resolver_problems(resolver: ResolverConfig, table: str) -> Iterator[Problem]:
    """Files that are missing."""
    for name in ("relay", "checkpoint"):
        path = getattr(resolver, name)
        if path is not None and not path.is_file():
            yield Problem(f"{table}.{name}", f"there is no file {path}", "correct the path")
    if resolver.supplements is not None and not resolver.supplements.is_dir():
        yield Problem(f"{table}.supplements", f"there is no folder {resolver.supplements}", "correct the path")
    if resolver.relay is None and (resolver.hub is not None or resolver.checkpoint is not None):
        yield Problem(f"{table}.relay", "is missing", "name the relay's file, which says how the hub is reached")
    if resolver.webvh_addresses and not resolver.fetch_webvh:
        yield Problem(f"{table}.webvh_addresses", "is of no use without fetch_webvh", "add fetch_webvh = true")
    for host, addresses in resolver.webvh_addresses.items():
        yield from _host_problems(host, addresses, f"{table}.webvh_addresses.{host}")


def _host_problems(host: str, addresses: tuple[str, ...], field: str) -> Iterator[Problem]:
    try:
        if host_is_a_public_name(host) != host:
            yield Problem(field, "is not in lower case", "write it in lower case")
    except VerificationError as error:
        yield Problem(field, str(error), "name the host as DIDs do")
    for address in addresses:
        try:
            ip_address(address)
        except ValueError:
            yield Problem(field, f"{address[:60]!r} is not an address", "write addresses such as 10.1.2.3")
