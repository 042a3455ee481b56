"""The hub by a node's RPC: records, the operator's log, and calls by its account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import MalformedInput
from hutong.relay.keys import Signer
from hutong.relay.services.storage.hub.node import SPAN, StorageNode, open_storage_node
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.hub.table import HubTable
from hutong.relay.services.storage.operator.hub_door import Logged, LoggedUpTo
from hutong.relay.services.storage.rules.commitments.entries import LOG_ENTRY_BYTES, decode_log_entry

LOGGED: Final = keccak256(b"StorageLogged(bytes32,uint64,bytes)")
MAX_EVENT_BYTES: Final = 256


class RpcHubDoor:
    """See `HubDoor`."""

    def __init__(self, operator: bytes, node: StorageNode) -> None:
        self._operator = operator
        self._node = node
        self.record = node.record
        self.send = node.send

    async def logged(self, after_height: int) -> LoggedUpTo:
        """See `HubDoor`.

        Raises:
            HubSilent: see there.
        """
        last = min(after_height + SPAN, await self._node.head())
        if last <= after_height:
            return LoggedUpTo(after_height, ())
        topics = [f"0x{LOGGED.hex()}", f"0x{self._operator.hex()}"]
        logs = await self._node.events(after_height + 1, last, topics)
        try:
            return LoggedUpTo(last, tuple(_logged(log.data) for log in logs))
        except MalformedInput as error:
            raise HubSilent(f"the node tells of a log entry that is none: {error}") from None


@asynccontextmanager
async def open_hub_door(hub: HubTable, chain_id: str, operator: bytes, signer: Signer) -> AsyncIterator[RpcHubDoor]:
    """The hub of a configuration, its identity checked, while the block lasts.

    Raises:
        HubSilent: it does not answer, or its endpoints serve another chain.
    """
    async with open_storage_node(hub, chain_id, signer) as node:
        yield RpcHubDoor(operator, node)


def _logged(data: bytes) -> Logged:
    position, entry = decode_canonical(["uint64", "bytes"], data, "StorageLogged", MAX_EVENT_BYTES)
    if len(entry) != LOG_ENTRY_BYTES:
        raise MalformedInput("StorageLogged", "another length of a log entry", len(entry), LOG_ENTRY_BYTES)
    return Logged(position, decode_log_entry(entry))
