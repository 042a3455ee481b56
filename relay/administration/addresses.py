"""EVM addresses as a person writes them."""

from hutong.relay.administration.errors import Unusable
from hutong.relay.keys import Signer


def address_of(text: str, name: str) -> bytes:
    """An EVM address as 20 bytes; with letters in both cases it must have the right checksum (EIP-55).

    Args:
        name: of the value, in a refusal.

    Raises:
        Unusable: it is no address, or not the one that its checksum says.
    """
    from eth_utils.address import (
        is_checksum_address,
        is_checksum_formatted_address,
        is_hex_address,
        to_canonical_address,
    )

    if not is_hex_address(text):
        raise Unusable(f"{name}: {text[:80]!r} is not an address")
    if is_checksum_formatted_address(text) and not is_checksum_address(text):
        raise Unusable(f"{name}: {text} has a wrong EIP-55 checksum")
    return bytes(to_canonical_address(text))


def checksummed_address(text: str, name: str) -> str:
    """The same address, which has its checksum: a role that goes to a mistyped one is nobody's for ever.

    Args:
        name: of the value, in a refusal.

    Raises:
        Unusable: it is no address, or is written without a checksum.
    """
    from eth_utils.address import is_checksum_address, to_checksum_address

    address = address_of(text, name)
    if not is_checksum_address(text):
        raise Unusable(f"{name}: write {to_checksum_address(address)}, if that is it: roles need the checksum")
    return text


def decider_of(text: str | None, signer: Signer) -> bytes | None:
    """The account of --decide-as as 20 bytes; None where the keystore's own account decides.

    Raises:
        Unusable: it is no address, or the zero address, or the keystore's: its calls would be signed, not printed.
    """
    if text is None:
        return None
    account = address_of(text, "--decide-as")
    if not any(account):
        raise Unusable("--decide-as: nobody can send as the zero address; give the multisig's own")
    if account == address_of(signer.address, "--keystore"):
        raise Unusable(
            f"--decide-as: {signer.address} is the keystore's own account, which would sign what it decides: leave --decide-as"
            " out to let it, or give another keystore to have the calls printed"
        )
    return account
