"""Proofs that a wallet holds the keys to which credentials are to be bound (OpenID4VCI 1.0, appendix F)."""

from collections.abc import Container, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.jose import (
    HAIP_ALGORITHMS,
    Algorithm,
    JsonObject,
    JsonValue,
    KeySet,
    KeySource,
    TrustAnchors,
    VerificationKey,
    judge_header,
    read_jws,
    signature_verifies,
    token_type_is,
)
from hutong.relay.services.identity.rules.openid4vci.key_attestations import judge_key_attestation
from hutong.relay.services.identity.rules.openid4vci.metadata import MAX_BATCH
from hutong.relay.services.identity.rules.openid4vci.tokens import (
    MAX_WALLET_TOKEN_BYTES,
    issued_just_now,
    key_is_in_the_header,
    made_for_this_server,
)
from hutong.relay.services.identity.rules.sd_jwt.lifetime import already_valid, not_expired
from hutong.relay.services.identity.rules.sd_jwt.policy import Clock

PROOF_TYPE: Final = "openid4vci-proof+jwt"
ATTESTATION_MEMBER: Final = "key_attestation"
_OF_SEALS: Final = frozenset({Algorithm.ES256K})
_SOURCES = frozenset({KeySource.JWK})


@dataclass(frozen=True, slots=True)
class ProofDemand:
    """What an issuer asks of the proofs of one request.

    `nonces` are those that it gave out and takes now; that each is taken once is the caller's to see to, by what
    `ProvenKeys.nonce` says. `client_id` is None where the wallet is anonymous.
    """

    issuer: str
    nonces: Container[str]
    client_id: str | None
    clock: Clock
    attesters: TrustAnchors | None = None
    """Who may say how keys are kept; None where nobody is asked."""


@dataclass(frozen=True, slots=True)
class ProvenKeys:
    """Keys, each of another proof or all of one attestation, and the one nonce that was used up."""

    keys: tuple[VerificationKey, ...]
    nonce: str


@rule(f"{drafts.OPENID4VCI} §8.2.1.1")
def proofs_are_of_one_kind(proofs: JsonValue) -> tuple[str, tuple[str, ...]]:
    """`proofs` is an object with one member: a kind, and a list of 1 to MAX_BATCH texts.

    Raises:
        PredicateFailed: anything else.
    """
    name = "proofs_are_of_one_kind"
    if not isinstance(proofs, dict) or len(proofs) != 1:
        raise PredicateFailed(name, "proofs", sorted(proofs)[:4] if isinstance(proofs, dict) else proofs, "one kind")
    ((kind, tokens),) = proofs.items()
    if not isinstance(tokens, list) or not 0 < len(tokens) <= MAX_BATCH:
        got = len(tokens) if isinstance(tokens, list) else tokens
        raise PredicateFailed(name, f"proofs.{kind[:40]}", got, f"1 to {MAX_BATCH} texts")
    texts = tuple(token for token in tokens if isinstance(token, str))
    if len(texts) != len(tokens):
        raise PredicateFailed(name, f"proofs.{kind[:40]}", "something that is not a text", "texts")
    return kind, texts


@rule(f"{drafts.OPENID4VCI} §8.2")
def proof_is_of_a_known_kind(kind: str, tokens: Sequence[str], *, attested: bool) -> None:
    """Proofs are of the kind `jwt`, or one key attestation where the issuer believes some.

    Raises:
        PredicateFailed: another kind, or several attestations.
    """
    known = ("jwt", "attestation") if attested else ("jwt",)
    if kind not in known or (kind == "attestation" and len(tokens) != 1):
        raise PredicateFailed("proof_is_of_a_known_kind", "kind of proof", (kind[:40], len(tokens)), known)


@rule(f"{drafts.OPENID4VCI} §F.4")
def proof_answers_a_nonce(claims: JsonObject, nonces: Container[str], path: str) -> str:
    """`nonce` is one that this issuer gave out, and has not expired. Returns it.

    Raises:
        PredicateFailed: another one, or none.
    """
    found = claims.get("nonce")
    if not isinstance(found, str) or found not in nonces:
        raise PredicateFailed("proof_answers_a_nonce", f"nonce of {path}", "one that is not good now")
    return found


