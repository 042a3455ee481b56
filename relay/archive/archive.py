"""Evidence as files in `<directory>/<chain>/<client>/<thousand>`: one of each batch, named by the packets in it.

A file of its own for each step would cost an fsync each, four a message.
"""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TypeVar

from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.batch_file import A_FOLDER, WriteCounter, name_batches
from hutong.relay.archive.errors import ArchiveUnavailable
from hutong.relay.archive.evidence import KINDS, MAX_EVIDENCE_BYTES, Evidence, check_evidence, encode_evidence
from hutong.relay.archive.evidence_files import newest_file, packet_ids, read_step, sent_packets
from hutong.relay.base.durable_files import make_folder_durably, place_files, sync_folder
from hutong.relay.base.threads import Runner, thread_runner

T = TypeVar("T")
MAX_THREADS = 8


class Archive:
    """A file is there whole or not at all, and durable when `write` returns. A later write of one step wins."""

    def __init__(self, directory: Path, run: Runner | None = None) -> None:
        self._directory = directory
        self._run = run if run is not None else thread_runner(MAX_THREADS)
        self._writes = WriteCounter()

    def folder_of(self, chain: str, client_id: str, sequence: int, kind: str) -> Path:
        """Where the evidence of that step of that packet is or would be.

        Raises:
            MalformedInput: a part is not a name of its sort; so no name leads out of the directory.
        """
        check_client_id(client_id, "evidence.client_id")
        if kind not in KINDS or sequence < 0 or not chain.replace("-", "").isalnum() or not chain.isascii():
            raise MalformedInput(
                "evidence.packet_id", "does not name a packet's step", got=f"{chain}/{client_id}/{sequence}"
            )
        return self._directory / chain / client_id / f"{sequence // A_FOLDER:06d}"

    async def file_of(self, chain: str, client_id: str, sequence: int, kind: str) -> Path | None:
        """The file that holds the step's evidence, the last that was written of it; None if there is none.

        Args:
            chain: the configured name of the sending chain.
            client_id: the packet's source client.
            kind: `receive`, `acknowledge` or `timeout`.

        Raises:
            MalformedInput: a part that is not a name of its sort.
            ArchiveUnavailable: the folder cannot be read.
        """
        folder = self.folder_of(chain, client_id, sequence, kind)
        return await self._reading(lambda: newest_file(folder, sequence, kind), f"{folder.name} cannot be read")

    async def write(self, evidences: Iterable[Evidence]) -> None:
        """Keep each under its packet id and kind. All of one batch that are of one folder and kind share a file.

        Raises:
            MalformedInput: evidence that `check_evidence` refuses; none is written.
            ArchiveUnavailable: the disk refuses. Some of them may be there.
        """
        groups: dict[tuple[Path, str], dict[int, bytes]] = {}
        for evidence in evidences:
            check_evidence(evidence)
            chain, client_id, text = evidence.packet_id.split("/")
            sequence = int(text)
            folder = self.folder_of(chain, client_id, sequence, evidence.kind)
            groups.setdefault((folder, evidence.kind), {})[sequence] = encode_evidence(evidence)
        if not groups:
            return
        try:
            await self._run(lambda: _write_groups(groups, self._writes))
        except OSError as error:
            raise ArchiveUnavailable(f"evidence cannot be written: {error.strerror}") from None

    async def read(self, chain: str, client_id: str, sequence: int, kind: str) -> Evidence | None:
        """The evidence of a step, which is not judged; None if there is none.

        Args:
            chain: the configured name of the sending chain.
            client_id: the packet's source client.
            kind: `receive`, `acknowledge` or `timeout`.

        Raises:
            MalformedInput: the file is damaged, or a part is not a name of its sort.
            ArchiveUnavailable: the file cannot be read.
        """
        folder = self.folder_of(chain, client_id, sequence, kind)
        what = f"evidence of {kind} {sequence} cannot be read"
        return await self._reading(lambda: read_step(folder, chain, client_id, sequence, kind), what)

    async def packet_ids(self, kinds: Collection[str] = KINDS) -> list[tuple[str, str, int]]:
        """(chain, client, sequence) of every packet of which a step of one of `kinds` is kept, in order. Files that are
        named as no packet is are passed over.

        Raises:
            ArchiveUnavailable: the directory cannot be read.
        """
        names = await self._reading(lambda: sorted(packet_ids(self._directory, kinds)), "evidence cannot be listed")
        return list(names)

    async def sent_packets(self, chain: str, client_id: str, most: int | None = None) -> dict[int, Packet]:
        """The packets sent over a client whose receipt was proven, by sequence, or the newest `most` of them. Damaged
        files are passed over.

        Raises:
            ArchiveUnavailable: the directory cannot be read.
        """
        folder = self.folder_of(chain, client_id, 0, "receive").parent
        return await self._reading(lambda: sent_packets(folder, chain, client_id, most), "evidence cannot be read")

    async def _reading(self, call: Callable[[], T], failure: str) -> T:
        try:
            found: T = await self._run(call)
        except OSError as error:
            raise ArchiveUnavailable(f"{failure}: {error.strerror}") from None
        return found


def _write_groups(groups: dict[tuple[Path, str], dict[int, bytes]], writes: WriteCounter) -> None:
    """A file for each group, in parts where its name or its bytes become too many."""
    for folder, _ in groups:
        make_folder_durably(folder)
    files: list[tuple[Path, list[bytes]]] = []
    for (folder, kind), documents in groups.items():
        for part in _parts(documents):
            names = name_batches(writes.take(folder), part, kind)
            files += [(folder / str(name), [documents[sequence] for sequence in name.sequences]) for name in names]
    place_files((path, b"".join(parts)) for path, parts in files)
    for written_folder in {path.parent for path, _ in files}:
        sync_folder(written_folder)


def _parts(documents: dict[int, bytes]) -> list[list[int]]:
    parts: list[list[int]] = []
    size = 0
    for sequence in sorted(documents):
        size += len(documents[sequence])
        if not parts or size > MAX_EVIDENCE_BYTES:
            parts.append([])
            size = len(documents[sequence])
        parts[-1].append(sequence)
    return parts
