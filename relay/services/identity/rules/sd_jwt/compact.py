"""An SD-JWT in its compact form, cut into its parts (RFC 9901 §4). The JSON forms of §8 are not read."""

from typing import Final, NamedTuple

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.relay.services.identity.rules.jose import encode_base64url

MAX_PRESENTATION_CHARS: Final = 1 << 18
MAX_DISCLOSURES: Final = 512
_SEPARATOR: Final = "~"


class CompactSdJwt(NamedTuple):
    """The parts as they were sent; nothing was decoded."""

    issuer_jwt: str
    disclosures: tuple[str, ...]
    key_binding_jwt: str | None

    @property
    def without_key_binding(self) -> str:
        """What the holder's signature covers: all up to the last tilde, this included."""
        return _SEPARATOR.join((self.issuer_jwt, *self.disclosures, ""))

    def sd_hash(self) -> str:
        """base64url of SHA-256 of that (RFC 9901 §4.3.1)."""
        return encode_base64url(sha256(self.without_key_binding.encode()))

    def __str__(self) -> str:
        return self.without_key_binding + (self.key_binding_jwt or "")


def read_compact(text: str, path: str = "presentation") -> CompactSdJwt:
    """`issuer-jwt~disclosure~…~` with a key binding JWT after the last tilde, or nothing.

    Raises:
        MalformedInput: not ASCII, too long, without a tilde, an empty part, or more than `MAX_DISCLOSURES` disclosures.
        UnsupportedOperation: a JSON form.
    """
    if len(text) > MAX_PRESENTATION_CHARS:
        raise MalformedInput(path, f"more than {MAX_PRESENTATION_CHARS} characters", got=len(text))
    if not text.isascii():
        raise MalformedInput(path, "is not ASCII")
    if "{" in text and text.lstrip()[:1] == "{":
        raise UnsupportedOperation("SD-JWT in a JSON form", "send the compact form, with tildes between its parts")
    issuer_jwt, tilde, rest = text.partition(_SEPARATOR)  # most of the text is before the first one
    if not tilde:
        raise MalformedInput(path, "has no tilde, so it is no SD-JWT")
    parts = rest.split(_SEPARATOR, MAX_DISCLOSURES + 1)
    if len(parts) > MAX_DISCLOSURES + 1:
        raise MalformedInput(path, f"has more than {MAX_DISCLOSURES} disclosures")
    key_binding = parts.pop()
    if not issuer_jwt or "" in parts:
        raise MalformedInput(path, "has an empty part")
    return CompactSdJwt(issuer_jwt, tuple(parts), key_binding or None)
