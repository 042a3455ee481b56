"""Typed parameters of `eth_*` methods: every one has a shape and a bound, every refusal names the parameter."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from hutong.relay.evm.chain.log_criteria import BlockHash, BlockSelector, LogCriteria
from hutong.relay.evm.rpc.json_errors import invalid_params
from hutong.relay.evm.vm.native import Address
from hutong.relay.evm.vm.outcomes import CallMessage
from hutong.relay.evm.vm.transaction import MAX_TRANSACTION_BYTES, AccessList

MAX_CALL_DATA_BYTES = MAX_TRANSACTION_BYTES
MAX_LOG_ADDRESSES = 1_000
MAX_LOG_TOPICS = 4
MAX_LOG_TOPIC_CHOICES = 1_000
MAX_PROOF_SLOTS = 1_024
MAX_ACCESS_LIST_ENTRIES = 1_024

_HEX = re.compile(r"0x[0-9a-fA-F]*", re.ASCII)
_TAGS = ("latest", "earliest", "pending", "safe", "finalized")


class Params:
    """The positional parameters of one call. Parsing methods raise JsonRpcError -32602."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def at_most(self, count: int) -> None:
        """Refuse superfluous parameters; call it first.

        Raises:
            JsonRpcError: -32602, there are more than `count`.
        """
        if len(self._values) > count:
            raise invalid_params(f"too many arguments, want at most {count}")

    def has(self, index: int) -> bool:
        """Whether a parameter is there and not null."""
        return index < len(self._values) and self._values[index] is not None

    def raw(self, index: int) -> Any:
        """The parameter as the JSON has it, null included, for methods that parse it themselves.

        Raises:
            JsonRpcError: -32602, there is no parameter at this place.
        """
        if index >= len(self._values):
            raise invalid_params(f"missing value for required argument {index}")
        return self._values[index]

    def address(self, index: int) -> Address:
        """20 bytes; the case of the hex digits is not checked (EIP-55).

        Raises:
            JsonRpcError: -32602, missing or not 20 bytes of hex.
        """
        return fixed_bytes(self.raw(index), 20, f"argument {index}")

    def hash(self, index: int) -> bytes:
        """32 bytes, of a block or a transaction.

        Raises:
            JsonRpcError: -32602, missing or not 32 bytes of hex.
        """
        return fixed_bytes(self.raw(index), 32, f"argument {index}")

    def data(self, index: int, max_bytes: int) -> bytes:
        """Bytes from `0x` and an even number of digits; may be empty.

        Raises:
            JsonRpcError: -32602, missing, not hex, or longer than `max_bytes`.
        """
        return data_bytes(self.raw(index), max_bytes, f"argument {index}")

    def quantity(self, index: int, maximum: int = 2**64 - 1) -> int:
        """A number from hex, at most `maximum`.

        Raises:
            JsonRpcError: -32602, missing, not a hex quantity, or above `maximum`.
        """
        return quantity(self.raw(index), f"argument {index}", maximum)

    def boolean(self, index: int, *, default: bool) -> bool:
        """A boolean; `default` where it is absent or null.

        Raises:
            JsonRpcError: -32602, another type.
        """
        value = self._values[index] if self.has(index) else default
        if not isinstance(value, bool):
            raise invalid_params(f"argument {index} is not a boolean")
        return value

    def block(self, index: int) -> BlockSelector:
        """Which block is asked for; absent or null means `latest`, as nodes do. Whether it exists is not checked here.

        Raises:
            JsonRpcError: -32602, not a number below 2**64, a tag, or an object of EIP-1898.
        """
        return block_selector(self._values[index], f"argument {index}") if self.has(index) else "latest"

    def slot(self, index: int) -> int:
        """A storage key in [0, 2**256).

        Raises:
            JsonRpcError: -32602, missing or not of `storage_slot`'s shape.
        """
        return storage_slot(self.raw(index), f"argument {index}")

    def slots(self, index: int) -> tuple[int, ...]:
        """At most MAX_PROOF_SLOTS storage keys, in their order and with repetitions.

        Raises:
            JsonRpcError: -32602, missing, not a list, too long, or with something that is no storage key.
        """
        value = self.raw(index)
        if not isinstance(value, list) or len(value) > MAX_PROOF_SLOTS:
            raise invalid_params(f"argument {index} is not a list of at most {MAX_PROOF_SLOTS} storage keys")
        return tuple(storage_slot(item, f"argument {index}[{place}]") for place, item in enumerate(value))

    def call(self, index: int) -> CallMessage:
        """The call object of `eth_call` and `eth_estimateGas`.

        Raises:
            JsonRpcError: -32602, as `call_message`.
        """
        return call_message(self.raw(index), f"argument {index}")

    def log_criteria(self, index: int) -> LogCriteria:
        """The filter object of `eth_getLogs` and `eth_newFilter`.

        Raises:
            JsonRpcError: -32602, as the function `log_criteria`.
        """
        return log_criteria(self.raw(index), f"argument {index}")


