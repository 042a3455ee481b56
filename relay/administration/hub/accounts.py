"""Accounts of a hub as a person names them."""

import re

from hutong.relay.administration.errors import Unusable

_ADDRESS = re.compile(r"(?:0x)?([0-9a-fA-F]{40})")


def account_of(text: str, option: str) -> bytes:
    """An account's 20 bytes; its checksum is not looked at.

    Args:
        option: names the value in a refusal.

    Raises:
        Unusable: it is no address.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise Unusable(f"{option} {text[:64]}: an address has 40 hex digits")
    return bytes.fromhex(match[1])


def holder_of(text: str, option: str) -> bytes:
    """An account that shall decide something: genesis cannot be mended afterwards.

    Raises:
        Unusable: it is no address, or the zero address.
    """
    address = account_of(text, option)
    if not any(address):
        raise Unusable(f"{option} is the zero address: nobody has its key; name the account that shall hold it")
    return address