@rule(f"{drafts.OPENID4VCI} §F.1")
def proof_is_of_this_client(claims: JsonObject, client_id: str | None, path: str) -> None:
    """`iss` is the client's identifier, or absent: where the wallet is anonymous it must be.

    Raises:
        PredicateFailed: another one.
    """
    if "iss" in claims and (client_id is None or claims["iss"] != client_id):
        raise PredicateFailed("proof_is_of_this_client", f"iss of {path}", claims["iss"], client_id)


@rule(f"{drafts.OPENID4VCI} §8.2")
def keys_are_distinct(keys: Sequence[VerificationKey]) -> None:
    """Each proof is of another key: credentials of one key can be linked, which a batch is there to prevent.

    Raises:
        PredicateFailed: two are of one key.
    """
    if len({(key.algorithm, key.coordinates) for key in keys}) != len(keys):
        raise PredicateFailed("keys_are_distinct", "two proofs are of one key", got=len(keys))


@rule(f"{drafts.OPENID4VCI} §8.2.1.1")
def proofs_answer_one_nonce(nonces: AbstractSet[str]) -> str:
    """All proofs of a request have the same nonce. Returns it.

    Raises:
        PredicateFailed: they have several.
    """
    if len(nonces) != 1:
        raise PredicateFailed("proofs_answer_one_nonce", "nonces of the proofs", len(nonces), 1)
    return next(iter(nonces))


@rule(f"{drafts.OPENID4VCI} §D.1")
def key_is_attested(key: VerificationKey, attested: Sequence[VerificationKey]) -> None:
    """The key of the proof is among those of which its attestation speaks.

    Raises:
        PredicateFailed: it is not.
    """
    if key not in attested:
        raise PredicateFailed("key_is_attested", "key of the proof", key.thumbprint(), "one of the attestation")


def judge_proof(
    judge: Judge, token: str, demand: ProofDemand, algorithms: AbstractSet[Algorithm] = HAIP_ALGORITHMS
) -> tuple[VerificationKey, str]:
    """Every rule of one proof JWT; its key and nonce.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    jws = read_jws(token, "proof", MAX_WALLET_TOKEN_BYTES)
    judge(token_type_is, jws, PROOF_TYPE)
    algorithm = judge_header(judge, jws, algorithms, _SOURCES)
    key = judge(key_is_in_the_header, jws)
    judge(signature_verifies, jws, algorithm, KeySet((key,)))
    claims = jws.claims()
    judge(made_for_this_server, claims, demand.issuer, "proof")
    judge(issued_just_now, claims, demand.clock, "proof")
    judge(not_expired, claims, demand.clock, "proof")
    judge(already_valid, claims, demand.clock, "proof")
    judge(proof_is_of_this_client, claims, demand.client_id, "proof")
    nonce = judge(proof_answers_a_nonce, claims, demand.nonces, "proof")
    if demand.attesters is not None and algorithms is not _OF_SEALS:
        attestation = judge_key_attestation(
            judge, jws.header.get(ATTESTATION_MEMBER), demand.attesters, demand.clock, None
        )
        judge(key_is_attested, key, attestation.keys)
    return key, nonce


def judge_proofs(judge: Judge, proofs: JsonValue, demand: ProofDemand) -> ProvenKeys:
    """Every rule of the proofs of one request; the keys, in the order of their credentials.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    kind, tokens = judge(proofs_are_of_one_kind, proofs)
    judge(proof_is_of_a_known_kind, kind, tokens, attested=demand.attesters is not None)
    if kind == "attestation" and demand.attesters is not None:
        attestation = judge_key_attestation(judge, tokens[0], demand.attesters, demand.clock, demand.nonces)
        judge(keys_are_distinct, attestation.keys)
        return ProvenKeys(attestation.keys, attestation.nonce)
    found = [judge_proof(judge, token, demand) for token in tokens]
    keys = tuple(key for key, _ in found)
    judge(keys_are_distinct, keys)
    return ProvenKeys(keys, judge(proofs_answer_one_nonce, {nonce for _, nonce in found}))


def judge_seal_proofs(judge: Judge, tokens: Sequence[str], demand: ProofDemand) -> ProvenKeys:
    """As `judge_proofs`, of accounts that are to hold the seals beside the credentials (docs/identity/issuer.md).

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    judge(proofs_are_of_one_kind, {"jwt": list[JsonValue](tokens)})
    found = [judge_proof(judge, token, demand, _OF_SEALS) for token in tokens]
    keys = tuple(key for key, _ in found)
    judge(keys_are_distinct, keys)
    return ProvenKeys(keys, judge(proofs_answer_one_nonce, {nonce for _, nonce in found}))
