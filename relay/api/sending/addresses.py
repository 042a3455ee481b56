"""Addresses that a request names, by the rules of the chain that they are on: a mistyped one is noticed before anything is paid."""

from eth_utils.address import (
    is_checksum_address,
    is_checksum_formatted_address,
    is_hex_address,
    to_canonical_address,
)

from hutong.adapters.cosmos.transactions.addresses import decode_address
from hutong.light_clients.interface import MalformedInput
from hutong.relay.config import Config, CosmosChainConfig
from hutong.relay.web.problems import refused_field


def check_receiver(config: Config, destination: str, receiver: str) -> None:
    """The text can be an address on the configured chain `destination`. That somebody has its key is not known.

    Raises:
        ApiProblem: it cannot.
    """
    (chain,) = (one for one in config.chains if one.name == destination)
    if isinstance(chain, CosmosChainConfig):
        cosmos_address(receiver, chain.bech32_prefix, "receiver")
    else:
        evm_address(receiver, "receiver")


def evm_address(text: str, field: str) -> bytes:
    """The 20 bytes of `0x` and 40 digits; letters of both cases must be as EIP-55 has them.

    Args:
        field: the request's, named in the problem.

    Raises:
        ApiProblem: it is not an address, mistyped, or the zero address.
    """
    if not is_hex_address(text) or not text.startswith("0x"):
        raise refused_field(field, "is not an address: write 0x and 40 hex digits")
    if is_checksum_formatted_address(text) and not is_checksum_address(text):
        raise refused_field(field, "has a wrong EIP-55 checksum: was it mistyped?")
    address = bytes(to_canonical_address(text))
    if not any(address):
        raise refused_field(field, "is the zero address: it can hold and do nothing")
    return address


def cosmos_address(text: str, prefix: str, field: str) -> bytes:
    """The account's bytes of a bech32 address.

    Args:
        prefix: what stands before the 1 of the chain's addresses.
        field: the request's, named in the problem.

    Raises:
        ApiProblem: it is not an address of that prefix.
    """
    try:
        return decode_address(text, prefix)
    except MalformedInput as error:
        raise refused_field(field, f"is not an address of a chain with the prefix {prefix}: {error.reason}") from None
