"""Bundles of whole deliveries: both legs of a packet that was sent on, with the headers under their proofs."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from random import Random

import trio

from hutong.adapters.interface import MAX_SEQUENCE_SCAN, ChainAdapter, HeightUnavailable
from hutong.adapters.tlog import LogSource
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.interface import Height, VerificationError
from hutong.relay.archive import Archive
from hutong.relay.archive.bundle import Bundle, ChainHeaders, ChainKind, Claim, HeaderEntry, check_bundle
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.legs import Link, is_second_leg, link_of_first, link_of_second, next_client
from hutong.relay.archive.log_chain import bare_note, log_chain_id
from hutong.relay.config import PathEnd
from hutong.relay.config.logs import LogConfig
from hutong.relay.core.archiving.bundling.headers import HeaderCollector
from hutong.relay.core.archiving.bundling.known import kind_of, seal_rules_of
from hutong.relay.core.archiving.bundling.legs import FoundLeg, LegReader, NotExportable
from hutong.relay.core.topology.logs import open_log
from hutong.relay.core.topology.paths import Paths

__all__ = ["Exporter", "NotExportable"]


class Exporter:
    """For any number of packets; headers and second legs that were looked up once are kept."""

    def __init__(
        self,
        adapters: Mapping[str, ChainAdapter],
        paths: Paths,
        archive: Archive,
        checkpoints: Iterable[Checkpoint] = (),
        newest_sent: int | None = None,
        most_asked: int = MAX_SEQUENCE_SCAN,
    ) -> None:
        """`newest_sent`: of how many of a hub's packets the evidence is read when second legs are looked for (None: of
        all); of others, at most `most_asked` are asked from the hub for one bundle, newest first."""
        self._adapters = adapters
        self._paths = paths
        self._archive = archive
        self._newest_sent = newest_sent
        self._most_asked = most_asked
        self._checkpoints = {checkpoint.chain_id: checkpoint for checkpoint in checkpoints}
        heights = {chain_id: checkpoint.height for chain_id, checkpoint in self._checkpoints.items()}
        self._legs = LegReader(adapters, paths, archive, heights)
        self._collectors: dict[str, HeaderCollector] = {}
        self._sent: dict[PathEnd, _SentOver] = {}
        self.second_legs: set[tuple[PathEnd, int]] = set()

    async def export(self, source: PathEnd, sequence: int) -> Bundle:
        """The bundle of the packet that was sent over `source`, with its second leg if it was sent on.

        Raises:
            NotExportable: it is unknown or in flight.
            VerificationError: evidence or chain give no bundle that `check_bundle` accepts, or of a kind that bundles
                lack.
            AdapterError: a chain does not answer. HeightUnavailable among them: it no longer keeps what is to be
                proven.
            ArchiveUnavailable: the evidence cannot be read.
        """
        return await self._whole(await self._legs.read(source, sequence))

    async def export_from_log(self, log: LogConfig, sender: str, sequence: int, random: Random) -> Bundle:
        """The bundle of a packet of a signed log, with its second leg if the hub sent it on.

        Args:
            log: as configured; its endpoints are asked anew.
            sender: the client that the packet names as its source.

        Raises:
            NotExportable: no hub that the log's `kept_on` names has acknowledged it, or the publisher has not committed it.
            VerificationError, AdapterError, ArchiveUnavailable: as `export`.
        """
        why = NotExportable(f"the configuration of log {log.name} names no client on a hub that follows it (kept_on)")
        async with open_log(log, random) as source:
            for client in log.kept_on:
                try:
                    first = await self._legs.read_from_log(source, client, sequence)
                except NotExportable as error:
                    why = error
                    continue
                if first.source.client == sender:
                    return await self._whole(first, source)
                why = NotExportable(f"packet {sequence} of {log.name} is of {first.source.client}, not {sender}")
        raise why

    async def _whole(self, first: FoundLeg, log: LogSource | None = None) -> Bundle:
        second = await self._second_leg(first)
        found = [first] if second is None else [first, second]
        bundle = Bundle(tuple(one.leg for one in found), await self._headers(found, log))
        check_bundle(bundle)
        return bundle

    async def export_all(self, keep: Callable[[str, Bundle], None]) -> dict[str, str]:
        """Give `keep` the id and the bundle of every packet in the archive. A second leg is in the bundle of its first.

        Args:
            keep: is called once a bundle, with `chain/client/sequence`.

        Returns:
            The ids of those without a bundle, with the reason.

        Raises:
            AdapterError: a chain does not answer; bundles that were given stay.
            ArchiveUnavailable: the evidence cannot be read.
        """
        reasons: dict[str, str] = {}
        packets = await self._archive.packet_ids()
        for chain, client, sequence in sorted(packets, key=self._hubs_last):
            end = PathEnd(chain=chain, client=client)
            if (end, sequence) in self.second_legs:
                continue
            name = f"{chain}/{client}/{sequence}"
            try:
                keep(name, await self.export(end, sequence))
            except (NotExportable, HeightUnavailable, VerificationError) as error:
                reasons[name] = str(error)
        return reasons

    def _hubs_last(self, packet: tuple[str, str, int]) -> tuple[bool, str, str, int]:
        adapter = self._adapters.get(packet[0])
        return (adapter is not None and adapter.kind == "hub", *packet)

    async def _second_leg(self, first: FoundLeg) -> FoundLeg | None:
        onward = next_client(first.leg.packet)
        if onward is None or first.leg.outcome is Claim.TIMED_OUT:
            return None
        if (await self._legs.client(first.reader)).client_type != ChainKind.TENDERMINT:
            return None  # no hub, whatever the sender wrote
        if self._adapters[first.destination.chain].kind == "cosmos":
            return None  # nor a stock chain; what middlewares of theirs send on is on none of our paths
        end = PathEnd(chain=first.destination.chain, client=onward)
        acknowledgement = first.leg.acknowledgement
        for sequence in await self.candidates(end, first.leg.packet):
            if (end, sequence) not in self.second_legs:
                self.second_legs.add((end, sequence))
                try:
                    return await self._legs.read(end, sequence)
                except NotExportable:
                    if acknowledgement is not None:
                        raise
                    return None  # the first leg alone shows a receipt
        if acknowledgement is not None and not acknowledgement.is_error:
            raise NotExportable(f"the second leg of {first.leg.packet_id} is neither in the archive nor on the hub")
        return None

    async def candidates(self, end: PathEnd, first: Packet) -> list[int]:
        """Sequences of packets that may be what the hub made of `first`, known ones before those that must be asked for."""
        if end not in self._sent:
            packets = await self._archive.sent_packets(end.chain, end.client, self._newest_sent)
            # Thousands of payloads are decoded: not in the loop that packets are delivered in.
            self._sent[end] = await trio.to_thread.run_sync(_SentOver, packets)
        known = self._sent[end]
        found = known.made_of(first)
        if found or end not in self._paths.opposite:
            return found
        hub = self._adapters[end.chain]
        newest = await hub.next_sequence_send(end.client) - 1
        unknown = (one for one in range(newest, max(0, newest - MAX_SEQUENCE_SCAN), -1) if one not in known)
        for sequence in islice(unknown, self._most_asked):
            event = await hub.sent_packet(end.client, sequence)
            if event is not None:
                known.add(event.packet)
                if is_second_leg(first, event.packet):
                    return [sequence]
        return []

    async def _headers(self, found: list[FoundLeg], log: LogSource | None) -> tuple[ChainHeaders, ...]:
        heights: dict[str, set[Height]] = {}
        readers: dict[str, PathEnd] = {}
        names = {}
        for one in found:
            for chain_id, end, reader in (
                (one.leg.source_chain_id, one.source, one.destination),
                (one.leg.destination_chain_id, one.destination, one.reader),
            ):
                names[chain_id] = end.chain
                readers.setdefault(chain_id, reader)
                heights.setdefault(chain_id, set())
            for proof in one.leg.proofs:
                heights[one.leg.chain_id_of(proof.claim)].add(proof.height)
        chains = []
        for chain_id in sorted(heights):
            if log is not None and chain_id == log_chain_id(log.chain_id):
                chains.append(_signed_trees(log, heights[chain_id]))
                continue
            info = await self._legs.client(readers[chain_id])
            collector = self._collectors.get(chain_id)
            if collector is None:
                kind = kind_of(info.client_type, info.client_state)
                collector = HeaderCollector(
                    self._adapters[names[chain_id]],
                    kind,
                    self._checkpoints.get(chain_id),
                    seal_rules_of(kind, info.client_state),
                )
                self._collectors[chain_id] = collector
            for one in found:
                for evidence in one.evidence:
                    if evidence.source_chain_id == chain_id:
                        collector.learn(evidence.headers)
                        collector.learn_client(evidence.proof_height, evidence.trusted_client_state)
            chains.append(await collector.collect(heights[chain_id], info.client_state))
        return tuple(chains)


def _signed_trees(log: LogSource, heights: set[Height]) -> ChainHeaders:
    """The trees of these sizes, as log and witnesses signed them."""
    notes = (bare_note(log.signed_checkpoint(height.revision_height), log.believed) for height in sorted(heights))
    return ChainHeaders(log_chain_id(log.chain_id), ChainKind.TLOG, tuple(map(HeaderEntry, notes)))


class _SentOver:
    """Packets that were sent over one client, by what a second leg has in common with its first."""

    def __init__(self, packets: Mapping[int, Packet]) -> None:
        self._packets: dict[int, Packet] = {}
        self._by_link: dict[Link, list[int]] = {}
        for _, packet in sorted(packets.items()):
            self.add(packet)

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._packets

    def add(self, packet: Packet) -> None:
        self._packets[packet.sequence] = packet
        link = link_of_second(packet)
        if link is not None:
            self._by_link.setdefault(link, []).append(packet.sequence)

    def made_of(self, first: Packet) -> list[int]:
        """Sequences of those that may be the second leg of `first`."""
        link = link_of_first(first)
        hits = [] if link is None else self._by_link.get(link, [])
        return [sequence for sequence in hits if is_second_leg(first, self._packets[sequence])]
