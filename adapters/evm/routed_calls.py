"""Calls of a contract that stands on its chain's client of the hub, as `RoutedHubClient.sol` has it."""

from eth_utils.address import to_checksum_address

from hutong.adapters.evm.hub_reader import CLIENT_ID
from hutong.adapters.ics26.batch import TRANSACTION_OVERHEAD_BYTES
from hutong.adapters.ics26.events import Log
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.submission import prepare_bounded_call, prepare_call
from hutong.adapters.interface import BatchLimits, BatchTooLarge, PreparedTransaction


class RoutedCalls:
    """Of one contract, by its 20-byte address."""

    def __init__(self, execution: ExecutionRpc, chain_id: int, contract: bytes, limits: BatchLimits) -> None:
        self._execution = execution
        self._chain_id = chain_id
        self._contract = contract
        self._limits = limits

    @property
    def address(self) -> str:
        """Of the contract, EIP-55."""
        return to_checksum_address(self._contract)

    async def client_id(self) -> str:
        """The client of the hub, on its router, that the contract reads through.

        Raises:
            BadAnswer, RefusedByChain: no such contract is there.
        """
        (client_id,) = CLIENT_ID.decode(await self._execution.call(self._contract, CLIENT_ID.encode()))
        return str(client_id)

    async def _logs(self, transaction_hash: bytes) -> tuple[Log, ...]:
        """Of the contract, from a mined transaction; empty where it is not known.

        Raises:
            EndpointUnavailable: no endpoint answers.
        """
        receipt = await self._execution.receipt(transaction_hash)
        return () if receipt is None else tuple(log for log in receipt.logs if log.address == self._contract)

    async def _prepare(self, data: bytes, sender: str) -> PreparedTransaction:
        """Simulate and price a call. Nothing is signed or sent.

        Raises:
            RefusedByChain: the contract refuses it.
            BatchTooLarge: more bytes or gas than a transaction may have.
        """
        self._check_size(data)
        return await prepare_call(self._execution, self._chain_id, sender, self._contract, data, self._limits.max_gas)

    async def _prepare_bounded(self, data: bytes, gas: int, sender: str) -> PreparedTransaction:
        """Price a call under a header that is in no block yet, so that no node can simulate it.

        Raises:
            BatchTooLarge: more bytes or gas than a transaction may have.
            EndpointUnavailable: no endpoint says the price of gas.
        """
        self._check_size(data)
        return await prepare_bounded_call(
            self._execution, self._chain_id, sender, self._contract, data, gas, self._limits.max_gas
        )

    def _check_size(self, data: bytes) -> None:
        size = len(data) + TRANSACTION_OVERHEAD_BYTES
        if size > self._limits.max_bytes:
            raise BatchTooLarge("bytes", size, self._limits.max_bytes)