Method: TypeAlias = Callable[[Params], Awaitable[Any]]
"""Answers one JSON-RPC method with JSON; raises JsonRpcError."""


def quantity(value: Any, name: str, maximum: int = 2**64 - 1) -> int:
    """A hex quantity of at most 64 digits; leading zeros are tolerated, as most nodes do.

    Args:
        name: names the parameter in a refusal.

    Raises:
        JsonRpcError: -32602, not a string of `0x` and digits, or above `maximum`.
    """
    if not isinstance(value, str) or not _HEX.fullmatch(value) or not 3 <= len(value) <= 66:
        raise invalid_params(f"{name} is not a hex quantity")
    number = int(value, 16)
    if number > maximum:
        raise invalid_params(f"{name} is above {hex(maximum)}")
    return number


def data_bytes(value: Any, max_bytes: int, name: str) -> bytes:
    """Bytes from `0x` and an even number of digits, at most `max_bytes` of them.

    Raises:
        JsonRpcError: -32602, not hex or too long.
    """
    if not isinstance(value, str) or len(value) % 2 or not _HEX.fullmatch(value):
        raise invalid_params(f"{name} is not hex data with 0x prefix and whole bytes")
    if len(value) > 2 + 2 * max_bytes:
        raise invalid_params(f"{name} is longer than {max_bytes} bytes")
    return bytes.fromhex(value[2:])


def fixed_bytes(value: Any, length: int, name: str) -> bytes:
    """Exactly `length` bytes from hex.

    Raises:
        JsonRpcError: -32602, not hex or of another length.
    """
    decoded = data_bytes(value, length, name)
    if len(decoded) != length:
        raise invalid_params(f"{name} is not {length} bytes long")
    return decoded


def storage_slot(value: Any, name: str) -> int:
    """A 32-byte key or a quantity of at most 64 digits: clients send both.

    Raises:
        JsonRpcError: -32602, not hex.
    """
    return quantity(value, name, 2**256 - 1)


def block_selector(value: Any, name: str) -> BlockSelector:
    """A number, a tag, a hash, or an object with `blockHash` or `blockNumber` (EIP-1898).

    `requireCanonical` changes nothing: there are no other blocks.

    Raises:
        JsonRpcError: -32602, none of these, both members, or a number of 2**64 or more.
    """
    if isinstance(value, dict):
        members = {key: item for key, item in value.items() if item is not None}
        members.pop("requireCanonical", None)  # there are no other blocks
        if set(members) == {"blockHash"}:
            return BlockHash(fixed_bytes(members["blockHash"], 32, f"{name}.blockHash"))
        if set(members) == {"blockNumber"}:
            return block_selector(members["blockNumber"], f"{name}.blockNumber")
        raise invalid_params(f"{name} needs either blockHash or blockNumber")
    if isinstance(value, str):
        for tag in _TAGS:
            if value == tag:
                return tag  # type: ignore[return-value]
        if len(value) == 66:
            return BlockHash(fixed_bytes(value, 32, name))
        return quantity(value, name)
    raise invalid_params(f"{name} is not a block number, tag or hash")


