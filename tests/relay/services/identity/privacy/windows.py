"""What two presentations have in common: every run of eight bytes of every value, as it was sent and as it is read."""

import json
from typing import Any

from hutong.light_clients.interface import VerificationError
from hutong.relay.services.identity.rules.jose import decode_base64url
from hutong.relay.services.identity.rules.sd_jwt import read_compact

LEAST_BYTES = 8
TIMES = ("iat", "exp", "nbf")
"""Whole days in a credential, and the second in which a presentation was made: everybody who presents then has the same."""


def windows_of(presentation: str, allowed: set[str]) -> set[bytes]:
    """Runs of `LEAST_BYTES` bytes of every value but those of `allowed`, which the issuer's schema, its list and the request say to
    everybody; names of members, which all credentials of the type have, are none; the header is compared whole by `headers_of`."""
    parts = read_compact(presentation)
    assert parts.key_binding_jwt is not None
    values: set[bytes] = set()
    for token in (parts.issuer_jwt, parts.key_binding_jwt):
        _, payload, signature = token.split(".")
        values |= {signature.encode(), decode_base64url(signature, "signature", 1 << 16)}
        for text in _texts(json.loads(decode_base64url(payload, "payload", 1 << 20))):
            values |= set() if text in allowed else _forms(text)
    for one in parts.disclosures:
        members = json.loads(decode_base64url(one, "disclosure", 1 << 16))
        values |= {form for text in _texts([members[0], members[-1]]) if text not in allowed for form in _forms(text)}
    return {value[at : at + LEAST_BYTES] for value in values for at in range(len(value) - LEAST_BYTES + 1)}


def headers_of(presentation: str) -> tuple[str, str]:
    """Of the credential and of the holder's proof, as sent."""
    parts = read_compact(presentation)
    assert parts.key_binding_jwt is not None
    return parts.issuer_jwt.partition(".")[0], parts.key_binding_jwt.partition(".")[0]


def _forms(text: str) -> set[bytes]:
    try:
        return {text.encode(), decode_base64url(text, "value", 1 << 16)}
    except VerificationError:
        return {text.encode()}


def _texts(value: Any) -> list[str]:
    match value:
        case dict():
            return [text for name, one in value.items() if name not in TIMES for text in _texts(one)]
        case list():
            return [text for one in value for text in _texts(one)]
        case bool() | None:
            return []
    return [str(value)]
