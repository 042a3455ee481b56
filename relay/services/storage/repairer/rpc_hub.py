"""The hub by a node's RPC: every operator's log, what batches said, and repairs by the repairer's account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from hutong.adapters.ics26.events import Log
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import MalformedInput
from hutong.relay.keys import Signer
from hutong.relay.services.storage.hub.node import SPAN, StorageNode, open_storage_node
from hutong.relay.services.storage.hub.refusals import HubRefused, HubSilent
from hutong.relay.services.storage.hub.table import HubTable
from hutong.relay.services.storage.repairer.hub_door import LoggedEntry, LoggedUpTo, SignedRepair
from hutong.relay.services.storage.rules.calls import REPAIR_BATCH, SELECTOR_BYTES, STORE_BATCH
from hutong.relay.services.storage.rules.commitments.entries import LOG_ENTRY_BYTES, BatchPart, decode_log_entry
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart
from hutong.relay.services.storage.rules.records.batches import BatchRecord
from hutong.relay.services.storage.rules.records.keys import sequence_key

LOGGED: Final = keccak256(b"StorageLogged(bytes32,uint64,bytes)")
MAX_EVENT_BYTES: Final = 256


class RpcRepairHub:
    """See `RepairHub`."""

    def __init__(self, node: StorageNode) -> None:
        self._node = node
        self.record = node.record

    async def logged(self, after_height: int) -> LoggedUpTo:
        """See `RepairHub`.

        Raises:
            HubSilent: see there.
        """
        last = min(after_height + SPAN, await self._node.head())
        if last <= after_height:
            return LoggedUpTo(after_height, ())
        logs = await self._node.events(after_height + 1, last, [f"0x{LOGGED.hex()}"])
        try:
            return LoggedUpTo(last, tuple(map(_logged, logs)))
        except MalformedInput as error:
            raise HubSilent(f"the node tells of a log entry that is none: {error}") from None

    async def parts_said(self, hub: bytes, record: BatchRecord, transaction: bytes) -> tuple[OperatorPart, ...] | None:
        """See `RepairHub`.

        Raises:
            HubSilent: see there.
        """
        data = await self._node.call_in(transaction)
        return None if data is None else parts_in(hub, record, data)

    async def repair(self, repairer: bytes, repair: SignedRepair) -> int:
        """See `RepairHub`.

        Raises:
            HubRefused, HubSilent: see there.
        """
        known = await self._number_of(repairer, repair.sequence)
        if known is not None:
            return known
        part = repair.part.part
        row = (repair.part.operator, part.leaves, part.entries, part.root, repair.signature)
        try:
            await self._node.send(REPAIR_BATCH.encode(repairer, repair.sequence, repair.owner, [row]))
        except HubRefused:
            known = await self._number_of(repairer, repair.sequence)
            if known is None:
                raise
            return known
        known = await self._number_of(repairer, repair.sequence)
        if known is None:
            raise HubSilent("the hub took the repair, and its node does not show it")
        return known

    async def _number_of(self, repairer: bytes, sequence: int) -> int | None:
        value = await self.record(sequence_key(repairer, sequence))
        return None if value is None else int.from_bytes(value, "big")


def parts_in(hub: bytes, record: BatchRecord, call: bytes) -> tuple[OperatorPart, ...] | None:
    """The parts that a call stored; None where it stores no batch. Whether they are the batch's, `parts_hash` says."""
    try:
        if call[:SELECTOR_BYTES] == STORE_BATCH.selector:
            rows = STORE_BATCH.decode(call)[3]
        elif call[:SELECTOR_BYTES] == REPAIR_BATCH.selector:
            rows = REPAIR_BATCH.decode(call)[3]
        else:
            return None
        return tuple(
            OperatorPart(hub, record.writer, record.sequence, row[0], BatchPart(row[1], row[2], row[3])) for row in rows
        )
    except MalformedInput:
        return None


def _logged(log: Log) -> LoggedEntry:
    if len(log.topics) != 2:
        raise MalformedInput("StorageLogged", "another number of topics", len(log.topics), 2)
    position, entry = decode_canonical(["uint64", "bytes"], log.data, "StorageLogged", MAX_EVENT_BYTES)
    if len(entry) != LOG_ENTRY_BYTES:
        raise MalformedInput("StorageLogged", "another length of a log entry", len(entry), LOG_ENTRY_BYTES)
    return LoggedEntry(log.topics[1], position, decode_log_entry(entry), log.transaction_hash)


@asynccontextmanager
async def open_repair_hub(hub: HubTable, chain_id: str, signer: Signer) -> AsyncIterator[RpcRepairHub]:
    """The hub of a configuration, its identity checked, while the block lasts.

    Raises:
        HubSilent: it does not answer, or its endpoints serve another chain.
    """
    async with open_storage_node(hub, chain_id, signer) as node:
        yield RpcRepairHub(node)
