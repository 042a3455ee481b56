"""Credentials and presentations as tokens: one thing wrong at a time."""

from hashlib import sha256

import pytest

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import HAIP_ALGORITHMS, KeySet, encode_base64url, write_json
from hutong.relay.services.identity.rules.jose.algorithms import Algorithm
from hutong.relay.services.identity.rules.vc2 import (
    TokenForm,
    date_time_ns,
    judge_credential_token,
    judge_presentation_token,
)
from tests.relay.services.identity.rules.actors import HOLDER_KEY, ISSUER_KEY, STRANGER, disclosure, token
from tests.relay.services.identity.rules.vc2.documents import CREDENTIAL, ISSUER, PRESENTATION

NOW_NS = date_time_ns("2025-06-01T12:00:00Z", "now")
NOW_S = NOW_NS // 10**9
SUBJECT = {**CREDENTIAL, "credentialSubject": {"id": "did:example:subject", "class": "B"}}


def credential(claims=CREDENTIAL, signer=ISSUER_KEY, key=ISSUER_KEY, header=None, after="", **more):
    text = token(
        {"alg": "ES256", "typ": "vc+jwt", "cty": "vc", **(header or {})}, write_json({**claims, **more}), signer
    )
    return judge_credential_token(VERIFY, text + after, HAIP_ALGORITHMS, KeySet((key.public,)), NOW_NS)


def presentation(claims=PRESENTATION, typ="vp+jwt", **more):
    text = token({"alg": "ES256", "typ": typ}, write_json({**claims, **more}), HOLDER_KEY)
    return judge_presentation_token(VERIFY, text, HAIP_ALGORITHMS, KeySet((HOLDER_KEY.public,)), NOW_NS)


def refused(rule, act):
    with pytest.raises(PredicateFailed) as error:
        act()
    assert error.value.predicate == rule, error.value


def test_a_credential_is_its_payload():
    assert credential() == CREDENTIAL
    said = {"iss": ISSUER, "jti": CREDENTIAL["id"], "iat": "2010-01-01T19:23:24Z", "nbf": NOW_S, "exp": NOW_S + 1}
    assert credential(SUBJECT, sub="did:example:subject", **said) == {**SUBJECT, "sub": "did:example:subject", **said}
    credential(header={"cty": "application/vc"})


def test_a_token_of_another_kind_key_or_algorithm():
    refused("form_is_accepted", lambda: credential(header={"typ": "JWT"}))
    refused("form_is_accepted", lambda: credential(header={"typ": "vp+jwt"}))
    refused("form_is_accepted", lambda: credential(header={"cty": "vp"}))
    refused("form_is_accepted", lambda: credential(header={"cty": None}))
    refused("signature_verifies", lambda: credential(signer=STRANGER))
    refused("signature_verifies", lambda: credential(key=STRANGER))
    refused("algorithm_is_allowed", lambda: credential(header={"alg": "none"}))


def test_claims_beside_the_document_that_say_something_else():
    refused("payload_is_the_document", lambda: credential(vc={}))
    for name, value in (("iss", ISSUER + "/"), ("jti", "urn:other"), ("sub", "did:example:other"), ("iss", None)):
        refused(
            "claims_say_what_the_document_says", lambda name=name, value=value: credential(SUBJECT, **{name: value})
        )
    refused("claims_say_what_the_document_says", lambda: credential(sub="did:example:subject"))


def test_times_of_token_and_document():
    refused("token_is_in_time", lambda: credential(exp=NOW_S))
    refused("token_is_in_time", lambda: credential(nbf=NOW_S + 1))
    refused("credential_is_in_time", lambda: credential(validFrom="2026-01-01T00:00:00Z"))
    refused("credential_is_in_time", lambda: credential(validUntil="2025-01-01T00:00:00Z"))
    for wrong in ("2030-01-01T00:00:00Z", 1.5, True, -1):
        with pytest.raises(MalformedInput, match="exp"):
            credential(exp=wrong)


