"""The request object (OpenID4VP 1.0 §5): what a verifier signs, and what a wallet may believe of it.

A request is by reference: the link has a client id and where the object stands, and everything else is signed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from cryptography.x509.oid import ExtendedKeyUsageOID

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, UnsupportedOperation, rule
from hutong.relay.services.identity.rules import drafts
from hutong.relay.services.identity.rules.dcql import DcqlQuery, query_well_formed, write_query
from hutong.relay.services.identity.rules.jose import (
    HAIP_ALGORITHMS,
    MAX_SAFE_INTEGER,
    CertifiedKey,
    JsonObject,
    JsonValue,
    KeySet,
    KeySource,
    TrustAnchors,
    judge_chain,
    judge_header,
    read_jws,
    sign_compact,
    signature_verifies,
    token_type_is,
    write_json,
)
from hutong.relay.services.identity.rules.openid4vp.client_ids import (
    MAX_CLIENT_ID_CHARS,
    ClientIdPrefix,
    certificate_proves_client_id,
    client_id_well_formed,
)
from hutong.relay.services.identity.rules.openid4vp.client_metadata import (
    ClientMetadata,
    metadata_well_formed,
    write_metadata,
)
from hutong.relay.services.identity.rules.sd_jwt import Clock
from hutong.relay.services.identity.rules.uris import checked_uri

REQUEST_TYPE: Final = "oauth-authz-req+jwt"
REQUEST_MEDIA_TYPE: Final = "application/oauth-authz-req+jwt"
ANY_WALLET: Final = "https://self-issued.me/v2"
"""`aud` of a request to a wallet that the verifier does not know (§5.8)."""
MAX_REQUEST_CHARS: Final = 1 << 17
MIN_NONCE_CHARS: Final = 22
"""base64url of 128 bits."""
MAX_NONCE_CHARS: Final = 512
MAX_STATE_CHARS: Final = 512
MAX_LIFE_S: Final = 86_400
_NAME: Final = "request object"
_NOT_SUPPORTED: Final = ("transaction_data", "presentation_definition", "presentation_definition_uri", "scope")
_NOT_SIGNED: Final = ("request", "request_uri", "redirect_uri")
"""What a signed request with an address for the answer does not have (RFC 9101 §4, OpenID4VP 1.0 §8.2)."""
VERIFIER_PURPOSES: Final = frozenset(
    {
        ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string,
        ExtendedKeyUsageOID.SERVER_AUTH.dotted_string,
        "1.0.18013.5.1.6",
    }
)
"""Extended key usages under which a certificate may sign requests, if it states any: TLS, and readers of ISO/IEC 18013-5."""


class ResponseMode(StrEnum):
    """How the answer comes: posted by the wallet, encrypted or as it is."""

    DIRECT_POST_JWT = "direct_post.jwt"
    DIRECT_POST = "direct_post"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What ties an answer to one request. `wallet_nonce` is the wallet's own, given back to it."""

    nonce: str
    state: str | None = None
    wallet_nonce: str | None = None


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Unix seconds from and until which a request counts."""

    issued_at_s: int
    expires_at_s: int


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """Everything that a verifier asks, and where the answer goes."""

    client_id: str
    response_uri: str
    response_mode: ResponseMode
    query: DcqlQuery
    challenge: Challenge
    metadata: ClientMetadata
    lifetime: Lifetime


def write_request(request: AuthorizationRequest) -> JsonObject:
    """The claims of a request object: inverse of `request_well_formed`."""
    claims: JsonObject = {
        "response_type": "vp_token",
        "response_mode": request.response_mode.value,
        "client_id": request.client_id,
        "response_uri": request.response_uri,
        "aud": ANY_WALLET,
        "nonce": request.challenge.nonce,
        "dcql_query": write_query(request.query),
        "client_metadata": write_metadata(request.metadata),
        "iat": request.lifetime.issued_at_s,
        "exp": request.lifetime.expires_at_s,
    }
    if request.challenge.state is not None:
        claims["state"] = request.challenge.state
    if request.challenge.wallet_nonce is not None:
        claims["wallet_nonce"] = request.challenge.wallet_nonce
    return claims


def sign_request(request: AuthorizationRequest, x5c: list[str], sign: Callable[[bytes], bytes]) -> str:
    """The request object.

    Args:
        x5c: the certificates in base64 of DER, the signing one first, the anchor left out.
        sign: from the signing input to 64 bytes of ES256.
    """
    header: JsonObject = {"alg": "ES256", "typ": REQUEST_TYPE, "x5c": list[JsonValue](x5c)}
    return sign_compact(header, write_json(write_request(request)), sign)


@rule(f"{drafts.OPENID4VP} §5, §8.2; {drafts.JAR} §4")
def request_well_formed(claims: JsonObject) -> AuthorizationRequest:
    """Every parameter of its type and within bounds.

    Raises:
        MalformedInput: one that is not, or that a signed request by reference does not have.
        UnsupportedOperation: transaction data, Presentation Exchange, scopes, another response type or mode.
    """
    for name in _NOT_SUPPORTED:
        if name in claims:
            raise UnsupportedOperation(f"{name} in a request")
    for name in _NOT_SIGNED:
        if name in claims:
            raise MalformedInput(name, "does not belong into a request object with a response_uri")
    if claims.get("response_type") != "vp_token":
        raise UnsupportedOperation(f"response_type {str(claims.get('response_type'))[:32]!r}", "vp_token is")
    mode = claims.get("response_mode")
    if not isinstance(mode, str) or mode not in tuple(ResponseMode):
        raise UnsupportedOperation(f"response_mode {str(mode)[:32]!r}", "direct_post.jwt and direct_post are")
    response_uri = checked_uri(claims.get("response_uri"), "response_uri")
    if "#" in response_uri:
        raise MalformedInput("response_uri", "has a fragment", got=response_uri)
    metadata = metadata_well_formed(claims.get("client_metadata"))
    if mode == ResponseMode.DIRECT_POST_JWT and metadata.encryption_key is None:
        raise MalformedInput("client_metadata.jwks", "has no key on P-256 for ECDH-ES to encrypt the answer to")
    return AuthorizationRequest(
        _text(claims, "client_id", 1, MAX_CLIENT_ID_CHARS),
        response_uri,
        ResponseMode(mode),
        query_well_formed(claims.get("dcql_query")),
        Challenge(
            _text(claims, "nonce", 1, MAX_NONCE_CHARS),
            _text(claims, "state", 1, MAX_STATE_CHARS) if "state" in claims else None,
            _text(claims, "wallet_nonce", 1, MAX_NONCE_CHARS) if "wallet_nonce" in claims else None,
        ),
        metadata,
        _lifetime(claims),
    )


def _lifetime(claims: JsonObject) -> Lifetime:
    """Of a request that does not say when it was made or when it ends: from the epoch, or without an end."""
    times = []
    for name, default in (("iat", 0), ("exp", MAX_SAFE_INTEGER)):
        value = claims.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise MalformedInput(name, "is not a time in seconds", got=value)
        times.append(int(value))
    return Lifetime(*times)


def _text(claims: JsonObject, name: str, least: int, most: int) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not least <= len(value) <= most or not value.isascii() or not value.isprintable():
        raise MalformedInput(name, f"is not a text of {least} to {most} ASCII characters", got=value)
    return value


@dataclass(frozen=True, slots=True)
class RequestDemand:
    """What a wallet demands of a request object. `client_id` is the link's; `anchors` certify verifiers."""

    client_id: str
    anchors: TrustAnchors
    clock: Clock
    wallet_nonce: str | None = None


