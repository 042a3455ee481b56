"""Hub accounts as token packets name them: `0x` and 40 hex digits."""

import re

from hutong.relay.evm.vm.native import Address
from hutong.relay.hub.application.packets.packets import ApplicationRefused

_ACCOUNT = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
LAST_SYSTEM_ADDRESS = 0xFFFF
"""The zero address, precompiles and native modules, present and future: tokens there would belong to nobody."""


def account_text(account: Address) -> str:
    """0x and 40 digits in lower case, as the hub writes a sender."""
    return f"0x{account.hex()}"


def is_system_account(account: Address) -> bool:
    """Whether the account can never hold tokens: addresses up to LAST_SYSTEM_ADDRESS."""
    return int.from_bytes(account, "big") <= LAST_SYSTEM_ADDRESS


def parse_account(text: str) -> Address:
    """The receiver of a packet; digits of either case, no checksum.

    Raises:
        ApplicationRefused: it is not of the form, or cannot hold tokens on the hub.
    """
    if _ACCOUNT.fullmatch(text) is None:
        raise ApplicationRefused("transfer: the receiver must be 0x and 40 hex digits")
    account = bytes.fromhex(text[2:])
    if is_system_account(account):
        raise ApplicationRefused(f"transfer: {text} can hold no tokens")
    return account
