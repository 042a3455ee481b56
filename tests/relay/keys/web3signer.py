"""A signer that speaks Web3Signer's eth1 API, as its OpenAPI file says, and may be told to fail or to lie.

The program itself cannot be built from our registries. What it does is: hash the data with Keccak-256, sign, answer `0x` r ‖ s ‖ v
with v 27 or 28 as text; 404 for an identifier that it does not have, 400 for data that are not hex.
"""

import json
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from ssl import CERT_REQUIRED
from typing import Any

import trio

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.crypto.hashes import keccak256
from hutong.relay.base.http import read_body, respond
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.keys.sources.eth1_api import PUBLIC_KEYS_PATH, SIGN_PATH, UPCHECK_PATH, identifier_of

TEXT = b"text/plain; charset=utf-8"


@dataclass
class Web3Signer:
    """`lie` changes a signature of 65 bytes; `fails` is the status of the next answers, counted down; `stalls` waits first."""

    secrets: list[bytes]
    lie: Callable[[bytes], bytes] = lambda signature: signature
    fails: list[int] = field(default_factory=list)
    stalls: trio.Event | None = None
    signed: list[bytes] = field(default_factory=list)
    """What was asked to be signed, in order."""
    url: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = await read_body(receive, 2**22)
        if self.stalls is not None:
            await self.stalls.wait()
        if self.fails:
            await respond(send, self.fails.pop(0), b"no", TEXT)
            return
        status, answer, kind = self._answer(scope["method"], scope["path"], body or b"")
        await respond(send, status, answer, kind)

    def _answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes, bytes]:
        keys = {identifier_of(secp256k1.public_key_of(secret)): secret for secret in self.secrets}
        if (method, path) == ("GET", UPCHECK_PATH):
            return 200, b"OK", TEXT
        if (method, path) == ("GET", PUBLIC_KEYS_PATH):
            return 200, json.dumps(list(keys)).encode(), b"application/json"
        secret = keys.get(path.removeprefix(SIGN_PATH))
        if method != "POST" or secret is None:
            return 404, b"Public Key not found", TEXT
        try:
            data = bytes.fromhex(json.loads(body)["data"].removeprefix("0x"))
        except (ValueError, KeyError, TypeError, AttributeError):
            return 400, b"Bad request format", TEXT
        self.signed.append(data)
        signature = secp256k1.sign_recoverable(secret, keccak256(data))
        return 200, b"0x" + self.lie(signature[:64] + bytes([27 + signature[64]])).hex().encode(), TEXT


@asynccontextmanager
async def web3signer(
    *secrets: bytes, tls: tuple[Path, Path, Path] | None = None, port: int = 0
) -> AsyncIterator[Web3Signer]:
    """Serves until the block ends.

    Args:
        tls: certificate and key of the server, and the authority whose clients it takes.
    """
    app = Web3Signer(list(secrets))
    config = listen_config("127.0.0.1", port)
    if tls is not None:
        config.certfile, config.keyfile, config.ca_certs = (str(path) for path in tls)
        config.verify_mode = CERT_REQUIRED
    async with trio.open_nursery() as nursery:
        bound = await nursery.start(listen, app, config)
        app.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{bound}"
        yield app
        nursery.cancel_scope.cancel()


@contextmanager
def web3signer_in_a_thread(*secrets: bytes) -> Iterator[Web3Signer]:
    """For commands, which have a trio run of their own."""
    started: queue.Queue[tuple[Web3Signer, trio.lowlevel.TrioToken, trio.CancelScope]] = queue.Queue()

    async def serve() -> None:
        async with web3signer(*secrets) as app:
            with trio.CancelScope() as scope:
                started.put((app, trio.lowlevel.current_trio_token(), scope))
                await trio.sleep_forever()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    app, token, scope = started.get(timeout=30)
    try:
        yield app
    finally:
        trio.from_thread.run_sync(scope.cancel, trio_token=token)
        thread.join(timeout=30)
