"""Evidence as files: `<directory>/<chain>/<client>/<thousand>/<sequence>.<kind>.json`, named by packet id alone."""

import os
import re
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from heapq import nlargest
from pathlib import Path
from typing import Any

import trio

from light_clients.ibc.identifiers import check_client_id
from light_clients.ibc.packet import Packet
from light_clients.interface import MalformedInput
from light_clients.interface.height import MAX_UINT64
from relay.archive.errors import ArchiveUnavailable
from relay.archive.evidence import (
    CHAIN_NAME,
    KINDS,
    MAX_EVIDENCE_BYTES,
    Evidence,
    check_evidence,
    decode_evidence,
    encode_evidence,
)

Runner = Callable[[Callable[[], Any]], Awaitable[Any]]
MAX_THREADS = 8
FILES_A_THREAD = 6
"""Each waits for the disk by itself; side by side the disk takes them together."""


def _threads() -> Runner:
    limiter = trio.CapacityLimiter(MAX_THREADS)

    async def run(call: Callable[[], Any]) -> Any:
        return await trio.to_thread.run_sync(call, limiter=limiter)

    return run


class Archive:
    """A file is there whole or not at all, and durable when `write` returns. A later write of one name wins."""

    def __init__(self, directory: Path, run: Runner | None = None) -> None:
        self._directory = directory
        self._run = run if run is not None else _threads()

    def path_of(self, chain: str, client_id: str, sequence: int, kind: str) -> Path:
        """Where the evidence of that step of that packet is or would be.

        Raises:
            MalformedInput: a part that is no name of its sort, so that no name leads out of the directory.
        """
        check_client_id(client_id, "evidence.client_id")
        if kind not in KINDS or sequence < 0 or not chain.replace("-", "").isalnum() or not chain.isascii():
            raise MalformedInput(
                "evidence.packet_id", "does not name a packet's step", got=f"{chain}/{client_id}/{sequence}"
            )
        return self._directory / chain / client_id / f"{sequence // 1000:06d}" / f"{sequence}.{kind}.json"

    async def write(self, evidences: Iterable[Evidence]) -> None:
        """Keep each under its packet id and kind.

        Raises:
            ArchiveUnavailable: the disk refuses.
        """
        files = []
        for evidence in evidences:
            check_evidence(evidence)
            chain, client_id, sequence = evidence.packet_id.split("/")
            files.append((self.path_of(chain, client_id, int(sequence), evidence.kind), encode_evidence(evidence)))
        refusals: list[OSError] = []

        async def write_part(part: list[tuple[Path, bytes]]) -> None:
            try:
                await self._run(lambda: _write_files(part))
            except OSError as error:
                refusals.append(error)

        async with trio.open_nursery() as nursery:
            for start in range(0, len(files), FILES_A_THREAD):
                nursery.start_soon(write_part, files[start : start + FILES_A_THREAD])
        if refusals:
            raise ArchiveUnavailable(f"evidence cannot be written: {refusals[0].strerror}")

    async def read(self, chain: str, client_id: str, sequence: int, kind: str) -> Evidence | None:
        """None if there is none.

        Raises:
            MalformedInput: the file is damaged. ArchiveUnavailable: it cannot be read.
        """
        path = self.path_of(chain, client_id, sequence, kind)
        try:
            data = await self._run(lambda: _read_file(path))
        except OSError as error:
            raise ArchiveUnavailable(f"{path.name} cannot be read: {error.strerror}") from None
        return None if data is None else decode_evidence(data)

    async def packet_ids(self, kinds: Collection[str] = KINDS) -> list[tuple[str, str, int]]:
        """(chain, client, sequence) of every packet of which a step of one of `kinds` is kept, in order. Files that are
        named as no packet is are passed over.

        Raises:
            ArchiveUnavailable: the directory cannot be read.
        """
        try:
            names = await self._run(lambda: sorted(_packet_ids(self._directory, kinds)))
        except OSError as error:
            raise ArchiveUnavailable(f"evidence cannot be listed: {error.strerror}") from None
        return list(names)

    async def sent_packets(self, chain: str, client_id: str, most: int | None = None) -> dict[int, Packet]:
        """The packets sent over a client whose receipt was proven, by sequence, or the newest `most` of them. Damaged
        files are passed over.

        Raises:
            ArchiveUnavailable: the directory cannot be read.
        """
        folder = self.path_of(chain, client_id, 0, "receive").parent.parent
        try:
            packets: dict[int, Packet] = await self._run(lambda: _sent_packets(folder, most))
        except OSError as error:
            raise ArchiveUnavailable(f"evidence cannot be read: {error.strerror}") from None
        return packets


_FILE = re.compile(r"([0-9]{1,20})\.(receive|acknowledge|timeout)\.json")


def _packet_ids(directory: Path, kinds: Collection[str]) -> set[tuple[str, str, int]]:
    found = set()
    for path in directory.glob("*/*/*/*.json"):
        match = _FILE.fullmatch(path.name)
        chain, client = path.parts[-4:-2]
        if match is not None and match[2] in kinds and _is_packet(chain, client, int(match[1])):
            found.add((chain, client, int(match[1])))
    return found


def _is_packet(chain: str, client_id: str, sequence: int) -> bool:
    """Whether a packet can have that name: what somebody else put into the folder is none of ours."""
    try:
        check_client_id(client_id)
    except MalformedInput:
        return False
    return CHAIN_NAME.fullmatch(chain) is not None and 0 < sequence <= MAX_UINT64


def _sent_packets(folder: Path, most: int | None) -> dict[int, Packet]:
    found = {}
    paths = folder.glob("*/*.receive.json")
    for path in paths if most is None else nlargest(most, paths, key=_sequence):
        data = _read_file(path)
        try:
            if data is not None:
                packet = decode_evidence(data).packet
                found[packet.sequence] = packet
        except MalformedInput:
            continue
    return found


def _sequence(path: Path) -> int:
    match = _FILE.fullmatch(path.name)
    return -1 if match is None else int(match[1])


def _read_file(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_EVIDENCE_BYTES + 1)
    except FileNotFoundError:
        return None


def _write_files(files: list[tuple[Path, bytes]]) -> None:
    """Write all beside their places, make them durable, then rename; directories are made durable once each."""
    directories = {path.parent for path, _ in files}
    for directory in directories:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    written: list[tuple[Path, Path]] = []
    try:
        for path, data in files:
            temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            written.append((temporary, path))
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        while written:
            temporary, path = written.pop()
            temporary.replace(path)
    finally:
        for temporary, _ in written:
            with suppress(OSError):
                temporary.unlink()
    for directory in directories:
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
