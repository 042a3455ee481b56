"""The `txpool_*` methods: what waits for a block."""

from collections.abc import Callable, Mapping
from typing import Any

from eth_utils.address import to_checksum_address

from hutong.relay.evm.chain.chain import EvmChain
from hutong.relay.evm.chain.mempool import WaitingOfSender
from hutong.relay.evm.rpc import json_format as show
from hutong.relay.evm.rpc.block_lookup import BlockLookup
from hutong.relay.evm.rpc.json_errors import LIMIT_EXCEEDED, JsonRpcError
from hutong.relay.evm.rpc.json_params import Method, Params
from hutong.relay.evm.vm.transaction import SignedTransaction

MAX_CONTENT_BYTES = 4 * 1024 * 1024
"""Of raw transactions in one answer, which shows each byte in two characters and twice over."""


class TxpoolMethods:
    """`pending` are those with no gap before them, whatever they offer; `queued` the others."""

    def __init__(self, chain: EvmChain, lookup: BlockLookup) -> None:
        self._chain = chain
        self._lookup = lookup

    def methods(self) -> Mapping[str, Method]:
        """The methods of the pool, by their JSON-RPC names.

        Whole contents of more than MAX_CONTENT_BYTES are refused (-32005).
        """
        return {
            "txpool_status": self._status,
            "txpool_content": self._content,
            "txpool_contentFrom": self._content_from,
            "txpool_inspect": self._inspect,
        }

    async def _status(self, params: Params) -> dict[str, str]:
        params.at_most(0)
        statistics = self._chain.mempool.statistics()
        return {
            "pending": hex(statistics.executable),
            "queued": hex(statistics.transactions - statistics.executable),
        }

    async def _content(self, params: Params) -> dict[str, Any]:
        params.at_most(0)

        def read() -> dict[str, Any]:
            size = self._chain.mempool.statistics().bytes
            if size > MAX_CONTENT_BYTES:
                raise JsonRpcError(
                    LIMIT_EXCEEDED,
                    f"the pool holds {size} bytes, one answer at most {MAX_CONTENT_BYTES}:"
                    " ask for one sender by txpool_contentFrom, or for lines by txpool_inspect",
                )
            return _by_sender(self._chain.mempool.waiting(), _shown)

        return await self._lookup.read(read)

    async def _content_from(self, params: Params) -> dict[str, Any]:
        params.at_most(1)
        sender = params.address(0)

        def read() -> dict[str, Any]:
            found = self._chain.mempool.waiting(sender)
            size = sum(len(item.raw) for one in found for item in (*one.executable, *one.queued))
            if size > MAX_CONTENT_BYTES:
                raise JsonRpcError(
                    LIMIT_EXCEEDED,
                    f"{size} bytes of this sender wait, one answer holds at most {MAX_CONTENT_BYTES}:"
                    " ask for lines by txpool_inspect",
                )
            of_sender = found[0] if found else WaitingOfSender(sender, (), ())
            return {
                "pending": _by_nonce(of_sender.executable, _shown),
                "queued": _by_nonce(of_sender.queued, _shown),
            }

        return await self._lookup.read(read)

    async def _inspect(self, params: Params) -> dict[str, Any]:
        params.at_most(0)
        return await self._lookup.read(lambda: _by_sender(self._chain.mempool.waiting(), _line))


def _by_sender(
    waiting: tuple[WaitingOfSender, ...], show_one: Callable[[SignedTransaction], Any]
) -> dict[str, dict[str, Any]]:
    pending: dict[str, Any] = {}
    queued: dict[str, Any] = {}
    for one in waiting:
        address = to_checksum_address(one.sender)
        if one.executable:
            pending[address] = _by_nonce(one.executable, show_one)
        if one.queued:
            queued[address] = _by_nonce(one.queued, show_one)
    return {"pending": pending, "queued": queued}


def _by_nonce(
    transactions: tuple[SignedTransaction, ...], show_one: Callable[[SignedTransaction], Any]
) -> dict[str, Any]:
    return {str(item.nonce): show_one(item) for item in transactions}


def _shown(transaction: SignedTransaction) -> dict[str, Any]:
    return show.transaction_json(transaction, None, None)


def _line(transaction: SignedTransaction) -> str:
    to = "contract creation" if transaction.to is None else to_checksum_address(transaction.to)
    return (
        f"{to}: {transaction.value_wei} wei + {transaction.gas_limit} gas \u00d7 {transaction.max_fee_per_gas_wei} wei"
    )
