"""Before every router: bounds, deadlines, keys, rate limits, CORS, headers of security, and answers from the cache.

Plain ASGI, for whatever is refused here has cost next to nothing.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_network
from traceback import extract_tb
from typing import Any, Protocol

import anyio

from hutong.relay.base.http import BodyTooLarge, Receive, Send, read_body
from hutong.relay.telemetry import get_logger
from hutong.relay.web.api_keys import ApiKey, KeyRing, KeysUnusable
from hutong.relay.web.problems import ApiProblem, Code
from hutong.relay.web.rate_limit import RateLimit, client_of, parse_address
from hutong.relay.web.request_heads import Incoming, RequestHead

MAX_TARGET_BYTES = 4 * 1024
MAX_HEADER_BYTES = 16 * 1024
MAX_HEADERS = 100
MAX_FORWARDED = 32
"""Addresses of X-Forwarded-For that are looked at."""
REQUEST_LIMIT_S = 10.0

_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")
"""Methods whose body means nothing here: it is let in and dropped."""
_EXPOSED = b"ETag, Retry-After, Content-Disposition"

Scope = dict[str, Any]
App = Callable[[Any, Receive, Send], Awaitable[None]]


class KeptAnswer(Protocol):
    """A 200 as it is sent, from a cache."""

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """All of it."""

    @property
    def body(self) -> bytes:
        """Whole."""

    @property
    def etag(self) -> bytes:
        """Its strong validator, in quotes."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may ask this server, how often, and from which pages."""

    keys: KeyRing
    rate_limit: RateLimit
    rate_limit_per_s: int
    cors_origins: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    has_tls: bool


@dataclass(frozen=True, slots=True)
class Manners:
    """What differs from server to server; each is asked with a request's scope."""

    log: str
    """Name of the log."""
    policy_of: Callable[[str], bytes]
    """Content-Security-Policy of a path."""
    cost_of: Callable[[Scope, bool], int]
    """What a request costs its client, in plain requests; True where it has a Last-Event-ID."""
    limit_s: Callable[[Scope], float | None]
    """Seconds for a request; None for REQUEST_LIMIT_S."""
    takes_key: Callable[[Scope], bool]
    """Whether `Authorization` is a key of this server; else the router judges it."""
    body_types: Callable[[Scope], tuple[bytes, ...]]
    """Media types that a body may have, lower case."""
    max_body_bytes: int
    kept: Callable[[Scope], KeptAnswer | None]
    """From the server's cache."""
    preflight: tuple[tuple[bytes, bytes], ...]
    """Headers of an answer to a preflight of an allowed origin."""


