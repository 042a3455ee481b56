"""A verifier with a certificate, a request of its own, and a wallet's answer to it: fixed keys, so that runs are alike."""

from functools import cache

from cryptography import x509

from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.dcql import query_well_formed
from hutong.relay.services.identity.rules.jose import (
    JsonObject,
    TrustAnchors,
    encode_base64url,
    judge_chain,
    read_jwk,
)
from hutong.relay.services.identity.rules.jose.jwe import DecryptionKey, read_decryption_key
from hutong.relay.services.identity.rules.openid4vp import (
    VERIFIER_PURPOSES,
    AuthorizationRequest,
    Challenge,
    ClientIdPrefix,
    ClientMetadata,
    EncryptionKey,
    Lifetime,
    ResponseMode,
    client_id_of,
    sign_request,
)
from tests.relay.services.identity.rules.actors import NONCE, NOW_S, VCT, Signer
from tests.relay.services.identity.rules.jose.test_certificate_attacks import CA, CERT_SIGN, SIGNS, certificate, x5c

ACCESS_ROOT, VERIFIER_KEY, OTHER_VERIFIER_KEY = Signer(0xACCE55), Signer(0x7E21), Signer(0x7E22)
ENCRYPTION_KEY, OTHER_ENCRYPTION_KEY = Signer(0xE4C), Signer(0xE4D)
HOST = "verifier.example"
RESPONSE_URI = f"https://{HOST}/v1/verifier/answers/7"
STATE = "c3RhdGUtb2YtdGhlLXJlcXVlc3Q"
KID = "answer-7"
QUERY: JsonObject = {
    "credentials": [
        {
            "id": "licence",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": [VCT]},
            "claims": [{"path": ["given_name"]}, {"path": ["nationalities", None], "values": ["DE", "EU"]}],
        }
    ]
}


@cache
def access_root() -> x509.Certificate:
    return certificate("access root", ACCESS_ROOT, "access root", ACCESS_ROOT, CA, CERT_SIGN)


def verifier_certificate(key: Signer = VERIFIER_KEY, host: str = HOST) -> x509.Certificate:
    names = (x509.SubjectAlternativeName([x509.DNSName(host)]), False)
    return certificate("verifier", key, "access root", ACCESS_ROOT, SIGNS, names)


def verifier_anchors() -> TrustAnchors:
    return TrustAnchors((access_root(),), VERIFIER_PURPOSES)


def client_id(prefix: ClientIdPrefix = ClientIdPrefix.X509_HASH, key: Signer = VERIFIER_KEY) -> str:
    chain = x5c(verifier_certificate(key))
    return client_id_of(prefix, judge_chain(VERIFY, list(chain), verifier_anchors(), NOW_S))


def private_jwk(key: Signer = ENCRYPTION_KEY, kid: str = KID) -> JsonObject:
    return {**key.jwk, "d": encode_base64url(key.secret.to_bytes(32, "big")), "kid": kid}


def decryption_key(key: Signer = ENCRYPTION_KEY, kid: str = KID) -> DecryptionKey:
    return read_decryption_key(private_jwk(key, kid))


def encryption_key(key: Signer = ENCRYPTION_KEY, kid: str = KID) -> EncryptionKey:
    return EncryptionKey(kid, read_jwk(key.jwk, "key"))


def request(mode: ResponseMode = ResponseMode.DIRECT_POST_JWT, **challenge: str) -> AuthorizationRequest:
    metadata = ClientMetadata(encryption_key() if mode is ResponseMode.DIRECT_POST_JWT else None)
    return AuthorizationRequest(
        client_id(),
        RESPONSE_URI,
        mode,
        query_well_formed(QUERY),
        Challenge(NONCE, STATE, **challenge),
        metadata,
        Lifetime(NOW_S - 5, NOW_S + 295),
    )


def signed(asked: AuthorizationRequest, key: Signer = VERIFIER_KEY) -> str:
    return sign_request(asked, x5c(verifier_certificate(key)), key.sign)
