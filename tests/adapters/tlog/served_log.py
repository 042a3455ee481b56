"""A simulated log over a real socket, as C2SP tlog-tiles serves it, whose answers a test may exchange."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import trio

from hutong.adapters.rpc import RpcOptions
from hutong.adapters.tlog import LogSettings, LogSource, open_log_source
from hutong.light_clients.tlog import LogTrust
from hutong.light_clients.tlog.tiles import TILE_WIDTH, Tile
from hutong.relay.base.http import respond
from hutong.relay.devnet.log.node import _TILE as TILE_PATH
from hutong.relay.devnet.log.tree import LogTree
from hutong.relay.evm.listener import listen, listen_config
from tests.light_clients.tlog.simulated_log import LOG, ORIGIN, PUBLISHER, QUORUM, WITNESSES, SimulatedLog

TRUST = LogTrust(ORIGIN, LOG.key, tuple(witness.key for witness in WITNESSES), QUORUM, PUBLISHER.key.public_key)
QUICK = RpcOptions(attempt_timeout_s=5, rounds=1, backoff_first_s=0.01, backoff_most_s=0.02, max_concurrency=4)


class ServedLog:
    """`instead` holds answers by path; `log` may be another one at any time."""

    def __init__(self, log: SimulatedLog) -> None:
        self.log = log
        self.note: bytes | None = None
        self.instead: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        self.asked.append(path)
        status, body = self.answer(path)
        await respond(send, status, body, b"application/octet-stream")

    def answer(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        return self.instead.get(path) or self._of_the_log(path)

    def _of_the_log(self, path: str) -> tuple[int, bytes]:
        if path == "/checkpoint":
            return 200, self.log.note(self.log.size) if self.note is None else self.note
        match = TILE_PATH.fullmatch(path)
        if match is None:
            return 404, b"no such file"
        tree = LogTree(self.log.entries)
        index = int(match["index"].replace("x", "").replace("/", ""))
        width = int(match["width"] or TILE_WIDTH)
        if match["level"] == "entries":
            data = tree.bundle(index, width)
        else:
            data = tree.tile(Tile(int(match["level"]), index, width))
        return (404, b"no such tile") if data is None else (200, data)


@asynccontextmanager
async def served(*logs: ServedLog, trust: LogTrust = TRUST) -> AsyncIterator[LogSource]:
    """The adapter over one endpoint a log."""
    async with trio.open_nursery() as nursery:
        ports = [await nursery.start(listen, log, listen_config("127.0.0.1", 0)) for log in logs]
        urls = tuple(f"http://127.0.0.1:{port}" for port in ports)
        async with open_log_source(LogSettings("registry", urls, trust, 0.02, QUICK), Random(1)) as source:
            with trio.fail_after(60):
                yield source
        nursery.cancel_scope.cancel()
