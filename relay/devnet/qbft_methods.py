"""JSON-RPC methods that a QBFT chain adds: who seals which block, and on dev chains the order to change it."""

from collections.abc import Mapping
from typing import Any

import trio

from light_clients.bft_evm import decode_extra_data
from relay.devnet.chain import DevnetChain
from relay.devnet.settings import MAX_VALIDATORS, DevnetError
from relay.evm.json_errors import RESOURCE_NOT_FOUND, JsonRpcError, invalid_params
from relay.evm.json_params import BlockHash, BlockSelector, Method, Params


class QbftMethods:
    def __init__(self, chain: DevnetChain) -> None:
        self._chain = chain

    def methods(self) -> Mapping[str, Method]:
        return {
            "qbft_getValidatorsByBlockNumber": self._validators_by_number,
            "qbft_getValidatorsByBlockHash": self._validators_by_hash,
            "hutong_orderValidatorChange": self._order_validator_change,
        }

    async def _validators_by_number(self, params: Params) -> list[str] | None:
        """The list that sealed the block, as in its extra data; `pending` is the list of the next block."""
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
        return None if found is None else _hex_list(decode_extra_data(found[1].extra_data).validators)

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
