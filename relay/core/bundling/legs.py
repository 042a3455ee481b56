"""One packet's hop as the leg of a bundle: proofs from evidence, missing ones from the chains."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.interface import ChainAdapter, ClientInfo
from light_clients.ibc.commitment import acknowledgement_key, commitment_key, merkle_path, receipt_key
from light_clients.ibc.packet import Acknowledgement, Packet
from light_clients.interface import NANOSECONDS_PER_SECOND, Height
from relay.archive import Archive, Evidence
from relay.archive.bundle import Claim, Leg, StateProof
from relay.config import PathEnd
from relay.core.paths import Paths


class NotExportable(Exception):
    """There is no bundle of this packet, or not yet; one sentence."""


@dataclass(frozen=True, slots=True)
class FoundLeg:
    """A leg, the ends of its path, and evidence that has headers for it."""

    source: PathEnd
    destination: PathEnd
    leg: Leg
    evidence: tuple[Evidence, ...]


class LegReader:
    """Settlement is proven at one height a chain, so that the bundles of one export share their headers."""

    def __init__(self, adapters: Mapping[str, ChainAdapter], paths: Paths, archive: Archive) -> None:
        self._adapters = adapters
        self._paths = paths
        self._archive = archive
        self._clients: dict[PathEnd, ClientInfo] = {}
        self._provable: dict[str, Height] = {}

    async def client(self, end: PathEnd) -> ClientInfo:
        """The light client at an end of a path."""
        if end not in self._clients:
            self._clients[end] = await self._adapters[end.chain].client(end.client)
        return self._clients[end]

    async def read(self, source: PathEnd, sequence: int) -> FoundLeg:
        """The leg of the packet that was sent over `source`.

        Raises:
            NotExportable: it was never sent, or is in flight. AdapterError: a chain does not answer, or not any more.
        """
        destination = self._paths.opposite.get(source)
        if destination is None:
            raise NotExportable(f"{source.chain} {source.client} is no end of a configured path")
        evidence = {}
        for kind in ("receive", "acknowledge", "timeout"):
            found = await self._archive.read(source.chain, source.client, sequence, kind)
            if found is not None:
                evidence[kind] = found
        reader = _Leg(self._adapters[source.chain], self._adapters[destination.chain], evidence)
        packet = await reader.packet(source.client, sequence)
        source_client, destination_client = await self.client(source), await self.client(destination)
        sent = await reader.sent(packet, destination_client)
        outcome, acknowledgement = await reader.outcome(packet, source_client)
        proofs = [sent, outcome]
        if outcome.claim is not Claim.RECEIVED:
            height = await self._provable_height(source.chain)
            settled = await reader.settled(packet, destination_client, max(height, sent.height))
            proofs += [] if settled is None else [settled]
        leg = Leg(reader.source.chain_id, reader.destination.chain_id, packet, acknowledgement, tuple(proofs))
        return FoundLeg(source, destination, leg, tuple(evidence.values()))

    async def _provable_height(self, chain: str) -> Height:
        if chain not in self._provable:
            self._provable[chain] = await provable_height(self._adapters[chain])
        return self._provable[chain]


async def provable_height(adapter: ChainAdapter) -> Height:
    """The newest height at which the chain proves its state already."""
    return adapter.proving_height((await adapter.head()).height - 1)


class _Leg:
    """Reads of one leg. A chain's proofs are made for the light client of it at the other end."""

    def __init__(self, source: ChainAdapter, destination: ChainAdapter, evidence: Mapping[str, Evidence]) -> None:
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

    async def outcome(self, packet: Packet, reader: ClientInfo) -> tuple[StateProof, Acknowledgement | None]:
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
        height = await provable_height(self.destination)
        if await self.destination.receipt(client_id, sequence) is not None:
            return await self._prove(Claim.RECEIVED, self.destination, receipt_key(packet), height, reader), None
        time_ns = await self.destination.block_time_ns(height.revision_height)
        if time_ns // NANOSECONDS_PER_SECOND < packet.timeout_timestamp_s:
            raise NotExportable(f"packet {packet.sequence} is in flight: neither received nor past its timeout")
        return await self._prove(Claim.TIMED_OUT, self.destination, receipt_key(packet), height, reader), None

    async def settled(self, packet: Packet, reader: ClientInfo, height: Height) -> StateProof | None:
        """None where the commitment still stands."""
        if await self.source.commitment(packet.source_client, packet.sequence, height.revision_height - 1) is not None:
            return None
        path = merkle_path(reader.merkle_prefix, commitment_key(packet))
        proof = await self.source.prove(path, height, reader.client_state)
        return None if proof.value is not None else StateProof(Claim.SETTLED, height, proof.proof)

    @staticmethod
    async def _prove(claim: Claim, adapter: ChainAdapter, key: bytes, height: Height, reader: ClientInfo) -> StateProof:
        await adapter.wait_for_height(height.revision_height)
        proof = await adapter.prove(merkle_path(reader.merkle_prefix, key), height, reader.client_state)
        if (proof.value is None) is not claim.is_absence:
            raise NotExportable(f"{adapter.name} proves otherwise than {claim.value} at {height}")
        return StateProof(claim, height, proof.proof)
