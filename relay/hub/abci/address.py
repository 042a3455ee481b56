"""Where the application listens for CometBFT, in CometBFT's own notation: `unix:///path` or `tcp://127.0.0.1:port`."""

import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import trio

MAX_SOCKET_PATH_BYTES = 107
"""Linux takes no longer path of a unix socket (unix(7))."""


class UnusableAddress(Exception):
    """One sentence."""


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """A unix socket's path, or a loopback address: whoever reaches the socket drives the application."""

    path: Path | None
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        if self.path is not None:
            return f"unix://{self.path}"
        return f"tcp://[{self.host}]:{self.port}" if ":" in self.host else f"tcp://{self.host}:{self.port}"


def socket_address(path: Path) -> ListenAddress:
    """A unix socket at this path, made absolute.

    Raises:
        UnusableAddress: the path has more than MAX_SOCKET_PATH_BYTES bytes, or is not Unicode, in which CometBFT's
            configuration names it.
    """
    absolute = path.absolute()
    if any("\udc80" <= character <= "\udcff" for character in str(absolute)):
        raise UnusableAddress(f"{os.fsencode(absolute)!r}: the path of a socket must be UTF-8; choose another home")
    if len(os.fsencode(absolute)) > MAX_SOCKET_PATH_BYTES:
        raise UnusableAddress(
            f"{absolute}: the path of a socket has at most {MAX_SOCKET_PATH_BYTES} bytes; choose a shorter home"
        )
    return ListenAddress(absolute)


def parse_address(text: str) -> ListenAddress:
    """`unix:///path` or `tcp://host:port` with a loopback host; nothing is resolved but `localhost`.

    Raises:
        UnusableAddress: it is of another form, or not loopback: whoever connects drives the application.
    """
    if text.startswith("unix://") and len(text) > len("unix://"):
        return socket_address(Path(text.removeprefix("unix://")))
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UnusableAddress(f"{text[:100]}: {error}") from error
    if parts.scheme != "tcp" or port is None or parts.path not in ("", "/"):
        raise UnusableAddress(f"{text[:100]}: give unix:///path or tcp://127.0.0.1:port")
    try:
        loopback = ip_address("127.0.0.1" if host == "localhost" else host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise UnusableAddress(
            f"{text[:100]}: the address must be loopback: anyone who connects to it drives the hub's application"
        )
    return ListenAddress(None, host, port)


def check_rpc_url(text: str) -> str:
    """The base URL of CometBFT's RPC without a slash at its end; nothing is asked of it.

    Raises:
        UnusableAddress: it is no http or https URL with a host.
    """
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 80) > 0
    except ValueError:
        usable = False
    if not usable:
        raise UnusableAddress(f"{text[:100]}: give the URL of CometBFT's RPC, such as http://127.0.0.1:26657")
    return text.rstrip("/")


def listen_at(address: ListenAddress) -> tuple[trio.SocketListener, ListenAddress]:
    """A listening socket and its address with the port that was bound. A dead socket file is replaced.

    The socket file can be used by its owner alone.

    Raises:
        OSError: it cannot be bound.
    """
    if address.path is None:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        target: tuple[str, int] | str = (address.host, address.port)
    else:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with suppress(FileNotFoundError):
            if stat.S_ISSOCK(address.path.lstat().st_mode):
                address.path.unlink()
        target = os.fspath(address.path)
    previous = os.umask(0o177)
    try:
        sock.bind(target)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(previous)
    sock.listen(16)
    if address.path is None:
        address = ListenAddress(None, address.host, sock.getsockname()[1])
    return trio.SocketListener(trio.socket.from_stdlib_socket(sock)), address
