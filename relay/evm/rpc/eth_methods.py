"""The `eth_*`, `net_*`, `web3_*` and `txpool_*` methods over an `EvmChain`.

Reads and execution run in worker threads: on committed blocks and on states opened by root, so that a new block
changes nothing under them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak

from hutong.relay.evm.chain.chain import EvmChain
from hutong.relay.evm.chain.log_criteria import BlockHash, BlockSelector
from hutong.relay.evm.error_string import ERROR_STRING_SELECTOR
from hutong.relay.evm.errors import CallFailure, InvalidReason, InvalidTransaction, StatePruned
from hutong.relay.evm.rpc import json_format as show
from hutong.relay.evm.rpc.block_lookup import BlockLookup
from hutong.relay.evm.rpc.call_executor import CallAborted, CallExecutor, CallThreads
from hutong.relay.evm.rpc.fair_turns import TooManyWaiting
from hutong.relay.evm.rpc.fee_methods import FeeMethods
from hutong.relay.evm.rpc.json_errors import (
    EXECUTION_REVERTED,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    LIMIT_EXCEEDED,
    PRUNED_HISTORY,
    SERVER_ERROR,
    JsonRpcError,
)
from hutong.relay.evm.rpc.json_params import Method, Params
from hutong.relay.evm.rpc.log_methods import LogMethods
from hutong.relay.evm.rpc.txpool_methods import TxpoolMethods
from hutong.relay.evm.vm.execution import EvmState
from hutong.relay.evm.vm.outcomes import CallMessage, CallResult
from hutong.relay.evm.vm.transaction import MAX_TRANSACTION_BYTES

T = TypeVar("T")

MAX_SHA3_BYTES = 128 * 1024
PANIC_SELECTOR = bytes.fromhex("4e487b71")
"""`Panic(uint256)`"""


class EthMethods:
    """`executor` runs calls; None runs them in threads of this process."""

    def __init__(self, chain: EvmChain, executor: CallExecutor | None = None) -> None:
        self._chain = chain
        self._lookup = BlockLookup(chain)
        self._logs = LogMethods(chain, self._lookup)
        self._executor = executor or CallThreads(chain)

    def methods(self) -> Mapping[str, Method]:
        """All that a node answers by name, the methods of logs, fees and the pool included.

        Each takes positional parameters and refuses more than it knows (-32602). `JsonRpcService` asks once.
        """
        return {
            **self._logs.methods(),
            **FeeMethods(self._chain, self._lookup).methods(),
            **TxpoolMethods(self._chain, self._lookup).methods(),
            "web3_clientVersion": self._client_version,
            "web3_sha3": self._sha3,
            "net_version": self._network_version,
            "net_listening": self._listening,
            "net_peerCount": self._zero,
            "eth_chainId": self._chain_id,
            "eth_protocolVersion": self._protocol_version,
            "eth_syncing": self._syncing,
            "eth_accounts": self._accounts,
            "eth_mining": self._syncing,
            "eth_blockNumber": self._block_number,
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getBlockTransactionCountByNumber": self._count_by_number,
            "eth_getBlockTransactionCountByHash": self._count_by_hash,
            "eth_getBlockReceipts": self._block_receipts,
            "eth_getTransactionByHash": self._transaction_by_hash,
            "eth_getTransactionByBlockNumberAndIndex": self._transaction_by_number_and_index,
            "eth_getTransactionByBlockHashAndIndex": self._transaction_by_hash_and_index,
            "eth_getTransactionReceipt": self._transaction_receipt,
            "eth_getRawTransactionByHash": self._raw_transaction,
            "eth_getTransactionCount": self._transaction_count,
            "eth_getBalance": self._balance,
            "eth_getCode": self._code,
            "eth_getStorageAt": self._storage_at,
            "eth_getProof": self._proof,
            "eth_call": self._call,
            "eth_estimateGas": self._estimate_gas,
            "eth_sendRawTransaction": self._send_raw_transaction,
        }

    # --- the node

    async def _client_version(self, params: Params) -> str:
        params.at_most(0)
        return self._chain.client_version

    async def _sha3(self, params: Params) -> str:
        params.at_most(1)
        return show.data(keccak(params.data(0, MAX_SHA3_BYTES)))

    async def _network_version(self, params: Params) -> str:
        params.at_most(0)
        return str(self._chain.chain_id)

    async def _listening(self, params: Params) -> bool:
        params.at_most(0)
        return True

    async def _zero(self, params: Params) -> str:
        params.at_most(0)
        return "0x0"

    async def _chain_id(self, params: Params) -> str:
        params.at_most(0)
        return hex(self._chain.chain_id)

    async def _protocol_version(self, params: Params) -> str:
        params.at_most(0)
        return hex(68)

    async def _syncing(self, params: Params) -> bool:
        params.at_most(0)
        return False

    async def _accounts(self, params: Params) -> list[str]:
        """The node holds no keys for others."""
        params.at_most(0)
        return []

    # --- blocks and transactions

    async def _block_number(self, params: Params) -> str:
        params.at_most(0)
        return hex(await self._lookup.read(lambda: self._chain.blocks.head_number() or 0))

    async def _block_by_number(self, params: Params) -> dict[str, Any] | None:
        params.at_most(2)
        return await self._block_json(params.block(0), full=params.boolean(1, default=False))

    async def _block_by_hash(self, params: Params) -> dict[str, Any] | None:
        params.at_most(2)
        return await self._block_json(BlockHash(params.hash(0)), full=params.boolean(1, default=False))

    async def _block_json(self, selector: BlockSelector, *, full: bool) -> dict[str, Any] | None:
        def read() -> dict[str, Any] | None:
            block = self._lookup.find_whole(selector)
            return None if block is None else show.block_json(block, full=full)

        return await self._lookup.read(read)

    async def _count_by_number(self, params: Params) -> str | None:
        params.at_most(1)
        return await self._transaction_count_of(params.block(0))

    async def _count_by_hash(self, params: Params) -> str | None:
        params.at_most(1)
        return await self._transaction_count_of(BlockHash(params.hash(0)))

    async def _transaction_count_of(self, selector: BlockSelector) -> str | None:
        block = await self._lookup.read(lambda: self._lookup.find_whole(selector))
        return None if block is None else hex(len(block.transactions))

    async def _block_receipts(self, params: Params) -> list[dict[str, Any]] | None:
        params.at_most(1)
        selector = params.block(0)

        def read() -> list[dict[str, Any]] | None:
            block = self._lookup.find_whole(selector)
            receipts = None if block is None else self._chain.blocks.receipts(block.number)
            if block is None or receipts is None:
                return None
            return [show.receipt_json(block, receipts, index) for index in range(len(receipts))]

        return await self._lookup.read(read)

    async def _transaction_by_hash(self, params: Params) -> dict[str, Any] | None:
        params.at_most(1)
        transaction_hash = params.hash(0)

        def read() -> dict[str, Any] | None:
            found = self._chain.blocks.locate(transaction_hash)
            if found is not None:
                return show.transaction_json(found.transaction, found.block, found.index)
            waiting = self._chain.mempool.get(transaction_hash)
            return None if waiting is None else show.transaction_json(waiting, None, None)

        return await self._lookup.read(read)

    async def _transaction_by_number_and_index(self, params: Params) -> dict[str, Any] | None:
        params.at_most(2)
        return await self._transaction_in_block(params.block(0), params.quantity(1))

    async def _transaction_by_hash_and_index(self, params: Params) -> dict[str, Any] | None:
        params.at_most(2)
        return await self._transaction_in_block(BlockHash(params.hash(0)), params.quantity(1))

    async def _transaction_in_block(self, selector: BlockSelector, index: int) -> dict[str, Any] | None:
        block = await self._lookup.read(lambda: self._lookup.find_whole(selector))
        if block is None or index >= len(block.transactions):
            return None
        return show.transaction_json(block.transactions[index], block, index)

    async def _transaction_receipt(self, params: Params) -> dict[str, Any] | None:
        params.at_most(1)
        transaction_hash = params.hash(0)

        def read() -> dict[str, Any] | None:
            found = self._chain.blocks.locate(transaction_hash)
            receipts = None if found is None else self._chain.blocks.receipts(found.block.number)
            return None if found is None or receipts is None else show.receipt_json(found.block, receipts, found.index)

        return await self._lookup.read(read)

    async def _raw_transaction(self, params: Params) -> str | None:
        params.at_most(1)
        transaction_hash = params.hash(0)

        def read() -> str | None:
            found = self._chain.blocks.locate(transaction_hash)
            transaction = found.transaction if found else self._chain.mempool.get(transaction_hash)
            return None if transaction is None else show.data(transaction.raw)

        return await self._lookup.read(read)

    async def _send_raw_transaction(self, params: Params) -> str:
        params.at_most(1)
        raw = params.data(0, MAX_TRANSACTION_BYTES)
        try:
            return show.data(await self._chain.submit_transaction(raw))
        except InvalidTransaction as refusal:
            # What says nothing of the transaction is no refusal of it: the sender may ask another node.
            passed_on = refusal.reason is not InvalidReason.NOT_PASSED_ON
            raise JsonRpcError(SERVER_ERROR if passed_on else INTERNAL_ERROR, str(refusal)) from refusal

    # --- state

    async def _transaction_count(self, params: Params) -> str:
        params.at_most(2)
        address, selector = params.address(0), params.block(1)

        def read(state: EvmState) -> str:
            nonce = state.nonce(address)
            return hex(self._chain.mempool.next_nonce(address, nonce) if selector == "pending" else nonce)

        return await self._read_state(selector, read)

    async def _balance(self, params: Params) -> str:
        params.at_most(2)
        address = params.address(0)
        return await self._read_state(params.block(1), lambda state: hex(state.balance_wei(address)))

    async def _code(self, params: Params) -> str:
        params.at_most(2)
        address = params.address(0)
        return await self._read_state(params.block(1), lambda state: show.data(state.code(address)))

    async def _storage_at(self, params: Params) -> str:
        params.at_most(3)
        address, slot = params.address(0), params.slot(1)
        return await self._read_state(params.block(2), lambda state: show.word(state.storage(address, slot)))

    async def _proof(self, params: Params) -> dict[str, Any]:
        params.at_most(3)
        address, slots = params.address(0), params.slots(1)
        keys = list(params.raw(1))
        return await self._read_state(
            params.block(2), lambda state: show.proof_json(state.account_proof(address, slots), keys)
        )

    async def _call(self, params: Params) -> str:
        params.at_most(3)
        message, selector = self._capped(params.call(0)), params.block(1)
        self._refuse_overrides(params, 2)
        block = await self._lookup.read(lambda: self._lookup.existing(selector))
        with _refusals():
            result = await self._executor.call(block, message)
        if not result.success:
            raise call_error(result)
        return show.data(result.return_data)

    async def _estimate_gas(self, params: Params) -> str:
        params.at_most(3)
        message, selector = self._capped(params.call(0)), params.block(1)
        self._refuse_overrides(params, 2)
        block = await self._lookup.read(lambda: self._lookup.existing(selector))
        with _refusals():
            result = await self._executor.estimate_gas(block, message)
        if isinstance(result, CallResult):
            if result.failure is CallFailure.OUT_OF_GAS:
                raise JsonRpcError(SERVER_ERROR, f"gas required exceeds allowance ({message.gas})")
            raise call_error(result)
        return hex(result)

    @staticmethod
    def _refuse_overrides(params: Params, index: int) -> None:
        if params.has(index) and params.raw(index) != {}:
            raise JsonRpcError(INVALID_PARAMS, "state overrides are not supported")

    def _capped(self, message: CallMessage) -> CallMessage:
        gas = min(message.gas or self._chain.call_gas_limit, self._chain.call_gas_limit)
        return CallMessage(message.sender, message.to, message.data, message.value_wei, gas, message.access_list)

    # --- inside

    async def _read_state(self, selector: BlockSelector, read: Callable[[EvmState], T]) -> T:
        return await self._lookup.read(lambda: read(self._state_after(selector)))

    def _state_after(self, selector: BlockSelector) -> EvmState:
        try:
            return self._chain.state_after(self._lookup.existing(selector))
        except StatePruned as error:
            raise JsonRpcError(PRUNED_HISTORY, str(error)) from error


@contextmanager
def _refusals() -> Iterator[None]:
    """What an executor raises, as JSON-RPC has it."""
    try:
        yield
    except TooManyWaiting as error:
        raise JsonRpcError(LIMIT_EXCEEDED, "too many calls are waiting, try again later") from error
    except CallAborted as error:
        raise JsonRpcError(SERVER_ERROR, str(error)) from error
    except StatePruned as error:
        raise JsonRpcError(PRUNED_HISTORY, str(error)) from error


def call_error(result: CallResult) -> JsonRpcError:
    """The error that geth answers for a failed call: code 3 with the data for a revert, -32000 otherwise.

    `result` must have failed: its `failure` is set.
    """
    if result.failure is CallFailure.REVERTED:
        reason = revert_reason(result.return_data)
        message = f"execution reverted: {reason}" if reason else "execution reverted"
        return JsonRpcError(EXECUTION_REVERTED, message, show.data(result.return_data))
    assert result.failure is not None
    detail = f": {result.failure_detail}" if result.failure_detail else ""
    return JsonRpcError(SERVER_ERROR, f"{result.failure.value}{detail}")


def revert_reason(revert_data: bytes) -> str:
    """The sentence of `Error(string)`, or `panic code 0x…` of `Panic(uint256)`.

    Empty for custom errors and for data that is not encoded as its selector says. The sentence is a stranger's text, as
    long as its gas paid for.
    """
    selector, body = revert_data[:4], revert_data[4:]
    try:
        if selector == ERROR_STRING_SELECTOR:
            (sentence,) = decode(["string"], body)
            return str(sentence)
        if selector == PANIC_SELECTOR:
            (code,) = decode(["uint256"], body)
            return f"panic code {hex(code)}"
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return ""
    return ""
