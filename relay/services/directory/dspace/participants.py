"""Who may ask: participants by the tokens that they show, and the addresses at which they are answered."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.config.permissions import UnsafeFile, check_private_file
from hutong.relay.services.directory.dspace.settings import ParticipantTable

MIN_TOKEN_CHARS = 24
MAX_TOKEN_CHARS = 4_096


class TokenUnusable(Exception):
    """The token of a participant cannot be read; one sentence."""


@dataclass(frozen=True, slots=True)
class Participant:
    """A party: `digest` is of the token that it shows; `token` is what it is shown and is never logged."""

    id: str
    url: str
    digest: str
    token: str

    def __repr__(self) -> str:
        return f"Participant({self.id!r})"


@rule("hutong: a connector sends nothing to addresses that a stranger names")
def address_is_of_the_participant(address: str, participant: Participant) -> None:
    """The address is the participant's own, or below it, without steps back.

    Raises:
        PredicateFailed: it is another one.
    """
    own = participant.url.rstrip("/")
    below = address.removeprefix(own)
    ends = below == "" or below.startswith("/")
    if not address.startswith(own) or not ends or any(sign in below for sign in ("..", "?", "#", "\\", "@", "%")):
        raise PredicateFailed("address_is_of_the_participant", "is another address", address, f"{own}/…")


class Participants:
    """Those of the configuration."""

    def __init__(self, tables: Sequence[ParticipantTable]) -> None:
        """Read the tokens.

        Raises:
            TokenUnusable: a file cannot be read, or holds no token.
        """
        self._all = {
            one.id: Participant(one.id, one.url, one.token_digest.removeprefix("sha256:"), _token(one))
            for one in tables
        }

    def by_id(self, name: str) -> Participant | None:
        """The participant of a name."""
        return self._all.get(name)

    def showing(self, authorization: bytes | None) -> Participant | None:
        """Whose token an `Authorization` header shows; it takes as long whosever it is."""
        scheme, _, token = (authorization or b"").partition(b" ")
        digest = sha256(token.strip()).hexdigest() if scheme.lower() == b"bearer" else ""
        found = None
        for one in self._all.values():
            if hmac.compare_digest(one.digest, digest):
                found = one
        return found


def _token(table: ParticipantTable) -> str:
    try:
        check_private_file(table.token_file)
        text = table.token_file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError, UnsafeFile):
        raise TokenUnusable(f"the token for {table.id} cannot be read from {table.token_file}") from None
    if not MIN_TOKEN_CHARS <= len(text) <= MAX_TOKEN_CHARS or not text.isprintable() or " " in text:
        raise TokenUnusable(f"{table.token_file} holds no token of {MIN_TOKEN_CHARS} to {MAX_TOKEN_CHARS} characters")
    return text
