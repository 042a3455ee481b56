"""The emulated issuer of the OpenID conformance suite's plan `oid4vci-1_0-wallet-haip-test-plan`, as `AbstractVCIWalletTest` has it.

It demands of every request what the suite's conditions demand, and fails the test where one does not hold. Tokens are verified and
requests decrypted by joserfc, not by this project's rules.
"""

import json
from base64 import b64decode, urlsafe_b64decode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

from cryptography import x509
from joserfc import jwe, jws
from joserfc.jwk import ECKey

from hutong.relay.services.identity.rules.jose import encode_base64url
from hutong.relay.services.identity.rules.sd_jwt import CredentialDraft, Hidden, issue_credential
from tests.relay.services.identity.certificates import AUTHORITY, AUTHORITY_KEY, certify, der_text, key_of
from tests.relay.services.identity.rules.actors import NOW_S, Signer, salts
from tests.relay.services.identity.wallet.peers import Reply, reply

HOST = "https://suite.example"
PATH = "/test/a/hutong/"
BASE = HOST + PATH
"""With the slash at its end that the suite's identifiers have."""
VCT = "urn:eudi:pid:1"
PROVIDER = "https://provider.example"
ISSUER = Signer(0x1551)
ISSUER_LEAF = certify("suite", key_of(ISSUER.secret).public_key(), by="authority", key=AUTHORITY_KEY)
REQUEST_KEY = ECKey.import_key({**Signer(0xEC3).jwk, "d": encode_base64url((0xEC3).to_bytes(32, "big"))})
REGISTRY = jwe.JWERegistry(algorithms=["ECDH-ES", "A128GCM", "A256GCM"])
PROOFS: dict[str, dict[str, Any]] = {
    "pid": {"jwt": {}},
    "pid.attestation": {"attestation": {}},
    "pid.jwt.keyattest": {"jwt": {"key_attestations_required": {}}},
    "pid.attestation.keyattest": {"attestation": {"key_attestations_required": {}}},
    "pid.jwt_and_attestation.keyattest": {
        "jwt": {"key_attestations_required": {}}, "attestation": {"key_attestations_required": {}},
    },
}  # fmt: skip
"""Configurations of SD-JWT VCs with binding that the suite has, by the proofs that they take."""


def leaf_key(token: str) -> ECKey:
    """Of the certificate in the header, which the authority of the tests has signed."""
    header = json.loads(_raw(token.split(".", maxsplit=1)[0]))
    (text,) = header["x5c"]
    leaf = x509.load_der_x509_certificate(b64decode(text))
    leaf.verify_directly_issued_by(AUTHORITY)
    assert leaf.issuer != leaf.subject
    numbers = leaf.public_key().public_numbers()
    return ec_key({"x": numbers.x, "y": numbers.y})


def ec_key(point: dict[str, int]) -> ECKey:
    members = {name: encode_base64url(value.to_bytes(32, "big")) for name, value in point.items()}
    return ECKey.import_key({"kty": "EC", "crv": "P-256", **members})


def _raw(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def header_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_raw(token.split(".", maxsplit=1)[0]))
    return found


def verified(token: str, key: ECKey, kind: str) -> dict[str, Any]:
    registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = 1 << 14  # certificates, and attested keys
    read = jws.deserialize_compact(token, key, registry=registry)
    assert read.headers()["typ"] == kind
    claims: dict[str, Any] = json.loads(read.payload)
    return claims


