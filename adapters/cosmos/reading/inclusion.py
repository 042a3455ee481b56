"""Finding a transaction in committed blocks: by the node's index, or by reading blocks where it keeps none."""

from base64 import b64encode
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hutong.adapters.cometbft import CommittedBlocks
from hutong.adapters.cometbft.results import MAX_TRANSACTION_BASE64_CHARS, MAX_TRANSACTIONS, block_transactions
from hutong.adapters.cometbft.rpc import base64_bytes
from hutong.adapters.cosmos.rpc import MAX_CODESPACE_CHARS, MAX_LOG_CHARS, CosmosRpc, cut_text
from hutong.adapters.cosmos.transactions.accounts import parse_answer
from hutong.adapters.cosmos.transactions.transactions import transaction_hash
from hutong.adapters.interface import BadAnswer, Head, HeightUnavailable, RpcRefused
from hutong.adapters.rpc import AnswerTooLarge, Attempt, Fields
from hutong.light_clients.protobuf.cosmos_tx_pb2 import TxMsgData

EARLIER_BLOCKS = 200
"""How many blocks to search for a transaction sent before a restart, on a node without an index."""
PRUNED_BELOW = 20
"""Blocks under the newest one: older ones that a node has not got are pruned, and passed over."""
BLOCKS_PER_LOOK = 50
REMEMBERED = 20_000
MAX_EVENTS = 10_000
MAX_GAS = 2**63 - 1
TRANSACTION_EVENT = "tx"
SEQUENCE_ATTRIBUTE = "acc_seq"
PACKET_RESPONSES = frozenset(
    f"/ibc.core.channel.v2.{name}Response" for name in ("MsgRecvPacket", "MsgAcknowledgement", "MsgTimeout")
)
NOOP_RESPONSE = b"\x08\x01"
"""`result = RESPONSE_RESULT_TYPE_NOOP`: ibc-go, proto/ibc/core/channel/v2/tx.proto."""
_NO_INDEX = "indexing is disabled"
_NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A transaction's result in a block. `consumed`: its checks passed there, so that it used its sequence and paid."""

    height: int
    raw: bytes
    code: int
    codespace: str
    log: str
    gas_used: int
    data: bytes
    consumed: bool


def decode_result(fields: Fields, height: int, raw: bytes) -> Inclusion:
    """An ExecTxResult of CometBFT 0.38 for the transaction `raw` in block `height`. Its log is cut to MAX_LOG_CHARS.

    Raises:
        BadAnswer: a field is malformed or out of bounds, or there are more than MAX_EVENTS events.
    """
    code = 0 if (given := fields.get("code")) is None else given.decimal(2**32 - 1)
    events = fields.get("events")
    return Inclusion(
        height=height,
        raw=raw,
        code=code,
        codespace="" if (given := fields.get("codespace")) is None else given.text(MAX_CODESPACE_CHARS),
        log="" if (given := fields.get("log")) is None else cut_text(given, MAX_LOG_CHARS),
        gas_used=0 if (given := fields.get("gas_used")) is None else given.decimal(MAX_GAS),
        data=b"" if (given := fields.get("data")) is None else base64_bytes(given, MAX_TRANSACTION_BASE64_CHARS),
        consumed=code == 0 or (events is not None and _names_a_sequence(events)),
    )


def _names_a_sequence(events: Fields) -> bool:
    for event in events.items(MAX_EVENTS):
        if event.at("type").text() == TRANSACTION_EVENT:
            attributes = event.get("attributes")
            for attribute in () if attributes is None else attributes.items(MAX_EVENTS):
                if attribute.at("key").text() == SEQUENCE_ATTRIBUTE:
                    return True
    return False


def noops(data: bytes) -> tuple[int, ...]:
    """Indexes of the messages of a transaction with this `data` that changed nothing, as ibc-go's responses say.

    Data that cannot be read names none: it is for the books alone, and the chain's state decides.
    """
    try:
        responses = parse_answer(TxMsgData, data, "tx").msg_responses
    except BadAnswer:
        return ()
    return tuple(
        index
        for index, response in enumerate(responses)
        if response.type_url in PACKET_RESPONSES and response.value == NOOP_RESPONSE
    )


