"""An issuer, a holder and a verifier with fixed keys. Signatures are deterministic, so that every run sees the same bytes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import (
    Algorithm,
    JsonObject,
    KeySet,
    TrustAnchors,
    VerificationKey,
    encode_base64url,
    key_at,
    read_jwk,
    sign_compact,
)
from hutong.relay.services.identity.rules.sd_jwt import (
    Clock,
    CompactSdJwt,
    CredentialDraft,
    Hidden,
    IssuerTrust,
    KeyBindingDemand,
    PresentationPolicy,
    TrustedKeys,
    VerifiedPresentation,
    bind_to_holder,
    issue_credential,
    judge_presentation,
    select_disclosures,
)

NOW_S = 1_800_000_000
ISSUER = "https://issuer.example"
VCT = "https://credentials.example/licence"
AUDIENCE = "x509_hash:verifier"
NONCE = "n-0S6_WzA2Mj"
DAY_S = 86_400

_ECDSA = ec.ECDSA(SHA256(), deterministic_signing=True)


@dataclass(frozen=True)
class Signer:
    """A key made of a number."""

    secret: int
    algorithm: Algorithm = Algorithm.ES256

    @cached_property
    def _key(self) -> Any:
        if self.algorithm is Algorithm.EDDSA:
            return ed25519.Ed25519PrivateKey.from_private_bytes(self.secret.to_bytes(32, "big"))
        return ec.derive_private_key(
            self.secret, ec.SECP256R1() if self.algorithm is Algorithm.ES256 else ec.SECP256K1()
        )

    @property
    def private_key(self) -> Any:
        return self._key

    @cached_property
    def public(self) -> VerificationKey:
        if self.algorithm is Algorithm.EDDSA:
            return key_at(self.algorithm, self._key.public_key().public_bytes_raw(), "key")
        numbers = self._key.public_key().public_numbers()
        return key_at(self.algorithm, numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big"), "key")

    @property
    def jwk(self) -> JsonObject:
        return self.public.public_jwk()

    def named(self, kid: str) -> VerificationKey:
        return read_jwk({**self.jwk, "kid": kid}, "key")

    def sign(self, message: bytes) -> bytes:
        if self.algorithm is Algorithm.EDDSA:
            return self._key.sign(message)
        r, s = decode_dss_signature(self._key.sign(message, _ECDSA))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


ISSUER_KEY = Signer(0xA11CE)
HOLDER_KEY = Signer(0xB0B)
STRANGER = Signer(0xE5E)


def salts(first: int = 0):
    """22 characters each, never the same."""
    number = first
    while True:
        yield encode_base64url(number.to_bytes(16, "big"))
        number += 1


def raw(value: Any) -> bytes:
    """JSON of any Python value, NaN and half surrogates included: what an attacker writes."""
    return json.dumps(value, separators=(",", ":")).encode()


def token(header: JsonObject, payload: bytes, signer: Signer = ISSUER_KEY) -> str:
    return sign_compact(header, payload, signer.sign)


def raw_token(header: bytes, payload: bytes, sign: Callable[[bytes], bytes] = ISSUER_KEY.sign) -> str:
    """A token whose header is any bytes."""
    signing_input = f"{encode_base64url(header)}.{encode_base64url(payload)}"
    return f"{signing_input}.{encode_base64url(sign(signing_input.encode()))}"


def disclosure(*members: Any) -> str:
    return encode_base64url(raw(list(members)))


ISSUER_HEADER: JsonObject = {"alg": "ES256", "typ": "dc+sd-jwt"}
KB_HEADER: JsonObject = {"alg": "ES256", "typ": "kb+jwt"}


def payload(**claims: Any) -> dict[str, Any]:
    """What every credential here has, in the clear. A claim of None leaves it out."""
    every = {"iss": ISSUER, "vct": VCT, "iat": NOW_S - DAY_S, "exp": NOW_S + DAY_S, "cnf": {"jwk": HOLDER_KEY.jwk}}
    return {name: value for name, value in {**every, **claims}.items() if value is not None}


@dataclass(frozen=True)
class Presented:
    """A presentation with everything that an attacker may set."""

    payload: dict[str, Any] | bytes = field(default_factory=payload)
    disclosures: Sequence[str] = ()
    header: JsonObject = field(default_factory=lambda: dict(ISSUER_HEADER))
    issuer: Signer = ISSUER_KEY
    holder: Signer = HOLDER_KEY
    kb: dict[str, Any] = field(default_factory=dict)
    """Claims of the key binding JWT that differ; None leaves one out."""
    kb_header: JsonObject = field(default_factory=lambda: dict(KB_HEADER))

    @property
    def parts(self) -> CompactSdJwt:
        body = self.payload if isinstance(self.payload, bytes) else raw(self.payload)
        return CompactSdJwt(token(self.header, body, self.issuer), tuple(self.disclosures), None)

    @property
    def text(self) -> str:
        every = {"iat": NOW_S - 5, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": self.parts.sd_hash(), **self.kb}
        claims = {name: value for name, value in every.items() if value is not None}
        return self.parts.without_key_binding + token(self.kb_header, raw(claims), self.holder)

    def but(self, **changes: Any) -> "Presented":
        return replace(self, **changes)


def trusting(*keys: VerificationKey, issuer: str | None = ISSUER, anchors: TrustAnchors | None = None) -> IssuerTrust:
    return IssuerTrust((TrustedKeys(KeySet(keys or (ISSUER_KEY.public,)), issuer),), anchors)


def policy(**changes: Any) -> PresentationPolicy:
    every = PresentationPolicy(trusting(), Clock(NOW_S), KeyBindingDemand(AUDIENCE, NONCE), frozenset({VCT}))
    return replace(every, **changes)


def judged(text: str, **changes: Any) -> VerifiedPresentation:
    return judge_presentation(VERIFY, text, policy(**changes))


LICENCE = {
    "iss": ISSUER,
    "vct": VCT,
    "iat": NOW_S - DAY_S,
    "exp": NOW_S + DAY_S,
    "cnf": {"jwk": HOLDER_KEY.jwk},
    "status": {"status_list": {"idx": 7, "uri": "https://issuer.example/status/1"}},
    "given_name": Hidden("Erika"),
    "family_name": Hidden("Mustermann"),
    "address": Hidden({"locality": Hidden("Köln"), "country": "DE"}),
    "nationalities": [Hidden("DE"), Hidden("FR"), "EU"],
}
"""Hidden flat, inside what is hidden, and in an array."""


def issued(claims: dict[str, Any] | None = None, **draft: Any) -> CompactSdJwt:
    return issue_credential(CredentialDraft(LICENCE if claims is None else claims, **draft), salts(), ISSUER_KEY.sign)


def presented(credential: CompactSdJwt, *paths: tuple[str | int, ...]) -> str:
    return str(bind_to_holder(select_disclosures(credential, paths), AUDIENCE, NONCE, NOW_S - 5, HOLDER_KEY.sign))
