"""Blocks, receipts, logs and transactions, read from answers of the execution API within bounds."""

from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from hutong.adapters.ics26.events import Log
from hutong.adapters.rpc import Fields
from hutong.adapters.rpc.fields import MAX_QUANTITY_DIGITS, QUANTITY

MAX_TOPICS = 4
MAX_LOG_DATA_BYTES = 1 << 20
MAX_RECEIPT_LOGS = 100_000
"""The bytes of an answer bind first. Receivers may log as their gas lets them: a batch of 2^24 gas leaves up to 44 739 empty
logs, and a receipt of ours that is refused would hold its nonce."""
MAX_BLOCK_TIME_S = 2**33
"""The year 2242: nanoseconds up to it are an int64."""


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


def decode_mined_call(fields: Fields) -> MinedCall:
    """A transaction in pool or chain. Whether it is the asked one is not checked.

    Raises:
        BadAnswer: a field is missing or malformed.
    """
    to, height, price = fields.get("to"), fields.get("blockNumber"), fields.get("gasPrice")
    return MinedCall(
        sender=to_checksum_address(fields.at("from").data(20)),
        to=None if to is None else to_checksum_address(to.data(20)),
        data=fields.at("input").data(),
        value_wei=fields.at("value").quantity(),
        gas=fields.at("gas").quantity(),
        height=None if height is None else height.quantity(),
        gas_price_wei=None if price is None else price.quantity(),
    )
