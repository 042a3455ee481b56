"""An issuer and a verifier that check what a wallet sends, and may be told to answer wrongly: what a hostile one would do.

Ours and others' run against the wallet elsewhere; these are for what those never do.
"""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hutong.light_clients.crypto import keccak256, sha256
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.dcql import query_well_formed
from hutong.relay.services.identity.rules.jose import (
    HAIP_ALGORITHMS,
    Algorithm,
    KeySet,
    KeySource,
    encode_base64url,
    judge_header,
    read_jwk,
    read_jws,
    signature_verifies,
)
from hutong.relay.services.identity.rules.jose.jwe import read_decryption_key
from hutong.relay.services.identity.rules.openid4vp import AnswerDemand, ResponseMode, judge_form, judge_vp_token
from hutong.relay.services.identity.rules.sd_jwt import (
    Clock,
    CredentialDraft,
    Hidden,
    KeyBindingDemand,
    issue_credential,
)
from hutong.relay.services.identity.wallet import Transport, TrustFile, Wallet
from tests.relay.services.identity.rules.actors import ISSUER_KEY, NOW_S, Signer, raw, salts, trusting
from tests.relay.services.identity.rules.jose.test_certificate_attacks import ROOT, SIGNS, certificate, root

VCT = "https://credentials.example/licence"
PASSWORD = b"correct horse"
ISSUER_ADDRESS, VERIFIER_ADDRESS = "https://issuer.example", "https://verifier.example"
VERIFIER_KEY = Signer(0x7E21F1E2)
ENCRYPTION_KEY = Signer(0xEC2)
PRE_AUTHORISED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


ES256K = frozenset({Algorithm.ES256K})


def verified_token(text, key, header_type, algorithms=HAIP_ALGORITHMS):
    """Claims of a proof that a wallet signed with `key`, or with the key that its header brings."""
    jws = read_jws(text, "proof")
    assert jws.header["typ"] == header_type
    algorithm = judge_header(VERIFY, jws, algorithms, frozenset({KeySource.JWK}))
    found = read_jwk(jws.header["jwk"], "jwk")
    assert key is None or key == found
    VERIFY(signature_verifies, jws, algorithm, KeySet((found,)))
    return jws.claims(), found


@dataclass
class Reply:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def reply(value: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status, raw(value), headers)


CLAIMS = {
    "given_name": Hidden("Erika"),
    "address": Hidden({"locality": Hidden("Köln"), "country": "DE"}),
    "nationalities": [Hidden("DE"), Hidden("FR")],
    "level": 2,
}


