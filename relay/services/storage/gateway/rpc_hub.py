"""The hub of a configuration: batches by the writer's account, records by a node's word."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.keys import Signer
from hutong.relay.services.storage.gateway.hub_door import BatchRefused, OnHub, Placing, SignedBatch
from hutong.relay.services.storage.hub.node import StorageNode, open_storage_node
from hutong.relay.services.storage.hub.refusals import HubRefused, HubSilent
from hutong.relay.services.storage.hub.table import HubTable
from hutong.relay.services.storage.rules.calls import (
    GROUP_OF,
    PLACEMENT,
    REMOVE_SHARDS,
    SIGN_PART,
    STORE_BATCH,
    StorageCall,
)
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart
from hutong.relay.services.storage.rules.records.batches import decode_batch_record
from hutong.relay.services.storage.rules.records.keys import (
    MAPS_KEY,
    PARAMETERS_KEY,
    batch_key,
    operator_key,
    sequence_key,
)
from hutong.relay.services.storage.rules.records.members import OperatorRecord, decode_operator_record
from hutong.relay.services.storage.rules.records.parameters import DEFAULTS, decode_parameters
from hutong.relay.services.storage.rules.repairing import part_hashes

POLL_INTERVAL_S: Final = 0.3


class RpcHub:
    """See `BatchDoor`."""

    is_hub = True

    def __init__(self, node: StorageNode) -> None:
        self._node = node
        self.record = node.record

    async def operator(self, operator: bytes) -> OperatorRecord | None:
        """What the hub says of an operator.

        Raises:
            HubSilent: see there.
        """
        value = await self.record(operator_key(operator))
        try:
            return None if value is None else decode_operator_record(value)
        except MalformedInput as error:
            raise HubSilent(f"the hub's record of an operator cannot be read: {error}") from None

    async def code(self) -> tuple[int, int]:
        """Data and parity shards, as the hub's parameters say.

        Raises:
            HubSilent: see there.
        """
        value = await self.record(PARAMETERS_KEY)
        try:
            parameters = DEFAULTS if value is None else decode_parameters(value)
        except MalformedInput as error:
            raise HubSilent(f"the hub's parameters cannot be read: {error}") from None
        return parameters.data, parameters.parity

    async def place(self, writer: bytes, sequence: int) -> Placing:
        """See `BatchDoor`.

        Raises:
            HubSilent, BatchRefused: see there.
        """
        (group,) = await self._called(GROUP_OF, writer, sequence)
        newest = await self._number(MAPS_KEY)
        if newest is None:
            raise BatchRefused("the hub has no placement map: no operators are active")
        (operators,) = await self._called(PLACEMENT, newest, group)
        return Placing(newest, tuple(operators))

    async def store(self, batch: SignedBatch) -> OnHub:
        """See `BatchDoor`.

        Raises:
            HubSilent, BatchRefused: see there.
        """
        number = await self._stored(batch)
        return OnHub(number, await self._completed(batch, number))

    async def _stored(self, batch: SignedBatch) -> int:
        known = await self._number_of(batch.writer, batch.sequence)
        if known is not None:
            return known
        rows = [_row(part, signature) for part, signature in batch.parts]
        call = STORE_BATCH.encode(batch.writer, batch.sequence, batch.map, rows, batch.signature)
        try:
            await self._node.send(call)
        except HubRefused as error:
            known = await self._number_of(batch.writer, batch.sequence)
            if known is None:
                raise BatchRefused(f"the hub refuses the batch: {error}") from None
            return known
        known = await self._number_of(batch.writer, batch.sequence)
        if known is None:
            raise HubSilent("the hub took the batch, and its node does not show it")
        return known

    async def _completed(self, batch: SignedBatch, number: int) -> tuple[bytes, ...]:
        """Add signatures that somebody left out who gave the hub this batch before. Returns operators that are not counted still.

        The danger: the writer's signature is over the parts and not over who signed them, so a stranger that sees a batch on its way sends
        it with the fewest signatures that do, and operators that hold their shards, and would be audited and paid for them, are not counted.
        """
        signed = await self._signed(number)
        lacking = [index for index, (_, signature) in enumerate(batch.parts) if signature and not signed >> index & 1]
        if not lacking:
            return ()
        hashes = part_hashes([part for part, _ in batch.parts])
        for index in lacking:
            try:
                await self._node.send(SIGN_PART.encode(number, index, hashes, _row(*batch.parts[index])))
            except HubRefused:
                continue  # somebody was sooner, or the operator has left
        signed = await self._signed(number)
        return tuple(batch.parts[index][0].operator for index in lacking if not signed >> index & 1)

    async def _signed(self, number: int) -> int:
        value = await self.record(batch_key(number))
        try:
            return 0 if value is None else decode_batch_record(value).signed
        except MalformedInput as error:
            raise HubSilent(f"the hub's record of a batch cannot be read: {error}") from None

    async def remove(self, batch: int, pack: bytes, shown: Sequence[tuple[bytes, int, bytes]]) -> None:
        """See `RemovalDoor`.

        Raises:
            HubSilent, BatchRefused: see there.
        """
        try:
            await self._node.send(REMOVE_SHARDS.encode(batch, pack, list(shown)))
        except HubRefused as error:
            raise BatchRefused(f"the hub refuses the removal: {error}") from None

    async def next_sequence(self, writer: bytes, at_least: int) -> int:
        """See `BatchDoor`.

        Raises:
            HubSilent: see there.
        """
        step, last = 1, at_least - 1
        while await self._number_of(writer, last + step) is not None:
            last, step = last + step, 2 * step
        while step > 1:
            step //= 2
            if await self._number_of(writer, last + step) is not None:
                last += step
        return last + 1

    async def _number_of(self, writer: bytes, sequence: int) -> int | None:
        return await self._number(sequence_key(writer, sequence))

    async def _number(self, key: bytes) -> int | None:
        value = await self.record(key)
        return None if value is None else int.from_bytes(value, "big")

    async def _called(self, call: StorageCall, *values: object) -> Sequence[Any]:
        try:
            return await self._node.view(call, *values)
        except HubRefused as error:
            raise BatchRefused(f"the hub refuses {call.name}: {error}") from None


def _row(part: OperatorPart, signature: bytes) -> tuple[object, ...]:
    return part.operator, part.part.leaves, part.part.entries, part.part.root, signature


@asynccontextmanager
async def open_hub(chain_id: str, hub: HubTable, signer: Signer) -> AsyncIterator[RpcHub]:
    """The hub of a table, its identity checked, while the block lasts.

    Raises:
        HubSilent: it does not answer, or its endpoints serve another chain.
    """
    async with open_storage_node(hub, chain_id, signer) as node:
        yield RpcHub(node)
