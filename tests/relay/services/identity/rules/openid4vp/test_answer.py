"""Presentations of an answer: for this verifier and request, of the types and claims that were asked for, and no others."""

from typing import Any

from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.dcql import query_well_formed
from hutong.relay.services.identity.rules.jose import TrustAnchors, encode_base64url
from hutong.relay.services.identity.rules.openid4vp import AnswerDemand, VpToken, judge_vp_token
from hutong.relay.services.identity.rules.sd_jwt import (
    Clock,
    IssuerTrust,
    KeyBindingDemand,
    bind_to_holder,
    select_disclosures,
)
from tests.relay.services.identity.rules.actors import (
    AUDIENCE,
    HOLDER_KEY,
    LICENCE,
    NONCE,
    NOW_S,
    STRANGER,
    issued,
    presented,
    trusting,
)
from tests.relay.services.identity.rules.jose.test_certificate_attacks import leaf, root, x5c
from tests.relay.services.identity.rules.openid4vp.verifiers import QUERY
from tests.relay.services.identity.rules.refusals import refused_by

CREDENTIAL = issued()
SHOWN = presented(CREDENTIAL, ("given_name",))


def judged(answer: dict[str, tuple[str, ...]], query: Any = QUERY, trust: IssuerTrust | None = None):
    demand = AnswerDemand(
        query_well_formed(query), trust or trusting(), Clock(NOW_S), KeyBindingDemand(AUDIENCE, NONCE)
    )
    return judge_vp_token(VERIFY, VpToken(answer, None), demand)


def refusal(answer: dict[str, tuple[str, ...]], query: Any = QUERY) -> str:
    return refused_by(lambda: judged(answer, query))


def test_an_answer_gives_the_claims_by_query():
    (found,) = judged({"licence": (SHOWN,)})["licence"]
    assert found.claims["given_name"] == "Erika" and "family_name" not in found.claims


def bound(audience: str = AUDIENCE, nonce: str = NONCE, at_s: int = NOW_S, key: Any = HOLDER_KEY) -> str:
    return str(bind_to_holder(select_disclosures(CREDENTIAL, [("given_name",)]), audience, nonce, at_s, key.sign))


def test_attack_N130_to_another_verifier_or_of_another_key():
    assert "presented_to_this_verifier" in refusal({"licence": (bound("x509_hash:other"),)})
    assert "presented_to_this_verifier" in refusal({"licence": (bound(AUDIENCE.partition(":")[2]),)})
    assert "presented_for_this_request" in refusal({"licence": (bound(nonce="other"),)})
    assert "signature_verifies" in refusal({"licence": (bound(key=STRANGER),)})
    assert judged({"licence": (bound(),)})


def test_attack_N141_what_was_not_asked_or_not_enough():
    other = issued({**LICENCE, "vct": "https://credentials.example/other"})
    assert "an answer to what was not asked" in refusal({"licence": (SHOWN,), "more": (SHOWN,)})
    assert "as many as asked for" in refusal({"licence": (SHOWN, SHOWN)})
    assert "type_is_accepted" in refusal({"licence": (presented(other, ("given_name",)),)})
    assert "claims_at: no such claim" in refusal({"licence": (presented(CREDENTIAL, ("family_name",)),)})
    two = {"credentials": [*QUERY["credentials"], {**QUERY["credentials"][0], "id": "second"}]}
    assert "a credential is missing" in refusal({"licence": (SHOWN,)}, two)
    assert judged({"licence": (SHOWN,), "second": (SHOWN,)}, two)
    several = {"credentials": [{**QUERY["credentials"][0], "multiple": True}]}
    assert len(judged({"licence": (SHOWN, SHOWN)}, several)["licence"]) == 2


def test_attack_N133_without_the_holder_only_where_the_query_says_so():
    without = str(select_disclosures(CREDENTIAL, [("given_name",)]))
    assert "the holder's signature is missing" in refusal({"licence": (without,)})
    lax = {"credentials": [{**QUERY["credentials"][0], "require_cryptographic_holder_binding": False}]}
    assert judged({"licence": (without,)}, lax)["licence"][0].holder is None
    assert "presented_for_this_request" in refusal({"licence": (bound(nonce="other"),)}, lax)


def test_authorities_are_those_that_certified_the_issuer():
    trust = IssuerTrust((), TrustAnchors((root(),)))
    text = presented(issued(header={"x5c": list(x5c(leaf()))}), ("given_name",))
    assert judged({"licence": (text,)}, trust=trust)
    asked = {"type": "aki", "values": [encode_base64url(b"authority")]}
    query = {"credentials": [{**QUERY["credentials"][0], "trusted_authorities": [asked]}]}
    assert "known under none of the trusted authorities" in refused_by(
        lambda: judged({"licence": (text,)}, query, trust)
    )
