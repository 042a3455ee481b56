"""The node's end: a unix socket at which the signer of its validator is waited for, and asked. Stock signers dial.

Sources: cometbft v0.38 privval/signer_listener_endpoint.go, signer_client.go; tmkms src/session.rs.
"""

import os
import socket
import stat
import threading
import time
from contextlib import suppress
from pathlib import Path

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.types import PublicKey
from hutong.relay.keys.privval.framing import READ_BYTES, FrameReader, frame
from hutong.relay.keys.privval.messages import (
    Answer,
    KeyAnswer,
    KeyRequest,
    Ping,
    Pong,
    RefusedKey,
    Request,
    parse_answer,
)

BACKLOG = 4
"""Signers that dial while one is connected wait here; a signer whose connection broke is among them."""
NOBODY = "no signer has connected"


class SignerAbsent(Exception):
    """No signer answers: one sentence without subject."""


class SocketUnusable(Exception):
    """The socket cannot be listened at: one sentence without subject."""


class SignerListener:
    """Blocking, for many threads: one exchange at a time. At most `limit_s` a call, the wait for a signer included.

    One signer is connected. It gives way to the next one that dials as soon as it does not answer, and an answer that
    comes too late is nobody's. Whoever may open the socket may be the signer: what it signs is the caller's to verify.
    """

    def __init__(self, path: Path, chain_id: str, key: PublicKey, limit_s: float) -> None:
        """Nothing is opened yet. A signer that shows another key than `key` is sent away."""
        self._path, self._chain_id, self._key, self._limit_s = path, chain_id, key, limit_s
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._signer: _Connection | None = None
        self._why = NOBODY

    def ask(self, request: Request) -> Answer:
        """What the signer answers; it is awaited, and a broken connection is replaced once by the next.

        Raises:
            SignerAbsent: nobody connected, or nobody answered, in time.
            SocketUnusable: the socket cannot be listened at.
        """
        deadline = time.monotonic() + self._limit_s
        with self._lock:
            while True:
                signer = self._connected(deadline)
                try:
                    return signer.exchange(request, self._chain_id, deadline)
                except (OSError, MalformedInput) as error:
                    self._drop(_reason(error))

    def wait(self) -> None:
        """Until a signer with the key is connected and answers.

        Raises:
            SignerAbsent, SocketUnusable: as `ask`.
        """
        if not isinstance(self.ask(Ping()), Pong):
            raise SignerAbsent("the signer does not answer a ping")

    def ping(self) -> None:
        """Keep an idle signer from giving up its connection (CometBFT's does after 5 s). One that is gone is let go.

        Raises:
            SignerAbsent, SocketUnusable: as `ask`, without waiting for a signer to dial.
        """
        with self._lock:
            signer = self._connected(time.monotonic())
            try:
                signer.exchange(Ping(), self._chain_id, time.monotonic() + self._limit_s)
            except (OSError, MalformedInput) as error:
                self._drop(_reason(error))

    def close(self) -> None:
        """Let go of signer and socket; a later call opens the socket again."""
        with self._lock:
            self._drop("closed")
            self._why = NOBODY
            if self._socket is not None:
                self._socket.close()
                self._socket = None
                with suppress(OSError):
                    self._path.unlink()

    def _connected(self, deadline: float) -> "_Connection":
        """The signer that is connected, or the next one to dial that has the key."""
        if self._socket is None:
            self._socket = _listening(self._path)
        while self._signer is None:
            self._socket.settimeout(max(0.0, deadline - time.monotonic()))
            try:
                accepted, _ = self._socket.accept()
            except (BlockingIOError, TimeoutError):
                raise SignerAbsent(self._why) from None
            except OSError as error:
                raise SocketUnusable(f"{self._path}: {error.strerror or error}") from None
            signer = _Connection(accepted)
            try:
                self._check(signer.exchange(KeyRequest(self._chain_id), self._chain_id, self._key_deadline(deadline)))
            except (OSError, MalformedInput) as error:
                signer.close()
                self._why = _reason(error)
                continue
            self._signer = signer
        return self._signer

    def _key_deadline(self, deadline: float) -> float:
        """A signer found by a call that does not wait still has time to say its key."""
        now = time.monotonic()
        return deadline if deadline > now else now + self._limit_s

    def _check(self, answer: Answer) -> None:
        if isinstance(answer, RefusedKey):
            raise MalformedInput("signer", f"it does not show its key: {answer.reason}")
        if not isinstance(answer, KeyAnswer):
            raise MalformedInput("signer", "it does not answer as a signer")
        if answer.public_key != self._key:
            raise MalformedInput("signer", f"it has the key {answer.public_key.data.hex()}, not the one that is pinned")

    def _drop(self, why: str) -> None:
        self._why = why
        if self._signer is not None:
            self._signer.close()
            self._signer = None


class _Connection:
    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._reader = FrameReader()

    def exchange(self, request: Request, chain_id: str, deadline: float) -> Answer:
        """Raises OSError and MalformedInput, after which the connection is of no more use."""
        if not self._reader.is_empty:
            raise MalformedInput("signer", "it says more than it was asked")
        self._stream.settimeout(_left_s(deadline))
        self._stream.sendall(frame(request))
        while (body := self._reader.next()) is None:
            self._stream.settimeout(_left_s(deadline))
            data = self._stream.recv(READ_BYTES)
            if not data:
                raise ConnectionResetError("it closed the connection")
            self._reader.feed(data)
        return parse_answer(body, chain_id)

    def close(self) -> None:
        self._stream.close()


def _listening(path: Path) -> socket.socket:
    """Only the owner of the file may connect. A dead socket's file is replaced, one that somebody listens at is not.

    Raises:
        SocketUnusable: it cannot be had.
    """
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_listened_at(path):
            raise SocketUnusable(f"{path}: another process listens there")
        with suppress(FileNotFoundError):
            if stat.S_ISSOCK(path.lstat().st_mode):
                path.unlink()
        found.bind(os.fspath(path))
        path.chmod(0o600)
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        raise SocketUnusable(f"{path}: {error.strerror or error}") from None
    except BaseException:
        found.close()
        raise
    return found


def _is_listened_at(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(path))
        except BlockingIOError:
            return True  # its backlog is full
        except OSError:
            return False
        return True


def _left_s(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, MalformedInput):
        return error.reason
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
