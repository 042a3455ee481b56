"""An archive's root on a hub, judged from files, and the proof that an entry is under it."""

import re
from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import prove_leaf
from hutong.relay.archive.anchor import MAX_ANCHOR_BYTES, Anchor, EntryProof, decode_anchor
from hutong.relay.archive.store import BundleArchive, BundleEntry
from hutong.relay.audit import MissingTrust, Verdict
from hutong.relay.audit.anchor import judge_anchor
from hutong.relay.verify.bundles.inputs import read_checkpoint
from hutong.relay.verify.inputs import UnusableInput, read_file

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class JudgedAnchor:
    """The verdicts, what they show to be anchored (None where there is no anchor, or it does not hold), and the trust."""

    verdicts: tuple[Verdict, ...]
    anchor: Anchor | None
    trust: str


NO_ANCHOR = JudgedAnchor((), None, "")


@dataclass(frozen=True, slots=True)
class AnchorFiles:
    """An anchor's proof, with what is believed of its hub, contract and publisher (0x and 40 digits of hex)."""

    proof: Path
    checkpoint: Path
    contract: str
    publisher: str

    def judge(self, now_ns: int) -> JudgedAnchor:
        """Judge the anchor.

        Args:
            now_ns: nanoseconds of Unix time, by which the checkpoint expires.

        Raises:
            UnusableInput: a file or address is unusable.
        """
        expected = {
            "contract": _address(self.contract, "--contract"),
            "publisher": _address(self.publisher, "--publisher"),
        }
        trusted = read_checkpoint(self.checkpoint)
        try:
            report = judge_anchor(read_file(self.proof, MAX_ANCHOR_BYTES), trusted, now_ns, **expected)
        except MissingTrust as error:
            raise UnusableInput(str(error)) from None
        return JudgedAnchor(tuple(report.verdicts), report.anchor, report.trust)


@dataclass(frozen=True, slots=True)
class EntryInLog:
    """The proof of entry `index` in the first `size` entries of a log."""

    proof: EntryProof
    index: int
    size: int


def prove_entry(archive: BundleArchive, packet_id: str, anchor: Path | None) -> EntryInLog:
    """The newest entry of a packet, with its proof under the archive's head or under an anchor's root.

    Args:
        packet_id: chain id/client/sequence of the sending end.
        anchor: the anchor's proof, which is read and not judged.

    Raises:
        UnusableInput: there is no such entry, or the anchor is unusable or over more entries than the archive has.
        ArchiveUnavailable: the archive cannot be read.
    """
    size, root = archive.head.size, archive.head.root
    if anchor is not None:
        try:
            anchored = decode_anchor(read_file(anchor, MAX_ANCHOR_BYTES)).anchor
        except MalformedInput as error:
            raise UnusableInput(f"{anchor}: {error}") from None
        if anchored.size > size:
            raise UnusableInput(f"{archive.location} has {size} entries, the anchor is over {anchored.size}")
        size, root = anchored.size, anchored.root
    kept = archive.newest.get(packet_id)
    index = None if kept is None else kept.index
    entry = None if index is None else archive.entry(index)
    while isinstance(entry, BundleEntry) and index is not None and index >= size:
        index = entry.supersedes
        entry = None if index is None else archive.entry(index)
    if index is None or not isinstance(entry, BundleEntry):
        raise UnusableInput(
            f"no entry of packet {packet_id[:160]} is among the first {size}; chains are named by their ids, as in `hutong archive export`"
        )
    return EntryInLog(EntryProof(entry, root, prove_leaf(archive.log.leaves[:size], index)), index, size)


def _address(text: str, option: str) -> bytes:
    if _ADDRESS.fullmatch(text) is None:
        raise UnusableInput(f"{option} is not an address: 0x and 40 digits of hex")
    return bytes.fromhex(text[2:])
