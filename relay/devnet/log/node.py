"""A development log as a running node: checkpoint, tiles and entries over HTTP, and a door to append."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from hutong.light_clients.tlog.tiles import TILE_WIDTH, Tile
from hutong.light_clients.tlog.types import MAX_ENTRY_BYTES
from hutong.relay.base.http import JSON, BodyTooLarge, read_body, respond
from hutong.relay.devnet.log.home import LogFull, LogSettings, SignedLog, open_log
from hutong.relay.devnet.node import innermost
from hutong.relay.devnet.settings import DevnetError
from hutong.relay.evm.listener import listen, listen_config

DEFAULT_HEARTBEAT_S = 60.0
"""How long a checkpoint waits to be cosigned anew where nothing is appended."""
MAX_WAITING = 1_024
"""Entries that wait for the next checkpoint."""
MAX_BATCH = 256
BODY_DEADLINE_S = 10.0
TEXT, BYTES = b"text/plain; charset=utf-8", b"application/octet-stream"
FOR_EVER = ((b"cache-control", b"public, max-age=604800, immutable"),)
FOR_NOW = ((b"cache-control", b"no-cache"),)
_TILE = re.compile(
    r"/tile/(?P<level>entries|[0-7])/(?P<index>(?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(slots=True, eq=False)
class _Waiting:
    """An entry, and who waits for its index."""

    entry: bytes
    done: trio.Event = field(default_factory=trio.Event)
    index: int | None = None
    refusal: str = ""


class LogWriter:
    """The one task that appends: what waits goes under one checkpoint."""

    def __init__(self, log: SignedLog, heartbeat_s: float) -> None:
        self.log = log
        self._heartbeat_s = heartbeat_s
        self._send, self._receive = trio.open_memory_channel[_Waiting](MAX_WAITING)

    async def append(self, entry: bytes) -> int:
        """The index of the entry, once a checkpoint with all cosignatures covers it.

        Raises:
            DevnetError: too many wait, or the log is full.
        """
        waiting = _Waiting(entry)
        try:
            self._send.send_nowait(waiting)
        except trio.WouldBlock:
            raise DevnetError(f"{MAX_WAITING} entries wait already; try again") from None
        await waiting.done.wait()
        if waiting.index is None:
            raise DevnetError(waiting.refusal)
        return waiting.index

    async def run(self) -> None:
        """Append until cancelled, and let the checkpoint be cosigned anew where nothing comes."""
        while True:
            batch: list[_Waiting] = []
            with trio.move_on_after(self._heartbeat_s):
                batch.append(await self._receive.receive())
            while batch and len(batch) < MAX_BATCH:
                try:
                    batch.append(self._receive.receive_nowait())
                except trio.WouldBlock:
                    break
            await trio.to_thread.run_sync(self._write, batch)
            for waiting in batch:
                waiting.done.set()

    def _write(self, batch: list[_Waiting]) -> None:
        if not batch:
            self.log.sign()
            return
        try:
            first = self.log.append([waiting.entry for waiting in batch])
        except LogFull as error:
            for waiting in batch:
                waiting.refusal = str(error)
            return
        for at, waiting in enumerate(batch):
            waiting.index = first + at


class LogApp:
    """An ASGI application: C2SP tlog-tiles, `/trusted.json`, and `POST /append` and `/publish`."""

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer
        self._log = writer.log

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] == "POST":
            status, document = await self._posted(scope["path"], dict(scope["headers"]), receive)
            await respond(send, status, json.dumps(document).encode())
        elif scope["method"] == "GET":
            await self._got(scope["path"], send)
        else:
            await respond(send, 405, json.dumps({"error": "GET and POST alone"}).encode())

    async def _got(self, path: str, send: Any) -> None:
        if path == "/checkpoint":
            await respond(send, 200, self._log.checkpoint, TEXT, FOR_NOW)
        elif path == "/trusted.json":
            await respond(send, 200, self._log.document(), JSON, FOR_NOW)
        elif (data := self._tile(path)) is not None:
            await respond(send, 200, data, BYTES, FOR_EVER)
        else:
            await respond(send, 404, json.dumps({"error": "the log has no such tile"}).encode())

    def _tile(self, path: str) -> bytes | None:
        match = _TILE.fullmatch(path)
        if match is None:
            return None
        index = int(match["index"].replace("x", "").replace("/", ""))
        width = int(match["width"] or TILE_WIDTH)
        if width > TILE_WIDTH or (width == TILE_WIDTH and match["width"]):
            return None
        if match["level"] == "entries":
            return self._log.tree.bundle(index, width)
        return self._log.tree.tile(Tile(int(match["level"]), index, width))

    async def _posted(self, path: str, headers: dict[bytes, bytes], receive: Any) -> tuple[int, dict[str, Any]]:
        wanted = {"/append": BYTES, "/publish": JSON}.get(path)
        if wanted is None:
            return 404, {"error": "POST to /append or /publish"}
        # A page in somebody's browser cannot send this type without being allowed to.
        if headers.get(b"content-type") != wanted:
            return 415, {"error": f"content-type must be {wanted.decode()}"}
        try:
            with trio.fail_after(BODY_DEADLINE_S):
                body = await read_body(receive, MAX_ENTRY_BYTES)
        except BodyTooLarge:
            return 413, {"error": f"at most {MAX_ENTRY_BYTES} bytes"}
        except trio.TooSlowError:
            return 408, {"error": f"no body within {BODY_DEADLINE_S:.0f} s"}
        if not body:
            return 400, {"error": "an entry is not empty"}
        try:
            entry = body if path == "/append" else self._message(body)
        except (ValueError, KeyError, TypeError):
            return 400, {"error": "publish takes key (1 to 1024 bytes) and value (32 bytes) in hex"}
        try:
            return 200, {"index": await self._writer.append(entry)}
        except DevnetError as error:
            return 503, {"error": str(error)}

    def _message(self, body: bytes) -> bytes:
        document = json.loads(body)
        key, value = bytes.fromhex(document["key"]), bytes.fromhex(document["value"])
        if not 0 < len(key) <= 1_024:
            raise ValueError("key")
        return self._log.message(key, value)


@dataclass(frozen=True, slots=True)
class LogNode:
    """A node that is serving."""

    log: SignedLog
    writer: LogWriter
    port: int
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """The prefix of C2SP tlog-tiles."""
        return f"http://{self.host}:{self.port}"


async def serve_log(
    log: SignedLog,
    host: str = "127.0.0.1",
    port: int = 0,
    heartbeat_s: float = DEFAULT_HEARTBEAT_S,
    *,
    task_status: trio.TaskStatus[LogNode] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve and append until cancelled; started when it answers.

    Args:
        port: 0 lets the system choose.

    Raises:
        DevnetError: the address cannot be used; maybe inside an exception group.
        OSError: the disk refuses an entry; likewise.
    """
    writer = LogWriter(log, heartbeat_s)
    refusal: BaseException | None = None
    async with trio.open_nursery() as nursery:
        try:
            bound = await nursery.start(listen, LogApp(writer), listen_config(host, port))
        except* OSError as errors:
            refusal = innermost(errors)
        if refusal is not None:
            raise DevnetError(f"cannot listen on {host}:{port}: {refusal}")
        nursery.start_soon(writer.run)
        task_status.started(LogNode(log, writer, bound, host))


@asynccontextmanager
async def running_log(
    settings: LogSettings | None = None, *, home: Path | None = None, heartbeat_s: float = DEFAULT_HEARTBEAT_S
) -> AsyncIterator[LogNode]:
    """A node inside the caller's trio run, for tests and tools; it ends with the block.

    Raises:
        DevnetError: the home is in use, holds another log, or the address cannot be used; maybe in an exception group.
    """
    with open_log(home, settings or LogSettings()) as log:
        async with trio.open_nursery() as nursery:
            yield await nursery.start(serve_log, log, "127.0.0.1", 0, heartbeat_s)
            nursery.cancel_scope.cancel()
