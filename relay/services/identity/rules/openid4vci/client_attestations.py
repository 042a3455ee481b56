"""Wallet attestation: a provider whom the issuer trusts says which wallet this is, and the wallet shows that it is meant."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import (
    HAIP_ALGORITHMS,
    JsonObject,
    KeySet,
    KeySource,
    TrustAnchors,
    VerificationKey,
    judge_chain,
    judge_header,
    judge_jws,
    read_jws,
    signature_verifies,
    token_type_is,
)
from hutong.relay.services.identity.rules.openid4vci.key_attestations import attester_is_certified
from hutong.relay.services.identity.rules.openid4vci.tokens import (
    MAX_WALLET_TOKEN_BYTES,
    issued_just_now,
    made_for_this_server,
    text_of,
)
from hutong.relay.services.identity.rules.sd_jwt.key_binding import holder_key_is_confirmed
from hutong.relay.services.identity.rules.sd_jwt.lifetime import (
    already_valid,
    not_expired,
    not_issued_in_the_future,
    time_of,
)
from hutong.relay.services.identity.rules.sd_jwt.policy import Clock

ATTESTATION_TYPE: Final = "oauth-client-attestation+jwt"
POSSESSION_TYPE: Final = "oauth-client-attestation-pop+jwt"
_ATTESTATION = "client attestation"
_POSSESSION = "client attestation PoP"


@dataclass(frozen=True, slots=True)
class AttestedClient:
    """Which wallet, its key, and the identifier of this proof, which may come once."""

    client_id: str
    key: VerificationKey
    jti: str


@rule(f"{drafts.CLIENT_ATTESTATION} §5.1")
def client_attestation_ends(claims: JsonObject) -> None:
    """`exp` is there.

    Raises:
        MalformedInput: it is no number.
        PredicateFailed: it is absent.
    """
    if time_of(claims, "exp", _ATTESTATION) is None:
        raise PredicateFailed("client_attestation_ends", f"exp of the {_ATTESTATION}", None, "a time")


@rule(f"{drafts.CLIENT_ATTESTATION} §5.2")
def possession_is_of_this_client(claims: JsonObject, client_id: str) -> None:
    """`iss` is the client of the attestation, or absent, as later drafts have it.

    Raises:
        PredicateFailed: another one.
    """
    if claims.get("iss", client_id) != client_id:
        raise PredicateFailed("possession_is_of_this_client", f"iss of the {_POSSESSION}", claims["iss"], client_id)


@rule(f"{drafts.CLIENT_ATTESTATION} §5.2, §8")
def possession_answers_a_challenge(claims: JsonObject, challenges: Container[str]) -> None:
    """`challenge` is one that this server gave out, and has not expired.

    Raises:
        PredicateFailed: another one, or none.
    """
    found = claims.get("challenge")
    if not isinstance(found, str) or found not in challenges:
        raise PredicateFailed(
            "possession_answers_a_challenge", f"challenge of the {_POSSESSION}", "one that is not good now"
        )


def judge_client_attestation(
    judge: Judge,
    attestation: str,
    possession: str,
    providers: TrustAnchors,
    server: str,
    clock: Clock,
    challenges: Container[str] | None = None,
) -> AttestedClient:
    """Every rule of both tokens but the one that the proof's `jti` comes once.

    Args:
        providers: who may attest wallets.
        server: the identifier of this authorization server.
        challenges: those that are good now; None where none is asked for.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    jws = read_jws(attestation, _ATTESTATION, MAX_WALLET_TOKEN_BYTES)
    judge(token_type_is, jws, ATTESTATION_TYPE)
    algorithm = judge_header(judge, jws, HAIP_ALGORITHMS, frozenset({KeySource.X5C}))
    certified = judge_chain(judge, judge(attester_is_certified, jws.header), providers, clock.now_s)
    judge(signature_verifies, jws, algorithm, KeySet((certified.key,)))
    claims = jws.claims()
    judge(client_attestation_ends, claims)
    judge(not_issued_in_the_future, claims, clock, _ATTESTATION)
    judge(already_valid, claims, clock, _ATTESTATION)
    judge(not_expired, claims, clock, _ATTESTATION)
    client_id = text_of(claims, "sub", _ATTESTATION)
    key = judge(holder_key_is_confirmed, claims)
    proof = read_jws(possession, _POSSESSION, MAX_WALLET_TOKEN_BYTES)
    judge(token_type_is, proof, POSSESSION_TYPE)
    judge_jws(judge, proof, HAIP_ALGORITHMS, KeySet((key,)))
    said = proof.claims()
    judge(possession_is_of_this_client, said, client_id)
    judge(made_for_this_server, said, server, _POSSESSION)
    judge(issued_just_now, said, clock, _POSSESSION)
    judge(not_expired, said, clock, _POSSESSION)
    if challenges is not None:
        judge(possession_answers_a_challenge, said, challenges)
    return AttestedClient(client_id, key, text_of(said, "jti", _POSSESSION))
