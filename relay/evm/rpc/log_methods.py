"""`eth_getLogs` and the polled filters."""

from collections.abc import Mapping
from typing import Any

import trio

from hutong.relay.evm.chain.chain import EvmChain
from hutong.relay.evm.chain.log_criteria import LogCriteria
from hutong.relay.evm.chain.mempool import REMEMBERED_ARRIVALS
from hutong.relay.evm.rpc import json_format as show
from hutong.relay.evm.rpc.block_lookup import BlockLookup
from hutong.relay.evm.rpc.filters import Filter, Filters
from hutong.relay.evm.rpc.json_errors import LIMIT_EXCEEDED, SERVER_ERROR, JsonRpcError, invalid_params
from hutong.relay.evm.rpc.json_params import Method, Params
from hutong.relay.evm.rpc.log_query import MAX_LOG_BLOCKS, logs_in_range


class LogMethods:
    def __init__(self, chain: EvmChain, lookup: BlockLookup) -> None:
        self._chain = chain
        self._lookup = lookup
        self._filters = Filters()

    def methods(self) -> Mapping[str, Method]:
        """The methods of logs and of polled filters, by their JSON-RPC names. The filters live in this object."""
        return {
            "eth_getLogs": self._get_logs,
            "eth_newFilter": self._new_filter,
            "eth_newBlockFilter": self._new_block_filter,
            "eth_newPendingTransactionFilter": self._new_pending_filter,
            "eth_getFilterChanges": self._filter_changes,
            "eth_getFilterLogs": self._filter_logs,
            "eth_uninstallFilter": self._uninstall_filter,
        }

    async def _get_logs(self, params: Params) -> list[dict[str, Any]]:
        params.at_most(1)
        criteria = params.log_criteria(0)
        return await self._lookup.read(lambda: self._logs(criteria))

    async def _new_filter(self, params: Params) -> str:
        params.at_most(1)
        criteria = params.log_criteria(0)
        if criteria.block_hash is not None:
            raise invalid_params("argument 0: a filter has no blockHash")
        head = await self._lookup.read(self._lookup.head)
        return self._filters.install(criteria, head.number + 1, trio.current_time())

    async def _new_block_filter(self, params: Params) -> str:
        params.at_most(0)
        head = await self._lookup.read(self._lookup.head)
        return self._filters.install(None, head.number + 1, trio.current_time())

    async def _new_pending_filter(self, params: Params) -> str:
        params.at_most(0)
        count, _ = self._chain.mempool.announcements(0)
        return self._filters.install(None, 0, trio.current_time(), count)

    async def _filter_changes(self, params: Params) -> list[Any]:
        params.at_most(1)
        installed = self._filters.poll(self._filter_id(params), trio.current_time())
        if installed.pending_since is not None:
            return self._new_pending(installed, installed.pending_since)
        head = await self._lookup.read(self._lookup.head)
        first, last = installed.next_block, min(head.number, installed.next_block + MAX_LOG_BLOCKS - 1)
        if last < first:
            return []
        criteria = installed.criteria
        changes: list[Any]
        if criteria is None:
            changes = await self._lookup.read(lambda: self._hashes(first, last))
        else:
            changes = await self._lookup.read(lambda: self._changed_logs(criteria, first, last))
        installed.next_block = max(installed.next_block, last + 1)
        return changes

    def _new_pending(self, installed: Filter, since: int) -> list[str]:
        count, hashes = self._chain.mempool.announcements(since)
        installed.pending_since = count
        if count - since > len(hashes):
            raise JsonRpcError(
                LIMIT_EXCEEDED,
                f"{count - since} transactions since the last poll, {REMEMBERED_ARRIVALS} are remembered:"
                " the filter goes on from now, poll more often or subscribe to newPendingTransactions",
            )
        return [show.data(transaction_hash) for transaction_hash in hashes]

    async def _filter_logs(self, params: Params) -> list[dict[str, Any]]:
        params.at_most(1)
        criteria = self._filters.poll(self._filter_id(params), trio.current_time()).criteria
        if criteria is None:
            raise JsonRpcError(SERVER_ERROR, "filter not found")
        return await self._lookup.read(lambda: self._logs(criteria))

    async def _uninstall_filter(self, params: Params) -> bool:
        params.at_most(1)
        return self._filters.uninstall(self._filter_id(params))

    @staticmethod
    def _filter_id(params: Params) -> str:
        identifier = params.raw(0)
        if not isinstance(identifier, str):
            raise invalid_params("argument 0 is not a filter id")
        return identifier

    def _logs(self, criteria: LogCriteria) -> list[dict[str, Any]]:
        if criteria.block_hash is not None:
            number = self._chain.blocks.number_of(criteria.block_hash)
            if number is None:
                raise JsonRpcError(SERVER_ERROR, "unknown block")
            self._lookup.require_served(number)
            return logs_in_range(self._chain.blocks, criteria, number, number)
        head = self._lookup.head().number
        first, last = (
            head if selector is None else self._lookup.number(selector, head)
            for selector in (criteria.from_block, criteria.to_block)
        )
        if first > last:
            raise invalid_params("invalid block range: fromBlock is above toBlock")
        self._lookup.require_served(first)
        return logs_in_range(self._chain.blocks, criteria, first, min(last, head))

    def _changed_logs(self, criteria: LogCriteria, first: int, last: int) -> list[dict[str, Any]]:
        head = self._lookup.head().number
        if isinstance(criteria.from_block, int):
            first = max(first, criteria.from_block)
        if isinstance(criteria.to_block, int):
            last = min(last, self._lookup.number(criteria.to_block, head))
        return logs_in_range(self._chain.blocks, criteria, first, last) if first <= last else []

    def _hashes(self, first: int, last: int) -> list[str]:
        stored = (self._chain.blocks.header(number) for number in range(first, last + 1))
        return [show.data(entry[0]) for entry in stored if entry is not None]
