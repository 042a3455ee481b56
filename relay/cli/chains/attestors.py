"""The attestors whom a new client shall believe, as options name them."""

from typing import Annotated

import typer

from hutong.relay.administration.paths import AttestorSet
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.config import EvmChainConfig

Attestors = Annotated[
    list[str], typer.Option("--attestor", help="Address of an attestor of the chain; once for each, if it is attested.")
]
Threshold = Annotated[
    int, typer.Option("--threshold", min=1, help="How many of its attestors must sign; more than half of them.")
]


def attestors_of(chain: EvmChainConfig, addresses: list[str], threshold: int, option: str) -> AttestorSet | None:
    """Whom the new client of `chain` shall believe; None where it is not attested.

    Args:
        option: names the addresses in a refusal.

    Raises:
        Refused: code 2, an address is none or stands twice, or attestors and threshold do not fit the chain.
    """
    from eth_utils.address import (
        is_checksum_formatted_address,
        is_hex_address,
        to_canonical_address,
        to_checksum_address,
    )

    if chain.consensus != "attested":
        if addresses:
            raise Refused(f"{chain.name} is not attested: its consensus is {chain.consensus}", UNUSABLE)
        return None
    if not addresses:
        raise Refused(f"{chain.name} is attested: name its attestors with {option}", UNUSABLE)
    for address in addresses:
        if not is_hex_address(address) or not address.startswith("0x"):
            raise Refused(f"{option} {address[:80]} is not an address", UNUSABLE)
        if is_checksum_formatted_address(address) and to_checksum_address(address) != address:
            raise Refused(f"{option} {address} has a wrong EIP-55 checksum", UNUSABLE)
    distinct = {bytes(to_canonical_address(address)) for address in addresses}
    if len(distinct) != len(addresses):
        raise Refused(f"{option} names an attestor twice", UNUSABLE)
    if not len(distinct) < 2 * threshold <= 2 * len(distinct):
        raise Refused(
            f"the threshold must be more than half of {len(distinct)} attestors, and no more than all", UNUSABLE
        )
    return AttestorSet(tuple(sorted(distinct)), threshold)
