"""One packet's hop as the leg of a bundle: proofs from evidence, missing ones from the chains."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from hutong.adapters.interface import ChainAdapter, ClientInfo, HeightUnavailable, NotSupported, Source
from hutong.adapters.tlog import LogSource
from hutong.light_clients.ibc.commitment import (
    acknowledgement_key,
    commitment_key,
    merkle_path,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.packet import Acknowledgement, Packet
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput
from hutong.relay.archive import Archive, Evidence
from hutong.relay.archive.bundle import ChainKind, Claim, Leg, StateProof
from hutong.relay.archive.log_chain import log_chain_id
from hutong.relay.config import PathEnd
from hutong.relay.core.topology.paths import Paths


class NotExportable(Exception):
    """There is no bundle of this packet, or not yet; one sentence."""


@dataclass(frozen=True, slots=True)
class FoundLeg:
    """A leg, the ends of its path, and evidence that has headers for it.

    `reader` is the client that shows the destination: that at the source, or where that is a log, which has none, another
    chain's client of the same hub.
    """

    source: PathEnd
    destination: PathEnd
    leg: Leg
    evidence: tuple[Evidence, ...]
    reader: PathEnd


class LegReader:
    """Settlement is proven at one height a chain, so that the bundles of one export share their headers: at the
    checkpoint where it is known already there, else at the head."""

    def __init__(
        self,
        adapters: Mapping[str, ChainAdapter],
        paths: Paths,
        archive: Archive,
        checkpoint_heights: Mapping[str, int] | None = None,
    ) -> None:
        """`checkpoint_heights` by chain id."""
        self._adapters = adapters
        self._paths = paths
        self._archive = archive
        self._checkpoint_heights = checkpoint_heights or {}
        self._clients: dict[PathEnd, ClientInfo] = {}
        self._provable: dict[str, Height] = {}

    async def client(self, end: PathEnd) -> ClientInfo:
        """The light client at an end of a path, as it was when this reader first asked; later updates are not seen.

        Raises:
            UnknownClient: the chain has no such client.
            AdapterError: the chain does not answer.
        """
        if end not in self._clients:
            self._clients[end] = await self._adapters[end.chain].client(end.client)
        return self._clients[end]

    async def read(self, source: PathEnd, sequence: int) -> FoundLeg:
        """The leg of the packet that was sent over `source`. Damaged evidence counts as missing: the chains are asked.

        Raises:
            NotExportable: it was never sent, or is in flight, or `source` is in no path.
            ArchiveUnavailable: the evidence cannot be read.
            AdapterError: a chain does not answer, or not any more.
        """
        destination = self._paths.opposite.get(source)
        if destination is None:
            raise NotExportable(f"{source.chain} {source.client} is not an end of a configured path")
        evidence = {}
        for kind in ("receive", "acknowledge", "timeout"):
            with suppress(MalformedInput):  # a damaged file is as good as none: the chains are asked
                found = await self._archive.read(source.chain, source.client, sequence, kind)
                if found is not None:
                    evidence[kind] = found
        reader = _Leg(self._adapters[source.chain], self._adapters[destination.chain], evidence)
        packet = await reader.packet(source.client, sequence)
        source_client, destination_client = await self.client(source), await self.client(destination)
        sent = await reader.sent(packet, destination_client)
        outcome, acknowledgement = await reader.outcome(packet, source_client, await self._heights(destination.chain))
        proofs = [sent, outcome]
        if outcome.claim is not Claim.RECEIVED:
            heights = [height for height in await self._heights(source.chain) if height > sent.height]
            settled = await reader.settled(packet, destination_client, heights)
            proofs += [] if settled is None else [settled]
        leg = Leg(reader.source.chain_id, reader.destination.chain_id, packet, acknowledgement, tuple(proofs))
        return FoundLeg(source, destination, leg, tuple(evidence.values()), source)

    async def read_from_log(self, log: LogSource, client: PathEnd, sequence: int) -> FoundLeg:
        """The leg of a packet of a signed log, once the hub has acknowledged it: the log has the packet's hash alone.

        Args:
            client: the hub's, which follows the log.

        Raises:
            NotExportable: the hub has acknowledged no such packet, or the log's publisher has not committed it.
            AdapterError: log or hub does not answer.
        """
        hub, info = self._adapters[client.chain], await self.client(client)
        if info.client_type != ChainKind.TLOG:
            raise NotExportable(f"{client.chain} {client.client} follows no signed log")
        event = await hub.written_acknowledgement(client.client, sequence)
        if event is None:
            raise NotExportable(f"{client.chain} has acknowledged no packet {sequence} of {log.name}")
        packet, height = event.packet, Height(0, (await log.head()).height)
        try:
            sent = await log.prove((commitment_key(packet),), height)
        except NotSupported as error:
            raise NotExportable(f"packet {sequence} of {log.name}: {error}") from None
        if sent.value != packet_commitment(packet):
            raise NotExportable(f"{log.name} committed another packet {sequence} first")
        readers = sorted((end for end, other in self._paths.opposite.items() if other.chain == client.chain), key=str)
        if not readers:
            raise NotExportable(f"no configured path says how {client.chain} is believed")
        key, at = acknowledgement_key(packet), hub.proving_height(event.height)
        outcome = await _Leg._prove(Claim.ACKNOWLEDGED, hub, key, at, await self.client(readers[0]))
        proofs = StateProof(Claim.SENT, height, sent.proof), outcome
        leg = Leg(log_chain_id(log.chain_id), hub.chain_id, packet, event.acknowledgement, proofs)
        return FoundLeg(PathEnd(chain=log.name, client=packet.source_client), client, leg, (), readers[0])

    async def _heights(self, chain: str) -> list[Height]:
        """Where the chain's present state is proven: best at the checkpoint, else at the head."""
        adapter = self._adapters[chain]
        if chain not in self._provable:
            self._provable[chain] = await provable_height(adapter)
        newest = self._provable[chain]
        checkpoint = self._checkpoint_heights.get(adapter.chain_id)
        return [newest] if checkpoint is None else [Height(newest.revision_number, checkpoint), newest]


