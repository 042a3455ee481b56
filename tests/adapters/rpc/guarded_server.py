"""A JSON-RPC and WebSocket server over TLS that wants a client certificate and a header, with the files for both sides."""

import json
import ssl
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import trio
from trio_websocket import ConnectionClosed, serve_websocket

TOKEN = "s3cret-t0ken-of-alpha"
HEAD = json.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": {"subscription": "0x1", "result": {}}})


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=60)


def authority(folder: Path, name: str) -> Path:
    """A new certificate authority: NAME.pem and NAME.key."""
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2,
        "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-subj", f"/CN={name}",
    )  # fmt: skip
    return folder / f"{name}.pem"


def signed_by(ca: Path, name: str) -> tuple[Path, Path]:
    """(certificate, key) of a host or client, for 127.0.0.1; the key has mode 0600."""
    folder = ca.parent
    certificate, key, request = (folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
    openssl(
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-keyout", key, "-out", request, "-subj", f"/CN={name}",
    )  # fmt: skip
    extension = folder / f"{name}.ext"
    extension.write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(
        "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca.with_suffix(".key"), "-CAcreateserial", "-days", 2,
        "-out", certificate, "-extfile", extension,
    )  # fmt: skip
    key.chmod(0o600)
    return certificate, key


@dataclass
class Guarded:
    """What the server saw. With `parrot` it repeats the token in a JSON-RPC error."""

    port: int = 0
    parrot: bool = False
    served: list[dict] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/rpc"

    def answer(self, head: bytes, body: bytes) -> bytes:
        request = json.loads(body)
        if f"authorization: Bearer {TOKEN}".encode() not in head.split(b"\r\n"):
            self.refused.append("no token")
            return b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 4\r\n\r\nnope"
        self.served.append(request)
        answer: dict = {"jsonrpc": "2.0", "id": request["id"], "result": "0x10"}
        if self.parrot:
            answer = {"jsonrpc": "2.0", "id": request["id"], "error": {"code": 3, "message": f"bad Bearer {TOKEN}"}}
        data = json.dumps(answer).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(data), data)


def server_context(server: tuple[Path, Path], clients: Path) -> ssl.SSLContext:
    """Serves with that certificate, and demands one that the other authority signed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=clients)
    context.load_cert_chain(*server)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@asynccontextmanager
async def guarded_server(context: ssl.SSLContext):
    guarded = Guarded()

    async def serve(stream: trio.SSLStream) -> None:
        try:
            async with stream:
                buffer = b""
                while True:
                    while b"\r\n\r\n" not in buffer:
                        chunk = await stream.receive_some(65536)
                        if not chunk:
                            return
                        buffer += chunk
                    head, _, buffer = buffer.partition(b"\r\n\r\n")
                    length = next(
                        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")
                    )
                    while len(buffer) < length:
                        buffer += await stream.receive_some(65536)
                    await stream.send_all(guarded.answer(head, buffer[:length]))
                    buffer = buffer[length:]
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            guarded.refused.append(str(error.__cause__ or error))

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(
            partial(trio.serve_ssl_over_tcp, serve, 0, context, host="127.0.0.1", https_compatible=True)
        )
        guarded.port = listener.transport_listener.socket.getsockname()[1]
        yield guarded
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def guarded_websocket(context: ssl.SSLContext):
    """Yields (URL, an event: someone was refused): announces heads to who brings the token, answers 403 to others."""
    refused = trio.Event()

    async def handle(request) -> None:
        if ("authorization", f"Bearer {TOKEN}") not in [(n.decode(), v.decode()) for n, v in request.headers]:
            refused.set()
            await request.reject(403)
            return
        connection = await request.accept()
        try:
            await connection.get_message()
            while True:
                await connection.send_message(HEAD)
                await trio.sleep(0.02)
        except ConnectionClosed:
            pass

    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, handle, "127.0.0.1", 0, context)
        yield f"wss://127.0.0.1:{server.port}/ws", refused
        nursery.cancel_scope.cancel()
