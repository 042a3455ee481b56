"""Disclosures: what is shown stands exactly where its issuer put it, once, and protects nothing that it could hide."""

import pytest

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.services.identity.rules.jose import encode_base64url
from hutong.relay.services.identity.rules.sd_jwt import digest_of, read_disclosure
from hutong.relay.services.identity.rules.sd_jwt.unpacking import disclosures_unpack
from tests.relay.services.identity.rules.actors import (
    HOLDER_KEY,
    ISSUER,
    NOW_S,
    STRANGER,
    VCT,
    Presented,
    disclosure,
    issued,
    judged,
    payload,
    presented,
    raw,
    trusting,
)
from tests.relay.services.identity.rules.refusals import refused

NAME = disclosure("salt-salt-salt-salt-salt", "given_name", "Erika")
CITY = disclosure("salt-salt-salt-salt-city", "locality", "Köln")
ELEMENT = disclosure("salt-salt-salt-salt-elem", "DE")
HIDDEN = {"...": digest_of(ELEMENT)}


def with_sd(*disclosures: str, **claims) -> Presented:
    """Their digests at the top level."""
    return Presented(payload(_sd=[digest_of(text) for text in disclosures], **claims), disclosures)


def test_what_is_shown_stands_where_it_was_hidden():
    whole = issued()
    shown = judged(presented(whole, ("given_name",), ("address", "locality"), ("nationalities", 1)))
    assert shown.claims["given_name"] == "Erika" and "family_name" not in shown.claims
    assert shown.claims["address"] == {"country": "DE", "locality": "Köln"}
    assert shown.claims["nationalities"] == ["FR", "EU"]
    assert shown.unpacked.disclosed == {("given_name",), ("address",), ("address", "locality"), ("nationalities", 0)}
    assert "_sd" not in shown.claims and "_sd_alg" not in shown.claims
    nothing = judged(presented(whole)).claims
    assert nothing["nationalities"] == ["EU"] and "address" not in nothing


def test_what_was_signed_stays_as_it_was_read():
    """Parts without digests are shared with what is shown, so nothing may be written into them."""
    inner = disclosure("salt-salt-salt-salt-innr", "x", [HIDDEN, {"y": [1]}])
    signed = payload(_sd=[digest_of(NAME)], a={"b": [{"_sd": [digest_of(inner)]}, 1]}, c=[[1], HIDDEN], d={"e": [2]})
    before = raw(signed)
    shown = [NAME, inner, ELEMENT]
    found = {digest_of(text): read_disclosure(text, "disclosure") for text in shown}
    with pytest.raises(PredicateFailed):  # the element is hidden in two places
        disclosures_unpack(signed, found)
    assert raw(signed) == before
    signed["c"] = [[1]]
    before = raw(signed)
    unpacked = disclosures_unpack(signed, found)
    assert raw(signed) == before
    assert unpacked.claims["a"] == {"b": [{"x": ["DE", {"y": [1]}]}, 1]} and unpacked.claims["d"] == {"e": [2]}
    places = {("given_name",), ("a", "b", 0, "x"), ("a", "b", 0, "x", 0)}
    assert unpacked.disclosed == places


def test_attack_N7_a_digest_that_stands_twice():
    twice = "digests_stand_once"
    assert judged(with_sd(NAME).text).claims["given_name"] == "Erika"
    digest = digest_of(NAME)
    assert twice in refused(Presented(payload(_sd=[digest, digest]), [NAME]))
    assert twice in refused(Presented(payload(_sd=[digest, digest])))  # hidden ones are counted as well
    assert twice in refused(Presented(payload(_sd=[digest], other={"_sd": [digest]}), [NAME]))
    assert twice in refused(Presented(payload(a=[HIDDEN, HIDDEN]), [ELEMENT]))
    assert twice in refused(Presented(payload(a=[HIDDEN], b=[{"c": [HIDDEN]}]), [ELEMENT]))
    outer = disclosure("salt-salt-salt-salt-outer", "address", {"_sd": [digest]})
    assert twice in refused(with_sd(outer, NAME))
    inside = disclosure("salt-salt-salt-salt-insid", "list", [HIDDEN, HIDDEN])
    assert twice in refused(with_sd(inside))


