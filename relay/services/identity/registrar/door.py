"""The hub, as far as a registrar's service needs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from hutong.adapters.ics26.transactor import Transactor
from hutong.relay.keys import Signer
from hutong.relay.services.identity.daemon.hub_access import (
    HubAccess,
    RpcIdentityModule,
    open_configured_hub,
)
from hutong.relay.services.identity.registrar.following import follow_blocks
from hutong.relay.services.identity.registrar.shards import Shards


class RegistrarDoor(Protocol):
    """Blocks read into shards, records read, and calls sent by the account of the registrar's log key."""

    async def follow(self, shards: Shards) -> None:
        """See `follow_blocks`."""

    async def record(self, key: bytes) -> bytes | None:
        """The value under a key of identity, by the node's word; None where the hub has no such record.

        Raises:
            AdapterError: the hub does not answer.
        """

    async def send(self, call: bytes) -> None:
        """One call of the identity module; returns once it is in a block.

        Raises:
            RefusedByChain: the hub refuses it.
            AdapterError: the hub does not answer.
        """


class RpcRegistrarDoor(RpcIdentityModule):
    """By a node's RPC."""

    async def follow(self, shards: Shards) -> None:
        """See `RegistrarDoor`."""
        await follow_blocks(self._transactor.execution, shards)


@asynccontextmanager
async def open_registrar_door(hub: HubAccess, signer: Signer) -> AsyncIterator[RegistrarDoor]:
    """The hub of a table, its identity checked, while the block lasts.

    Raises:
        AdapterError: it does not answer, or its endpoints serve another chain.
    """
    async with open_configured_hub(hub) as chain:
        yield RpcRegistrarDoor(Transactor(chain.execution, await chain.eth_chain_id(), signer))
