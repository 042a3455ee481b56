"""CometBFT's RPC as a Cosmos SDK chain uses it: raw values of stores, and gRPC services through `abci_query`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from json import dumps
from random import Random

from hutong.adapters.cometbft import CometRpc, identify_chain
from hutong.adapters.cometbft.rpc import base64_bytes
from hutong.adapters.cosmos.settings import CosmosSettings
from hutong.adapters.interface import EndpointUnavailable, RpcRefused
from hutong.adapters.rpc import Announcements, Attempt, Fields, HeadSignal, RpcClient, in_background, open_rpc_client

IBC_STORE = "/store/ibc/key"
MAX_LOG_CHARS = 16 * 1024
"""Read of a log; what is longer is cut."""
MAX_VALUE_BASE64_CHARS = 8 << 20
"""A simulation's answer repeats every packet several times in its events."""
MAX_CODESPACE_CHARS = 128
SEARCH_RESULTS = 4
"""Transactions looked at where the index names several."""

NEW_BLOCKS = Announcements(
    dumps({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"query": "tm.event='NewBlockHeader'"}}),
    lambda message: isinstance(message.get("result"), dict) and "data" in message["result"],
)
"""CometBFT's; the first answer, which only says that the subscription stands, has an empty result."""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """What a gRPC service of the application answered: `value` is the response message when `code` is 0."""

    code: int
    codespace: str
    log: str
    value: bytes
    height: int


def cut_text(fields: Fields, max_chars: int) -> str:
    """The first `max_chars` characters of a text for people, of any length up to MAX_VALUE_BASE64_CHARS.

    Raises:
        BadAnswer: not text, or longer.
    """
    return fields.text(MAX_VALUE_BASE64_CHARS)[:max_chars]


class CosmosRpc:
    """Typed calls of one chain's endpoints."""

    def __init__(self, client: RpcClient) -> None:
        self.comet = CometRpc(client)

    @property
    def client(self) -> RpcClient:
        """For calls that have no method here."""
        return self.comet.client

    async def stored(self, key: bytes, height: int) -> bytes | None:
        """The raw value under a key of the ibc store in the state after block `height`; None if there is none.

        It is a hint without proof: a node may say anything.
        """
        return (await self.comet.query(IBC_STORE, key, height)).value

    async def service(self, method: str, request: bytes, height: int = 0) -> ServiceAnswer:
        """Call `/package.Service/Method` of the application. A refusal by it is an answer, and not raised.

        Args:
            request: the encoded request message.
            height: the state after this block; 0 is the newest.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint gave a usable answer.
        """

        def decode(fields: Fields) -> ServiceAnswer:
            response = fields.at("response")
            code = 0 if (given := response.get("code")) is None else given.decimal(2**32 - 1)
            codespace = "" if (given := response.get("codespace")) is None else given.text(MAX_CODESPACE_CHARS)
            log = "" if (given := response.get("log")) is None else cut_text(given, MAX_LOG_CHARS)
            value = b"" if (given := response.get("value")) is None else base64_bytes(given, MAX_VALUE_BASE64_CHARS)
            answered = 0 if (given := response.get("height")) is None else given.decimal()
            return ServiceAnswer(code, codespace, log, value, answered)

        params = {"path": method, "data": request.hex(), "height": str(height), "prove": False}
        return await self.client.call("abci_query", params, decode, at_height=height)

    async def search(self, query: str) -> list[int]:
        """Heights, in ascending order, of the first SEARCH_RESULTS transactions that match, by the node's index.

        Args:
            query: in CometBFT's language of `tx_search`.

        Returns:
            An empty list also if no endpoint has an index or answers.
        """

        def decode(fields: Fields) -> list[int]:
            heights = [entry.at("height").decimal() for entry in fields.at("txs").items(SEARCH_RESULTS)]
            return sorted(set(heights))

        async def work(attempt: Attempt) -> list[int]:
            params = {"query": query, "prove": False, "page": "1", "per_page": str(SEARCH_RESULTS), "order_by": "asc"}
            try:
                return await attempt.call("tx_search", params, decode)
            except RpcRefused:
                return []  # the index is off

        try:
            return await self.client.run("tx_search", work)
        except EndpointUnavailable:
            return []


@asynccontextmanager
async def open_endpoints(settings: CosmosSettings, random: Random) -> AsyncIterator[tuple[CosmosRpc, HeadSignal]]:
    """The chain's RPC, and a signal that its WebSocket endpoints feed, while the block lasts. Nothing is asked yet."""
    signal = HeadSignal(NEW_BLOCKS)
    followers = [partial(signal.follow, settings.ws, random, settings.options.access)] if settings.ws else []
    identify = partial(identify_chain, chain_id=settings.chain_id)
    async with (
        open_rpc_client(settings.name, settings.rpc, random, settings.options, identify) as client,
        in_background(followers),
    ):
        yield CosmosRpc(client), signal
