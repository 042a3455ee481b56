"""How an issuer wants keys to be proven, and what it wants to know of how they are kept (OpenID4VCI 1.0 §12.2.4, appendices D, F)."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from hutong.light_clients.interface import UnsupportedOperation, rule
from hutong.light_clients.interface.document import Document
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import Algorithm

MAX_LISTED: Final = 64
_LEVEL_CHARS: Final = 256


class ProofKind(Enum):
    """How a request proves keys, by the member of `proofs`."""

    SIGNED = "jwt"
    """One token a key, signed by it."""
    ATTESTED = "attestation"
    """One token of the wallet's provider for all of them."""


@dataclass(frozen=True, slots=True)
class KeyLevels:
    """What an attestation has to claim, any one of each; empty: it says nothing of that."""

    storage: tuple[str, ...]
    authentication: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProofDemand:
    """Kinds that are taken, and for each whether and how keys have to be attested."""

    kinds: tuple[tuple[ProofKind, KeyLevels | None], ...]


@rule(f"{drafts.OPENID4VCI} §12.2.4, §F")
def proofs_demanded(supported: Document | None) -> ProofDemand:
    """Signed proofs or attestations with ES256, the ones that need no provider first.

    Raises:
        MalformedInput: members of another shape.
        UnsupportedOperation: no binding to a key, other kinds alone, or none with ES256.
    """
    if supported is None:
        raise UnsupportedOperation("a credential that is bound to no key")
    members = supported.members()
    found = [(kind, one) for kind in ProofKind if (one := members.optional(kind.value)) is not None]
    if not found:
        raise UnsupportedOperation("a credential that is bound to a key by another proof", "jwt and attestation are")
    usable = [(kind, _levels(kind, one)) for kind, one in found if _has_es256(one)]
    if not usable:
        raise UnsupportedOperation("proofs without ES256")
    # An attestation is one token where signed proofs would each carry one: fewer bytes, and no key is used.
    return ProofDemand(tuple(sorted(usable, key=lambda one: (one[1] is not None, one[0] is ProofKind.SIGNED))))


def _has_es256(document: Document) -> bool:
    listed = document.members()["proof_signing_alg_values_supported"].items(MAX_LISTED, 1)
    return Algorithm.ES256.value in [each.value for each in listed]


def _levels(kind: ProofKind, document: Document) -> KeyLevels | None:
    asked = document.members().optional("key_attestations_required")
    if asked is None:
        return KeyLevels((), ()) if kind is ProofKind.ATTESTED else None
    members = asked.members()
    storage, authentication = members.optional("key_storage"), members.optional("user_authentication")
    return KeyLevels(_texts(storage), _texts(authentication))


def _texts(document: Document | None) -> tuple[str, ...]:
    if document is None:
        return ()
    return tuple(each.text(_LEVEL_CHARS, 1) for each in document.items(MAX_LISTED, 1))
