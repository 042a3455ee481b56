"""DIDs and schemas as people write them."""

from hutong.relay.administration.errors import Unusable
from hutong.relay.services.identity.rules.records.keys import ANY_SCHEMA

METHOD = "did:hutong:"
_HEX_DIGITS = 64


def did_text(hub_name: str, did: bytes) -> str:
    """`did:hutong:<hub name>:<id>`."""
    return f"{METHOD}{hub_name}:{did.hex()}"


def did_of_text(text: str, hub_name: str | None = None) -> bytes:
    """The 32 bytes of a DID of the hub, or of its id alone.

    Args:
        hub_name: whose DID it has to be; None: of any hub.

    Raises:
        Unusable: it is not one, or of another hub.
    """
    digits = text
    if text.startswith(METHOD):
        name, _, digits = text[len(METHOD) :].rpartition(":")
        if not name or (hub_name is not None and name != hub_name):
            raise Unusable(f"{text[:200]} is not a DID of {hub_name or 'a hub'}")
    return _hash(digits, "a DID is did:hutong:<hub>:<id>, the id 64 lower-case hexadecimal digits")


def schema_of_text(text: str | None) -> bytes:
    """The SHA-256 of a schema; None means all schemas.

    Raises:
        Unusable: it is not one.
    """
    return (
        ANY_SCHEMA
        if text is None
        else _hash(text, "a schema is named by its SHA-256, 64 lower-case hexadecimal digits")
    )


def _hash(text: str, rule: str) -> bytes:
    if len(text) != _HEX_DIGITS or set(text) - set("0123456789abcdef"):
        raise Unusable(f"{rule}, not {text[:80]!r}")
    return bytes.fromhex(text)
