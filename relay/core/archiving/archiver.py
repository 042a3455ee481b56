"""Bundles of settled packets go into the archive at an interval. Packets never wait for it."""

from collections.abc import Callable, Mapping
from functools import partial

import trio

from hutong.adapters.interface import AdapterError, ChainAdapter, HeightUnavailable
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, MalformedInput, VerificationError
from hutong.relay.archive import Archive, ArchiveUnavailable
from hutong.relay.archive.bundle import encode_bundle
from hutong.relay.archive.legs import was_sent_on
from hutong.relay.archive.store import Appended, BundleArchive, Head, LogRewritten, WriteConflict, open_backend
from hutong.relay.base.durations import DAY_S
from hutong.relay.config import PathEnd
from hutong.relay.core.archiving.archive_context import ArchiveContext
from hutong.relay.core.archiving.bundling import Exporter, NotExportable
from hutong.relay.telemetry import get_logger

A_ROUND = 256
"""Bundles that are held in memory; what is more waits for the next round."""
RECENT = 4_096
"""Packets of a hub among which the second legs of what settled lately are."""
RECENT_BEHIND = 16_384
"""The same while more is waiting than a round takes."""
RETRY_S = 5.0
"""Evidence is there before its transaction is in a block; doubles up to the longest wait."""
LONGEST_RETRY_S = 3_600.0
PRUNE_EVERY_S = 3_600.0
_SETTLING = ("acknowledge", "timeout")
_AWAY = (ArchiveUnavailable, WriteConflict, MalformedInput)

Packet = tuple[str, str, int]
"""(chain name, client, sequence) of the sending end, as evidence is kept."""


