"""How the issuer reads and writes its records on a hub."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from hutong.adapters.ics26.transactor import Transactor
from hutong.relay.keys import Signer
from hutong.relay.services.identity.daemon.hub_access import RpcIdentityModule, open_configured_hub
from hutong.relay.services.identity.issuer.settings import HubTable


class HubDoor(Protocol):
    """The hub, as far as an issuer needs it."""

    async def record(self, key: bytes) -> bytes | None:
        """The value under a key of identity; None where there is none.

        Raises:
            AdapterError: the hub does not answer.
        """

    async def send(self, call: bytes) -> None:
        """One call of the identity module, by the issuer's log account; returns once it is in a block.

        Raises:
            RefusedByChain: the hub refuses it.
            AdapterError: the hub does not answer.
        """


@asynccontextmanager
async def open_hub_door(hub: HubTable, signer: Signer) -> AsyncIterator[HubDoor]:
    """The hub of a table, its identity checked, while the block lasts.

    Raises:
        AdapterError: it does not answer, or its endpoints serve another chain.
    """
    async with open_configured_hub(hub) as chain:
        yield RpcIdentityModule(Transactor(chain.execution, await chain.eth_chain_id(), signer))
