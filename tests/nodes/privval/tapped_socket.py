"""Between a signer and its node: everything is passed on, and what was asked and signed is kept."""

import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from hutong.light_clients.crypto import secp256k1
from hutong.relay.keys.documents import ConsensusProposal, ConsensusVote
from hutong.relay.keys.privval.framing import FrameReader
from hutong.relay.keys.privval.messages import (
    RefusedProposal,
    RefusedVote,
    SignedProposal,
    SignedVote,
    parse_answer,
)


@dataclass(frozen=True, slots=True)
class SignedOne:
    """A vote or proposal that a signer let out."""

    document: ConsensusVote | ConsensusProposal
    signature: bytes

    @property
    def place(self) -> tuple[int, int, int]:
        """Height, round, and what kind of message it is."""
        kind = self.document.message_type if isinstance(self.document, ConsensusVote) else 0
        return self.document.height, self.document.round, int(kind)


class TappedSocket:
    """Signers dial `path`; each is connected to the node that listens at `node` when it does."""

    def __init__(self, path: Path, node: Path, chain_id: str, *, holds: bool = False) -> None:
        """`holds`: a signer that dials before the node listens is kept, for priv_val_server never dials twice."""
        self._holds = holds
        self.path, self.node, self.chain_id = path, node, chain_id
        self.signed: list[SignedOne] = []
        self.refused: list[str] = []
        self.connections = 0
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen(8)
        self._closed = threading.Event()
        self._live: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        self._closed.set()
        for one in (self._listening, *self._live):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listening.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                signer, _ = self._listening.accept()
            except OSError:
                return
            self._start(self._connect, signer)

    def _connect(self, signer: socket.socket) -> None:
        node = self._reached()
        if node is None:
            signer.close()
            return
        self.connections += 1
        self._live |= {signer, node}
        answering = threading.Thread(target=_pump, args=(node, signer, lambda data: None), daemon=True)
        answering.start()
        reader = FrameReader()

        def keep(data: bytes) -> None:
            reader.feed(data)
            while (body := reader.next()) is not None:
                self._keep(body)

        _pump(signer, node, keep)
        answering.join()
        self._live -= {signer, node}
        signer.close()
        node.close()

    def _reached(self) -> socket.socket | None:
        while not self._closed.wait(0.05):
            node = socket.socket(socket.AF_UNIX)
            try:
                node.connect(str(self.node))
            except OSError:
                node.close()
                if not self._holds:
                    return None
                continue
            return node
        return None

    def _keep(self, body: bytes) -> None:
        match parse_answer(body, self.chain_id):
            case SignedVote(request, signature) | SignedProposal(request, signature):
                self.signed.append(SignedOne(request.document, signature))
            case RefusedVote(reason) | RefusedProposal(reason):
                self.refused.append(reason)


def _pump(source: socket.socket, target: socket.socket, keep: Callable[[bytes], None]) -> None:
    with suppress(OSError):
        while data := source.recv(4096):
            # Kept first: what was let out counts, whether it arrives or not.
            keep(data)
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def double_signs(signed: Iterable[SignedOne]) -> list[tuple[int, int, int]]:
    """Places at which two messages were signed that differ in more than their time."""
    found = defaultdict(set)
    for one in signed:
        found[one.place].add(replace(one.document, timestamp_ns=0))
    return sorted(place for place, documents in found.items() if len(documents) > 1)


def signed_twice(signed: Iterable[SignedOne]) -> list[tuple[int, int, int]]:
    """Places at which the same message was signed with two times: harmless, and not what a repeated signature is."""
    found = defaultdict(set)
    for one in signed:
        found[one.place].add(one.document.timestamp_ns)
    return sorted(place for place, times in found.items() if len(times) > 1)


def all_signed_by(signed: Iterable[SignedOne], public_key: bytes) -> bool:
    return all(secp256k1.verify_low_s(public_key, one.document.digest, one.signature) for one in signed)
