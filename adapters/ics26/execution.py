"""Typed calls of the execution API (`eth_*`), each answer checked against the question."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from hutong.adapters.ics26.answers import (
    Block,
    MinedCall,
    Receipt,
    decode_block,
    decode_log,
    decode_mined_call,
    decode_receipt,
)
from hutong.adapters.ics26.events import Log
from hutong.adapters.ics26.reverts import RevertReader, is_revert, revert_data
from hutong.adapters.interface import BadAnswer, EndpointError, EndpointMismatch, RefusedByChain, RpcRefused
from hutong.adapters.rpc import Answer, Attempt, AttemptFailed, Decoder, Fields, RpcClient

MAX_LOGS = 50_000
LOOKS_EVERYWHERE = 3
"""For a transaction that no endpoint has, before that is believed: one of them may lag, or lie."""
_BY_HASH = "eth_getTransactionByHash"
NO_TOO_WIDE_RANGE = 10
"""Blocks: no node refuses so few for their number, so who refuses is left for another endpoint."""

BlockTag = int | str
"""A height, or `latest` or `pending`."""


def tag_text(tag: BlockTag) -> str:
    """A block number as a hex quantity; the names of blocks as they are."""
    return hex(tag) if isinstance(tag, int) else tag


def hex_data(data: bytes) -> str:
    """`0x` and hex, as JSON-RPC writes bytes."""
    return "0x" + data.hex()


class ExecutionRpc:
    """`eth_*` of one chain."""

    def __init__(self, client: RpcClient, reverts: RevertReader) -> None:
        self.client = client
        self.reverts = reverts

    async def block(self, height: int, check: Callable[[Block], object] | None = None) -> Block:
        """The block at a height that exists. An endpoint that denies it, or fails `check`, is left for another.

        Args:
            check: raises BadAnswer for a block that cannot be the right one.

        Raises:
            EndpointUnavailable: no endpoint gave such a block.
        """

        def decode(fields: Fields) -> Block:
            if fields.value is None:
                raise BadAnswer("eth_getBlockByNumber", "result", "is null for a block that exists")
            block = decode_block(fields)
            if block.height != height:
                raise fields.at("number").bad(f"is not the asked {height}")
            if check is not None:
                check(block)
            return block

        return await self.client.call("eth_getBlockByNumber", [hex(height), False], decode, at_height=height)

    async def latest_block(self) -> Block:
        """The newest block of one endpoint, final or not.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint gave one.
        """
        return await self.client.call("eth_getBlockByNumber", ["latest", False], decode_block)

    async def logs(self, address: bytes, first: int, last: int, topics: list[Any]) -> tuple[Log, ...]:
        """Logs of one contract, in order of the chain, each checked against address and range.

        Args:
            address: 20 bytes of the contract.
            first, last: block heights, both included. An endpoint that has not reached `last` is left for another.
            topics: filter as in `eth_getLogs`. Whether a log fits it is not checked here.

        Raises:
            RpcRefused: the node refuses the range as too wide.
            EndpointUnavailable: no endpoint gave logs of these blocks.
        """
        return await self.read_logs(address, first, last, topics, _as_they_are)

    async def read_logs(
        self,
        address: bytes,
        first: int,
        last: int,
        topics: list[Any],
        read: Callable[[tuple[Log, ...]], Awaitable[Answer]],
    ) -> Answer:
        """What `read` makes of the logs that `logs` would return.

        Args:
            read: raises BadAnswer to leave the endpoint for another.

        Raises:
            RpcRefused: the node refuses the range as too wide.
            EndpointUnavailable: no endpoint gave logs that `read` takes.
        """

        def decode(fields: Fields) -> tuple[Log, ...]:
            logs = []
            for entry in fields.items(MAX_LOGS):
                log = decode_log(entry)
                if log.address != address:
                    raise entry.at("address").bad("is not the asked contract")
                if not first <= log.height <= last:
                    raise entry.at("blockNumber").bad(f"is outside {first} to {last}")
                if log.removed:
                    raise entry.at("removed").bad("marks a log of a final block")
                logs.append(log)
            ordered = tuple(sorted(logs, key=lambda log: (log.height, log.log_index)))
            places = {(log.height, log.log_index) for log in ordered}
            if len(places) != len(ordered):
                raise fields.bad("repeats a log")
            return ordered

        query = {
            "address": hex_data(address),
            "fromBlock": hex(first),
            "toBlock": hex(last),
            "topics": topics,
        }

        async def ask(attempt: Attempt) -> Answer:
            # a node that has not reached `last` answers with what it has, and says nothing
            if await attempt.call("eth_blockNumber", [], Fields.quantity) < last:
                raise AttemptFailed(f"is behind block {last}", EndpointError.BEHIND)
            try:
                logs = await attempt.call("eth_getLogs", [query], decode)
            except RpcRefused as error:
                if last - first < NO_TOO_WIDE_RANGE:
                    raise AttemptFailed(str(error), EndpointError.REFUSED) from error
                raise
            return await read(logs)

        return await self.client.run("eth_getLogs", ask, at_height=last)

    async def at_height(
        self, height: int, method: str, params: list[Any], decode: Decoder[Answer], *, reverts: bool = False
    ) -> Answer:
        """A read of the state after a block that exists: an endpoint that refuses (pruned, behind) is left for another.

        Args:
            params: of `method`, positional; the height has to be among them.
            reverts: a revert is the chain's own answer and leaves as RpcRefused.

        Raises:
            RpcRefused: with `reverts`, the contract reverts.
            EndpointUnavailable: no endpoint gave an answer that `decode` takes.
            HeightUnavailable: all endpoints say that their history is pruned.
        """

        async def ask(attempt: Attempt) -> Answer:
            try:
                return await attempt.call(method, params, decode)
            except RpcRefused as error:
                if reverts and is_revert(error):
                    raise
                raise AttemptFailed(str(error), EndpointError.REFUSED) from error

        return await self.client.run(method, ask, at_height=height)

    async def call(
        self, to: bytes, data: bytes, tag: BlockTag = "latest", sender: str | None = None, gas: int | None = None
    ) -> bytes:
        """`eth_call`: what the contract at `to` (20 bytes) returns for `data`.

        Args:
            tag: name of a block, or the height of one that exists; then an endpoint without its state is left for
                another.
            sender: address as text; the zero address if None.
            gas: limit of the call; the node's own if None.

        Raises:
            RefusedByChain: the contract reverts.
            EndpointUnavailable: no endpoint answers for that block.
        """
        transaction = _transaction(to, data, sender)
        if gas is not None:
            transaction["gas"] = hex(gas)
        return await self._simulate("eth_call", transaction, tag, lambda fields: fields.data())

    async def call_each(self, calls: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """Several `eth_call` in one exchange on the newest state, of a node known to take batches.

        Args:
            calls: (address of 20 bytes, calldata); at most `MOST_IN_A_BATCH`.

        Returns:
            What each returned, in the order of `calls`.

        Raises:
            RefusedByChain: one of them reverts.
            EndpointUnavailable, RpcRefused: no endpoint answers.
        """
        params = [[_transaction(to, data, None), tag_text("latest")] for to, data in calls]
        try:
            return await self.client.run(
                "eth_call", lambda attempt: attempt.call_each("eth_call", params, lambda _index, fields: fields.data())
            )
        except RpcRefused as error:
            if (refusal := self._refusal(error)) is None:
                raise
            raise refusal from error

    async def call_transaction(self, transaction: dict[str, str], tag: BlockTag) -> bytes:
        """`eth_call` of a whole transaction object, as a replay needs it. Raises as `call`.

        Args:
            transaction: fields as the execution API names them, quantities and data as `0x` text.
        """
        return await self._simulate("eth_call", transaction, tag, lambda fields: fields.data())

    async def estimate_gas(self, to: bytes | None, data: bytes, sender: str, value_wei: int = 0) -> int:
        """Gas limit with which the transaction succeeds on the node's newest state.

        Args:
            to: 20 bytes; None creates a contract from `data`.
            sender: address as text.

        Raises:
            RefusedByChain: the transaction would revert.
        """
        transaction = _transaction(to, data, sender)
        if value_wei:
            transaction["value"] = hex(value_wei)
        return await self._simulate("eth_estimateGas", transaction, None, Fields.quantity)

    async def _simulate(
        self, method: str, transaction: dict[str, str], tag: BlockTag | None, decode: Decoder[Answer]
    ) -> Answer:
        parameters: list[Any] = [transaction] if tag is None else [transaction, tag_text(tag)]
        try:
            if isinstance(tag, int):
                return await self.at_height(tag, method, parameters, decode, reverts=True)
            return await self.client.call(method, parameters, decode)
        except RpcRefused as error:
            if (refusal := self._refusal(error)) is None:
                raise
            raise refusal from error

    def _refusal(self, error: RpcRefused) -> RefusedByChain | None:
        """The contract's word; None where it did not revert."""
        data = revert_data(error)
        if data is not None:
            return self.reverts.read(data)
        return RefusedByChain("empty", error.message) if is_revert(error) else None

    async def code(self, address: bytes, tag: BlockTag = "latest") -> bytes:
        """The code of an account (20 bytes), empty without one.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint answers for that block.
        """
        return await self.client.call("eth_getCode", [hex_data(address), tag_text(tag)], Fields.data)

    async def storage(self, address: bytes, slot: bytes, tag: BlockTag = "latest") -> bytes:
        """The 32-byte word at a slot of a contract, zero if nothing is stored.

        Args:
            address: 20 bytes.
            slot: 32 bytes.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint answers for that block.
        """

        def decode(fields: Fields) -> bytes:
            word = fields.data(max_bytes=32)
            return word.rjust(32, b"\0")

        return await self.client.call("eth_getStorageAt", [hex_data(address), hex_data(slot), tag_text(tag)], decode)

    async def nonce(self, address: str, tag: BlockTag = "latest") -> int:
        """How many transactions the account has sent; with "pending" those in the node's pool count as well.

        Args:
            address: as text.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint answers.
        """
        return await self.client.call("eth_getTransactionCount", [address, tag_text(tag)], Fields.quantity)

    async def nonce_at(self, address: str, height: int) -> int:
        """The nonce in the state after a block that exists. An endpoint without that state is left for another.

        Args:
            address: as text.

        Raises:
            EndpointUnavailable, HeightUnavailable: no endpoint has that state.
        """
        parameters = [address, hex(height)]
        return await self.at_height(height, "eth_getTransactionCount", parameters, Fields.quantity)

    async def balance_wei(self, address: str) -> int:
        """What the account holds on the node's newest state, in wei.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint answers.
        """
        return await self.client.call("eth_getBalance", [address, "latest"], Fields.quantity)

    async def gas_price_wei(self) -> int:
        """The node's suggestion for a unit of gas, in wei; chains without a base fee are paid by it alone.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint answers.
        """
        return await self.client.call("eth_gasPrice", [], Fields.quantity)

    async def priority_fee_wei(self) -> int | None:
        """The node's suggestion of a tip for a unit of gas, in wei; None if the nodes refuse the question.

        Raises:
            EndpointUnavailable: no endpoint answers.
        """
        try:
            return await self.client.call("eth_maxPriorityFeePerGas", [], Fields.quantity)
        except RpcRefused:
            return None

    async def send_raw(self, raw: bytes, transaction_hash: bytes) -> None:
        """Hand a signed transaction to one endpoint's pool.

        Args:
            transaction_hash: of `raw`. An endpoint that answers with another hash is left for the next.

        Raises:
            RpcRefused: the pool refuses it, with the reason.
            EndpointUnavailable: no endpoint answered; the transaction may be in a pool all the same.
        """

        def decode(fields: Fields) -> None:
            if fields.data(32) != transaction_hash:
                raise fields.bad("is not the transaction's hash")

        await self.client.call("eth_sendRawTransaction", [hex_data(raw)], decode)

    async def receipt(
        self, transaction_hash: bytes, check: Callable[[Receipt], Awaitable[object]] | None = None
    ) -> Receipt | None:
        """The receipt of a mined transaction. Whether its block is final is not checked here.

        Args:
            check: raises BadAnswer for a receipt that cannot be the right one; its endpoint is left for another.

        Returns:
            None if the endpoint has none.

        Raises:
            EndpointUnavailable: no endpoint answered, or `check` refused what each gave.
        """

        def decode(fields: Fields) -> Receipt | None:
            if fields.value is None:
                return None
            receipt = decode_receipt(fields)
            if receipt.transaction_hash != transaction_hash:
                raise fields.at("transactionHash").bad("is not the asked transaction")
            return receipt

        async def ask(attempt: Attempt) -> Receipt | None:
            receipt = await attempt.call("eth_getTransactionReceipt", [hex_data(transaction_hash)], decode)
            if receipt is not None and check is not None:
                await check(receipt)
            return receipt

        return await self.client.run("eth_getTransactionReceipt", ask)

    async def mined_call(self, transaction_hash: bytes) -> MinedCall | None:
        """The transaction in pool or chain, or None if the endpoint does not know it.

        It has the asked hash by the endpoint's word: that its fields hash to it is not checked.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint answers.
        """
        return await self.client.run(_BY_HASH, lambda attempt: _mined_call(attempt, transaction_hash))

    async def known_anywhere(self, transaction_hash: bytes) -> bool:
        """Whether an endpoint has the transaction in pool or chain. Every one is asked, and asked again where none has it.

        Raises:
            EndpointUnavailable: no endpoint answers.
        """
        for _ in range(LOOKS_EVERYWHERE):
            answers = await self.client.ask_each(_BY_HASH, lambda attempt: _mined_call(attempt, transaction_hash))
            if any(found is not None for _, found in answers):
                return True
        return False


async def _mined_call(attempt: Attempt, transaction_hash: bytes) -> MinedCall | None:
    def decode(fields: Fields) -> MinedCall | None:
        if fields.value is None:
            return None
        if fields.at("hash").data(32) != transaction_hash:
            raise fields.at("hash").bad("is not the asked transaction")
        return decode_mined_call(fields)

    return await attempt.call(_BY_HASH, [hex_data(transaction_hash)], decode)


async def _as_they_are(logs: tuple[Log, ...]) -> tuple[Log, ...]:
    return logs


def _transaction(to: bytes | None, data: bytes, sender: str | None) -> dict[str, str]:
    transaction = {"data": hex_data(data)}
    if to is not None:
        transaction["to"] = hex_data(to)
    if sender is not None:
        transaction["from"] = sender
    return transaction


async def identify_execution(attempt: Attempt, chain_id: int) -> None:
    """Check that an endpoint serves the chain with this EIP-155 id.

    Raises:
        EndpointMismatch: it serves another chain.
        AttemptFailed, BadAnswer: it gives no usable answer.
    """
    got = await attempt.call("eth_chainId", [], Fields.quantity)
    if got != chain_id:
        raise EndpointMismatch(attempt.endpoint_name, "chain id", got, chain_id)