class Inclusions:
    """`head` is the chain's newest committed block."""

    def __init__(self, rpc: CosmosRpc, blocks: CommittedBlocks, head: Callable[[], Awaitable[Head]]) -> None:
        self._rpc = rpc
        self._blocks = blocks
        self._head = head
        self._places: OrderedDict[bytes, tuple[int, int, bytes]] = OrderedDict()
        self._first = self._next = 0

    async def find(self, wanted: bytes, since: int | None) -> Inclusion | None:
        """Where a transaction is in a committed block: by the node's index, else by reading some blocks in each call.

        Args:
            wanted: hash of the transaction.
            since: the newest height when it was signed; None if unknown, then the last EARLIER_BLOCKS are read.

        Returns:
            None if it is in no block read so far; ask again.

        Raises:
            HeightUnavailable: a block among the newest PRUNED_BELOW is on no endpoint yet.
            EndpointUnavailable, RpcRefused: no endpoint gave a usable answer.
        """
        try:
            return await self._rpc.client.run("tx", lambda attempt: _indexed(attempt, wanted))
        except _NotIndexed:
            return await self._read(wanted, since)

    async def indexed(self, wanted: bytes) -> Inclusion | None:
        """Where a transaction is in a committed block, by the node's index alone; None also if the node has no index.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint gave a usable answer.
        """
        try:
            return await self._rpc.client.run("tx", lambda attempt: _indexed(attempt, wanted))
        except _NotIndexed:
            return None

    async def _read(self, wanted: bytes, since: int | None) -> Inclusion | None:
        newest = (await self._head()).height
        first = max(1, newest - EARLIER_BLOCKS if since is None else since)
        if not self._first <= first <= self._next:
            self._first = self._next = first
        for height in range(self._next, min(newest + 1, self._next + BLOCKS_PER_LOOK)):
            if wanted in self._places:
                break
            await self._remember(height, newest)
            self._next = height + 1
        place = self._places.get(wanted)
        return None if place is None else await self._result(*place)

    async def _remember(self, height: int, newest: int) -> None:
        """Every transaction of a block; they are the ones that the committed header names."""

        async def read(attempt: Attempt) -> tuple[bytes, ...] | None:
            try:
                expected = (await self._blocks.header(height)).header.data_hash
                return await block_transactions(self._rpc.comet, attempt, height, expected)
            except HeightUnavailable:
                if height + PRUNED_BELOW > newest:
                    raise
                return None
            except AnswerTooLarge:
                return None  # what is in it counts as lost: the chain says what became of its packets

        transactions = await self._rpc.client.run("block", read, at_height=height)
        for index, raw in enumerate(transactions or ()):
            self._places[transaction_hash(raw)] = (height, index, raw)
        while len(self._places) > REMEMBERED:
            self._places.popitem(last=False)

    async def _result(self, height: int, index: int, raw: bytes) -> Inclusion | None:
        def decode(fields: Fields) -> Inclusion:
            if fields.at("height").decimal() != height:
                raise fields.at("height").bad(f"is not the asked {height}")
            results = list(fields.at("txs_results").items(MAX_TRANSACTIONS))
            if index >= len(results):
                raise fields.at("txs_results").bad(f"has no result {index}")
            return decode_result(results[index], height, raw)

        try:
            return await self._rpc.client.call("block_results", {"height": str(height)}, decode, at_height=height)
        except RpcRefused:
            return None  # the newest block's results are there a moment after the block is


class _NotIndexed(Exception):
    """The endpoint keeps no index of transactions."""


async def _indexed(attempt: Attempt, wanted: bytes) -> Inclusion | None:
    def decode(fields: Fields) -> Inclusion:
        raw = base64_bytes(fields.at("tx"), MAX_TRANSACTION_BASE64_CHARS)
        if transaction_hash(raw) != wanted:
            raise fields.at("tx").bad("does not have the asked hash")
        return decode_result(fields.at("tx_result"), fields.at("height").decimal(2**63 - 1), raw)

    try:
        return await attempt.call("tx", {"hash": b64encode(wanted).decode(), "prove": False}, decode)
    except RpcRefused as refusal:
        words = f"{refusal.message} {refusal.data}"
        if _NO_INDEX in words:
            raise _NotIndexed from refusal
        if _NOT_FOUND in words:
            return None
        raise
