"""Between a command and its node: what the command signed is held until the test has looked at its memory."""

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HELD = b"eth_sendRawTransaction"


@dataclass
class Held:
    """`sent` is set once something signed has come; it goes on when `go` is set."""

    url: str = ""
    sent: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)


@contextmanager
def holding_node(node: str) -> Iterator[Held]:
    """A port that passes requests on to `node`."""
    held = Held()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if HELD in body:
                held.sent.set()
                held.go.wait()
            request = urllib.request.Request(node, body, {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                said = answer.read()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        held.go.set()
        server.shutdown()
        thread.join(10)
        server.server_close()
