"""What the attestor reads of its chain: only what all of its endpoints that answer say alike, and more than half do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hutong.adapters.ics26.abi import GET_COMMITMENT, MULTICALL
from hutong.adapters.ics26.answers import decode_block
from hutong.adapters.ics26.execution import hex_data
from hutong.adapters.interface import BadAnswer, EndpointMismatch
from hutong.adapters.rpc import Attempt, AttemptFailed, Decoder, Endpoint, Fields, RpcClient
from hutong.light_clients.crypto.hashes import HASH_BYTES

Value = TypeVar("Value")


class NotFinal(Exception):
    """The block is not there, or not final, on some endpoint."""


@dataclass(frozen=True, slots=True)
class SourceBlock:
    """A final block."""

    height: int
    hash: bytes
    timestamp_s: int


class SourceChain:
    """`confirmations` is how many blocks must stand above a final one; None: the node's `finalized` block says."""

    def __init__(self, client: RpcClient, router: bytes, confirmations: int | None, endpoints: int) -> None:
        self._client = client
        self._router = router
        self._confirmations = confirmations
        self._majority = endpoints // 2 + 1

    async def final_height(self) -> int:
        """The highest that more than half of the endpoints call final, so that no single one moves it.

        Raises:
            EndpointUnavailable, AttemptFailed: too few answer.
        """
        answers = await self._client.ask_each("final height", self._final_height)
        self._require_majority(len(answers))
        return sorted((height for _, height in answers), reverse=True)[self._majority - 1]

    async def final_block(self, height: int) -> SourceBlock:
        """The block at a final height, the same on every endpoint.

        Raises:
            NotFinal: it is not final, on one of them at least.
            EndpointMismatch: they do not agree.
            EndpointUnavailable: too few answer.
        """

        async def read(attempt: Attempt) -> SourceBlock | None:
            if await self._final_height(attempt) < height:
                return None
            return await attempt.call("eth_getBlockByNumber", [hex(height), False], _block_at(height))

        answers = await self._client.ask_each("block", read)
        found = [(endpoint, block) for endpoint, block in answers if block is not None]
        if len(found) < len(answers):
            raise NotFinal(f"block {height} is not final")
        return self._agreed("block", found)

    async def commitments(self, block_hash: bytes, path_hashes: Sequence[bytes]) -> tuple[bytes, ...]:
        """What the router stores under each path in the state after exactly this block, zero where nothing.

        The block is named by its hash (EIP-1898) and must be canonical, so that a node that has reorganised refuses.

        Raises:
            EndpointMismatch: the endpoints do not agree.
            EndpointUnavailable: too few answer.
        """
        if not path_hashes:
            return ()
        calls = [GET_COMMITMENT.encode(path_hash) for path_hash in path_hashes]
        parameters: list[Any] = [
            {"to": hex_data(self._router), "data": hex_data(MULTICALL.encode(calls))},
            {"blockHash": hex_data(block_hash), "requireCanonical": True},
        ]

        async def read(attempt: Attempt) -> tuple[bytes, ...]:
            return await attempt.call("eth_call", parameters, lambda fields: _words(fields, len(path_hashes)))

        return self._agreed("commitments", await self._client.ask_each("commitments", read))

    async def state_root(self, block_hash: bytes) -> bytes:
        """The state root, 32 bytes, in the header of exactly this block.

        Raises:
            EndpointMismatch: the endpoints do not agree.
            EndpointUnavailable: too few answer.
        """

        async def read(attempt: Attempt) -> bytes:
            return await attempt.call("eth_getBlockByHash", [hex_data(block_hash), False], _root_of(block_hash))

        return self._agreed("state root", await self._client.ask_each("state root", read))

    async def _final_height(self, attempt: Attempt) -> int:
        if self._confirmations is None:
            return (await attempt.call("eth_getBlockByNumber", ["finalized", False], decode_block)).height
        return await attempt.call("eth_blockNumber", [], Fields.quantity) - self._confirmations

    def _agreed(self, what: str, answers: Sequence[tuple[Endpoint, Value]]) -> Value:
        first_endpoint, first = answers[0]
        for endpoint, other in answers[1:]:
            if other != first:
                raise EndpointMismatch(endpoint.name, f"{what} beside {first_endpoint.name}", other, first)
        self._require_majority(len(answers))
        return first

    def _require_majority(self, answers: int) -> None:
        if answers < self._majority:
            raise AttemptFailed(f"only {answers} endpoints answer, {self._majority} are needed")


def _block_at(height: int) -> Decoder[SourceBlock]:
    def decode(fields: Fields) -> SourceBlock:
        block = decode_block(fields)
        if block.height != height:
            raise fields.at("number").bad(f"is not the asked {height}")
        return SourceBlock(block.height, block.hash, block.time_s)

    return decode


def _root_of(block_hash: bytes) -> Decoder[bytes]:
    def decode(fields: Fields) -> bytes:
        if fields.at("hash").data(HASH_BYTES) != block_hash:
            raise fields.at("hash").bad("is not the asked block's")
        return fields.at("stateRoot").data(HASH_BYTES)

    return decode


def _words(fields: Fields, count: int) -> tuple[bytes, ...]:
    (returned,) = MULTICALL.decode(fields.data())
    words = tuple(bytes(word) for word in returned)
    if len(words) != count or any(len(word) != HASH_BYTES for word in words):
        raise BadAnswer("eth_call", "result", f"is not {count} words")
    return words
