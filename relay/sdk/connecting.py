"""What both clients need of httpx: where the server is, what every request carries, and what an answer is."""

import ssl
from dataclasses import dataclass, field
from importlib import metadata
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx

from hutong.relay.sdk.calls import Call
from hutong.relay.sdk.errors import AnswerTooLarge, HutongError, InvalidArgument, TooSlow, Unreachable
from hutong.relay.sdk.plan import Answer

DEFAULT_TIMEOUT_S = 20.0
"""Of one exchange; the server gives itself 10 s."""
MAX_PROBLEM_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Server:
    """An API. The key is in no `repr`; it goes over TLS, or to this host alone."""

    url: str
    timeout_s: float
    api_key: str | None = field(repr=False)

    @classmethod
    def of(cls, url: str, api_key: str | None, timeout_s: float) -> "Server":
        """The server that both clients talk to, after all that could give a key away is refused.

        Raises:
            InvalidArgument: not an HTTP URL, or one with a query, a user or a password; a key that is empty or not printable; a
                key that would go over plain HTTP to another host; or a timeout that is not above 0.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise InvalidArgument("url", 'must be like "https://relay.example"')
        if parts.username is not None or parts.password is not None:
            raise InvalidArgument("url", "must hold no password; the key is the argument api_key")
        if api_key is not None and not _may_be_key(api_key):
            raise InvalidArgument("api_key", "must be a key as `hutong api keys create` prints it")
        if api_key is not None and parts.scheme == "http" and not _is_this_host(parts.hostname):
            raise InvalidArgument("url", "must be https where a key is sent: anybody on the way could read it")
        if timeout_s <= 0:
            raise InvalidArgument("timeout_s", "must be more than 0")
        return cls(url.rstrip("/"), timeout_s, api_key)

    def options(self) -> dict[str, Any]:
        """The arguments of httpx's clients, which read nothing from the environment. They hold the key."""
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # so that the bound of an answer is that of what was sent
            "User-Agent": f"hutong-sdk/{metadata.version('hutong')}",
        }
        if self.api_key is not None:
            headers["Authorization"] = f"Bearer {self.api_key}"
        timeout = httpx.Timeout(self.timeout_s)
        return {"base_url": self.url, "headers": headers, "timeout": timeout, "trust_env": False}

    def limit_s(self, call: Call[Any]) -> float:
        """How many seconds one exchange may take: the client's timeout, or more if the call needs it."""
        return max(self.timeout_s, call.limit_s)


def request_of(call: Call[Any]) -> dict[str, Any]:
    """The arguments of httpx's `build_request` for a call, below the server's URL."""
    return {
        "method": call.method,
        "url": call.path,
        "params": dict(call.query) or None,
        "content": call.body,
        "headers": dict(call.headers),
    }


class Body:
    """An answer's body as it comes in, to its bound."""

    def __init__(self, call: Call[Any], response: httpx.Response) -> None:
        self._what = call.what
        self._max_bytes = call.max_bytes if response.is_success else MAX_PROBLEM_BYTES
        self._data = bytearray()

    def add(self, chunk: bytes) -> None:
        """Keep one more part of the body.

        Raises:
            AnswerTooLarge: it is longer than the call's bound, or than MAX_PROBLEM_BYTES if it is a refusal.
        """
        self._data += chunk
        if len(self._data) > self._max_bytes:
            raise AnswerTooLarge(self._what, self._max_bytes)

    def answer(self, response: httpx.Response) -> Answer:
        """The answer with the parts that were added, which the caller has read to the end."""
        return answer_of(response, bytes(self._data))


def answer_of(response: httpx.Response, body: bytes) -> Answer:
    """The answer with this body; of its headers only the media type and a `Retry-After` in whole seconds are kept."""
    retry_after = response.headers.get("retry-after", "")
    return Answer(
        response.status_code,
        response.headers.get("content-type", ""),
        float(retry_after) if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10 else None,
        body,
    )


def error_of(error: httpx.HTTPError | httpx.StreamError, what: str, limit_s: float) -> HutongError:
    """This client's error for one of httpx's; it is returned, and the caller raises it.

    Args:
        limit_s: for how long was waited, which TooSlow names.
    """
    if isinstance(error, httpx.TimeoutException):
        return TooSlow(what, limit_s)
    return Unreachable(_reason(error))


def _reason(error: BaseException) -> str:
    """The first words in the chain of causes: under trio a bad certificate is three errors deep, and the others say
    nothing.
    """
    one: BaseException | None = error
    for _ in range(8):
        if one is None or str(one):
            break
        one = one.__cause__ or one.__context__
    return "" if one is None else str(one)


def tls_of(server: Server, tls: ssl.SSLContext | None) -> ssl.SSLContext | bool:
    """What httpx verifies certificates with: the authorities of certifi, or the caller's context.

    A plain HTTP address gets an empty context, which is not used.
    """
    if tls is None and server.url.startswith("http:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # is not used, and reads no authorities, which costs 50 ms
    return True if tls is None else tls


def _may_be_key(text: str) -> bool:
    return text != "" and text.isascii() and text.isprintable() and text.strip() == text


def _is_this_host(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
