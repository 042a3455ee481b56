"""JOSE, as strict as two independent implementations together: JSON, base64url, keys, signatures, certificates."""

from hutong.relay.services.identity.rules.jose.algorithms import HAIP_ALGORITHMS, Algorithm
from hutong.relay.services.identity.rules.jose.base64url import decode_base64url, encode_base64url
from hutong.relay.services.identity.rules.jose.certificates import (
    CertifiedKey,
    TrustAnchors,
    judge_chain,
    read_anchors,
)
from hutong.relay.services.identity.rules.jose.jwk import VerificationKey, key_at, read_jwk
from hutong.relay.services.identity.rules.jose.jws import (
    Jws,
    KeySource,
    judge_header,
    judge_jws,
    read_jws,
    sign_compact,
    signature_verifies,
    token_type_is,
)
from hutong.relay.services.identity.rules.jose.key_set import KeySet, read_key_set
from hutong.relay.services.identity.rules.jose.strict_json import (
    MAX_SAFE_INTEGER,
    JsonObject,
    JsonValue,
    read_json,
    read_json_object,
    write_json,
)

__all__ = [
    "HAIP_ALGORITHMS",
    "MAX_SAFE_INTEGER",
    "Algorithm",
    "CertifiedKey",
    "JsonObject",
    "JsonValue",
    "Jws",
    "KeySet",
    "KeySource",
    "TrustAnchors",
    "VerificationKey",
    "decode_base64url",
    "encode_base64url",
    "judge_chain",
    "judge_header",
    "judge_jws",
    "key_at",
    "read_anchors",
    "read_json",
    "read_json_object",
    "read_jwk",
    "read_jws",
    "read_key_set",
    "sign_compact",
    "signature_verifies",
    "token_type_is",
    "write_json",
]
