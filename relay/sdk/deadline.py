"""A deadline for all that a blocking exchange does on its socket: httpx bounds each read, so a server that sends a byte
a second could keep one waiting for ever.
"""

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx


class _Deadline(threading.local):
    at_s: float | None = None


_DEADLINE = _Deadline()
"""Of the exchange that this thread is in."""


@contextmanager
def within(limit_s: float) -> Iterator[None]:
    """Socket operations of this thread end in httpx's timeouts once `limit_s` seconds have passed.

    It binds connections of `transport` alone, and looking up a host's name is not interrupted. Inside another block the
    earlier of both ends counts.
    """
    before = _DEADLINE.at_s
    ends_s = time.monotonic() + limit_s
    _DEADLINE.at_s = ends_s if before is None else min(before, ends_s)
    try:
        yield
    finally:
        _DEADLINE.at_s = before


def _left(timeout: float | None, over: type[Exception]) -> float | None:
    if _DEADLINE.at_s is None:
        return timeout
    left_s = _DEADLINE.at_s - time.monotonic()
    if left_s <= 0:
        raise over("the deadline is over")
    return left_s if timeout is None else min(timeout, left_s)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left_s = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, left_s, local_address, socket_options))


def transport(tls: ssl.SSLContext | bool) -> httpx.HTTPTransport:
    """httpx's own transport over sockets that know the deadline of `within`. It relies on a private name of httpx."""
    made = httpx.HTTPTransport(verify=tls, trust_env=False)
    # httpx offers no public way to its sockets; it is pinned.
    made._pool._network_backend = _Backend()
    return made
