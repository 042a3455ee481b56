"""Every request and answer between the parties, written down; and which of them carry claims because that is what they are for."""

import json
from dataclasses import dataclass, field

import httpx

CARRIES_CLAIMS = (
    ("desk", "POST", "/v1/issuer/offers", "the department tells the issuer what to issue"),
    ("wallet", "POST", "/city/credential", "the credential's own hand-out"),
    ("wallet", "POST", "/verifier/answers/", "the presentation's own answer"),
    ("shop", "GET", "/v1/verifier/requests/", "the relying party fetches its own result"),
    ("library", "POST", "/login/token", "the application fetches its own ID token"),
)
"""Who asks, method, how the path begins, and why. Nothing else may have claims in any form."""


@dataclass(frozen=True)
class Message:
    """One request with its answer."""

    sender: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int
    answer_headers: tuple[tuple[str, str], ...]
    answer: bytes

    @property
    def carries_claims(self) -> bool:
        path = httpx.URL(self.url).path
        return any(
            (sender, method) == (self.sender, self.method) and path.startswith(begins)
            for sender, method, begins, _ in CARRIES_CLAIMS
        )

    def to_bytes(self) -> bytes:
        """All of it; a JSON answer once more as it reads, so that escapes hide nothing."""
        parts = [self.method.encode(), self.url.encode(), self.body, str(self.status).encode(), self.answer]
        parts += [f"{name}: {value}".encode() for name, value in (*self.headers, *self.answer_headers)]
        return b"\n".join(parts)


@dataclass
class Wire:
    """Messages over HTTP, and calls to the hub."""

    messages: list[Message] = field(default_factory=list)
    hub: list[bytes] = field(default_factory=list)

    def of(self, sender: str, application: object, base_url: str, **headers: str) -> httpx.AsyncClient:
        """A client of somebody, all of whose messages are written down."""
        return httpx.AsyncClient(transport=self.transport(sender, application), base_url=base_url, headers=headers)

    def transport(self, sender: str, application: object) -> httpx.AsyncBaseTransport:
        """For clients of others' making."""
        return _Recorded(self, sender, application)

    def scanned(self) -> list[bytes]:
        return [one.to_bytes() for one in self.messages if not one.carries_claims]

    def exempt(self) -> list[bytes]:
        return [one.to_bytes() for one in self.messages if one.carries_claims]

    def fetches_of_lists(self) -> list[Message]:
        return [one for one in self.messages if "/status/" in one.url]


class _Recorded(httpx.AsyncBaseTransport):
    def __init__(self, wire: Wire, sender: str, application: object) -> None:
        self._wire, self._sender = wire, sender
        self._inner = httpx.ASGITransport(app=application)  # type: ignore[arg-type]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        answer = await self._inner.handle_async_request(request)
        told = await answer.aread()
        sent, came = (tuple((name.lower(), value) for name, value in one.headers.items()) for one in (request, answer))
        self._wire.messages.append(
            Message(self._sender, request.method, str(request.url), sent, body, answer.status_code, came, told)
        )
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(told))


def names_of(fetches: list[Message], told: list[str]) -> list[str]:
    """What tells one of these fetches from another, or says any of `told`: nothing of it may be there."""
    found = [f"a query: {one.url}" for one in fetches if "?" in one.url or "#" in one.url]
    found += [f"a body: {one.url}" for one in fetches if one.body or one.method != "GET"]
    for url in {one.url for one in fetches}:
        ways = {one.headers for one in fetches if one.url == url}
        found += [f"headers differ: {json.dumps(sorted(ways))}"] if len(ways) > 1 else []
    for one in fetches:
        text = one.to_bytes()
        found += [f"{word} in a fetch of {one.url}" for word in told if word.encode() in text.replace(one.answer, b"")]
    return found
