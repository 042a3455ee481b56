"""SD-JWT (RFC 9901) and SD-JWT VC: what a verifier may believe of a presentation, and how credentials are built."""

from hutong.relay.services.identity.rules.sd_jwt.compact import (
    MAX_DISCLOSURES,
    MAX_PRESENTATION_CHARS,
    CompactSdJwt,
    read_compact,
)
from hutong.relay.services.identity.rules.sd_jwt.credential_type import CREDENTIAL_TYPE, NEVER_DISCLOSED
from hutong.relay.services.identity.rules.sd_jwt.disclosures import Disclosure, digest_of, read_disclosure
from hutong.relay.services.identity.rules.sd_jwt.issuer import Issuer
from hutong.relay.services.identity.rules.sd_jwt.issuing import (
    Claim,
    CredentialDraft,
    Hidden,
    issue_credential,
    pack,
    salt_of,
)
from hutong.relay.services.identity.rules.sd_jwt.key_binding import KEY_BINDING_TYPE, HolderBinding
from hutong.relay.services.identity.rules.sd_jwt.places import ClaimPath
from hutong.relay.services.identity.rules.sd_jwt.policy import (
    Clock,
    IssuerTrust,
    KeyBindingDemand,
    PresentationPolicy,
    TrustedKeys,
)
from hutong.relay.services.identity.rules.sd_jwt.presenting import bind_to_holder, select_disclosures
from hutong.relay.services.identity.rules.sd_jwt.unpacking import Unpacked
from hutong.relay.services.identity.rules.sd_jwt.verification import (
    VerifiedPresentation,
    VerifiedSdJwt,
    judge_presentation,
    judge_sd_jwt,
)

__all__ = [
    "CREDENTIAL_TYPE",
    "KEY_BINDING_TYPE",
    "MAX_DISCLOSURES",
    "MAX_PRESENTATION_CHARS",
    "NEVER_DISCLOSED",
    "Claim",
    "ClaimPath",
    "Clock",
    "CompactSdJwt",
    "CredentialDraft",
    "Disclosure",
    "Hidden",
    "HolderBinding",
    "Issuer",
    "IssuerTrust",
    "KeyBindingDemand",
    "PresentationPolicy",
    "TrustedKeys",
    "Unpacked",
    "VerifiedPresentation",
    "VerifiedSdJwt",
    "bind_to_holder",
    "digest_of",
    "issue_credential",
    "judge_presentation",
    "judge_sd_jwt",
    "pack",
    "read_compact",
    "read_disclosure",
    "salt_of",
    "select_disclosures",
]
