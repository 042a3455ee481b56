"""What a credential issuer says of itself (OpenID4VCI 1.0 §12.2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hutong.relay.services.identity.rules.jose import Algorithm, JsonObject, JsonValue, sign_compact, write_json
from hutong.relay.services.identity.rules.jose.jwe import KEY_AGREEMENT, Encryption
from hutong.relay.services.identity.rules.openid4vci.offers import AUTHORIZATION_CODE, PRE_AUTHORIZED

MAX_BATCH: Final = 100
"""Proofs, and so credentials, of one request."""
ISSUER_PATH: Final = "/.well-known/openid-credential-issuer"
SERVER_PATH: Final = "/.well-known/oauth-authorization-server"
SD_JWT_VC_FORMAT: Final = "dc+sd-jwt"


@dataclass(frozen=True, slots=True)
class ClaimDescription:
    """One claim of a type, for wallets to show. `path` as DCQL has paths."""

    path: tuple[str | int | None, ...]
    is_mandatory: bool
    names: tuple[tuple[str, str], ...] = ()
    """Locale (BCP 47) and name."""
    is_hidden: bool = True
    """Its holder shows or withholds it."""


@dataclass(frozen=True, slots=True)
class CredentialConfiguration:
    """One type that an issuer issues; `identifier` is its scope, too."""

    identifier: str
    vct: str
    names: tuple[tuple[str, str], ...]
    claims: tuple[ClaimDescription, ...]
    needs_key_attestation: bool = False
    """Proofs name keys of which somebody whom the issuer trusts says how they are kept."""


def issuer_url_path(prefix: str, well_known: str) -> str:
    """Where metadata of an issuer whose identifier has the path `prefix` stands: the path goes to the end (§12.2.2)."""
    return well_known + prefix.rstrip("/")


def issuer_metadata(
    identifier: str,
    names: Sequence[tuple[str, str]],
    configurations: Sequence[CredentialConfiguration],
    request_key: JsonObject,
) -> JsonObject:
    """Of an issuer that is its own authorization server.

    Args:
        identifier: the credential issuer identifier, an https URL without a slash at its end.
        names: locale and name of the issuer.
        request_key: public JWK to which requests may be encrypted, with `kid`, `use` and `alg`.
    """
    ways = list[JsonValue](one.value for one in Encryption)
    return {
        "credential_issuer": identifier,
        "credential_endpoint": f"{identifier}/credential",
        "nonce_endpoint": f"{identifier}/nonce",
        "deferred_credential_endpoint": f"{identifier}/deferred_credential",
        "credential_request_encryption": {
            "jwks": {"keys": [request_key]},
            "enc_values_supported": ways,
            "encryption_required": False,
        },
        "credential_response_encryption": {
            "alg_values_supported": [KEY_AGREEMENT],
            "enc_values_supported": list(ways),
            "encryption_required": False,
        },
        "batch_credential_issuance": {"batch_size": MAX_BATCH},
        "display": _display(names),
        "credential_configurations_supported": {one.identifier: _configuration(one) for one in configurations},
    }


SIGNED_TYPE: Final = "openidvci-issuer-metadata+jwt"


def signed_metadata(metadata: JsonObject, header: JsonObject, now_s: int, sign: Callable[[bytes], bytes]) -> str:
    """The issuer's metadata as a JWT, for wallets that ask for one (§12.2.3).

    Args:
        header: `x5c` of the key that signs.
        sign: makes r ‖ s of the signing input.
    """
    said: JsonObject = {"alg": Algorithm.ES256.value, "typ": SIGNED_TYPE, **header}
    claims: JsonObject = {**metadata, "sub": metadata["credential_issuer"], "iat": now_s}
    return sign_compact(said, write_json(claims), sign)


def server_metadata(
    identifier: str, *, attests_wallets: bool, types: Sequence[str], challenges: bool = False
) -> JsonObject:
    """Of the authorization server (RFC 8414 §2, HAIP 1.0 §4).

    Args:
        attests_wallets: whether wallets must be attested.
        types: identifiers of the types, which are scopes.
        challenges: whether attested wallets answer challenges of this server.
    """
    methods: list[JsonValue] = ["attest_jwt_client_auth"] if attests_wallets else ["none"]
    found: JsonObject = {
        "issuer": identifier,
        "authorization_endpoint": f"{identifier}/authorize",
        "token_endpoint": f"{identifier}/token",
        "pushed_authorization_request_endpoint": f"{identifier}/par",
        "require_pushed_authorization_requests": True,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [AUTHORIZATION_CODE, PRE_AUTHORIZED],
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": [Algorithm.ES256.value],
        "token_endpoint_auth_methods_supported": methods,
        "authorization_response_iss_parameter_supported": True,
        "authorization_details_types_supported": ["openid_credential"],
        "scopes_supported": list[JsonValue](types),
        "pre-authorized_grant_anonymous_access_supported": not attests_wallets,
    }
    if attests_wallets:
        found["client_attestation_signing_alg_values_supported"] = [Algorithm.ES256.value]
        found["client_attestation_pop_signing_alg_values_supported"] = [Algorithm.ES256.value]
        if challenges:
            found["challenge_endpoint"] = f"{identifier}/challenge"
    return found


def _configuration(one: CredentialConfiguration) -> JsonObject:
    proof: JsonObject = {"proof_signing_alg_values_supported": [Algorithm.ES256.value]}
    if one.needs_key_attestation:
        proof["key_attestations_required"] = {}
    proofs: JsonObject = {"jwt": proof}
    if one.needs_key_attestation:
        proofs["attestation"] = dict(proof)
    return {
        "format": SD_JWT_VC_FORMAT,
        "scope": one.identifier,
        "vct": one.vct,
        "cryptographic_binding_methods_supported": ["jwk"],
        "credential_signing_alg_values_supported": [Algorithm.ES256.value],
        "proof_types_supported": proofs,
        "credential_metadata": {
            "display": _display(one.names),
            "claims": [_claim(claim) for claim in one.claims],
        },
    }


def _claim(claim: ClaimDescription) -> JsonObject:
    described: JsonObject = {"path": list[JsonValue](claim.path), "mandatory": claim.is_mandatory}
    if claim.names:
        described["display"] = _display(claim.names)
    return described


def _display(names: Sequence[tuple[str, str]]) -> list[JsonValue]:
    return [{"name": name, "locale": locale} for locale, name in names]
