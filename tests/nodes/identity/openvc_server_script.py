"""Runs under the Python of `provision.python_peers`: an issuer (OpenID4VCI 1.0) and a verifier (OpenID4VP 1.0, HAIP) over HTTPS, as
far as openvc-core has them: it judges key proofs and answers and makes the credentials; end points, codes and nonces are here.

First line of input: its settings as JSON. It prints its address; then for `offer` the link of an offer and its transaction code,
for `request` the link of a request, and for `verdicts` what it said of the answers since the last time.
"""

import base64
import hashlib
import json
import secrets
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode
from urllib.request import urlopen

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from openvc.errors import OpenvcError
from openvc.keys import P256KeyAgreementKey, P256SigningKey
from openvc.openid4vci import ProofReplayed, verify_credential_request_proofs
from openvc.openid4vp import verify_encrypted_vp_response
from openvc.proof.sd_jwt import SdJwtVcProofSuite
from openvc.status.issue import verify_status_list_token
from openvc.x5c import leaf_public_jwk, load_x5c_chain, validate_cert_chain

PRE_AUTHORISED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
settings = json.loads(sys.stdin.readline())
BASE, VCT, CLAIMS = settings["base"], settings["vct"], settings["claims"]
LEAF = x509.load_pem_x509_certificate(Path(settings["certificate"]).read_bytes())
ANCHORS = [x509.load_pem_x509_certificate(Path(settings["anchor"]).read_bytes())]
KEY = P256SigningKey.from_pem(Path(settings["key"]).read_bytes(), kid="openvc")
X5C = [base64.b64encode(LEAF.public_bytes(Encoding.DER)).decode()]
TLS = ssl.create_default_context(cafile=settings["tls_authority"])
SUITE = SdJwtVcProofSuite()
codes, tokens, nonces, requests, verdicts = {}, set(), set(), {}, []


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


CLIENT_ID = "x509_hash:" + b64(hashlib.sha256(LEAF.public_bytes(Encoding.DER)).digest())


def signed(header, claims):
    text = ".".join(b64(json.dumps(part).encode()) for part in ({"alg": KEY.alg, **header}, claims))
    return f"{text}.{b64(KEY.sign(text.encode()))}"


