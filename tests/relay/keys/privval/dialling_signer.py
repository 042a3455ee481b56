"""A signer that dials a node's socket and signs whatever it is asked, as one that lost its record would; it can be told to lie."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.types import KeyType, PublicKey
from hutong.relay.keys.privval.framing import FrameReader, frame
from hutong.relay.keys.privval.messages import (
    Answer,
    KeyAnswer,
    KeyRequest,
    Ping,
    Pong,
    ProposalRequest,
    Request,
    SignedProposal,
    SignedVote,
    VoteRequest,
    parse_request,
)


class DiallingSigner:
    """Dials again and again until closed. `lie` may exchange an answer; `asked` holds every request."""

    def __init__(self, path: Path, secret: bytes) -> None:
        self.path, self.secret = path, secret
        self.public_key = PublicKey(KeyType.SECP256K1, secp256k1.public_key_of(secret))
        self.asked: list[Request] = []
        self.lie: Callable[[Request, Answer], Answer | bytes | None] = lambda request, answer: answer
        self.connections = 0
        self._end = threading.Event()
        self._stream: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def hang_up(self) -> None:
        """Break the connection, if there is one; the signer dials again."""
        if self._stream is not None:
            with suppress(OSError):
                self._stream.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._end.set()
        self.hang_up()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._end.wait(0.01):
            with socket.socket(socket.AF_UNIX) as stream, suppress(OSError, MalformedInput):
                stream.connect(str(self.path))
                self._stream = stream
                self.connections += 1
                self._serve(stream)

    def _serve(self, stream: socket.socket) -> None:
        reader = FrameReader()
        while not self._end.is_set():
            while (body := reader.next()) is None:
                data = stream.recv(4096)
                if not data:
                    return
                reader.feed(data)
            request = parse_request(body)
            self.asked.append(request)
            answer = self.lie(request, self.answer(request))
            if answer is None:
                continue
            stream.sendall(answer if isinstance(answer, bytes) else frame(answer))

    def answer(self, request: Request) -> Answer:
        match request:
            case Ping():
                return Pong()
            case KeyRequest():
                return KeyAnswer(self.public_key)
            case VoteRequest():
                return SignedVote(request, self.sign(request.document.digest))
            case ProposalRequest():
                return SignedProposal(request, self.sign(request.document.digest))

    def sign(self, digest: bytes) -> bytes:
        return secp256k1.sign(self.secret, digest)
