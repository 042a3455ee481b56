"""What the transactions of a block did, as `block_results` tells it, and the transactions themselves.

Codes, data and gas are hashed into the next header; events are hashed nowhere, so they are hints.
"""

from collections.abc import Collection
from dataclasses import dataclass

from hutong.adapters.cometbft.rpc import CometRpc, base64_bytes
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Attempt, Fields
from hutong.light_clients.tendermint.hashing import data_hash, results_hash

MAX_TRANSACTIONS = 20_000
MAX_EVENTS = 200_000
"""Of one block; what a 16 MiB answer can hold is less."""
MAX_ATTRIBUTES = 256
MAX_TYPE_CHARS = 1 << 20
"""Of events that are passed over too: contracts may name theirs as they like."""
MAX_KEY_CHARS = 256
MAX_VALUE_CHARS = 8 << 20
MAX_TRANSACTION_BASE64_CHARS = 8 << 20
MAX_GAS = 2**63 - 1
MAX_CODE = 2**32 - 1

Attributes = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Event:
    """`index` counts all events of the block. An attribute that is there twice has the value None: nothing can rely on
    it.
    """

    index: int
    type: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class TransactionResult:
    """`code` 0 is success; the events are those that were asked for."""

    code: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class BlockResults:
    """`block_events` come from no transaction (of `FinalizeBlock`; before CometBFT 0.38 of a block's begin and end).
    `hash` is what the next header must hold as `last_results_hash`.
    """

    transactions: tuple[TransactionResult, ...]
    block_events: tuple[Event, ...]
    hash: bytes


class ResultReader:
    """Counts events over a whole block."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = wanted
        self._count = 0

    def events(self, fields: Fields | None) -> tuple[Event, ...]:
        """The wanted events of one transaction or block. Those passed over are numbered too.

        Args:
            fields: the list of events; None, where the answer has no such member, holds no events.

        Raises:
            BadAnswer: the block has more than MAX_EVENTS events, or an event is malformed.
        """
        if fields is None:
            return ()
        found = []
        for entry in fields.items(MAX_EVENTS):
            index = self._count
            self._count += 1
            if self._count > MAX_EVENTS:
                raise fields.bad(f"the block has more than {MAX_EVENTS} events")
            kind = entry.at("type").text(MAX_TYPE_CHARS)
            if kind in self._wanted:
                found.append(Event(index, kind, _attributes(entry)))
        return tuple(found)

    def result(self, entry: Fields) -> tuple[TransactionResult, tuple[int, bytes, int, int]]:
        """One ExecTxResult, with (code, data, gas wanted, gas used): what `last_results_hash` covers of it.

        Raises:
            BadAnswer: a field is malformed or out of bounds, or the block has too many events.
        """
        code = _number(entry.get("code"), MAX_CODE)
        data = b"" if (given := entry.get("data")) is None else base64_bytes(given, MAX_TRANSACTION_BASE64_CHARS)
        wanted, used = (_number(entry.get(name), MAX_GAS) for name in ("gas_wanted", "gas_used"))
        return TransactionResult(code, self.events(entry.get("events"))), (code, data, wanted, used)


def _attributes(event: Fields) -> Attributes:
    found: Attributes = {}
    listed = event.get("attributes")
    for attribute in () if listed is None else listed.items(MAX_ATTRIBUTES):
        key = attribute.at("key").text(MAX_KEY_CHARS)
        value = attribute.get("value")
        found[key] = None if key in found else "" if value is None else value.text(MAX_VALUE_CHARS)
    return found


def _number(fields: Fields | None, most: int) -> int:
    return 0 if fields is None else fields.decimal(most)


def decode_results(fields: Fields, height: int, wanted: Collection[str]) -> BlockResults:
    """The results of a block.

    Args:
        height: which block was asked for; an answer about another one is refused.
        wanted: types of events to keep.

    Raises:
        BadAnswer: another height, too many events, or a malformed field.
    """
    if fields.at("height").decimal() != height:
        raise fields.at("height").bad(f"is not the asked {height}")
    reader = ResultReader(wanted)
    before = reader.events(fields.get("begin_block_events"))
    results, hashed = [], []
    listed = fields.get("txs_results")
    for entry in () if listed is None else listed.items(MAX_TRANSACTIONS):
        result, deterministic = reader.result(entry)
        hashed.append(deterministic)
        results.append(result)
    after = [reader.events(fields.get(name)) for name in ("finalize_block_events", "end_block_events")]
    return BlockResults(tuple(results), (*before, *after[0], *after[1]), results_hash(hashed))


async def block_results(comet: CometRpc, attempt: Attempt, height: int, wanted: Collection[str]) -> BlockResults:
    """Ask one endpoint for the results of a block, and keep events of the types `wanted`.

    Raises:
        HeightUnavailable: the node does not keep them.
        BadAnswer: as `decode_results`.
    """
    return await comet.at_height(
        attempt,
        "block_results",
        {"height": str(height)},
        lambda fields: decode_results(fields, height, wanted),
        height,
    )


async def block_transactions(comet: CometRpc, attempt: Attempt, height: int, expected: bytes) -> tuple[bytes, ...]:
    """Ask one endpoint for a block's transactions, in order.

    Args:
        expected: `data_hash` of the block's header.

    Raises:
        HeightUnavailable: the node does not keep the block.
        BadAnswer: the transactions have another hash.
    """

    def decode(fields: Fields) -> tuple[bytes, ...]:
        listed = fields.at("block").at("data").get("txs")
        entries = () if listed is None else listed.items(MAX_TRANSACTIONS)
        found = tuple(base64_bytes(entry, MAX_TRANSACTION_BASE64_CHARS) for entry in entries)
        if data_hash(found) != expected:
            raise BadAnswer("block", "result.block.data.txs", "do not hash to the header's data", got=data_hash(found))
        return found

    return await comet.at_height(attempt, "block", {"height": str(height)}, decode, height)