async def provable_height(adapter: Source) -> Height:
    """The newest height at which the chain proves its state already: its header is there, so nothing is waited for.

    Raises:
        AdapterError: the chain does not say where its head is.
    """
    return adapter.proving_height((await adapter.head()).height - 1)


class _Leg:
    """Reads of one leg. A chain's proofs are made for the light client of it at the other end."""

    def __init__(self, source: Source, destination: ChainAdapter, evidence: Mapping[str, Evidence]) -> None:
        self.source = source
        self.destination = destination
        self._evidence = evidence

    async def packet(self, client_id: str, sequence: int) -> Packet:
        for found in self._evidence.values():
            return found.packet
        event = await self.source.sent_packet(client_id, sequence)
        if event is None:
            raise NotExportable(f"{self.source.name} has sent no packet {sequence} over {client_id}")
        return event.packet

    async def sent(self, packet: Packet, reader: ClientInfo) -> StateProof:
        found = self._evidence.get("receive")
        if found is not None:
            return StateProof(Claim.SENT, found.proof_height, found.proof)
        event = await self.source.sent_packet(packet.source_client, packet.sequence)
        if event is None:
            raise NotExportable(f"{self.source.name} has no event of packet {packet.sequence} any more")
        height = self.source.proving_height(event.height)
        return await self._prove(Claim.SENT, self.source, commitment_key(packet), height, reader)

    async def outcome(
        self, packet: Packet, reader: ClientInfo, heights: list[Height]
    ) -> tuple[StateProof, Acknowledgement | None]:
        acknowledged = self._evidence.get("acknowledge")
        if acknowledged is not None:
            proof = StateProof(Claim.ACKNOWLEDGED, acknowledged.proof_height, acknowledged.proof)
            return proof, acknowledged.acknowledgement
        timed_out = self._evidence.get("timeout")
        if timed_out is not None:
            return StateProof(Claim.TIMED_OUT, timed_out.proof_height, timed_out.proof), None
        client_id, sequence = packet.destination_client, packet.sequence
        event = await self.destination.written_acknowledgement(client_id, sequence)
        if event is not None:
            height = self.destination.proving_height(event.height)
            key = acknowledgement_key(packet)
            proof = await self._prove(Claim.ACKNOWLEDGED, self.destination, key, height, reader)
            return proof, event.acknowledgement
        received = await self.destination.receipt(client_id, sequence) is not None
        claim = Claim.RECEIVED if received else Claim.TIMED_OUT
        for height in heights:
            if not received and not await self._is_late(packet, height):
                continue
            found = await self._look(claim, self.destination, receipt_key(packet), height, reader)
            if found is not None:
                return found, None
        raise NotExportable(f"packet {sequence} is in flight: neither received nor past its timeout")

    async def _is_late(self, packet: Packet, height: Height) -> bool:
        time_ns = await self.destination.block_time_ns(height.revision_height)
        return time_ns // NANOSECONDS_PER_SECOND >= packet.timeout_timestamp_s

    async def settled(self, packet: Packet, reader: ClientInfo, heights: list[Height]) -> StateProof | None:
        """None where the commitment still stands."""
        for height in heights:
            found = await self._look(Claim.SETTLED, self.source, commitment_key(packet), height, reader)
            if found is not None:
                return found
        return None

    @staticmethod
    async def _look(claim: Claim, adapter: Source, key: bytes, height: Height, reader: ClientInfo) -> StateProof | None:
        """None where the chain proves the contrary at that height, or keeps no state of that age."""
        path = merkle_path(reader.merkle_prefix, key)
        try:
            proof = await adapter.prove(path, height, reader.client_state)
        except HeightUnavailable:
            return None
        return StateProof(claim, height, proof.proof) if (proof.value is None) is claim.is_absence else None

    @staticmethod
    async def _prove(claim: Claim, adapter: Source, key: bytes, height: Height, reader: ClientInfo) -> StateProof:
        await adapter.wait_for_height(height.revision_height)
        found = await _Leg._look(claim, adapter, key, height, reader)
        if found is None:
            raise NotExportable(f"{adapter.name} does not prove {claim.value} at {height}, or no longer")
        return found
