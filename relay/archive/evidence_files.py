"""Reading evidence from its folders: files of batches, and files of one step each as versions before wrote them."""

import os
import re
from collections.abc import Collection, Iterator
from heapq import nlargest
from pathlib import Path

from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.relay.archive.batch_file import parse_batch_name
from hutong.relay.archive.evidence import CHAIN_NAME, MAX_EVIDENCE_BYTES, Evidence, decode_evidence

_SINGLE = re.compile(r"([0-9]{1,20})\.(receive|acknowledge|timeout)\.json")


def newest_file(folder: Path, sequence: int, kind: str) -> Path | None:
    """The file of `folder` in which the step's evidence was written last; None if there is none, or no such folder.

    A file of a batch comes before a file of one step, which versions before wrote. Only names are read.

    Raises:
        OSError: the folder cannot be listed.
    """
    newest = ""
    ending = f".{kind}.jsonl"
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(ending) and entry.name > newest:
                    name = parse_batch_name(entry.name)
                    if name is not None and sequence in name:
                        newest = entry.name
    except FileNotFoundError:
        return None
    if newest:
        return folder / newest
    single = folder / f"{sequence}.{kind}.json"
    return single if single.exists() else None


def read_step(folder: Path, chain: str, client_id: str, sequence: int, kind: str) -> Evidence | None:
    """The evidence of a step; None if there is none.

    Raises:
        MalformedInput: it is damaged, or of another step than its file's name says.
        OSError: it cannot be read.
    """
    path = newest_file(folder, sequence, kind)
    if path is None:
        return None
    if path.name.endswith(".json"):
        return decode_evidence(_read_single(path))
    wanted = f"{chain}/{client_id}/{sequence}"
    for line in _lines_of(path, {wanted}):
        return _of_step(line, wanted, kind)
    raise MalformedInput("evidence.packet_id", "is named by its file but not in it", expected=wanted)


def packet_ids(directory: Path, kinds: Collection[str]) -> set[tuple[str, str, int]]:
    """(chain, client, sequence) of every packet of which a step of one of `kinds` is kept, by the names of the files.

    Names that no packet has are passed over; no file is opened.

    Raises:
        OSError: a folder cannot be listed.
    """
    found = set()
    for path in directory.glob("*/*/*/*.json*"):
        chain, client = path.parts[-4:-2]
        for sequence, kind in _steps_of(path):
            if kind in kinds and _is_packet(chain, client, sequence):
                found.add((chain, client, sequence))
    return found


def sent_packets(folder: Path, chain: str, client_id: str, most: int | None) -> dict[int, Packet]:
    """By sequence, the packets sent over the client of `folder` whose receipt was proven.

    Damaged documents are passed over; of two with one sequence the one written later counts.

    Args:
        folder: the client's, which holds a folder for each thousand.
        most: only the highest so many sequences; None: all.

    Raises:
        OSError: a file cannot be read.
    """
    newest: dict[int, Path] = {}
    singles: dict[int, Path] = {}
    for path in folder.glob("*/*.receive.json*"):
        for sequence, _ in _steps_of(path):
            if path.name.endswith(".json"):
                singles[sequence] = path
            elif sequence not in newest or newest[sequence].name < path.name:
                newest[sequence] = path
    files = singles | newest
    by_file: dict[Path, list[int]] = {}
    for sequence in files if most is None else nlargest(most, files):
        by_file.setdefault(files[sequence], []).append(sequence)
    packets = {}
    for path, sequences in by_file.items():
        for data in _documents(path, {f"{chain}/{client_id}/{sequence}" for sequence in sequences}):
            try:
                packet = decode_evidence(data).packet
            except MalformedInput:
                continue
            packets[packet.sequence] = packet
    return packets


def _steps_of(path: Path) -> Iterator[tuple[int, str]]:
    """(sequence, kind) of what a file's name says to be in it."""
    single = _SINGLE.fullmatch(path.name)
    if single is not None:
        yield int(single[1]), single[2]
        return
    batch = parse_batch_name(path.name)
    if batch is not None:
        for sequence in batch.sequences:
            yield sequence, batch.kind


def _is_packet(chain: str, client_id: str, sequence: int) -> bool:
    """Whether a packet can have that name: what somebody else put into the folder is none of ours."""
    try:
        check_client_id(client_id)
    except MalformedInput:
        return False
    return CHAIN_NAME.fullmatch(chain) is not None and 0 < sequence <= MAX_UINT64


def _of_step(data: bytes, packet_id: str, kind: str) -> Evidence:
    evidence = decode_evidence(data)
    if (evidence.packet_id, evidence.kind) != (packet_id, kind):
        raise MalformedInput(
            "evidence.packet_id",
            "is not the step that was looked for",
            got=f"{evidence.kind} of {evidence.packet_id}",
            expected=f"{kind} of {packet_id}",
        )
    return evidence


def _documents(path: Path, packet_ids: Collection[str]) -> Iterator[bytes]:
    try:
        if path.name.endswith(".json"):
            yield _read_single(path)
        else:
            yield from _lines_of(path, packet_ids)
    except FileNotFoundError:
        return


def _lines_of(path: Path, packet_ids: Collection[str]) -> Iterator[bytes]:
    """Documents that say to be of one of `packet_ids`. A document is one line; of a longer one no more than the bound."""
    wanted = [f'"packet_id":"{packet_id}"'.encode() for packet_id in packet_ids]
    with path.open("rb") as file:
        while line := file.readline(MAX_EVIDENCE_BYTES + 1):
            if any(text in line for text in wanted):
                yield line


def _read_single(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_EVIDENCE_BYTES + 1)
