"""Typed calls of the execution API (`eth_*`), each answer checked against the question."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from hutong.adapters.ics26.events import Log
from hutong.adapters.ics26.reverts import RevertReader
from hutong.adapters.interface import BadAnswer, EndpointError, EndpointMismatch, RefusedByChain, RpcRefused
from hutong.adapters.rpc import Answer, Attempt, AttemptFailed, Decoder, Fields, RpcClient
from hutong.adapters.rpc.fields import MAX_QUANTITY_DIGITS, QUANTITY

MAX_LOGS = 50_000
MAX_TOPICS = 4
MAX_LOG_DATA_BYTES = 1 << 20
MAX_RECEIPT_LOGS = 100_000
"""The bytes of an answer bind first. Receivers may log as their gas lets them: a batch of 2^24 gas leaves up to 44 739 empty
logs, and a receipt of ours that is refused would hold its nonce."""
MAX_BLOCK_TIME_S = 2**33
"""The year 2242: nanoseconds up to it are an int64."""
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


@dataclass(frozen=True, slots=True)
class Block:
    """`fields` is the whole answer, for the header codec."""

    height: int
    hash: bytes
    parent_hash: bytes
    time_s: int
    gas_limit: int
    base_fee_per_gas_wei: int | None
    fields: Fields


@dataclass(frozen=True, slots=True)
class Receipt:
    """`contract_address` is 20 bytes or None. Nodes from before London (GoQuorum) name no `effective_gas_price_wei`."""

    transaction_hash: bytes
    height: int
    block_hash: bytes
    status: bool
    gas_used: int
    effective_gas_price_wei: int | None
    contract_address: bytes | None
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class MinedCall:
    """What a transaction asked, for replaying why it failed and for what it paid. `gas_price_wei` None: not named."""

    sender: str
    to: str | None
    data: bytes
    value_wei: int
    gas: int
    height: int | None
    gas_price_wei: int | None = None


def decode_log(fields: Fields) -> Log:
    """A log of a mined block, of at most MAX_TOPICS topics and MAX_LOG_DATA_BYTES of data. It may have no topic.

    Raises:
        BadAnswer: out of these bounds, or malformed.
    """
    try:
        return _usual_log(fields.value)
    except (KeyError, TypeError, ValueError, AttributeError):
        pass  # what follows finds out what is wrong, and says it
    return Log(
        address=fields.at("address").data(20),
        topics=tuple(topic.data(32) for topic in fields.at("topics").items(MAX_TOPICS)),
        data=fields.at("data").data(max_bytes=MAX_LOG_DATA_BYTES),
        height=fields.at("blockNumber").quantity(),
        block_hash=fields.at("blockHash").data(32),
        transaction_hash=fields.at("transactionHash").data(32),
        log_index=fields.at("logIndex").quantity(),
        removed=False if (removed := fields.get("removed")) is None else removed.flag(),
    )


def _usual_log(value: Any) -> Log:
    """Takes only what `decode_log` takes, in a tenth of its time: a message leaves a dozen logs behind."""
    topics, removed = value["topics"], value.get("removed")
    if type(topics) is not list or len(topics) > MAX_TOPICS or not (removed is None or type(removed) is bool):
        raise ValueError
    return Log(
        address=_usual_bytes(value["address"], 20),
        topics=tuple([_usual_bytes(topic, 32) for topic in topics]),
        data=_usual_bytes(value["data"], None),
        height=_usual_quantity(value["blockNumber"]),
        block_hash=_usual_bytes(value["blockHash"], 32),
        transaction_hash=_usual_bytes(value["transactionHash"], 32),
        log_index=_usual_quantity(value["logIndex"]),
        removed=bool(removed),
    )


def _usual_bytes(text: str, size: int | None) -> bytes:
    raw = bytes.fromhex(text[2:])
    most = MAX_LOG_DATA_BYTES if size is None else size
    # White space is passed over by fromhex.
    if not text.startswith("0x") or len(text) != 2 + 2 * len(raw) or len(raw) > most or size not in (None, len(raw)):
        raise ValueError
    return raw


def _usual_quantity(text: str) -> int:
    if QUANTITY.fullmatch(text) is None or len(text) > 2 + MAX_QUANTITY_DIGITS:
        raise ValueError
    return int(text, 16)


def decode_block(fields: Fields) -> Block:
    """A block's answer without its transactions. That its fields hash to its name is not checked.

    Raises:
        BadAnswer: a field is missing, malformed, or not a time of a block.
    """
    base_fee = fields.get("baseFeePerGas")
    time_s = fields.at("timestamp").quantity()
    if time_s > MAX_BLOCK_TIME_S:
        raise fields.at("timestamp").bad("is not a time of a block")
    return Block(
        height=fields.at("number").quantity(),
        hash=fields.at("hash").data(32),
        parent_hash=fields.at("parentHash").data(32),
        time_s=time_s,
        gas_limit=fields.at("gasLimit").quantity(),
        base_fee_per_gas_wei=None if base_fee is None else base_fee.quantity(),
        fields=fields,
    )


def decode_receipt(fields: Fields) -> Receipt:
    """A receipt with its logs. Whether it is of the asked transaction is not checked.

    Raises:
        BadAnswer: a malformed field, or more than MAX_RECEIPT_LOGS logs.
    """
    price = fields.get("effectiveGasPrice")
    contract = fields.get("contractAddress")
    status = fields.at("status").quantity()
    if status not in (0, 1):
        raise fields.at("status").bad("is neither 0 nor 1")
    return Receipt(
        transaction_hash=fields.at("transactionHash").data(32),
        height=fields.at("blockNumber").quantity(),
        block_hash=fields.at("blockHash").data(32),
        status=status == 1,
        gas_used=fields.at("gasUsed").quantity(),
        effective_gas_price_wei=None if price is None else price.quantity(),
        contract_address=None if contract is None else contract.data(20),
        logs=tuple(decode_log(log) for log in fields.at("logs").items(MAX_RECEIPT_LOGS)),
    )


def revert_data(error: RpcRefused) -> bytes | None:
    """Revert data as nodes attach it to an error: hex text, or an object with it under `data` or `result`.

    Returns:
        None if there is none, or it is not hex.
    """
    data = error.data
    if isinstance(data, dict):
        data = data.get("data", data.get("result"))
    if not isinstance(data, str) or not data.startswith("0x"):
        return None
    try:
        return bytes.fromhex(data[2:])
    except ValueError:
        return None


def is_revert(error: RpcRefused) -> bool:
    """Whether the contract refused, not the endpoint: revert data is attached, or the message says so."""
    return revert_data(error) is not None or "revert" in error.message.lower()


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

        def decode(fields: Fields) -> MinedCall | None:
            if fields.value is None:
                return None
            if fields.at("hash").data(32) != transaction_hash:
                raise fields.at("hash").bad("is not the asked transaction")
            to = fields.get("to")
            height, price = fields.get("blockNumber"), fields.get("gasPrice")
            return MinedCall(
                sender=to_checksum_address(fields.at("from").data(20)),
                to=None if to is None else to_checksum_address(to.data(20)),
                data=fields.at("input").data(),
                value_wei=fields.at("value").quantity(),
                gas=fields.at("gas").quantity(),
                height=None if height is None else height.quantity(),
                gas_price_wei=None if price is None else price.quantity(),
            )

        return await self.client.call("eth_getTransactionByHash", [hex_data(transaction_hash)], decode)


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
