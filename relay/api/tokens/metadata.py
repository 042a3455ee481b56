"""What token contracts say of themselves: hints, made fit to be shown."""

from dataclasses import dataclass

from eth_utils.address import is_hex_address, to_canonical_address, to_checksum_address

from hutong.adapters.evm import EvmChain
from hutong.adapters.evm.administration.transfer import voucher_of
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.chain import RouterChain
from hutong.adapters.interface import BadAnswer, ChainAdapter, RefusedByChain
from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.relay.api.reading.chain_views import router_app
from hutong.relay.api.tokens.look_alikes import bounded_name

NAME = Function("name", (), ("string",))
SYMBOL = Function("symbol", (), ("string",))
DECIMALS = Function("decimals", (), ("uint8",))

METADATA_GAS = 1_000_000
"""For each question: a contract that computes for long does not keep the node busy."""
_CONTRACT_S_OWN = (RefusedByChain, BadAnswer)
"""A revert, or what is no ABI data; an endpoint's own bad answers are EndpointUnavailable."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """None where the chain does not say. `address`: of an ERC-20, or the bank's name of a voucher (`ibc/…`)."""

    address: str | None = None
    name: str | None = None
    symbol: str | None = None
    decimals: int | None = None


async def read_metadata(adapter: ChainAdapter, denom: Denom) -> Metadata:
    """What a token's contract says of itself. A member is None where the contract refused it, or its answer cannot be
    read.

    Raises:
        AdapterError: the chain does not answer, or its endpoint refuses: then it may be asked again.
    """
    if isinstance(adapter, RouterChain):
        address = await _address(adapter, denom)
        if address is None:
            return Metadata()
        return Metadata(
            to_checksum_address(address),
            bounded_name(await _text(adapter, address, NAME)),
            bounded_name(await _text(adapter, address, SYMBOL)),
            await _decimals(adapter, address),
        )
    return Metadata(address=denom.local_name if adapter.kind == "cosmos" else None)


async def _address(adapter: RouterChain, denom: Denom) -> bytes | None:
    if denom.is_native:
        return bytes(to_canonical_address(denom.base)) if is_hex_address(denom.base) else None
    transfer = await router_app(adapter, TRANSFER_PORT)
    if transfer is None or not isinstance(adapter, EvmChain):
        return None
    return await voucher_of(adapter.execution, bytes(to_canonical_address(transfer)), denom.path)


async def _text(adapter: RouterChain, address: bytes, function: Function) -> str | None:
    try:
        (text,) = function.decode(await adapter.execution.call(address, function.encode(), gas=METADATA_GAS))
        return str(text)
    except _CONTRACT_S_OWN:
        return None  # not every ERC-20 has it, and some write bytes32


async def _decimals(adapter: RouterChain, address: bytes) -> int | None:
    try:
        (decimals,) = DECIMALS.decode(await adapter.execution.call(address, DECIMALS.encode(), gas=METADATA_GAS))
        return int(decimals)
    except _CONTRACT_S_OWN:
        return None