@rule(f"{drafts.JAR} §5")
def request_is_the_links(request: AuthorizationRequest, client_id: str) -> None:
    """The signed client id is the one of the link.

    Raises:
        PredicateFailed: it is another one.
    """
    if request.client_id != client_id:
        raise PredicateFailed("request_is_the_links", "client_id of the request object", request.client_id, client_id)


@rule(f"{drafts.OPENID4VP} §5.8")
def request_is_for_wallets(claims: JsonObject) -> None:
    """`aud` is any wallet.

    Raises:
        PredicateFailed: it is another one, or absent.
    """
    if claims.get("aud") != ANY_WALLET:
        raise PredicateFailed("request_is_for_wallets", "aud of the request object", claims.get("aud"), ANY_WALLET)


@rule(f"{drafts.OPENID4VP} §5.10")
def wallet_nonce_is_given_back(request: AuthorizationRequest, wallet_nonce: str | None) -> None:
    """The object has the wallet's nonce if it sent one, and none otherwise: so it was signed for this wallet, now.

    Raises:
        PredicateFailed: another, or none.
    """
    found = request.challenge.wallet_nonce
    if found != wallet_nonce:
        raise PredicateFailed("wallet_nonce_is_given_back", "wallet_nonce of the request object", found, wallet_nonce)


@rule(f"{drafts.JWT} §4.1.4, §4.1.6")
def request_is_in_time(request: AuthorizationRequest, clock: Clock) -> None:
    """Made before now and not over, up to the skew of clocks.

    Raises:
        PredicateFailed: of the future, or over.
    """
    life = request.lifetime
    if not life.issued_at_s - clock.skew_s <= clock.now_s < life.expires_at_s + clock.skew_s:
        raise PredicateFailed("request_is_in_time", "time", clock.now_s, f"{life.issued_at_s} to {life.expires_at_s}")


@rule(f"{drafts.OPENID4VP} §5.9.3")
def answer_goes_to_the_verifier(request: AuthorizationRequest) -> None:
    """The answer is posted over TLS; of a verifier that a host name proves, to that host.

    Raises:
        PredicateFailed: it is not.
    """
    url = urlsplit(request.response_uri)
    if url.scheme != "https" or not url.hostname or "@" in url.netloc:
        raise PredicateFailed("answer_goes_to_the_verifier", "response_uri", request.response_uri, "https")
    prefix, rest = client_id_well_formed(request.client_id)
    if prefix is ClientIdPrefix.X509_SAN_DNS and url.hostname != rest:
        raise PredicateFailed("answer_goes_to_the_verifier", "host of response_uri", url.hostname, rest)


def judge_request(judge: Judge, token: str, demand: RequestDemand) -> tuple[AuthorizationRequest, CertifiedKey]:
    """Every rule of a request object, for a wallet, in order; what is asked, and who asks.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    if len(token) > MAX_REQUEST_CHARS:
        raise MalformedInput(_NAME, f"more than {MAX_REQUEST_CHARS} characters", got=len(token))
    jws = read_jws(token, _NAME)
    judge(token_type_is, jws, REQUEST_TYPE)
    algorithm = judge_header(judge, jws, HAIP_ALGORITHMS, frozenset({KeySource.X5C}))
    certified = judge_chain(judge, jws.header.get("x5c"), demand.anchors, demand.clock.now_s)
    judge(signature_verifies, jws, algorithm, KeySet((certified.key,)))
    claims = jws.claims()
    request = judge(request_well_formed, claims)
    judge(request_is_the_links, request, demand.client_id)
    judge(certificate_proves_client_id, request.client_id, certified)
    judge(request_is_for_wallets, claims)
    judge(wallet_nonce_is_given_back, request, demand.wallet_nonce)
    judge(request_is_in_time, request, demand.clock)
    judge(answer_goes_to_the_verifier, request)
    return request, certified
