"""Runs under the Python of `provision.python_peers`: a wallet over HTTPS, as far as openvc-core has one. It reads offers and metadata,
judges each credential with its status, signs with its keys, and makes presentations; requests, proofs and encryption are here.

First line of input: its settings as JSON. Then one question a line, one answer a line, as the wallets in Node have them.
"""

import base64
import hashlib
import json
import secrets
import ssl
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from jwcrypto import jwe, jwk, jws
from openvc.keys import P256SigningKey
from openvc.openid4vci import parse_credential_issuer_metadata, parse_credential_offer
from openvc.proof.sd_jwt import SdJwtVcProofSuite
from openvc.status.issue import verify_status_list_token
from openvc.verify import VerificationPolicy, verify_credential
from openvc.x5c import leaf_public_jwk, load_x5c_chain, validate_cert_chain

PRE_AUTHORISED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
settings = json.loads(sys.stdin.readline())
ANCHORS = [x509.load_pem_x509_certificate(Path(settings["anchor"]).read_bytes())]
TLS = ssl.create_default_context(cafile=settings["tls_authority"])
SUITE = SdJwtVcProofSuite()
held = []  # (credential, key)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(header, claims, key):
    text = ".".join(b64(json.dumps(part).encode()) for part in ({"alg": key.alg, **header}, claims))
    return f"{text}.{b64(key.sign(text.encode()))}"


def fetched(url, body=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(url, body, named), context=TLS) as answer:
            return answer.read().decode()
    except HTTPError as error:
        raise RuntimeError(f"{url}: {error.code} {error.read().decode()[:300]}") from None


def well_known(issuer, name):
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path}"


def dpop(key, url, token=None):
    claims = {"jti": secrets.token_urlsafe(16), "htm": "POST", "htu": url, "iat": int(time.time())}
    if token is not None:
        claims["ath"] = b64(hashlib.sha256(token.encode()).digest())
    return compact({"typ": "dpop+jwt", "jwk": public_of(key)}, claims, key)


def public_of(key):
    return {name: value for name, value in key.public_jwk().items() if name in ("kty", "crv", "x", "y")}


def chain_of(token):
    chain = load_x5c_chain(json.loads(unb64(token.partition(".")[0]))["x5c"])
    validate_cert_chain(chain[0], chain[1:], trust_anchors=ANCHORS)
    return chain


def lists():
    """One fetch a list and batch, not one a credential."""
    known = {}

    def resolve(uri):
        if uri not in known:
            token = fetched(uri)
            jwk_of_list = leaf_public_jwk(chain_of(token)[0])
            known[uri] = verify_status_list_token(token, public_key_jwk=jwk_of_list, expected_uri=uri)
        return known[uri]

    return resolve


def accept(link, count, txCode=None):  # noqa: N803  the name in the questions
    given = parse_qs(urlsplit(link).query)
    text = given["credential_offer"][0] if "credential_offer" in given else fetched(given["credential_offer_uri"][0])
    offer = parse_credential_offer(text)
    metadata = parse_credential_issuer_metadata(
        fetched(well_known(offer.credential_issuer, "openid-credential-issuer"))
    )
    server = json.loads(fetched(well_known(offer.credential_issuer, "oauth-authorization-server")))
    key = P256SigningKey.generate(kid="dpop")
    form = {"grant_type": PRE_AUTHORISED, "pre-authorized_code": offer.grants[PRE_AUTHORISED]["pre-authorized_code"]}
    form |= {} if txCode is None else {"tx_code": txCode}
    url = server["token_endpoint"]
    token = json.loads(fetched(url, urlencode(form).encode(), DPoP=dpop(key, url)))["access_token"]
    nonce = json.loads(fetched(metadata.nonce_endpoint, b""))["c_nonce"]
    keys = [P256SigningKey.generate(kid=str(number)) for number in range(min(count, metadata.batch_size or 1))]
    claims = {"aud": metadata.credential_issuer, "iat": int(time.time()), "nonce": nonce}
    proofs = [compact({"typ": "openid4vci-proof+jwt", "jwk": public_of(one)}, claims, one) for one in keys]
    name = offer.credential_configuration_ids[0]
    body = json.dumps({"credential_configuration_id": name, "proofs": {"jwt": proofs}}).encode()
    url = metadata.credential_endpoint
    answer = fetched(
        url, body, Authorization=f"DPoP {token}", DPoP=dpop(key, url, token), Content_Type="application/json"
    )
    texts = [one["credential"] for one in json.loads(answer)["credentials"]]
    vct = metadata.credential_configurations_supported[name]["vct"]
    by_key = {json.dumps(public_of(one), sort_keys=True): one for one in keys}
    resolve, policy = lists(), VerificationPolicy(expected_vct=vct, require_status=True)
    for text in texts:
        found = verify_credential(text, policy=policy, x5c_trust_anchors=ANCHORS, resolve_status_list_token=resolve)
        confirmed = found.credential["cnf"]["jwk"]
        held.append((text, by_key.pop(json.dumps(confirmed, sort_keys=True))))
    return {"count": len(texts)}


def present(link):
    given = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    token = fetched(given["request_uri"])
    leaf = chain_of(token)[0]
    judged = jws.JWS()
    judged.deserialize(token, jwk.JWK(**leaf_public_jwk(leaf)))
    request = json.loads(judged.payload)
    by_hash = b64(hashlib.sha256(leaf.public_bytes(Encoding.DER)).digest())
    if {request["client_id"], given["client_id"]} != {f"x509_hash:{by_hash}"}:
        raise RuntimeError("the request is not of the certificate's holder")
    (query,) = request["dcql_query"]["credentials"]
    asked = {claim["path"][0] for claim in query["claims"]}
    text, key = held.pop(0)
    issuer_jwt, *disclosures = text.split("~")[:-1]
    shown = [one for one in disclosures if json.loads(unb64(one))[1] in asked]
    presented = SUITE.create_presentation(
        "~".join([issuer_jwt, *shown, ""]), holder_key=key, audience=request["client_id"], nonce=request["nonce"]
    )
    (recipient,) = request["client_metadata"]["jwks"]["keys"]
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": recipient["kid"]}
    sealed = jwe.JWE(
        json.dumps({"vp_token": {query["id"]: [presented]}, "state": request.get("state")}), json.dumps(header)
    )
    sealed.add_recipient(jwk.JWK(**recipient))
    return {
        "status": 200,
        "body": fetched(request["response_uri"], urlencode({"response": sealed.serialize(compact=True)}).encode()),
    }


for line in sys.stdin:
    question = json.loads(line)
    try:
        said = {"accept": accept, "present": present}[question.pop("do")](**question)
    except Exception as error:  # whatever it is, it is what went wrong in this wallet
        said = {"error": f"{type(error).__name__}: {error}"[:800]}
    print(json.dumps(said), flush=True)