def call_message(value: Any, name: str) -> CallMessage:
    """A call object; unknown members and fee fields are ignored, since a call pays nothing.

    An absent sender is the zero address; `gas` 0 stands for the most allowed. `data` and `input` may both be there if
    they are equal.

    Raises:
        JsonRpcError: -32602, a member without its shape, above its bound, or `data` and `input` that differ.
    """
    if not isinstance(value, dict):
        raise invalid_params(f"{name} is not a call object")
    fields = {key: item for key, item in value.items() if item is not None}
    data = data_bytes(fields.get("data", "0x"), MAX_CALL_DATA_BYTES, f"{name}.data")
    payload = data_bytes(fields.get("input", "0x"), MAX_CALL_DATA_BYTES, f"{name}.input")
    if data and payload and data != payload:
        raise invalid_params(f'{name}: both "data" and "input" are set and not equal')
    to = fields.get("to")
    return CallMessage(
        sender=fixed_bytes(fields["from"], 20, f"{name}.from") if "from" in fields else bytes(20),
        to=None if to in (None, "0x", "") else fixed_bytes(to, 20, f"{name}.to"),
        data=payload or data,
        value_wei=quantity(fields.get("value", "0x0"), f"{name}.value", 2**256 - 1),
        gas=quantity(fields.get("gas", "0x0"), f"{name}.gas"),
        access_list=_access_list(fields.get("accessList", []), f"{name}.accessList"),
    )


def log_criteria(value: Any, name: str) -> LogCriteria:
    """A filter object; unknown members are ignored. That the range is in order is not checked here.

    Raises:
        JsonRpcError: -32602, a member without its shape, too many addresses, topics or choices, or a block hash with a
            range.
    """
    if not isinstance(value, dict):
        raise invalid_params(f"{name} is not a filter object")
    fields = {key: item for key, item in value.items() if item is not None}
    block_hash = fixed_bytes(fields["blockHash"], 32, f"{name}.blockHash") if "blockHash" in fields else None
    if block_hash is not None and ("fromBlock" in fields or "toBlock" in fields):
        raise invalid_params(f"{name}: cannot specify both blockHash and fromBlock/toBlock")
    return LogCriteria(
        from_block=block_selector(fields["fromBlock"], f"{name}.fromBlock") if "fromBlock" in fields else None,
        to_block=block_selector(fields["toBlock"], f"{name}.toBlock") if "toBlock" in fields else None,
        block_hash=block_hash,
        addresses=_addresses(fields.get("address", []), f"{name}.address"),
        topics=_topics(fields.get("topics", []), f"{name}.topics"),
    )


def _addresses(value: Any, name: str) -> frozenset[Address]:
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_LOG_ADDRESSES:
        raise invalid_params(f"{name} lists more than {MAX_LOG_ADDRESSES} addresses")
    return frozenset(fixed_bytes(item, 20, name) for item in items)


def _topics(value: Any, name: str) -> tuple[frozenset[bytes] | None, ...]:
    if not isinstance(value, list) or len(value) > MAX_LOG_TOPICS:
        raise invalid_params(f"{name} is not a list of at most {MAX_LOG_TOPICS} topics")
    topics: list[frozenset[bytes] | None] = []
    for item in value:
        choices = item if isinstance(item, list) else [item]
        if len(choices) > MAX_LOG_TOPIC_CHOICES:
            raise invalid_params(f"{name}: more than {MAX_LOG_TOPIC_CHOICES} choices")
        if not choices or any(choice is None for choice in choices):
            topics.append(None)
        else:
            topics.append(frozenset(fixed_bytes(choice, 32, name) for choice in choices))
    return tuple(topics)


def _access_list(value: Any, name: str) -> AccessList:
    if not isinstance(value, list) or len(value) > MAX_ACCESS_LIST_ENTRIES:
        raise invalid_params(f"{name} is not a list of at most {MAX_ACCESS_LIST_ENTRIES} entries")
    entries = []
    for item in value:
        if not isinstance(item, dict) or not isinstance(item.get("storageKeys"), list):
            raise invalid_params(f"{name}: an entry has address and storageKeys")
        if len(item["storageKeys"]) > MAX_ACCESS_LIST_ENTRIES:
            raise invalid_params(f"{name}: more than {MAX_ACCESS_LIST_ENTRIES} storage keys")
        slots = tuple(storage_slot(key, f"{name}.storageKeys") for key in item["storageKeys"])
        entries.append((fixed_bytes(item.get("address"), 20, f"{name}.address"), slots))
    return tuple(entries)
