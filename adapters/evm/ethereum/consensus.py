"""The adapter of an EVM chain under Ethereum's beacon chain: heights are slots, the execution API counts blocks."""

from dataclasses import replace

from hutong.adapters.evm.chain import EvmChain, router_of
from hutong.adapters.evm.ethereum.beacon import BeaconConsensus
from hutong.adapters.evm.ethereum.beacon_api import BeaconApi
from hutong.adapters.evm.settings import EvmSettings
from hutong.adapters.ics26 import submission
from hutong.adapters.ics26.answers import Receipt
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import (
    MAX_EVENT_RANGE,
    NEWEST,
    At,
    EndpointStatistics,
    HeightUnavailable,
    PacketEvent,
    TransactionOutcome,
)
from hutong.adapters.rpc import HeadSignal
from hutong.light_clients.ethereum import Network
from hutong.light_clients.ibc.commitment import PathKind
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height


class EthereumChain(EvmChain):
    """See ChainAdapter. A height is a slot of the beacon chain, as it is in light clients of the chain; the state after
    a slot is that of its execution block, or of the newest one before where it has none.
    """

    def __init__(
        self, settings: EvmSettings, execution: ExecutionRpc, signal: HeadSignal, beacon: BeaconApi, network: Network
    ) -> None:
        self.beacon = BeaconConsensus(router_of(settings, execution), beacon, network)
        self._api = beacon
        super().__init__(settings, execution, signal, consensus=self.beacon)

    def endpoint_statistics(self) -> tuple[EndpointStatistics, ...]:
        """Of the `eth_*` and WebSocket endpoints, then of the beacon nodes."""
        return (*super().endpoint_statistics(), *self._api.client.statistics("beacon"))

    def distrust(self, reason: str) -> None:
        """Leave the preferred execution node and the preferred beacon node: either may have served what failed."""
        super().distrust(reason)
        self._api.client.distrust(reason)

    def proving_height(self, event_height: int) -> Height:
        """See `BeaconConsensus.proving_height`."""
        return self.beacon.proving_height(event_height)

    async def block_time_ns(self, height: int) -> int:
        """Time of the execution block that belongs to a slot, nanoseconds of Unix time: earlier than an empty slot's.

        Raises:
            HeightUnavailable: the slot is not final.
            EndpointUnavailable: the execution nodes do not answer.
        """
        await self._heads.above(height)
        return (await self.beacon.facts(await self.beacon.number_at(height)))[1]

    async def packet_events(self, first: int, last: int) -> tuple[PacketEvent, ...]:
        """See ChainAdapter; `first` and `last` are slots, and each event's height is the slot of its block.

        Raises:
            ValueError: not 1 to MAX_EVENT_RANGE slots.
            HeightUnavailable: `last` is above the newest finalized slot.
            EndpointUnavailable: no execution node gave logs of the final blocks.
        """
        if not 0 <= first <= last or last - first >= MAX_EVENT_RANGE:
            raise ValueError(f"a range of 1 to {MAX_EVENT_RANGE} slots, not {first} to {last}")
        head = await self._heads.above(last)
        if last > head:
            raise HeightUnavailable(self.name, last, f"the newest finalized slot is {head}")
        last_block = await self.beacon.number_at(last)
        first_block = 0 if first == 0 else await self.beacon.number_at(first - 1) + 1
        if first_block > last_block:
            return ()  # no block in any of these slots
        events = await self._reads.packet_events(first_block, last_block, last_block)
        return tuple(map(self._in_slots, events))

    def _in_slots(self, event: PacketEvent) -> PacketEvent:
        return replace(event, height=self.beacon.blocks.slot_of(event.block_time_ns // NANOSECONDS_PER_SECOND))

    async def _stored(self, client_id: str, kind: PathKind, sequence: int, height: At) -> bytes | None:
        if height == NEWEST:
            return await super()._stored(client_id, kind, sequence, height)
        at = (await self.head()).height if height is None else height
        await self._heads.above(at)
        return await self._reads.stored(client_id, kind, sequence, await self.beacon.number_at(at))

    async def _final_number(self) -> int:
        return await self.beacon.number_at((await self.head()).height)

    async def sent_packet(self, client_id: str, sequence: int) -> PacketEvent | None:
        """See ChainAdapter; searched from the configured `start_height` on, which is a block number here.

        Raises:
            As `RouterReads.event_of`.
        """
        start, head = self.settings.start_height, await self._final_number()
        event = await self._reads.sent_packet(client_id, sequence, min(start, head), head)
        return None if event is None else self._in_slots(event)

    async def written_acknowledgement(self, client_id: str, sequence: int) -> PacketEvent | None:
        """See ChainAdapter; searched from the configured `start_height` on, which is a block number here.

        Raises:
            As `RouterReads.event_of`.
        """
        start, head = self.settings.start_height, await self._final_number()
        event = await self._reads.written_acknowledgement(client_id, sequence, min(start, head), head)
        return None if event is None else self._in_slots(event)

    async def outcome(self, transaction_hash: bytes) -> TransactionOutcome | None:
        """See ChainAdapter; its height is the slot of its block.

        Raises:
            EndpointUnavailable: no endpoint gave a receipt of the final block, or they do not answer.
            BadAnswer: one of its logs is malformed.
        """
        receipt = await self._execution.receipt(transaction_hash, self._check_receipt)
        if receipt is None or receipt.height > await self._final_number():
            return None
        block_hash, time_ns = await self._block_facts(receipt.height)
        outcome = await submission.outcome_of(self._execution, self._router, receipt, block_hash, time_ns)
        return replace(outcome, height=self.beacon.blocks.slot_of(time_ns // NANOSECONDS_PER_SECOND))

    async def _check_receipt(self, receipt: Receipt) -> None:
        if receipt.height <= await self._final_number():
            submission.check_receipt_block(receipt, (await self._block_facts(receipt.height))[0])

    async def final_nonce(self, address: str) -> int:
        """The account's nonce after the execution block of the newest finalized slot.

        Raises:
            EndpointUnavailable: no execution node has that state.
        """
        return await self._execution.nonce_at(address, await self._final_number())