class Front:
    """ASGI around `app`."""

    def __init__(self, app: App, guard: Guard, manners: Manners) -> None:
        self._app = app
        self._guard = guard
        self._manners = manners
        self._origins = frozenset(origin.encode() for origin in guard.cors_origins)
        self._proxies = tuple(map(ip_network, guard.trusted_proxies))
        self._common = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"x-frame-options", b"DENY"),
        ]
        if self._origins:
            self._common.append((b"vary", b"Origin"))
        if guard.has_tls:
            self._common.append((b"strict-transport-security", b"max-age=31536000"))
        self._log = get_logger(manners.log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = RequestHead(scope["headers"])
        policy = [*self._common, (b"content-security-policy", self._manners.policy_of(scope["path"]))]
        allowed = self._cors(headers.origin)
        extra = policy if allowed is None else [*policy, *allowed]
        is_head = scope["method"] == "HEAD"
        incoming = Incoming(receive)
        try:
            self._check_size(scope, headers)
            if scope["method"] in _WITHOUT_BODY and headers.announces_body:
                await incoming.drop()
            if scope["method"] == "OPTIONS" and headers.preflight:
                self._take(scope, headers, None)
                await _send_whole(
                    send, 204, extra if allowed is None else [*extra, *self._manners.preflight], b"", is_head=False
                )
                return
            key = self._key(scope, headers)
            self._take(scope, headers, key)
            if scope["method"] in ("GET", "HEAD"):
                answer = self._manners.kept(scope) if headers.range is None else None
                if answer is not None:
                    if headers.if_none_match == answer.etag:
                        await _send_whole(send, 304, [*extra, (b"etag", answer.etag)], b"", is_head=True)
                    else:
                        await _send_whole(send, 200, [*extra, *answer.headers], answer.body, is_head=is_head)
                    return
        except ApiProblem as problem:
            await incoming.drop()
            await _send_problem(send, problem, extra, is_head=is_head)
            return
        scope = {**scope, "hutong.key": key, "hutong.client": self._stranger(scope, headers, key)}
        if is_head:
            scope["method"] = "GET"
        await self._guarded(scope, incoming, send, extra, is_head=is_head)

    async def _guarded(
        self, scope: Scope, incoming: Incoming, send: Send, extra: list[tuple[bytes, bytes]], *, is_head: bool
    ) -> None:
        """Run the application within its time; whatever it raises ends as a problem, or as a broken connection."""
        started = False
        receive = _replayed(b"", incoming) if incoming.ended else incoming

        async def tell(message: Any) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": [*message["headers"], *extra]}
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        said_s = self._manners.limit_s({**scope, "method": "HEAD"} if is_head else scope)
        limit_s = REQUEST_LIMIT_S if said_s is None else said_s
        problem: ApiProblem | None = None
        with anyio.move_on_after(limit_s) as deadline:
            try:
                if scope["method"] not in _WITHOUT_BODY:
                    body = await read_body(incoming, self._manners.max_body_bytes)
                    if body is None:
                        return
                    taken = self._manners.body_types(scope)
                    if body and _media_type(scope["headers"]) not in taken:
                        said = b" or ".join(taken).decode()
                        raise ApiProblem(Code.UNSUPPORTED_MEDIA_TYPE, f"send the body as {said}")
                    receive = _replayed(body, incoming)
                await self._app(scope, receive, tell)
            except BodyTooLarge:
                problem = ApiProblem(Code.TOO_LARGE, f"the body has more than {self._manners.max_body_bytes} bytes")
            except ApiProblem as refusal:
                problem = refusal
            except Exception as error:
                # Neither the target nor a header is logged: both may hold what is secret.
                self._log.exception(
                    "a request failed", method=scope["method"], route=_route_of(scope), error=_named(error)
                )
                problem = ApiProblem(Code.INTERNAL_ERROR, "the server failed at this request; its log says why")
        if deadline.cancelled_caught and problem is None:
            problem = ApiProblem(Code.DEADLINE_EXCEEDED, f"the request took more than {limit_s:g} s; try again later")
        if problem is not None and not started:
            await incoming.drop()
            await _send_problem(send, problem, extra, is_head=is_head)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = RequestHead(scope["headers"])
        try:
            self._check_size(scope, headers)
            key = self._key(scope, headers)
            self._take(scope, headers, key)
            if headers.origin is not None and not self._is_own_or_allowed(headers):
                raise ApiProblem(Code.FORBIDDEN, "pages of this origin may not connect; see api.cors_origins")
        except ApiProblem:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            stranger = self._stranger(scope, headers, key)
            await self._app({**scope, "hutong.key": key, "hutong.client": stranger}, receive, send)
        except Exception:
            self._log.exception("a WebSocket failed")

    def _check_size(self, scope: Scope, headers: RequestHead) -> None:
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET_BYTES:
            raise ApiProblem(Code.TOO_LARGE, f"the URL has more than {MAX_TARGET_BYTES} bytes", status=414)
        if headers.bytes > MAX_HEADER_BYTES or headers.count > MAX_HEADERS:
            raise ApiProblem(
                Code.TOO_LARGE,
                f"the headers have more than {MAX_HEADER_BYTES} bytes or {MAX_HEADERS} lines",
                status=431,
            )
        if headers.content_length is not None:
            if not headers.content_length.isdigit():
                raise ApiProblem(Code.INVALID_REQUEST, "Content-Length is not a number")
            if len(headers.content_length) > 12 or int(headers.content_length) > self._manners.max_body_bytes:
                raise ApiProblem(Code.TOO_LARGE, f"the body has more than {self._manners.max_body_bytes} bytes")

    def _key(self, scope: Scope, headers: RequestHead) -> ApiKey | None:
        """None where none is offered. A wrong one is refused everywhere, so that nobody thinks it works, and counts as a
        request of its address."""
        if headers.authorization is None or not self._manners.takes_key(scope):
            return None
        try:
            return self._offered_key(headers.authorization)
        except ApiProblem:
            self._take(scope, headers, None)
            raise

    def _offered_key(self, authorization: bytes) -> ApiKey:
        scheme, _, offered = authorization.partition(b" ")
        try:
            key = None
            if scheme.lower() == b"bearer":
                key = self._guard.keys.find(offered.strip().decode("ascii", "replace"))
        except KeysUnusable as error:
            self._log.error("API keys cannot be used", reason=str(error))
            raise ApiProblem(
                Code.BUSY, "the server's API keys cannot be read; its operator must repair the file"
            ) from None
        if key is None:
            raise ApiProblem(
                Code.UNAUTHORIZED,
                "the key is not one of this server: send `Authorization: Bearer hk_…`, or no key if you only read",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return key

    def _take(self, scope: Scope, headers: RequestHead, key: ApiKey | None) -> None:
        client = client_of(self._address(scope, headers)) if key is None else f"key {key.name}"
        cost = self._manners.cost_of(scope, headers.resumes)
        wait_s = self._guard.rate_limit.wait_s(client, cost)
        if wait_s > 0:
            counted = f", and this one counts as {cost}" if cost > 1 else ""
            raise ApiProblem(
                Code.RATE_LIMITED,
                f"more than {self._guard.rate_limit_per_s} requests a second{counted}; wait {math.ceil(wait_s)} s",
                headers={"Retry-After": str(math.ceil(wait_s))},
            )

    def _stranger(self, scope: Scope, headers: RequestHead, key: ApiKey | None) -> str | None:
        """Whose event streams are bounded: a client by its address. None for a key's owner and a trusted proxy itself."""
        if key is not None:
            return None
        said = self._address(scope, headers)
        address = parse_address(said)
        is_proxy = address is not None and any(address in network for network in self._proxies)
        return None if is_proxy else client_of(said)

    def _address(self, scope: Scope, headers: RequestHead) -> str:
        """Of the client: what a trusted proxy says, read from the end, where strangers cannot write."""
        peer = scope["client"][0] if scope.get("client") else ""
        if not self._proxies:
            return str(peer)
        for said in reversed([*headers.forwarded_for[-MAX_FORWARDED:], peer]):
            address = parse_address(said)
            if address is None or not any(address in network for network in self._proxies):
                return str(said)
        return str(peer)

    def _cors(self, origin: bytes | None) -> list[tuple[bytes, bytes]] | None:
        """What lets a page of that origin read the answer; None where it may not."""
        if b"*" in self._origins:
            return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _EXPOSED)]
        if origin is None or origin not in self._origins:
            return None
        return [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", _EXPOSED)]

    def _is_own_or_allowed(self, headers: RequestHead) -> bool:
        origin = headers.origin or b""
        return b"*" in self._origins or origin in self._origins or origin.partition(b"://")[2] == headers.host


def _replayed(body: bytes, receive: Receive) -> Receive:
    """`receive` that gives the body whole, and then waits for the client to leave."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Any:
        return messages.pop() if messages else await receive()

    return replay


def _media_type(headers: list[tuple[bytes, bytes]]) -> bytes:
    given = next((value for name, value in headers if name == b"content-type"), b"")
    return given.partition(b";")[0].strip().lower()


def _named(error: BaseException) -> str:
    """Its kind and place: the traceback in the log is cut before its end."""
    frames = extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + place


def _route_of(scope: Scope) -> str:
    """The pattern of the route, never what a client wrote."""
    return str(getattr(scope.get("route"), "path", "none"))


async def _send_problem(send: Send, problem: ApiProblem, extra: list[tuple[bytes, bytes]], *, is_head: bool) -> None:
    await _send_whole(send, problem.status, [*extra, *problem.header_list()], problem.body(), is_head=is_head)


async def _send_whole(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, is_head: bool
) -> None:
    if status not in (204, 304):
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    # The caller's own deadline has passed, or it has none; who takes nothing of an answer loses the connection.
    with anyio.move_on_after(REQUEST_LIMIT_S):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if is_head else body})
