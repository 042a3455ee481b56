"""Disclosures: what a holder shows of what an issuer hid under digests (RFC 9901 §4.2)."""

from functools import lru_cache
from json.encoder import encode_basestring
from typing import Final, NamedTuple

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import (
    JsonValue,
    decode_base64url,
    encode_base64url,
    read_json,
    write_json,
)
from hutong.relay.services.identity.rules.sd_jwt.compact import MAX_DISCLOSURES

MAX_DISCLOSURE_BYTES: Final = 1 << 16
DIGESTS: Final = "_sd"
ELEMENT: Final = "..."
DIGEST_ALGORITHM: Final = "_sd_alg"
SHA_256: Final = "sha-256"
RESERVED_NAMES: Final = frozenset({DIGESTS, ELEMENT, DIGEST_ALGORITHM})
"""No disclosure may be called so: it would change how the payload is read."""


class Disclosure(NamedTuple):
    """One claim of an object, or one element of an array where `name` is None."""

    encoded: str
    digest: str
    """Over the text as it was sent, never over what it says: another spelling is another disclosure."""
    salt: str
    name: str | None
    value: JsonValue


def digest_of(encoded: str) -> str:
    """base64url of SHA-256 (RFC 9901 §4.2.3). `encoded` is ASCII."""
    return encode_base64url(sha256(encoded.encode()))


def read_disclosure(encoded: str, path: str) -> Disclosure:
    """`[salt, name, value]` of an object's claim, or `[salt, value]` of an element.

    Raises:
        MalformedInput: another spelling or shape, or JSON that parsers read differently.
        PredicateFailed: a name that SD-JWT keeps to itself.
    """
    value = read_json(decode_base64url(encoded, path, MAX_DISCLOSURE_BYTES), path, MAX_DISCLOSURE_BYTES)
    if type(value) is not list or not 2 <= len(value) <= 3 or not isinstance(salt := value[0], str):
        raise MalformedInput(path, "is not [salt, name, value] or [salt, value]", got=value)
    if len(value) == 2:
        return Disclosure(encoded, digest_of(encoded), salt, None, value[1])
    name = value[1]
    if not isinstance(name, str):
        raise MalformedInput(path, "names no claim", got=name)
    if name in RESERVED_NAMES:
        _demand_unreserved(name, path)
    return Disclosure(encoded, digest_of(encoded), salt, name, value[2])


def new_disclosure(salt: str, name: str | None, value: JsonValue, path: str = "disclosure") -> tuple[str, str]:
    """Text and digest of the disclosure of a claim, or of an element where `name` is None.

    Raises:
        PredicateFailed: a name that SD-JWT keeps to itself.
    """
    # A text is spelled by the library's own function for texts, which costs a tenth of its encoder.
    if type(value) is str:
        spelled = encode_basestring(value)
    elif type(value) is bool:
        spelled = "true" if value else "false"
    else:
        spelled = write_json(value).decode()
    if name is None:
        encoded = encode_base64url(f"[{encode_basestring(salt)},{spelled}]".encode())
    else:
        if name in RESERVED_NAMES:
            _demand_unreserved(name, path)
        encoded = encode_base64url(f"[{encode_basestring(salt)},{_spelled_name(name)},{spelled}]".encode())
    return encoded, digest_of(encoded)


@lru_cache(maxsize=1_024)
def _spelled_name(name: str) -> str:
    """Names are those of a few types, whatever is said under them."""
    return encode_basestring(name)


@rule(f"{drafts.SD_JWT} §7.1 (3)(b), (4)")
def disclosures_well_formed(encoded: tuple[str, ...]) -> dict[str, Disclosure]:
    """Each is a disclosure, and none was sent twice; by digest, in the order in which they were sent.

    Raises:
        MalformedInput: one is no disclosure.
        PredicateFailed: a reserved name, or one sent twice.
    """
    found: dict[str, Disclosure] = {}
    for index, text in enumerate(encoded):
        disclosure = read_disclosure(text, _place(index))
        if found.setdefault(disclosure.digest, disclosure) is not disclosure:
            raise PredicateFailed("disclosures_well_formed", "a disclosure was sent twice", index)
    return found


@lru_cache(MAX_DISCLOSURES)
def _place(index: int) -> str:
    return f"disclosures[{index}]"


def _demand_unreserved(name: str, path: str) -> None:
    if name in RESERVED_NAMES:
        raise PredicateFailed("disclosures_well_formed", f"reserved name of {path}", name, "another name")
