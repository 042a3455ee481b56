"""An HTTP server over real sockets that answers what a test wrote, byte for byte, also what no honest server would."""

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress

PROBLEM = "application/problem+json"


def answer(status=200, body=b"", media_type="application/json", **headers):
    """Bytes of a whole answer; the connection ends after it."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": media_type, "content-length": len(body), "connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value is not None)
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + body


def problem(code, status, detail="as the test wants it", field=None, **headers):
    document = {"type": f"urn:hutong:problem:{code}", "title": "t", "status": status, "detail": detail, "code": code}
    return answer(status, document | ({} if field is None else {"field": field}), PROBLEM, **headers)


def stream(*parts):
    """An event stream of those parts; what an endless iterator gives is sent for as long as somebody reads."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    yield head
    for part in parts:
        yield from (part,) if isinstance(part, bytes) else part


def event(name, data, identity=None):
    head = b"" if identity is None else f"id: {identity}\n".encode()
    return head + f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


class Scripted:
    """`script` is a function of the request's text that gives bytes, or an iterable of parts. `requests` is what was asked."""

    def __init__(self, script):
        self.requests = []
        self._script = script
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while not self._closing:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection, suppress(OSError):
            connection.settimeout(5)
            text = b""
            while b"\r\n\r\n" not in text:
                more = connection.recv(65_536)
                if not more:
                    return
                text += more
            head, _, body = text.partition(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                ),
                0,
            )
            while len(body) < length:
                body += connection.recv(65_536)
            request = (head + b"\r\n\r\n" + body).decode()
            self.requests.append(request)
            said = self._script(request)
            for part in (said,) if isinstance(said, bytes) else said:
                if self._closing:
                    return
                connection.sendall(part)

    def close(self):
        self._closing = True
        self._socket.close()


@contextmanager
def scripted(script):
    server = Scripted(script)
    try:
        yield server
    finally:
        server.close()


def in_order(*answers):
    """A script that gives each answer once, in turn, and the last one for ever."""
    left = list(answers)

    def script(_request):
        said = left.pop(0) if len(left) > 1 else left[0]
        return said() if callable(said) else said

    return script


def endless(part, pause_s=0.0):
    """The same bytes again and again."""
    while True:
        yield part
        time.sleep(pause_s)