def query():
    asked = [{"path": [name]} for name in settings["asks"]]
    return {"credentials": [{"id": "residence", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": asked}]}


def status_list(uri):
    """The token of a list, its certificates judged."""
    with urlopen(uri, context=TLS) as answer:
        token = answer.read().decode()
    head = token.partition(".")[0]
    chain = load_x5c_chain(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["x5c"])
    validate_cert_chain(chain[0], chain[1:], trust_anchors=ANCHORS)
    return verify_status_list_token(token, public_key_jwk=leaf_public_jwk(chain[0]), expected_uri=uri)


# --- the issuer


def issuer_metadata():
    kind = {
        "format": "dc+sd-jwt", "scope": "residence", "vct": VCT, "cryptographic_binding_methods_supported": ["jwk"],
        "credential_signing_alg_values_supported": ["ES256"],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
    }  # fmt: skip
    return {
        "credential_issuer": BASE, "credential_endpoint": f"{BASE}/credential", "nonce_endpoint": f"{BASE}/nonce",
        "batch_credential_issuance": {"batch_size": settings["batch"]},
        "credential_configurations_supported": {"residence": kind},
    }  # fmt: skip


def server_metadata():
    return {
        "issuer": BASE, "token_endpoint": f"{BASE}/token", "grant_types_supported": [PRE_AUTHORISED],
        "response_types_supported": ["code"],
    }  # fmt: skip


def offer():
    code, typed = secrets.token_urlsafe(24), f"{secrets.randbelow(10**4):04d}"
    codes[code] = typed
    grant = {"pre-authorized_code": code, "tx_code": {"input_mode": "numeric", "length": 4}}
    document = {
        "credential_issuer": BASE,
        "credential_configuration_ids": ["residence"],
        "grants": {PRE_AUTHORISED: grant},
    }
    link = "openid-credential-offer://?" + urlencode({"credential_offer": json.dumps(document)})
    return {"link": link, "code": typed}


def token(form):
    if form.get("grant_type") != PRE_AUTHORISED or codes.pop(form.get("pre-authorized_code"), None) != form.get(
        "tx_code"
    ):
        return 400, {"error": "invalid_grant"}
    made = secrets.token_urlsafe(24)
    tokens.add(made)
    return 200, {"access_token": made, "token_type": "Bearer", "expires_in": 300}


def used_up(nonce):
    there = nonce in nonces
    nonces.discard(nonce)
    return there


def credential(authorization, body):
    kind, _, value = authorization.partition(" ")
    if kind != "Bearer" or value not in tokens:
        return 401, {"error": "invalid_token"}
    try:
        proven = verify_credential_request_proofs(
            body.decode(), credential_issuer=BASE, check_nonce=used_up, batch_size=settings["batch"]
        )
    except OpenvcError as error:
        code = "invalid_nonce" if isinstance(error, ProofReplayed) else "invalid_proof"
        return 400, {"error": code, "error_description": str(error)[:200]}
    made = [
        SUITE.issue(
            {"iss": BASE, **CLAIMS}, signing_key=KEY, disclosable=list(CLAIMS), holder_jwk=one.public_jwk, vct=VCT,
            expires_in_s=86_400, x5c=X5C,
        )
        for one in proven
    ]  # fmt: skip
    return 200, {"credentials": [{"credential": text} for text in made]}


# --- the verifier


def request():
    number = secrets.token_urlsafe(12)
    requests[number] = (secrets.token_urlsafe(24), P256KeyAgreementKey.generate(kid=f"k{number}"))
    said = {"client_id": CLIENT_ID, "request_uri": f"{BASE}/request/{number}"}
    return "openid4vp://?" + urlencode(said)


def request_object(number):
    nonce, key = requests[number]
    now = int(time.time())
    jwk = {**key.public_jwk(), "kid": key.kid, "use": "enc", "alg": "ECDH-ES"}
    metadata = {
        "jwks": {"keys": [jwk]}, "encrypted_response_enc_values_supported": ["A128GCM", "A256GCM"],
        "vp_formats_supported": {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]}},
    }  # fmt: skip
    claims = {
        "response_type": "vp_token", "response_mode": "direct_post.jwt", "client_id": CLIENT_ID, "nonce": nonce, "state": number,
        "response_uri": f"{BASE}/response/{number}", "dcql_query": query(), "client_metadata": metadata,
        "aud": "https://self-issued.me/v2", "iat": now, "exp": now + 300,
    }  # fmt: skip
    return signed({"typ": "oauth-authz-req+jwt", "x5c": X5C}, claims)


def answered(number, form):
    """What a wallet posted is judged once: a request that was answered is over."""
    if number not in requests:
        verdicts.append("no such request")
        return 400, {"error": "invalid_request"}
    nonce, key = requests.pop(number)
    try:
        found = verify_encrypted_vp_response(
            form["response"], key=key, dcql_query=query(), nonce=nonce, client_id=CLIENT_ID, x5c_trust_anchors=ANCHORS,
            require_holder_binding=True, resolve_status_list_token=status_list, require_status=True,
        )  # fmt: skip
    except (OpenvcError, KeyError, OSError) as error:
        verdicts.append(f"{type(error).__name__}: {error}"[:300])
        return 400, {"error": "invalid_request"}
    (shown,) = found.for_query("residence")
    verdicts.append("accepted" if shown.raw.key_bound else "not bound to the holder")
    return 200, {"redirect_uri": f"{BASE}/done"}


# --- both, over HTTPS


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def answer(self, status, document, kind="application/json"):
        body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in (("content-type", kind), ("content-length", str(len(body))), ("cache-control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/.well-known/openid-credential-issuer":
            self.answer(200, issuer_metadata())
        elif self.path == "/.well-known/oauth-authorization-server":
            self.answer(200, server_metadata())
        elif self.path.startswith("/request/") and self.path[9:] in requests:
            self.answer(200, request_object(self.path[9:]), "application/oauth-authz-req+jwt")
        else:
            self.answer(404, {"error": "not_found"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        form = {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}
        if self.path == "/token":
            self.answer(*token(form))
        elif self.path == "/nonce":
            nonce = secrets.token_urlsafe(24)
            nonces.add(nonce)
            self.answer(200, {"c_nonce": nonce})
        elif self.path == "/credential":
            self.answer(*credential(self.headers.get("authorization", ""), body))
        elif self.path.startswith("/response/"):
            self.answer(*answered(self.path[10:], form))
        else:
            self.answer(404, {"error": "not_found"})


server = ThreadingHTTPServer(("127.0.0.1", settings["port"]), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(settings["tls_certificate"], settings["tls_key"])
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(BASE, flush=True)
for line in sys.stdin:
    word = line.strip()
    if word == "verdicts":
        print(json.dumps(verdicts), flush=True)
        verdicts.clear()
    else:
        print(json.dumps({"offer": offer, "request": request}[word]()), flush=True)