@dataclass
class SuiteIssuer:
    """Variants of the plan as fields, and what a module breaks."""

    configuration: str = "pid"
    deferred: int = 0
    """How often the issuer says that it is not ready."""
    encrypted: bool = False
    notifies: bool = False
    has_challenges: bool = False
    batch: int | None = None
    issuer_state: str | None = None
    needs_dpop_nonces: bool = True
    token_type: str = "DPoP"
    scheme: str = "DPoP"
    expires_in: int | None = 60
    answer_changes: dict[str, str | None] = field(default_factory=dict)
    """Of what the browser brings back; None takes a parameter away."""
    server: dict[str, Any] = field(default_factory=dict)
    credential: dict[str, Any] = field(default_factory=dict)
    instead: dict[str, Reply] = field(default_factory=dict)
    address: str = HOST
    now_s: int = NOW_S
    asked: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    instance_keys: list[str] = field(default_factory=list)
    attested: list[list[dict[str, Any]]] = field(default_factory=list)
    challenge: str | None = None
    nonce: str | None = None
    nonces_of_dpop: int = 0
    waiting: list[Any] = field(default_factory=list)

    def link(self, *, by_reference: bool = False) -> str:
        if by_reference:
            return "haip-vci://?" + urlencode({"credential_offer_uri": f"{BASE}credential_offer/1"})
        return "openid-credential-offer://?" + urlencode({"credential_offer": json.dumps(self.offer())})

    def offer(self) -> dict[str, Any]:
        self.issuer_state = "issuer-state-1"
        grant = {"issuer_state": self.issuer_state, "authorization_server": BASE}
        return {
            "credential_issuer": BASE, "credential_configuration_ids": [self.configuration],
            "grants": {"authorization_code": grant},
        }  # fmt: skip

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Reply:
        short = path.removeprefix(PATH)
        self.asked.append(short)
        if short in self.instead:
            return self.instead[short]
        match method, path:
            case "GET", "/.well-known/openid-credential-issuer/test/a/hutong/":
                return reply(self._metadata())
            case "GET", "/.well-known/oauth-authorization-server/test/a/hutong":
                return reply(self._server())
        match method, short:
            case "GET", "credential_offer/1":
                return reply(self.offer())
            case "POST", "challenge":
                assert body == b""
                self.challenge = f"challenge-{len(self.asked)}"
                return reply({"attestation_challenge": self.challenge})
            case "POST", "par":
                return self.push(headers, dict(parse_qsl(body.decode(), strict_parsing=True)))
            case "POST", "token":
                return self._token(headers, dict(parse_qsl(body.decode(), strict_parsing=True)))
            case "POST", "nonce":
                self.nonce = f"nonce-{len(self.asked)}"
                return reply({"c_nonce": self.nonce})
            case "POST", "credential":
                return self._credentials(headers, body)
            case "POST", "deferred_credential":
                return self._later(headers, body)
            case "POST", "notification":
                return self._noticed(headers, body)
        raise AssertionError(f"the wallet asked {method} {path}")

    # --- what it says of itself

    def _metadata(self) -> dict[str, Any]:
        proofs = {
            kind: {"proof_signing_alg_values_supported": ["ES256"], **more}
            for kind, more in PROOFS[self.configuration].items()
        }
        configuration = {
            "format": "dc+sd-jwt", "vct": VCT, "scope": self.configuration, "proof_types_supported": proofs,
            "cryptographic_binding_methods_supported": ["jwk"], "credential_signing_alg_values_supported": ["ES256"],
            "credential_metadata": {"display": [{"name": "Fake PID"}]},
        }  # fmt: skip
        found = {
            "credential_issuer": BASE, "credential_endpoint": f"{BASE}credential", "nonce_endpoint": f"{BASE}nonce",
            "deferred_credential_endpoint": f"{BASE}deferred_credential", "authorization_servers": [BASE],
            "credential_configurations_supported": {self.configuration: configuration},
        }  # fmt: skip
        if self.notifies:
            found["notification_endpoint"] = f"{BASE}notification"
        if self.batch is not None:
            found["batch_credential_issuance"] = {"batch_size": self.batch}
        if self.encrypted:
            key = {**REQUEST_KEY.as_dict(private=False), "kid": "req-1", "use": "enc", "alg": "ECDH-ES"}
            ways = ["A256GCM", "A128GCM", "A256CBC-HS512", "A128CBC-HS256"]
            found["credential_request_encryption"] = {
                "jwks": {"keys": [key]}, "enc_values_supported": ways, "encryption_required": False,
            }  # fmt: skip
            found["credential_response_encryption"] = {
                "alg_values_supported": ["ECDH-ES", "ECDH-ES+A256KW", "ECDH-ES+A128KW"], "enc_values_supported": ways,
                "encryption_required": False,
            }  # fmt: skip
        return found

    def _server(self) -> dict[str, Any]:
        found = {
            "issuer": BASE, "authorization_endpoint": f"{BASE}authorize", "token_endpoint": f"{BASE}token",
            "pushed_authorization_request_endpoint": f"{BASE}par", "require_pushed_authorization_requests": True,
            "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True, "dpop_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["attest_jwt_client_auth"],
            "client_attestation_signing_alg_values_supported": ["ES256"],
            "client_attestation_pop_signing_alg_values_supported": ["ES256"],
        }  # fmt: skip
        if self.has_challenges:
            found["challenge_endpoint"] = f"{BASE}challenge"
        return {**found, **self.server}

    # --- the authorisation server

    def _authenticated(self, headers: Any) -> str:
        """`ValidateClientAuthenticationWithClientAttestationJWT`; the client's identifier."""
        attestation, possession = headers["oauth-client-attestation"], headers["oauth-client-attestation-pop"]
        claims = verified(attestation, leaf_key(attestation), "oauth-client-attestation+jwt")
        assert claims["iss"] == PROVIDER and self.now_s < claims["exp"] <= self.now_s + 86_400
        assert abs(claims["iat"] - self.now_s) < 300
        assert set(claims["cnf"]["jwk"]) == {"kty", "crv", "x", "y"}
        proof = verified(possession, ECKey.import_key(claims["cnf"]["jwk"]), "oauth-client-attestation-pop+jwt")
        assert proof["iss"] == claims["sub"] and proof["aud"] == BASE and abs(proof["iat"] - self.now_s) < 300
        assert proof.get("challenge") == self.challenge
        assert not self.has_challenges or self.challenge is not None
        self._once(proof["jti"])
        self.instance_keys.append(claims["cnf"]["jwk"]["x"])
        subject: str = claims["sub"]
        return subject

    def _once(self, identifier: str) -> None:
        assert identifier not in self.seen
        self.seen.add(identifier)

    def _bound(self, headers: Any, path: str, token: str | None = None) -> ECKey | None:
        """The key of the DPoP proof; None where it comes without the nonce that it must have."""
        proof = headers["dpop"]
        key = ECKey.import_key(header_of(proof)["jwk"])
        claims = verified(proof, key, "dpop+jwt")
        assert (claims["htm"], claims["htu"]) == ("POST", BASE + path) and abs(claims["iat"] - self.now_s) < 300
        self._once(claims["jti"])
        if token is not None:
            assert claims["ath"] == encode_base64url(sha256(token.encode()).digest())
        return key if not self.needs_dpop_nonces or claims.get("nonce") == "dpop-nonce" else None

    def _wants_nonce(self, *, at_resource: bool = False) -> Reply:
        self.nonces_of_dpop += 1
        if at_resource:
            return Reply(
                401, b"", {"dpop-nonce": "dpop-nonce", "www-authenticate": f'{self.scheme} error="use_dpop_nonce"'}
            )
        return reply({"error": "use_dpop_nonce"}, 400, **{"dpop-nonce": "dpop-nonce"})

    def push(self, headers: Any, fields: dict[str, str]) -> Reply:
        self.client = self._authenticated(headers)
        if self._bound(headers, "par") is None:
            return self._wants_nonce()
        assert fields["client_id"] == self.client and fields["response_type"] == "code"
        assert fields["code_challenge_method"] == "S256" and 16 <= len(fields["state"]) <= 128
        assert fields["scope"] == self.configuration and "authorization_details" not in fields
        assert fields.get("issuer_state") == self.issuer_state and "request_uri" not in fields
        self.pushed = fields
        return reply({"request_uri": "urn:suite:1", "expires_in": 60}, 201)

    def browser(self, address: str) -> str:
        """The authorisation end point, and the query with which the browser is sent back."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{BASE}authorize"
        assert parse_qs(parts.query) == {"client_id": [self.client], "request_uri": ["urn:suite:1"]}
        said: dict[str, str | None] = {"code": "code-1", "state": self.pushed["state"], "iss": BASE}
        every = {name: value for name, value in {**said, **self.answer_changes}.items() if value is not None}
        return urlencode(every, quote_via=quote)

    def _token(self, headers: Any, fields: dict[str, str]) -> Reply:
        assert self._authenticated(headers) == fields.get("client_id", self.client)
        key = self._bound(headers, "token")
        if key is None:
            return self._wants_nonce()
        assert fields["grant_type"] == "authorization_code" and fields["code"] == "code-1"
        assert fields["redirect_uri"] == self.pushed["redirect_uri"]
        challenge = encode_base64url(sha256(fields["code_verifier"].encode()).digest())
        assert challenge == self.pushed["code_challenge"]
        self.key = key
        detail = {
            "type": "openid_credential", "credential_configuration_id": self.configuration,
            "credential_identifiers": [f"{self.configuration}:0f"],
        }  # fmt: skip
        found = {"access_token": "token-1", "token_type": self.token_type, "authorization_details": [detail]}
        return reply(found if self.expires_in is None else {**found, "expires_in": self.expires_in})

    # --- the issuer

    def _asked_for(self, headers: Any, path: str, body: bytes) -> dict[str, Any] | None:
        """The request inside; None where its DPoP proof comes without the nonce that it must have."""
        scheme, _, token = headers["authorization"].partition(" ")
        assert scheme.lower() == "dpop" and token == "token-1"
        key = self._bound(headers, path, token)
        if key is None:
            return None
        assert key.thumbprint() == self.key.thumbprint()
        kind = headers["content-type"]
        if not self.encrypted:
            assert kind == "application/json"
            found: dict[str, Any] = json.loads(body)
            assert "credential_response_encryption" not in found
            return found
        assert kind == "application/jwt"
        opened = jwe.decrypt_compact(body.decode(), REQUEST_KEY, registry=REGISTRY)
        assert (
            opened.headers()["kid"] == "req-1"
            and opened.headers()["alg"] == "ECDH-ES"
            and "zip" not in opened.headers()
        )
        assert opened.plaintext is not None
        inside: dict[str, Any] = json.loads(opened.plaintext)
        return inside

    def _credentials(self, headers: Any, body: bytes) -> Reply:
        request = self._asked_for(headers, "credential", body)
        if request is None:
            return self._wants_nonce(at_resource=True)
        assert set(request) <= {"credential_identifier", "proofs", "credential_response_encryption"}
        assert request["credential_identifier"] == f"{self.configuration}:0f"
        ((kind, tokens),) = request["proofs"].items()
        assert kind in PROOFS[self.configuration]
        keys = self._attested_keys(tokens) if kind == "attestation" else self._signed_keys(tokens)
        self.nonce = None
        assert 0 < len(keys) <= (self.batch or 1)
        assert len({ECKey.import_key(key).thumbprint() for key in keys}) == len(keys)
        found = [{"credential": self._credential(number, key)} for number, key in enumerate(keys)]
        self.waiting = list(reversed(found))
        if self.deferred:
            return self._put_off(request)
        return self._given(request)

    def _signed_keys(self, tokens: list[str]) -> list[dict[str, Any]]:
        """`VCIValidateCredentialRequestJwtProof`, with a nested key attestation where the configuration demands one."""
        keys, needs = [], "key_attestations_required" in PROOFS[self.configuration]["jwt"]
        for token in tokens:
            header = header_of(token)
            assert "kid" not in header and "x5c" not in header
            assert ("key_attestation" in header) is needs
            claims = verified(token, ECKey.import_key(header["jwk"]), "openid4vci-proof+jwt")
            assert claims["iss"] == self.client
            assert claims["nonce"] == self.nonce and claims["aud"] == BASE and abs(claims["iat"] - self.now_s) < 300
            if needs:
                assert header["jwk"] in self._attestation(header["key_attestation"])
            keys.append(header["jwk"])
        return keys

    def _attested_keys(self, tokens: list[str]) -> list[dict[str, Any]]:
        (token,) = tokens
        return self._attestation(token)

    def _attestation(self, token: str) -> list[dict[str, Any]]:
        """`validateKeyAttestationJwt`; the keys of which it speaks."""
        claims = verified(token, leaf_key(token), "key-attestation+jwt")
        assert abs(claims["iat"] - self.now_s) < 300 and claims["exp"] > self.now_s and claims["nonce"] == self.nonce
        assert claims["attested_keys"]
        self.attested.append(claims["attested_keys"])
        keys: list[dict[str, Any]] = claims["attested_keys"]
        return keys

    def _credential(self, number: int, jwk: dict[str, Any]) -> str:
        listed = {"idx": 7 + number, "uri": f"{BASE}statuslists/1"}
        every = {
            "vct": VCT, "iat": self.now_s - 60, "exp": self.now_s + 86_400, "cnf": {"jwk": jwk},
            "status": {"status_list": listed}, "given_name": Hidden("Jean"), "family_name": Hidden("Dupont"), **self.credential,
        }  # fmt: skip
        draft = CredentialDraft(every, header={"x5c": [der_text(ISSUER_LEAF)]})
        return str(issue_credential(draft, salts(number << 8), ISSUER.sign))

    def _put_off(self, request: dict[str, Any]) -> Reply:
        self.deferred -= 1
        return self.sealed(request, {"transaction_id": "transaction-1", "interval": 5}, 202)

    def _later(self, headers: Any, body: bytes) -> Reply:
        request = self._asked_for(headers, "deferred_credential", body)
        if request is None:
            return self._wants_nonce(at_resource=True)
        assert set(request) <= {"transaction_id", "credential_response_encryption"}
        if request["transaction_id"] != "transaction-1" or not self.waiting:
            return reply({"error": "invalid_transaction_id"}, 400)
        return self._put_off(request) if self.deferred else self._given(request)

    def _given(self, request: dict[str, Any]) -> Reply:
        notice = {"notification_id": "notice-1"} if self.notifies else {}
        found, self.waiting = self.waiting, []
        return self.sealed(request, {"credentials": found, **notice}, 200)

    def sealed(self, request: dict[str, Any], body: dict[str, Any], status: int) -> Reply:
        if not self.encrypted:
            return reply(body, status)
        wanted = request["credential_response_encryption"]
        assert set(wanted) == {"jwk", "enc"} and wanted["jwk"]["alg"] == "ECDH-ES" and "d" not in wanted["jwk"]
        self._once(wanted["jwk"]["x"])
        header = {"alg": "ECDH-ES", "enc": wanted["enc"], "cty": "json", "kid": wanted["jwk"]["kid"]}
        key = ECKey.import_key({name: wanted["jwk"][name] for name in ("kty", "crv", "x", "y")})
        text = jwe.encrypt_compact(header, json.dumps(body).encode(), key, registry=REGISTRY)
        return Reply(status, text.encode(), {"content-type": "application/jwt"})

    def _noticed(self, headers: Any, body: bytes) -> Reply:
        encrypted, self.encrypted = self.encrypted, False  # notifications are not encrypted
        said = self._asked_for(headers, "notification", body)
        self.encrypted = encrypted
        if said is None:
            return self._wants_nonce(at_resource=True)
        assert set(said) <= {"notification_id", "event", "event_description"} and said["notification_id"] == "notice-1"
        assert said["event"] in {"credential_accepted", "credential_failure", "credential_deleted"}
        self.events.append(said["event"])
        return Reply(204, b"")