def test_disclosures_belong_to_their_own_form():
    hidden = disclosure("salt" * 6, "class", "B")

    digest = encode_base64url(sha256(hidden.encode()).digest())
    claims = {**CREDENTIAL, "credentialSubject": {"id": "did:example:subject", "_sd": [digest]}}
    shown = credential(claims, header={"typ": "vc+sd-jwt"}, after=f"~{hidden}~")
    assert shown["credentialSubject"] == {"id": "did:example:subject", "class": "B"}
    assert credential(claims, header={"typ": "vc+sd-jwt"}, after="~")["credentialSubject"] == {
        "id": "did:example:subject"
    }
    refused("token_fits_its_form", lambda: credential(after="~"))
    refused("token_fits_its_form", lambda: credential(header={"typ": "vc+sd-jwt"}))
    refused("disclosures_unpack", lambda: credential(header={"typ": "vc+sd-jwt"}, after=f"~{hidden}~"))
    with pytest.raises(UnsupportedOperation, match="key binding"):
        credential(claims, header={"typ": "vc+sd-jwt"}, after="~a.b.c")


@pytest.mark.parametrize("name", ["validUntil", "credentialStatus", "issuer", "type", "exp"])
def test_what_protects_is_signed_in_the_clear(name):
    """Kept back, it would not be missed: a credential without an end or a status would be left."""
    value = {**CREDENTIAL, "validUntil": "2099-01-01T00:00:00Z", "credentialStatus": {"type": "X"}, "exp": NOW_S + 9}[
        name
    ]
    hidden = disclosure("salt" * 6, name, value)
    digest = encode_base64url(sha256(hidden.encode()).digest())
    claims = {key: one for key, one in {**CREDENTIAL, "_sd": [digest]}.items() if key != name}
    refused(
        "what_protects_stands_in_the_clear",
        lambda: credential(claims, header={"typ": "vc+sd-jwt"}, after=f"~{hidden}~"),
    )


def test_a_verifier_may_take_one_form_alone():
    text = token({"alg": "ES256", "typ": "vc+sd-jwt"}, write_json(CREDENTIAL)) + "~"
    keys, jwt_alone = KeySet((ISSUER_KEY.public,)), frozenset({TokenForm.CREDENTIAL_JWT})
    judge_credential_token(VERIFY, text, HAIP_ALGORITHMS, keys, NOW_NS)
    refused("form_is_accepted", lambda: judge_credential_token(VERIFY, text, HAIP_ALGORITHMS, keys, NOW_NS, jwt_alone))


def test_a_presentation_hands_on_what_others_signed():
    proven = {**CREDENTIAL, "proof": {"type": "DataIntegrityProof"}}
    credentials = [*PRESENTATION["verifiableCredential"], proven]
    presented = presentation(verifiableCredential=credentials)
    assert [(inner.media_type, inner.token) for inner in presented.enveloped] == [
        ("application/vc+jwt", "eyJhbGciOiJFUzI1NiJ9.e30.AA")
    ]
    assert presented.with_proofs == (proven,)


def test_a_presentation_that_is_not_the_holders():
    refused("form_is_accepted", lambda: presentation(typ="vc+jwt"))
    refused("bare_credentials_are_the_holders", lambda: presentation(verifiableCredential=[CREDENTIAL]))
    refused("claims_say_what_the_document_says", lambda: presentation(iss="did:example:other"))
    late = {**CREDENTIAL, "issuer": "did:example:holder", "validUntil": "2025-01-01T00:00:00Z"}
    refused("credential_is_in_time", lambda: presentation(verifiableCredential=[late]))


def test_every_curve_signs_under_its_own_algorithm():
    keys = KeySet((ISSUER_KEY.public,))
    text = token({"alg": "ES256", "typ": "vc+jwt"}, write_json(CREDENTIAL))
    for algorithm in Algorithm:
        if algorithm is Algorithm.ES256:
            judge_credential_token(VERIFY, text, frozenset({algorithm}), keys, NOW_NS)
        else:
            refused(
                "algorithm_is_allowed",
                lambda a=algorithm: judge_credential_token(VERIFY, text, frozenset({a}), keys, NOW_NS),
            )
