"""Whose browser it is: a random cookie, of which the server keeps the hash alone."""

from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from fastapi import Request, Response

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.daemon.role import Common
from hutong.relay.services.identity.rules.jose import decode_base64url

SESSION_BYTES = 32
MAX_AGE_S = 3_600


@dataclass(frozen=True, slots=True)
class Cookies:
    """How sessions are named. Over TLS the name says that no other host and no plain page has set it."""

    has_tls: bool

    @property
    def name(self) -> str:
        """Of the cookie."""
        return "__Host-hutong-session" if self.has_tls else "hutong-session"

    def read(self, request: Request) -> str | None:
        """The session that the browser names, if it is one."""
        value = request.cookies.get(self.name, "")
        try:
            return value if len(decode_base64url(value, "session", SESSION_BYTES)) == SESSION_BYTES else None
        except MalformedInput:
            return None

    def set(self, response: Response, session: str) -> None:
        """Not for scripts, and not with requests that other sites make, but for links that lead here."""
        response.set_cookie(
            self.name, session, max_age=MAX_AGE_S, path="/", secure=self.has_tls, httponly=True, samesite="lax"
        )


def cookies_of(common: Common) -> Cookies:
    """Sessions of browsers that reach this server by its public address."""
    return Cookies(has_tls=urlsplit(common.server.public_url).scheme == "https")


def owner_of(session: str, purpose: str) -> str:
    """Under which name the store keeps what a session asks for a purpose: from it nobody gets the cookie."""
    return f"{purpose}:{sha256(f'{purpose}:{session}'.encode()).hexdigest()}"
