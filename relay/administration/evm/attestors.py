"""The attestors whom a new client shall believe."""

from hutong.relay.administration.errors import Unusable
from hutong.relay.administration.paths import AttestorSet
from hutong.relay.config import EvmChainConfig


def attestors_of(chain: EvmChainConfig, addresses: list[str], threshold: int, option: str) -> AttestorSet | None:
    """Whom the new client of `chain` shall believe; None where it is not attested.

    Args:
        option: names the addresses in a refusal.

    Raises:
        Unusable: an address is none or stands twice, or attestors and threshold do not fit the chain.
    """
    from eth_utils.address import (
        is_checksum_formatted_address,
        is_hex_address,
        to_canonical_address,
        to_checksum_address,
    )

    if chain.consensus != "attested":
        if addresses:
            raise Unusable(f"{chain.name} is not attested: its consensus is {chain.consensus}")
        return None
    if not addresses:
        raise Unusable(f"{chain.name} is attested: name its attestors with {option}")
    for address in addresses:
        if not is_hex_address(address) or not address.startswith("0x"):
            raise Unusable(f"{option} {address[:80]} is not an address")
        if is_checksum_formatted_address(address) and to_checksum_address(address) != address:
            raise Unusable(f"{option} {address} has a wrong EIP-55 checksum")
    distinct = {bytes(to_canonical_address(address)) for address in addresses}
    if len(distinct) != len(addresses):
        raise Unusable(f"{option} names an attestor twice")
    if not len(distinct) < 2 * threshold <= 2 * len(distinct):
        raise Unusable(f"the threshold must be more than half of {len(distinct)} attestors, and no more than all")
    return AttestorSet(tuple(sorted(distinct)), threshold)
