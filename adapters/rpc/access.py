"""What endpoints ask for before they answer: headers, a client certificate, a certificate authority of their own."""

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from hutong.adapters.interface.errors import AdapterError

MAX_HEADERS = 16
MAX_HEADER_VALUE_BYTES = 8 * 1024
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VALUE = re.compile(rb"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
OURS = frozenset(
    {"host", "content-type", "content-length", "transfer-encoding", "connection", "upgrade", "accept-encoding", "te"}
    | {"trailer", "expect", "sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol"}
)
"""Headers that frame a message: who could set them could make two requests of one."""
_REDACTED = b"[redacted]"
MIN_REDACTED_BYTES = 4
"""Shorter values stand in ordinary answers by chance."""


class AccessUnusable(AdapterError):
    """A header, certificate, key or authority that cannot be used. The message never holds what was in it."""


def check_header(name: str, value: bytes) -> None:
    """Check that a header can stand in a request and does not frame it.

    Raises:
        AccessUnusable: the name is not a token or is one of OURS, or the value has bytes other than visible ASCII and
            inner spaces, or more than MAX_HEADER_VALUE_BYTES.
    """
    if _NAME.fullmatch(name) is None:
        raise AccessUnusable("a header's name must be 1 to 64 characters of a token, such as x-api-key")
    if name.lower() in OURS:
        raise AccessUnusable(f"header {name.lower()} is set by the client itself")
    if len(value) > MAX_HEADER_VALUE_BYTES:
        raise AccessUnusable(f"the value of header {name} has more than {MAX_HEADER_VALUE_BYTES} bytes")
    if _VALUE.fullmatch(value) is None:
        raise AccessUnusable(f"the value of header {name} must be visible ASCII on one line")


@dataclass(frozen=True, slots=True)
class EndpointAccess:
    """For the endpoints of one host; `port` None means each of its ports. `tls` None means the system's authorities."""

    host: str
    port: int | None = None
    headers: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.headers) > MAX_HEADERS:
            raise AccessUnusable(f"{len(self.headers)} headers for {self.host}, at most {MAX_HEADERS} are sent")
        for name, value in self.headers:
            check_header(name, value)

    @property
    def wire_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The headers with their names in lower case, as they are sent. Values hold secrets: never log them."""
        return tuple((name.lower().encode(), value) for name, value in self.headers)


NOTHING = EndpointAccess("")


@dataclass(frozen=True, slots=True)
class AccessList:
    """What each host of a chain's endpoints asks for. A secret of one host is sent to no other."""

    entries: tuple[EndpointAccess, ...] = ()

    def of(self, host: str, port: int) -> EndpointAccess:
        """What to send to a host: the entry of that port, else that of the host, else NOTHING."""
        found = NOTHING
        for entry in self.entries:
            if entry.host == host.lower() and entry.port in (None, port):
                if entry.port is not None:
                    return entry
                found = entry
        return found


NO_ACCESS = AccessList()


def redacted(data: bytes, access: EndpointAccess) -> bytes:
    """What a server said, without the secrets that were sent to it.

    It may repeat them in an error, and errors are logged. Secrets shorter than MIN_REDACTED_BYTES stay.
    """
    for _, value in access.headers:
        for secret in {value, value.rpartition(b" ")[2]}:
            if len(secret) >= MIN_REDACTED_BYTES and secret in data:
                data = data.replace(secret, _REDACTED)
    return data


def tls_context(authority: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """TLS with these files. With an `authority` no other is trusted, not even the system's.

    Raises:
        AccessUnusable: a file cannot be read, is not PEM, or certificate and key do not belong together. An encrypted
            key is refused as well: it would ask for its password at the terminal.
    """
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ValueError) as error:
        raise AccessUnusable(f"{authority}: holds no certificate that can be trusted ({_reason(error)})") from None
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key, password=_no_password)
        except (OSError, ValueError) as error:
            raise AccessUnusable(
                f"{certificate} and {key or certificate}: not a certificate and its unencrypted key ({_reason(error)})"
            ) from None
    return context


def _no_password() -> str:
    return ""


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or type(error).__name__
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else type(error).__name__
