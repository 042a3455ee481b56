"""Accounts of the hub as options name them."""

import re

from hutong.relay.cli.common.refusal import UNUSABLE, Refused

_ADDRESS = re.compile(r"(?:0x)?([0-9a-fA-F]{40})")


def account_of(text: str, option: str) -> bytes:
    """An account's 20 bytes; its checksum is not looked at.

    Args:
        option: names the value in a refusal.

    Raises:
        Refused: code 2, it is no address.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise Refused(f"{option} {text[:64]}: an address has 40 hex digits", UNUSABLE)
    return bytes.fromhex(match[1])


def holder_of(text: str, option: str) -> bytes:
    """An account that shall decide something: genesis cannot be mended afterwards.

    Raises:
        Refused: code 2, it is no address, or the zero address.
    """
    address = account_of(text, option)
    if not any(address):
        raise Refused(
            f"{option} is the zero address: nobody has its key; name the account that shall hold it", UNUSABLE
        )
    return address
