"""Bodies of plain HTTP as they come."""

import hashlib
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import trio

from hutong.relay.base.http import Receive
from hutong.relay.services.storage.gateway.s3.body import CHUNK_LIMIT_S
from hutong.relay.web.problems import ApiProblem, Code


class ArrivingBody:
    """Hands a body on. `is_cut` once the client has left, or was too slow, before the end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_ended = False
        self.is_cut = False

    async def read(self) -> bytes:
        """The next bytes; none at the end, and none where it was cut."""
        while not (self.is_ended or self.is_cut):
            message: Any = None
            with trio.move_on_after(CHUNK_LIMIT_S):
                message = await self._receive()
            if message is None or message["type"] != "http.request":
                self.is_cut = True
                return b""
            octets: bytes = message.get("body", b"")
            self.is_ended = not message.get("more_body", False)
            if octets:
                return octets
        return b""


class DigestedBody:
    """A body whose length is not asked for; `Digest` or `Content-Digest` of SHA-256 is judged at its end."""

    def __init__(self, receive: Receive, headers: Mapping[str, str]) -> None:
        """Raises ApiProblem for a digest of another kind."""
        self._body = ArrivingBody(receive)
        self._expected = _digest_of(headers)
        self._hashing = hashlib.sha256()
        self._judged = False

    async def read(self) -> bytes:
        """The next bytes; none at the end, once the digest is judged.

        Raises:
            ApiProblem: the client left or is too slow, or the body has another digest.
        """
        octets = await self._body.read()
        if self._body.is_cut:
            raise ApiProblem(Code.INVALID_REQUEST, "the body did not arrive")
        if self._expected is not None and not self._judged:
            self._hashing.update(octets)
            self._judged = self._body.is_ended
            if self._judged and self._hashing.digest() != self._expected:
                raise ApiProblem(Code.INVALID_REQUEST, "the body has another SHA-256 than its digest says", status=400)
        return octets


def _digest_of(headers: Mapping[str, str]) -> bytes | None:
    """Of `Content-Digest: sha-256=:…:` (RFC 9530), or of the older `Digest: SHA-256=…`."""
    said = headers.get("content-digest") or headers.get("digest")
    if said is None:
        return None
    name, _, value = said.strip().partition("=")
    try:
        octets = b64decode(value.strip(":"), validate=True)
    except ValueError:
        octets = b""
    if name.lower() != "sha-256" or len(octets) != 32:
        raise ApiProblem(Code.NOT_SUPPORTED, "send Content-Digest as sha-256=:BASE64:")
    return octets