@dataclass
class ScriptedIssuer:
    """Every field may be set to what a hostile or broken issuer would say. `instead` answers a path with what it is given."""

    address: str = ISSUER_ADDRESS
    tx_code: str | None = None
    batch: int = 20
    signer: Signer = ISSUER_KEY
    instead: dict[str, Reply] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    server: dict[str, Any] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    """Of the credentials: a chain of certificates."""
    now_s: int = NOW_S
    claims_of: Any = None
    """From the number of a credential to claims that differ."""
    dpop_nonce: str | None = None
    seal_of: Any = None
    """From the seal's holder to a seal."""
    asked: list[str] = field(default_factory=list)
    bound: Any = None

    def offer(self, **changes: Any) -> dict[str, Any]:
        grant: dict[str, Any] = {"pre-authorized_code": "code-1"}
        if self.tx_code is not None:
            grant["tx_code"] = {"length": len(self.tx_code), "input_mode": "numeric"}
        every = {"credential_issuer": self.address, "credential_configuration_ids": ["licence"],
                 "grants": {PRE_AUTHORISED: grant}}  # fmt: skip
        return {**every, **changes}

    def link(self, **changes: Any) -> str:
        return "openid-credential-offer://?" + urlencode({"credential_offer": json.dumps(self.offer(**changes))})

    def code_link(self) -> str:
        return self.link(grants={"authorization_code": {"issuer_state": "state-1"}})

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Reply:
        self.asked.append(path)
        if path in self.instead:
            return self.instead[path]
        match path:
            case "/.well-known/openid-credential-issuer":
                return reply(self._metadata())
            case "/.well-known/oauth-authorization-server":
                return reply({
                    "issuer": self.address, "token_endpoint": f"{self.address}/token",
                    "authorization_endpoint": f"{self.address}/authorise",
                    "pushed_authorization_request_endpoint": f"{self.address}/par",
                    "dpop_signing_alg_values_supported": ["ES256"],
                    "authorization_response_iss_parameter_supported": True, **self.server,
                })  # fmt: skip
            case "/par":
                return self._pushed(dict(parse_qsl(body.decode())))
            case "/token":
                return self._token(headers, dict(parse_qsl(body.decode())))
            case "/nonce":
                return reply({"c_nonce": "nonce-1"})
            case "/credential":
                return self._credentials(headers, json.loads(body))
        return reply({"error": "not_found"}, 404)

    def _metadata(self) -> dict[str, Any]:
        configuration = {
            "format": "dc+sd-jwt", "vct": VCT, "scope": "licence", "cryptographic_binding_methods_supported": ["jwk"],
            "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
            "credential_metadata": {"display": [{"name": "Licence"}]}, **self.configuration,
        }  # fmt: skip
        batch = {"batch_credential_issuance": {"batch_size": self.batch}} if self.batch > 1 else {}
        return {
            "credential_issuer": self.address, "credential_endpoint": f"{self.address}/credential",
            "nonce_endpoint": f"{self.address}/nonce", **batch,
            "credential_configurations_supported": {"licence": configuration}, **self.metadata,
        }  # fmt: skip

    def _pushed(self, fields: dict[str, str]) -> Reply:
        assert fields["code_challenge_method"] == "S256" and fields["issuer_state"] == "state-1"
        self.pushed = fields
        return reply({"request_uri": "urn:pushed:1", "expires_in": 60}, 201)

    def _token(self, headers: Any, fields: dict[str, str]) -> Reply:
        claims, key = verified_token(headers["dpop"], None, "dpop+jwt")
        assert claims["htm"] == "POST" and claims["htu"] == f"{self.address}/token"
        if self.dpop_nonce is not None and claims.get("nonce") != self.dpop_nonce:
            return reply({"error": "use_dpop_nonce"}, 400, **{"dpop-nonce": self.dpop_nonce})
        if fields["grant_type"] == "authorization_code":
            challenge = encode_base64url(sha256(fields["code_verifier"].encode()))
            assert challenge == self.pushed["code_challenge"] and fields["code"] == "code-2"
        elif fields["pre-authorized_code"] != "code-1" or fields.get("tx_code") != self.tx_code:
            return reply({"error": "invalid_grant", "error_description": "no such code"}, 400)
        self.bound = key
        return reply({"access_token": "token-1", "token_type": "DPoP", "expires_in": 60})

    def _credentials(self, headers: Any, request: dict[str, Any]) -> Reply:
        claims, _ = verified_token(headers["dpop"], self.bound, "dpop+jwt")
        assert headers["authorization"] == "DPoP token-1" and claims["ath"] == encode_base64url(sha256(b"token-1"))
        assert request["credential_configuration_id"] == "licence"
        keys, found = set(), []
        for number, text in enumerate(request["proofs"]["jwt"]):
            proof, key = verified_token(text, None, "openid4vci-proof+jwt")
            assert proof["aud"] == self.address and proof["nonce"] == "nonce-1" and key not in keys
            keys.add(key)
            holder = self._seal_holder(request, number)
            found.append(self._credential(number, key.public_jwk(), holder))
        return reply({"credentials": found})

    def _seal_holder(self, request: dict[str, Any], number: int) -> bytes | None:
        if "hutong_seal_proofs" not in request:
            return None
        proof, key = verified_token(request["hutong_seal_proofs"][number], None, "openid4vci-proof+jwt", ES256K)
        assert proof["aud"] == self.address and proof["nonce"] == "nonce-1"
        return keccak256(key.coordinates)[12:]

    def _credential(self, number: int, jwk: dict[str, Any], holder: bytes | None) -> dict[str, Any]:
        every = {"iss": self.address, "vct": VCT, "iat": self.now_s - 60, "exp": self.now_s + 3_600, "cnf": {"jwk": jwk},
                 "status": {"status_list": {"idx": number, "uri": f"{self.address}/lists/1"}}, **CLAIMS}  # fmt: skip
        every |= {} if self.claims_of is None else self.claims_of(number)
        credential = issue_credential(CredentialDraft(every, header=self.header), salts(number << 8), self.signer.sign)
        seal = {} if holder is None else {"hutong_seal": self.seal_of(holder)}
        return {"credential": str(credential), **seal}


QUERY = {
    "credentials": [
        {"id": "licence", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": [{"path": ["address"]}]}
    ]
}


def verifier_leaf(*hosts: str) -> x509.Certificate:
    """Under the root of the certificates' tests; no host: known by its hash alone."""
    named = [(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), False)] if hosts else []
    return certificate("a verifier", VERIFIER_KEY, "root", ROOT, SIGNS, *named)