def test_attack_N7_a_disclosure_sent_twice_or_named_by_no_digest():
    one = with_sd(NAME)
    assert judged(one.text)
    assert "sent twice" in refused(one.but(disclosures=[NAME, NAME]))
    stray = disclosure("salt-salt-salt-salt-stray", "licensed", True)
    assert "no digest of the credential names" in refused(one.but(disclosures=[NAME, stray]))
    assert "no digest of the credential names" in refused(Presented(disclosures=[NAME]))
    # under a disclosure that was not shown, and under one that is itself stray
    outer = disclosure("salt-salt-salt-salt-outer", "address", {"_sd": [digest_of(CITY)]})
    assert judged(Presented(payload(_sd=[digest_of(outer)]), [outer, CITY]).text).claims["address"] == {
        "locality": "Köln"
    }
    assert judged(Presented(payload(_sd=[digest_of(outer)]), [CITY, outer]).text)
    assert "no digest" in refused(Presented(payload(_sd=[digest_of(outer)]), [CITY]))
    assert "no digest" in refused(Presented(payload(), [outer, CITY]))


def test_attack_N7_another_spelling_of_a_disclosure():
    spaced = encode_base64url(b'["salt-salt-salt-salt-salt", "given_name", "Erika"]')
    assert "no digest" in refused(with_sd(NAME).but(disclosures=[spaced]))
    assert judged(with_sd(spaced).text).claims["given_name"] == "Erika"  # signed so, it is the one spelling


def test_attack_N6_a_padded_disclosure():
    padded = NAME + "=" * (-len(NAME) % 4 or 4)
    assert "no padding" in refused(with_sd(padded))
    assert "is not base64url" in refused(with_sd(NAME + "\t"))


def test_attack_N8_names_that_change_how_the_payload_is_read():
    for name in ("_sd", "...", "_sd_alg"):
        bad = disclosure("salt-salt-salt-salt-salt", name, [digest_of(CITY)])
        assert "reserved name" in refused(with_sd(bad)), name
        nested = Presented(payload(address={"_sd": [digest_of(bad)]}), [bad])
        assert "reserved name" in refused(nested), name
    assert judged(with_sd(disclosure("salt-salt-salt-salt-salt", "_sd_", 1)).text).claims["_sd_"] == 1


def test_attack_N8_a_disclosure_over_a_claim():
    shadow = disclosure("salt-salt-salt-salt-salt", "given_name", "Mallory")
    assert judged(with_sd(shadow).text).claims["given_name"] == "Mallory"
    assert "overwrites a claim" in refused(with_sd(shadow, given_name="Erika"))
    assert "overwrites a claim" in refused(with_sd(shadow, NAME))
    nested = Presented(payload(person={"given_name": "Erika", "_sd": [digest_of(shadow)]}), [shadow])
    assert "overwrites a claim" in refused(nested)
    null = with_sd(shadow).but(payload={**payload(_sd=[digest_of(shadow)]), "given_name": None})
    assert "overwrites a claim" in refused(null)


def test_attack_N8_elements_for_claims_and_claims_for_elements():
    assert judged(Presented(payload(list=[HIDDEN]), [ELEMENT]).text).claims["list"] == ["DE"]
    assert "an element stands" in refused(with_sd(ELEMENT))
    assert "a claim stands" in refused(Presented(payload(list=[{"...": digest_of(NAME)}]), [NAME]))


def test_attack_N8_disclosures_of_another_shape():
    for members in ([], ["s"], ["s", "n", 1, 2], [1, "n", 2], [None, 1], [["s"], "n", 1]):
        assert "is not [salt" in refused(with_sd(disclosure(*members))), members
    for name in (1, None, ["given_name"], {"a": 1}, True):
        assert "names no claim" in refused(with_sd(disclosure("salt-salt-salt-salt-salt", name, 1))), name
    for text in (b"{}", b'"a"', b"[", b'["s","n",NaN]', b'["s","n",{"a":1,"a":2}]', b'["s","n","\\ud800"]'):
        assert "disclosures[0]" in refused(with_sd(encode_base64url(text))), text


def test_attack_N8_digests_of_another_shape_and_place():
    digest = digest_of(NAME)
    for value in (digest, {"a": digest}, None, 5):
        assert "_sd that is no list" in refused(Presented({**payload(), "_sd": value}))
    for value in (1, None, "", "short", digest + "=", digest[:-1] + "é", [digest], {"...": digest}):
        assert "no base64url of SHA-256" in refused(Presented(payload(_sd=[value]))), value
    assert "no base64url of SHA-256" in refused(Presented(payload(list=[{"...": 1}])))
    assert "outside of an array" in refused(Presented(payload(a={"...": digest})))
    assert "outside of an array" in refused(Presented({**payload(), "...": digest}))
    assert "beside other members" in refused(Presented(payload(list=[{"...": digest, "b": 1}])))
    assert judged(Presented(payload(_sd=[], list=[])).text).claims["list"] == []


