"""JSON-RPC methods that a chain's consensus adds: who seals which block, and on dev chains the order to change it."""

from collections.abc import Mapping
from typing import Any

import trio

from hutong.light_clients.bft_evm import decode_extra_data
from hutong.light_clients.clique import sealed_block
from hutong.light_clients.evm_header import decode_header
from hutong.relay.devnet.blocks import BFT
from hutong.relay.devnet.chain import DevnetChain
from hutong.relay.devnet.settings import CLIQUE_EPOCH_LENGTH, MAX_VALIDATORS, DevnetError
from hutong.relay.evm.chain.log_criteria import BlockHash, BlockSelector
from hutong.relay.evm.rpc.json_errors import RESOURCE_NOT_FOUND, JsonRpcError, invalid_params
from hutong.relay.evm.rpc.json_params import Method, Params

_NAMES = {
    "qbft": ("qbft_getValidatorsByBlockNumber", "qbft_getValidatorsByBlockHash"),
    "ibft2": ("ibft_getValidatorsByBlockNumber", "ibft_getValidatorsByBlockHash"),
    "istanbul": ("istanbul_getValidators", "istanbul_getValidatorsAtHash"),
    "clique": ("clique_getSigners", "clique_getSignersAtHash"),
}
"""As Besu, GoQuorum and geth name them."""


class ValidatorMethods:
    def __init__(self, chain: DevnetChain) -> None:
        self._chain = chain

    def methods(self) -> Mapping[str, Method]:
        """By JSON-RPC name: who sealed a block, as the chain's kind of node names it, and the order to change the
        validators.
        """
        by_number, by_hash = _NAMES[self._chain.consensus]
        return {
            by_number: self._validators_by_number,
            by_hash: self._validators_by_hash,
            "hutong_orderValidatorChange": self._order_validator_change,
        }

    async def _validators_by_number(self, params: Params) -> list[str] | None:
        """The list that sealed the block, as in its extra data (Clique: of the newest checkpoint up to it); `pending` is the
        list of the next block."""
        params.at_most(1)
        selector = params.block(0)
        if selector == "pending":
            return _hex_list(self._chain.validators)
        return await trio.to_thread.run_sync(self._listed, selector)

    async def _validators_by_hash(self, params: Params) -> list[str] | None:
        params.at_most(1)
        return await trio.to_thread.run_sync(self._listed, BlockHash(params.hash(0)))

    async def _order_validator_change(self, params: Params) -> list[str]:
        """Quantities `add`, `remove`: from the next block on; answers the new list."""
        params.at_most(2)
        add, remove = params.quantity(0, MAX_VALIDATORS), params.quantity(1, MAX_VALIDATORS)
        try:
            return _hex_list(
                await trio.to_thread.run_sync(lambda: self._chain.order_validator_change(add=add, remove=remove))
            )
        except DevnetError as error:
            raise invalid_params(str(error)) from error

    def _listed(self, selector: BlockSelector) -> list[str] | None:
        number = self._number(selector)
        found = None if number is None else self._chain.blocks.header(number)
        if number is None or found is None:
            return None
        if self._chain.consensus == "clique":
            found = self._chain.blocks.header(number - number % CLIQUE_EPOCH_LENGTH)
            return None if found is None else _hex_list(sealed_block(decode_header(found[1].encode())).signers)
        return _hex_list(decode_extra_data(found[1].extra_data, BFT[self._chain.consensus]).validators)

    def _number(self, selector: BlockSelector) -> int | None:
        if isinstance(selector, BlockHash):
            number = self._chain.blocks.number_of(selector.hash)
            if number is None:
                raise JsonRpcError(RESOURCE_NOT_FOUND, "header not found")
            return number
        if isinstance(selector, int):
            return selector
        return 0 if selector == "earliest" else self._chain.head.number


def _hex_list(addresses: tuple[bytes, ...]) -> list[Any]:
    return ["0x" + address.hex() for address in addresses]