@dataclass
class ScriptedVerifier:
    """Every claim of the request may be changed, and how it is signed; what the wallet posts is judged as ours judges it."""

    leaf: x509.Certificate = field(default_factory=lambda: verifier_leaf("verifier.example"))
    claims: dict[str, Any] = field(default_factory=dict)
    """None leaves one out."""
    header: dict[str, Any] = field(default_factory=dict)
    signer: Signer = VERIFIER_KEY
    text: bytes | None = None
    """In place of the request."""
    twice: bool = False
    """A member of the request stands twice."""
    wallet_nonce: str | None = None
    by_post: bool = False
    answers: list[Any] = field(default_factory=list)
    address: str = VERIFIER_ADDRESS
    client_id: str | None = None
    nonce: str = "n-0S6_WzA2MjZr5TnQxE1c"
    state: str | None = "s1"
    trust: Any = field(default_factory=lambda: trusting(issuer=None))

    @property
    def name(self) -> str:
        digest = sha256(self.leaf.public_bytes(Encoding.DER))
        return self.client_id or f"x509_hash:{encode_base64url(digest)}"

    def link(self, scheme: str = "openid4vp", **changes: Any) -> str:
        every = {"client_id": self.name, "request_uri": f"{self.address}/request"}
        every |= {"request_uri_method": "post"} if self.by_post else {}
        return f"{scheme}://?{urlencode({**every, **changes})}"

    def request(self) -> bytes:
        key = {**ENCRYPTION_KEY.jwk, "kid": "e1", "use": "enc", "alg": "ECDH-ES"}
        every = {
            "response_type": "vp_token", "response_mode": "direct_post.jwt", "client_id": self.name,
            "response_uri": f"{self.address}/response", "aud": "https://self-issued.me/v2", "nonce": self.nonce,
            "state": self.state, "iat": NOW_S - 1, "exp": NOW_S + 300, "dcql_query": QUERY,
            "client_metadata": {
                "jwks": {"keys": [key]}, "encrypted_response_enc_values_supported": ["A128GCM", "A256GCM"],
                "vp_formats_supported": {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]}},
            },
            "wallet_nonce": self.wallet_nonce, **self.claims,
        }  # fmt: skip
        header = {"alg": "ES256", "typ": "oauth-authz-req+jwt",
                  "x5c": [b64encode(self.leaf.public_bytes(Encoding.DER)).decode()], **self.header}  # fmt: skip
        parts = [raw({name: value for name, value in part.items() if value is not None}) for part in (header, every)]
        if self.twice:
            parts[1] = parts[1].replace(b"{", b'{"nonce":"another nonce of twenty-two",', 1)
        signing_input = b".".join(encode_base64url(part).encode() for part in parts)
        return signing_input + b"." + encode_base64url(self.signer.sign(signing_input)).encode()

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Reply:
        if path == "/request":
            assert (method == "POST") is self.by_post
            if self.by_post and "wallet_nonce" not in self.claims:
                self.wallet_nonce = dict(parse_qsl(body.decode()))["wallet_nonce"]
            return Reply(200, self.request() if self.text is None else self.text)
        if path != "/response":
            return reply({"error": "not_found"}, 404)
        self.answers.append(self._judged(parse_qsl(body.decode())))
        return reply({"redirect_uri": f"{self.address}/done"})

    def _judged(self, fields: list[tuple[str, str]]) -> Any:
        secret = encode_base64url(ENCRYPTION_KEY.secret.to_bytes(32, "big"))
        key = read_decryption_key({**ENCRYPTION_KEY.jwk, "d": secret, "kid": "e1"})
        found = judge_form(VERIFY, fields, ResponseMode.DIRECT_POST_JWT, key, self.state)
        if not hasattr(found, "presentations"):
            return found
        binding = KeyBindingDemand(self.name, self.nonce)
        query = query_well_formed(self.claims.get("dcql_query", QUERY))
        judged = judge_vp_token(VERIFY, found, AnswerDemand(query, self.trust, Clock(NOW_S), binding))
        return found.presentations, judged


def transport_to(*peers: Any, otherwise: Any = None) -> Transport:
    """To whichever of them has the address; `otherwise` is asked for the rest."""

    def handle(request: httpx.Request) -> httpx.Response:
        for peer in peers:
            if str(request.url).startswith(peer.address + "/"):
                url = urlsplit(str(request.url))
                found = peer.answer(request.method, url.path, request.headers, request.read())
                return httpx.Response(found.status, headers=found.headers, stream=httpx.ByteStream(found.body))
        if otherwise is None:
            raise AssertionError(f"the wallet asked {request.url}")
        return otherwise(request)

    return Transport(httpx.Client(transport=httpx.MockTransport(handle)))


def make_wallet(folder: Any) -> Any:
    """A wallet that trusts this issuer's key, and verifiers under the root. Its password is derived fast: it guards nothing."""
    (folder / "trust.json").write_bytes(raw(ISSUER_KEY.jwk))
    (folder / "trust.pem").write_bytes(root().public_bytes(Encoding.PEM))
    trusted = {TrustFile.ISSUER_KEYS: folder / "trust.json", TrustFile.VERIFIERS: folder / "trust.pem"}
    Wallet.create(folder / "wallet", PASSWORD, trusted, iterations=2)
    return folder / "wallet"


def open_wallet(folder: Any, *peers: Any) -> Wallet:
    return Wallet.open(folder, PASSWORD, transport_to(*peers), lambda: NOW_S)
