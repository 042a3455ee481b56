"""Where a host of a stranger's choice may be: at public addresses alone, looked up once, so that what was judged is what is asked."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

import trio

from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules.drafts import DID_WEBVH

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host and a port to its addresses as text; OSError where there are none."""
MAX_ADDRESSES: Final = 4
"""That are tried, one after the other."""
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NOT_PLACES: Final = tuple(ip_network(one) for one in ("2001::/23", "2002::/16", "192.0.0.0/24", "192.88.99.0/24"))
"""Within the global ranges: Teredo and 6to4, which hold other addresses, and what protocols keep for themselves."""


@rule(f"{DID_WEBVH}, Security: private addresses; RFC 6890")
def address_is_public(text: str) -> str:
    """The address is one of the public internet's, and holds no other one.

    Raises:
        MalformedInput: it is not an address.
        PredicateFailed: it is of this machine, of a private or shared network, or translates to another address.
    """
    try:
        address = ip_address(text)
    except ValueError:
        raise MalformedInput("host.address", "is not an address") from None
    if not _is_public(address):
        raise PredicateFailed("address_is_public", "the host's name leads to an address that is not public")
    return text


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    if any(address.version == one.version and address in one for one in _NOT_PLACES):
        return False
    return address.is_global and not address.is_multicast


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """By the system's resolver.

    Raises:
        OSError: it knows no address.
    """
    found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def addresses_of(host: str, port: int, named: Mapping[str, Sequence[str]], lookup: Lookup) -> Sequence[str]:
    """At most MAX_ADDRESSES addresses of a host, of which each may be asked.

    Args:
        named: hosts whose addresses the operator has named; these are asked wherever they are.

    Raises:
        OSError: it has none. PredicateFailed: one is not public; then none is asked.
    """
    if host in named:
        return named[host]
    found = list(dict.fromkeys(await lookup(host, port)))
    return [address_is_public(one) for one in found][:MAX_ADDRESSES]