def test_attack_N9_what_protects_cannot_be_withheld():
    values = {
        "iss": ISSUER, "nbf": NOW_S - 9, "exp": NOW_S + 9, "cnf": {"jwk": STRANGER.jwk}, "vct": VCT,
        "vct#integrity": "sha256-x", "aka_vcts": ["urn:other"], "status": {"status_list": {"idx": 1, "uri": "u"}},
    }  # fmt: skip
    for name, value in values.items():
        hidden = disclosure("salt-salt-salt-salt-salt", name, value)
        clear = payload(_sd=[digest_of(hidden)])
        clear.pop(name, None)
        found = refused(Presented(clear, [hidden]), trust=trusting(issuer=None))
        # a hidden key or type is missing before anyone looks for it
        assert "what_protects_is_not_withheld" in found or "bound to no holder" in found, (name, found)
        assert judged(Presented(payload(**{name: value} if name != "cnf" else {})).text), name
    inside = disclosure("salt-salt-salt-salt-salt", "status_list", {"idx": 1, "uri": "u"})
    assert "what_protects" in refused(Presented(payload(status={"_sd": [digest_of(inside)]}), [inside]))
    other = disclosure("salt-salt-salt-salt-salt", "urn:other")
    assert "what_protects" in refused(Presented(payload(aka_vcts=[{"...": digest_of(other)}]), [other]))
    jwk = disclosure("salt-salt-salt-salt-salt", "kid", "1")
    assert "what_protects" in refused(Presented(payload(cnf={"jwk": HOLDER_KEY.jwk, "_sd": [digest_of(jwk)]}), [jwk]))


def test_attack_N9_only_the_registered_claims_are_meant():
    """A private claim further down may have such a name, and `iat` and `sub` may be hidden."""
    exp = disclosure("salt-salt-salt-salt-salt", "exp", "2031")
    found = judged(Presented(payload(vehicle={"_sd": [digest_of(exp)]}), [exp]).text)
    assert found.claims["vehicle"] == {"exp": "2031"}
    iat = disclosure("salt-salt-salt-salt-salt", "iat", NOW_S - 5)
    clear = payload(_sd=[digest_of(iat)], iat=None)
    assert judged(Presented(clear, [iat]).text).claims["iat"] == NOW_S - 5


def test_attack_N10_another_digest_algorithm():
    assert judged(with_sd(NAME, _sd_alg="sha-256").text)
    for name in ("sha-1", "md5", "SHA-256", "sha-512", "", 1, ["sha-256"], {}):
        assert "digest_algorithm_is_sha256" in refused(with_sd(NAME, _sd_alg=name)), name
    assert "digest_algorithm_is_sha256" in refused(Presented({**payload(), "_sd_alg": None}))
    assert "_sd_alg below the top level" in refused(with_sd(NAME, address={"_sd_alg": "sha-256"}))
    hidden = disclosure("salt-salt-salt-salt-salt", "address", {"_sd_alg": "sha-256"})
    assert "_sd_alg below the top level" in refused(with_sd(hidden))


def test_attack_N1_a_disclosure_or_payload_that_says_two_things():
    good = raw(payload(_sd=[digest_of(NAME)]))
    assert judged(Presented(good, [NAME]).text)
    assert "repeats the name" in refused(Presented(good[:-1] + b',"exp":9999999999}', [NAME]))
    two = encode_base64url(b'["salt-salt-salt-salt-salt","a",[{"b":{"c":1,"c":2}}]]')
    assert "repeats the name" in refused(with_sd(two))


def test_attack_N16_depth_and_number_of_what_is_hidden():
    def nested(levels: int) -> Presented:
        inner, shown = disclosure("salt-salt-salt-salt-salt", "x", 1), []
        shown.append(inner)
        for _ in range(levels):
            inner = disclosure("salt-salt-salt-salt-salt", "x", {"_sd": [digest_of(inner)]})
            shown.append(inner)
        return with_sd(inner).but(disclosures=shown)

    assert judged(nested(62).text)
    assert "nested deeper than 64 with its disclosures" in refused(nested(64))
    assert "nested deeper than 64 with its disclosures" in refused(nested(400))
    decoys = [digest_of(str(number)) for number in range(4_097)]
    half = {"_sd": decoys[:700]}
    assert judged(Presented(payload(a=half)).text)
    assert "more than 65536 bytes" in refused(Presented(payload(_sd=decoys)))
    spread = [
        disclosure("salt-salt-salt-salt-salt", f"n{at}", {"_sd": decoys[at * 1_000 : at * 1_000 + 1_000]})
        for at in range(5)
    ]
    assert "more than 4096 digests" in refused(with_sd(*spread))
    many = [disclosure("salt-salt-salt-salt-salt", str(number), 1) for number in range(513)]
    assert "more than 512 disclosures" in refused(with_sd().but(disclosures=many))
    assert judged(with_sd(*many[:512]).text).claims["511"] == 1
