"""Whether and how an issuer takes encrypted requests and gives encrypted responses (OpenID4VCI 1.0 §10, §12.2.4)."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import UnsupportedOperation, rule
from hutong.light_clients.interface.document import Document, Members
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose.jwe import KEY_AGREEMENT, Encryption
from hutong.relay.services.identity.rules.openid4vp.client_metadata import EncryptionKey, usable_encryption_key

MAX_KEYS: Final = 16
MAX_LISTED: Final = 64
_NAME_CHARS: Final = 64


@dataclass(frozen=True, slots=True)
class OfferedEncryption:
    """To whom requests are encrypted, and how; `response` is None where answers come in the clear."""

    key: EncryptionKey
    request: Encryption
    response: Encryption | None


@rule(f"{drafts.OPENID4VCI} §8.2, §10, §12.2.4")
def encryption_offered(metadata: Members) -> OfferedEncryption | None:
    """What of both is offered in a way that this wallet has; None: neither, and neither is demanded.

    A response is encrypted to a key that the request brings, so only an encrypted request may ask for one.

    Raises:
        MalformedInput: members of another shape.
        UnsupportedOperation: the issuer demands what this wallet has not.
    """
    request, response = (metadata.optional(f"credential_{name}_encryption") for name in ("request", "response"))
    key, how = (None, None) if request is None else _request(request)
    answers = None if response is None else _response(response)
    if key is None or how is None:
        for name, one in (("requests", request), ("responses", response)):
            if one is not None and one.members()["encryption_required"].flag():
                raise UnsupportedOperation(f"an issuer that demands encrypted {name}", _known("no such key is offered"))
        return None
    if answers is None and response is not None and response.members()["encryption_required"].flag():
        raise UnsupportedOperation("an issuer that demands encrypted responses", _known("no such way is offered"))
    return OfferedEncryption(key, how, answers)


def _request(document: Document) -> tuple[EncryptionKey | None, Encryption | None]:
    offered = document.members()
    keys = offered["jwks"].members()["keys"].items(MAX_KEYS, 1)
    usable = [found for each in keys if (found := usable_encryption_key(each.value, each.path)) is not None]
    return (usable[0] if usable else None), _first(offered["enc_values_supported"])


def _response(document: Document) -> Encryption | None:
    offered = document.members()
    if KEY_AGREEMENT not in _names(offered["alg_values_supported"]):
        return None
    return _first(offered["enc_values_supported"])


def _first(document: Document) -> Encryption | None:
    """The issuer's first that this wallet has."""
    return next((Encryption(name) for name in _names(document) if name in tuple(Encryption)), None)


def _names(document: Document) -> list[str]:
    return [each.text(_NAME_CHARS) for each in document.items(MAX_LISTED, 1)]


def _known(reason: str) -> str:
    return f"{reason}: {KEY_AGREEMENT} on P-256 with {' or '.join(Encryption)} is"
