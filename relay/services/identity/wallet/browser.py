"""Where the browser comes back to after the code flow: a port on the loopback address, for one request (RFC 8252 §7.3)."""

import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any, Final, Self

from hutong.relay.services.identity.rules.wallet.authorisation import MAX_QUERY_CHARS
from hutong.relay.services.identity.wallet.errors import WalletUnusable

PATH: Final = "/callback"
_PAGE: Final = b"<!doctype html><meta charset=utf-8><title>hutong wallet</title><p>Go back to your wallet.\n"
_READ_S: Final = 5.0
"""For one request: a client that connects and says nothing does not keep the browser out."""


class RedirectListener:
    """Listens from the beginning of its `with` to the end; `redirect_uri` says where."""

    def __init__(self, port: int = 0) -> None:
        """`port` 0: any free one; some authorisation servers know the address to the letter.

        Raises:
            WalletUnusable: the port is taken.
        """
        self._queries: list[str] = []
        queries = self._queries

        class Handler(BaseHTTPRequestHandler):
            timeout = _READ_S

            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                found = path == PATH and 0 < len(query) <= MAX_QUERY_CHARS
                self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-length", str(len(_PAGE) if found else 0))
                self.end_headers()
                if found:
                    queries.append(query)
                    self.wfile.write(_PAGE)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
                """Nothing: the query has a code in it."""

        try:
            self._server = HTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise WalletUnusable(f"port {port} cannot be used: {error.strerror}") from None

    @property
    def redirect_uri(self) -> str:
        """The address to give to the authorisation server."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{PATH}"

    def wait(self, limit_s: float) -> str | None:
        """The query of the first request for the path, or None if none came in `limit_s` seconds."""
        deadline_s = time.monotonic() + limit_s
        while not self._queries and (left_s := deadline_s - time.monotonic()) > 0:
            self._server.timeout = left_s
            self._server.handle_request()
        return self._queries[0] if self._queries else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.server_close()