class Archiver:
    """One writer of one archive. `exporter` makes a fresh `Exporter`, given how many of a hub's newest packets it reads
    (see there): one that is old proves at old heights."""

    def __init__(
        self,
        archive: ArchiveContext,
        adapters: Mapping[str, ChainAdapter],
        exporter: Callable[[int], Exporter],
        evidence: Archive,
        now_ns: Callable[[], int],
    ) -> None:
        self._location = archive.location
        self._adapters = adapters
        self._exporter = exporter
        self._evidence = evidence
        self._metrics = archive.metrics
        self._now_ns = now_ns
        self._run = archive.run
        self._archive: BundleArchive | None = None
        self._seen: Head | None = None
        self._not_before_s: dict[Packet, tuple[int, float]] = {}
        self._pruned_at_s = float("-inf")
        self._log = get_logger("archiver")

    async def run(self, interval_s: float, retention_days: int | None) -> None:
        """For ever. A place that is away is tried again at the next interval.

        Args:
            interval_s: from the end of one round to the beginning of the next.
            retention_days: at most once an hour, entries appended longer ago are pruned; None: none is.
        """
        while True:
            await self.round()
            if retention_days is not None and trio.current_time() - self._pruned_at_s >= PRUNE_EVERY_S:
                self._pruned_at_s = trio.current_time()
                await self._prune(retention_days)
            await trio.sleep(interval_s)

    async def round(self) -> int:
        """Append what has settled since the last round. What fails is logged, counted, and tried again with growing
        delays.

        Returns:
            How many bundles were appended; 0 also where the archive is away. One round appends at most A_ROUND of them.
        """
        try:
            archive = await self._open()
            waiting = await self._waiting(archive)
            exporter = self._exporter(RECENT if len(waiting) <= A_ROUND else RECENT_BEHIND)
            made = await self._export(exporter, waiting[:A_ROUND])
            appended = await self._run(partial(archive.append, made.values(), self._now_s())) if made else Appended()
        except _AWAY as error:
            self._away("append", error)
            return 0
        for packet, (name, _) in made.items():
            if name in appended.refused:
                self._later(packet)
                self._log.error("a bundle is none", packet=name, reason=appended.refused[name])
        count, left = len(appended.indices), len(waiting) - len(made) + len(appended.refused)
        if made:
            self._log.info("archived", bundles=count, entries=archive.head.size, waiting=left)
        self._metrics.archive(archive.head.size, count, left)
        return count

    async def _open(self) -> BundleArchive:
        """A new one is made only before any was seen: a disk that is not mounted is away, and no empty archive."""
        if self._archive is None:
            seen = self._seen
            self._archive = await self._run(
                lambda: (
                    BundleArchive.create(open_backend(self._location))
                    if seen is None
                    else BundleArchive(open_backend(self._location), seen)
                )
            )
            self._remember(self._archive)
        return self._archive

    def _remember(self, archive: BundleArchive) -> None:
        if archive.log.is_whole:
            self._seen = archive.head

    def _away(self, what: str, error: Exception) -> None:
        if self._archive is not None:
            self._remember(self._archive)
            self._archive = None
        self._metrics.archive_failed(what)
        if isinstance(error, LogRewritten):
            self._log.error("the archive was rewritten", at=self._location, doing=what, reason=str(error))
        else:
            self._log.warning("the archive is behind", at=self._location, doing=what, reason=str(error))

    async def _waiting(self, archive: BundleArchive) -> list[Packet]:
        """Packets whose outcome was proven to their sender and that the archive lacks, those sent by a hub last."""
        found = []
        covered = archive.second_legs | archive.pruned
        for packet in await self._evidence.packet_ids(_SETTLING):
            adapter = self._adapters.get(packet[0])
            if adapter is None:
                continue
            name = f"{adapter.chain_id}/{packet[1]}/{packet[2]}"
            kept = archive.newest.get(name)
            if (kept is None or not kept.is_settled) and name not in covered:
                found.append((adapter.kind == "hub", packet))
        waiting = [packet for _, packet in sorted(found)]
        self._not_before_s = {one: self._not_before_s[one] for one in waiting if one in self._not_before_s}
        now_s = trio.current_time()
        return [one for one in waiting if self._not_before_s.get(one, (0, 0.0))[1] <= now_s]

    async def _export(self, exporter: Exporter, packets: list[Packet]) -> dict[Packet, tuple[str, bytes]]:
        """Packet ids and bundles; after one for which a chain did not answer, no other that was sent from its chain."""
        made: dict[Packet, tuple[str, bytes]] = {}
        silent: set[str] = set()
        for packet in packets:
            chain, client, sequence = packet
            if chain in silent:
                continue
            end = PathEnd(chain=chain, client=client)
            if (end, sequence) in exporter.second_legs or await self._is_second_leg(packet):
                self._later(packet)
                continue
            try:
                bundle = await exporter.export(end, sequence)
            except (NotExportable, HeightUnavailable, VerificationError) as error:
                self._later(packet)
                self._log.info("no bundle yet", packet=f"{chain}/{client}/{sequence}", reason=str(error))
                continue
            except AdapterError as error:
                self._later(packet)
                silent.add(chain)
                self._log.warning("no bundles while a chain does not answer", sent_from=chain, reason=str(error))
                continue
            if all(leg.is_settled for leg in bundle.legs):
                made[packet] = bundle.packet_id, encode_bundle(bundle)
            else:
                self._later(packet)
        return made

    async def _is_second_leg(self, packet: Packet) -> bool:
        """Its bundle is that of the packet which it was made of."""
        if self._adapters[packet[0]].kind != "hub":
            return False
        for kind in _SETTLING:
            try:
                evidence = await self._evidence.read(*packet, kind)
            except MalformedInput:
                continue
            if evidence is not None:
                return was_sent_on(evidence.packet)
        return False

    def _later(self, packet: Packet) -> None:
        failures = self._not_before_s.get(packet, (0, 0.0))[0] + 1
        delay_s = min(LONGEST_RETRY_S, RETRY_S * 2 ** min(failures - 1, 12))
        self._not_before_s[packet] = failures, trio.current_time() + delay_s

    async def _prune(self, retention_days: int) -> None:
        now_s = self._now_s()
        try:
            archive = await self._open()
            done = await self._run(partial(archive.prune, now_s - retention_days * DAY_S, now_s))
        except _AWAY as error:
            self._away("prune", error)
            return
        if done.entries or done.kept_because:
            self._log.info("pruned", entries=done.entries, objects=done.objects, kept_because=done.kept_because)

    def _now_s(self) -> int:
        return self._now_ns() // NANOSECONDS_PER_SECOND
