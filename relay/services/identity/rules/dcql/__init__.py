"""DCQL: what a verifier asks for, which credentials answer it, and whether an answer is one (OpenID4VP 1.0 §6, §7)."""

from hutong.relay.services.identity.rules.dcql.claim_paths import ClaimPath, ConcretePath, claims_at, path_of
from hutong.relay.services.identity.rules.dcql.matching import (
    HeldCredential,
    Match,
    judge_answer,
    judge_credential,
    matches,
    sets_are_answered,
)
from hutong.relay.services.identity.rules.dcql.query import (
    MAX_QUERY_BYTES,
    ClaimQuery,
    CredentialQuery,
    CredentialSetQuery,
    DcqlQuery,
    TrustedAuthority,
    query_well_formed,
    read_query,
    write_query,
)

__all__ = [
    "MAX_QUERY_BYTES",
    "ClaimPath",
    "ClaimQuery",
    "ConcretePath",
    "CredentialQuery",
    "CredentialSetQuery",
    "DcqlQuery",
    "HeldCredential",
    "Match",
    "TrustedAuthority",
    "claims_at",
    "judge_answer",
    "judge_credential",
    "matches",
    "path_of",
    "query_well_formed",
    "read_query",
    "sets_are_answered",
    "write_query",
]
