"""Runs under the Python of `provision.python_peers`: asks three verifiers of others what they say of presentations.

One question a line of input, one answer a line of output. The clock that they read is frozen at the question's time; nothing
else of them is changed.
"""

import json
import sys
import time
import traceback
from base64 import b64decode
from functools import cache
from itertools import cycle

NOW = [0.0]
time.time = lambda: NOW[0]

# After the clock stands: a library may take `time.time` itself when it is imported.
from cryptography import x509  # noqa: E402
from jwcrypto.jwk import JWK  # noqa: E402
from openvc.errors import OpenvcError  # noqa: E402
from openvc.proof.sd_jwt import SdJwtVcProofSuite  # noqa: E402
from polaris_oid4vp.sdjwt import verify_presentation  # noqa: E402
from sd_jwt.verifier import SDJWTVerifier  # noqa: E402

SUITE = SdJwtVcProofSuite()


@cache
def anchors_of(texts):
    return [x509.load_der_x509_certificate(b64decode(text)) for text in texts]


def polaris(q):
    verdict = verify_presentation(
        q["presentation"], expected_nonce=q["nonce"], expected_audience=q["audience"],
        issuer_jwks=None if q.get("anchors") else [q["jwk"]], trust_anchors=anchors_of(tuple(q.get("anchors", ()))),
        now=q["now"], max_skew_seconds=q["skew"], expected_vct=q["vct"],
    )  # fmt: skip
    return None if verdict.authentic else f"{verdict.code}: {verdict.reason}"


def openvc(q):
    try:
        SUITE.verify(
            q["presentation"], public_key_jwk=q["jwk"], audience=q["audience"], nonce=q["nonce"],
            require_key_binding=True, expected_vct=q["vct"],
        )  # fmt: skip
    except OpenvcError as error:
        return f"{type(error).__name__}: {error}"
    return None


def sd_jwt(q):
    try:
        key = JWK(**q["jwk"])
        SDJWTVerifier(q["presentation"], lambda *_: key, q["audience"], q["nonce"]).get_verified_payload()
    except Exception as error:  # whatever it raises is its refusal: some of its errors have no common type
        return f"{type(error).__name__}: {error}"
    return None


VERIFIERS = {"polaris-oid4vp": polaris, "openvc-core": openvc, "sd-jwt": sd_jwt}


def said(verify, q):
    try:
        return verify(q)
    except Exception:
        return "crashed: " + traceback.format_exc(limit=-1)[-200:]


def timed(q):
    """Verifications a second of processor time, best of some rounds, for those that accept."""
    rates = {}
    for name in q["of"]:
        verify, best = VERIFIERS[name], 0.0
        questions = [{**q, "presentation": text} for text in q["presentations"]]
        for question in questions:
            if (refusal := verify(question)) is not None:
                raise SystemExit(f"{name} does not accept what it is timed with: {refusal}")
        for _ in range(q["rounds"]):
            turns = cycle(questions)
            before = time.process_time()
            for _ in range(q["count"]):
                verify(next(turns))
            best = max(best, q["count"] / (time.process_time() - before))
        rates[name] = best
    return rates


for line in sys.stdin:
    question = json.loads(line)
    NOW[0] = float(question["now"])
    if "rounds" in question:
        answer = timed(question)
    else:
        answer = {name: said(verify, question) for name, verify in VERIFIERS.items()}
    print(json.dumps(answer), flush=True)
