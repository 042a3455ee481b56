"""Members of a hub that nodes join: a recorded chain behind real sockets, served by the node's own methods, truly or not."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from hutong.relay.cli.hub.command import app
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.joining.snapshot_files import SnapshotFiles
from hutong.relay.hub.joining.sync_methods import SyncMethods
from hutong.relay.hub.rpc.cometbft_methods import CometBftMethods
from hutong.relay.hub.rpc.cometbft_parameters import Arguments, RpcError
from tests.relay.hub.application.governance.validator_run import POOL, ValidatorRun
from tests.relay.hub.joining.snapshot_chain import maker_of

SNAPSHOT_HEIGHT = 40
TRUSTED_HEIGHT = 55
HEIGHT = 70
Tamper = Callable[[str, dict[str, Any], Any], Any]
"""(method, params, honest result) -> what is answered; an exception drops the connection."""


@cache
def chain() -> ValidatorRun:
    """70 blocks of four to nine validators that change, miss votes and vote nil; the last 40 are a minute old. Read only."""
    run = ValidatorRun(seed=5, changes=0.2)
    for height in run.run(HEIGHT):
        if height == HEIGHT - 40:
            run.hub.time_s = int(time.time()) - 100
    assert run.joined >= 2
    assert run.missed_votes >= 20
    return run


def block_hash(height: int) -> bytes:
    stored = chain().hub.ledger.records.block(height)
    assert stored is not None
    return stored.block_id.hash


@contextmanager
def member(files: SnapshotFiles | None, tamper: Tamper | None = None, ledger: HubLedger | None = None) -> Iterator[str]:
    """URL of a member, which serves `ledger` (the chain's) and the snapshots of `files`."""
    served = chain().hub.ledger if ledger is None else ledger
    table = CometBftMethods(served, POOL[0].public_key, SyncMethods(served.records, files).table).table

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            method, params = request["method"], request["params"]
            try:
                answer = {"result": table[method][1](Arguments(params, from_uri=False))}
            except RpcError as error:
                answer = {"error": error.as_json()}
            if tamper is not None and "result" in answer:
                answer["result"] = tamper(method, params, answer["result"])
            body = answer["result"] if isinstance(answer.get("result"), bytes) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def snapshots(directory: Path, *heights: int) -> SnapshotFiles:
    files = SnapshotFiles(directory)
    for height in heights:
        files.write(height, maker_of(chain().hub, height))
    return files


class JoiningStore(MemoryStore):
    """Outlives its node, as a disk does; may fail at a chosen write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes_left = 10**9
        self.writes = 0

    def batch(self):
        if self.writes_left == 0:
            raise Crash
        self.writes_left -= 1
        self.writes += 1
        return super().batch()

    def clear(self) -> None:
        with self.batch() as batch:
            for key, _ in list(self.items()):
                batch.delete(key)

    def close(self) -> None:
        pass


class Crash(Exception):
    pass


def lie(method, change):
    """Tamper with one method's results."""

    def tamper(called, params, result):
        return change(params, result) if called == method else result

    return tamper


def unb64(text: str) -> bytes:
    return base64.b64decode(text)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def trust(height=TRUSTED_HEIGHT, hashed=None):
    hashed = block_hash(height) if hashed is None else hashed
    return ("--trust-height", str(height), "--trust-hash", hashed.hex())


def run_join(home, genesis, *urls, options=()):
    sources = [argument for url in urls for argument in ("--from", url)]
    done = CliRunner().invoke(app, ["join", "--home", str(home), "--genesis", str(genesis), *sources, *options])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def tip_of(home):
    store = LmdbStore(home / "data")
    try:
        ledger = HubLedger(store, chain().hub.genesis)
        return ledger.tip, ledger.application.blocks.restored()
    finally:
        store.close()
