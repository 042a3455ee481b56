"""Seals: what contracts on any chain read of a credential, and how its holder presents it (docs/spec/identity-seal.md)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hutong.relay.services.identity.rules.seals.claim_tree import (
    DISCLOSURE_TUPLE,
    Disclosure,
    ShownClaim,
    claim_is_sealed,
    claims_are_distinct,
    claims_root,
    disclose,
)
from hutong.relay.services.identity.rules.seals.claims import Claim, ClaimKind, ClaimValue, claim_name_hash
from hutong.relay.services.identity.rules.seals.presentation import (
    Gate,
    Presentation,
    gated_call_hash,
    presentation_digest,
)
from hutong.relay.services.identity.rules.seals.seal import SEAL_TUPLE, SPEC, Seal, seal_digest
from hutong.relay.services.identity.rules.seals.signatures import holder_signed, seal_is_signed, sign_account

if TYPE_CHECKING:
    from hutong.relay.services.identity.rules.seals.seal_file import (
        SealedCredential,
        decode_seal_file,
        encode_seal_file,
        seal_json,
        seal_of_json,
    )

__all__ = [
    "DISCLOSURE_TUPLE",
    "SEAL_TUPLE",
    "SPEC",
    "Claim",
    "ClaimKind",
    "ClaimValue",
    "Disclosure",
    "Gate",
    "Presentation",
    "Seal",
    "SealedCredential",
    "ShownClaim",
    "claim_is_sealed",
    "claim_name_hash",
    "claims_are_distinct",
    "claims_root",
    "decode_seal_file",
    "disclose",
    "encode_seal_file",
    "gated_call_hash",
    "holder_signed",
    "presentation_digest",
    "seal_digest",
    "seal_is_signed",
    "seal_json",
    "seal_of_json",
    "sign_account",
]


def __getattr__(name: str) -> Any:
    """What stands in `seal_file`, loaded at the first use: who judges seals must not need what reads credentials' JSON.

    Raises:
        AttributeError: this package has no such name.
    """
    if name in __all__:
        return getattr(import_module(f"{__name__}.seal_file"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
