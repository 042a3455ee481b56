"""The module of storage by a node's RPC: what it says, its events, and calls by one account."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import trio

from hutong.adapters.hub import HubChain
from hutong.adapters.ics26.events import Log
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import AdapterError, RefusedByChain
from hutong.light_clients.interface import MalformedInput
from hutong.relay.keys import Signer
from hutong.relay.services.hub_access import open_service_hub
from hutong.relay.services.storage.hub.refusals import HubRefused, HubSilent
from hutong.relay.services.storage.hub.table import HubTable
from hutong.relay.services.storage.rules.calls import GET_RECORD, STORAGE_ADDRESS, StorageCall

SPAN: Final = 2_000
"""Blocks of one question for events."""
ASK_LIMIT_S: Final = 30.0
SEND_LIMIT_S: Final = 60.0
Value = TypeVar("Value")


class StorageNode:
    """A node of the hub, by its word alone, and the account of a signer."""

    def __init__(self, chain: HubChain, transactor: Transactor) -> None:
        self.chain = chain
        self._transactor = transactor
        self._sending = trio.Lock()

    async def view(self, call: StorageCall, *values: object) -> Sequence[Any]:
        """What a call of the module answers.

        Raises:
            HubRefused: it reverts.
            HubSilent: there is no answer, or one of another shape.
        """
        try:
            return call.read(await self._within(self._transactor.execution.call(STORAGE_ADDRESS, call.encode(*values))))
        except MalformedInput as error:
            raise HubSilent(f"the node's answer to {call.name} is not one: {error}") from None

    async def record(self, key: bytes) -> bytes | None:
        """The value under a key of storage; None where the hub has no such record.

        Raises:
            HubSilent: see `view`; a hub without the module is one.
        """
        try:
            (value,) = await self.view(GET_RECORD, key)
        except HubRefused as error:
            raise HubSilent(str(error)) from None
        return bytes(value) or None

    async def head(self) -> int:
        """Height of the newest block.

        Raises:
            HubSilent: it does not answer.
        """
        return (await self.asked(self._transactor.execution.latest_block())).height

    async def events(self, first: int, last: int, topics: Sequence[str]) -> Sequence[Log]:
        """Events of the module in blocks `first` to `last`, at most SPAN of them.

        Raises:
            HubSilent: it does not answer.
        """
        return await self.asked(self._transactor.execution.logs(STORAGE_ADDRESS, first, last, list(topics)))

    async def call_in(self, transaction: bytes) -> bytes | None:
        """What a mined transaction called the module with; None where it called something else.

        Raises:
            HubSilent: it does not answer.
        """
        data, is_direct = await self.data_of(transaction)
        return data if is_direct else None

    async def data_of(self, transaction: bytes) -> tuple[bytes, bool]:
        """What a mined transaction gave to whatever it called or created, and whether that was the module.

        Raises:
            HubSilent: it does not answer.
        """
        call = await self.asked(self._transactor.execution.mined_call(transaction))
        if call is None:
            return b"", False
        return call.data, call.to is not None and bytes.fromhex(call.to[2:]) == STORAGE_ADDRESS

    async def send(self, call: bytes) -> None:
        """One call of the module; returns once it is in a block. One at a time, for the account's nonces.

        Raises:
            HubRefused: it reverts.
            HubSilent: it stands in no block within SEND_LIMIT_S, or the node does not answer.
        """
        async with self._sending:
            try:
                with trio.fail_after(SEND_LIMIT_S):
                    await self._transactor.send(STORAGE_ADDRESS, call)
            except RefusedByChain as error:
                raise HubRefused(str(error)) from None
            except trio.TooSlowError:
                raise HubSilent(f"the call stood in no block within {SEND_LIMIT_S:g} s") from None
            except AdapterError as error:
                raise HubSilent(str(error)) from None

    async def asked(self, question: Awaitable[Value], limit_s: float = ASK_LIMIT_S) -> Value:
        """What is answered within the limit.

        Raises:
            HubSilent: nothing, or a refusal.
        """
        try:
            return await self._within(question, limit_s)
        except HubRefused as error:
            raise HubSilent(str(error)) from None

    async def _within(self, question: Awaitable[Value], limit_s: float = ASK_LIMIT_S) -> Value:
        try:
            with trio.fail_after(limit_s):
                return await question
        except trio.TooSlowError:
            raise HubSilent(f"the hub's node gave no answer in {limit_s:g} s") from None
        except RefusedByChain as error:
            raise HubRefused(str(error)) from None
        except AdapterError as error:
            raise HubSilent(str(error)) from None


@asynccontextmanager
async def open_storage_node(hub: HubTable, chain_id: str, signer: Signer) -> AsyncIterator[StorageNode]:
    """The hub of a table, its identity checked, while the block lasts.

    Raises:
        HubSilent: it does not answer, or its endpoints serve another chain.
    """
    async with open_service_hub(chain_id, hub.rpc, hub.consensus_rpc) as chain:
        try:
            with trio.fail_after(ASK_LIMIT_S):
                await chain.check_identity()
                number = await chain.eth_chain_id()
        except trio.TooSlowError:
            raise HubSilent(f"the hub's node gave no answer in {ASK_LIMIT_S:g} s") from None
        except AdapterError as error:
            raise HubSilent(f"the hub cannot be used: {error}") from None
        yield StorageNode(chain, Transactor(chain.execution, number, signer))
