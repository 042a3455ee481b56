"""Presentations: signed by the holder, for this verifier and request, now; the credential good, of a trusted issuer."""

import json

from hutong.light_clients.interface.judge import audit
from hutong.relay.services.identity.rules.jose import Algorithm
from hutong.relay.services.identity.rules.sd_jwt import (
    Clock,
    CompactSdJwt,
    IssuerTrust,
    KeyBindingDemand,
    digest_of,
    judge_presentation,
)
from tests.relay.services.identity.rules.actors import (
    AUDIENCE,
    DAY_S,
    HOLDER_KEY,
    ISSUER,
    ISSUER_HEADER,
    ISSUER_KEY,
    KB_HEADER,
    NONCE,
    NOW_S,
    STRANGER,
    VCT,
    Presented,
    Signer,
    disclosure,
    judged,
    payload,
    policy,
    raw,
    raw_token,
    token,
    trusting,
)
from tests.relay.services.identity.rules.refusals import refused, refused_by

GOOD = Presented()
YEAR_S = 365 * DAY_S
NAME = disclosure("salt-salt-salt-salt-salt", "given_name", "Erika")
OTHER = disclosure("salt-salt-salt-salt-othe", "family_name", "Mustermann")
TWO = Presented(payload(_sd=[digest_of(NAME), digest_of(OTHER)]), [NAME, OTHER])


def test_a_good_presentation_says_who_what_and_whose():
    found = judged(GOOD.text)
    assert (found.vct, found.issuer.name, found.issuer.key) == (VCT, ISSUER, ISSUER_KEY.public)
    assert found.holder is not None and found.holder.key == HOLDER_KEY.public
    assert found.claims == payload()
    assert found.status is None


def test_every_rule_is_named_with_its_source():
    verdicts = audit(judge_presentation, GOOD.text, policy())
    assert all(verdict.held and verdict.source for verdict in verdicts)
    assert [verdict.name for verdict in verdicts].count("signature_verifies") == 2
    *held, last = audit(judge_presentation, GOOD.but(kb={"nonce": "other"}).text, policy())
    assert all(verdict.held for verdict in held)
    assert last.name == "presented_for_this_request" and last.error is not None


def test_attack_N11_key_binding_stripped_or_not_asked_for():
    assert "the holder's signature is missing" in refused(GOOD.parts.without_key_binding)
    assert judged(GOOD.parts.without_key_binding, key_binding=None).holder is None
    assert "no audience and nonce are given" in refused(GOOD, key_binding=None)
    unbound = GOOD.but(payload=payload(cnf=None))
    assert "bound to no holder" in refused(unbound)
    assert judged(unbound.parts.without_key_binding, key_binding=None).claims["vct"] == VCT


def test_attack_N11_signed_by_another_key():
    assert "signature_verifies" in refused(GOOD.but(holder=STRANGER))
    assert "signature_verifies" in refused(GOOD.but(holder=ISSUER_KEY))
    for name, value in (("jwk", STRANGER.jwk), ("x5c", ["AAAA"]), ("jku", "https://stranger.example")):
        brought = GOOD.but(holder=STRANGER, kb_header={**KB_HEADER, name: value})
        assert "keys_come_from_the_verifier" in refused(brought)
    own = GOOD.but(holder=STRANGER, kb={"cnf": {"jwk": STRANGER.jwk}})
    assert "signature_verifies" in refused(own)


def test_attack_N11_confirmations_that_are_none():
    jwk = HOLDER_KEY.jwk
    for cnf in ("jwk", [jwk], 1, False):
        assert "bound to no holder" in refused(GOOD.but(payload={**payload(), "cnf": cnf}))
    for cnf in ({}, {"kid": "1"}, {"jkt": "x"}):
        assert "unsupported: a confirmation other than" in refused(GOOD.but(payload=payload(cnf=cnf)))
    assert "a second key" in refused(GOOD.but(payload=payload(cnf={"jwk": jwk, "jku": "https://stranger.example"})))
    assert judged(GOOD.but(payload=payload(cnf={"jwk": {**jwk, "kid": "k", "use": "sig"}, "kid": "k"})).text)
    assert "key_is_for_signatures" in refused(GOOD.but(payload=payload(cnf={"jwk": {**jwk, "use": "enc"}})))
    assert "private or symmetric" in refused(GOOD.but(payload=payload(cnf={"jwk": {**jwk, "d": "AA"}})))
    assert "is not a JSON object" in refused(GOOD.but(payload=payload(cnf={"jwk": None})))


def test_attack_N11_algorithm_and_type_of_the_holder():
    for header in ({"alg": "none"}, {"alg": "HS256"}, {"alg": "ES256K"}):
        assert "algorithm_is_allowed" in refused(GOOD.but(kb_header={**KB_HEADER, **header}))
    for kind in ("JWT", "dc+sd-jwt", "KB+JWT", "application/kb+jwt", None, 1):
        assert "token_type_is" in refused(GOOD.but(kb_header={**KB_HEADER, "typ": kind}))
    assert "no_critical_extension" in refused(GOOD.but(kb_header={**KB_HEADER, "crit": ["exp"]}))
    ed = Signer(7, Algorithm.EDDSA)
    by_ed = GOOD.but(payload=payload(cnf={"jwk": ed.jwk}), holder=ed, kb_header={**KB_HEADER, "alg": "EdDSA"})
    assert "algorithm_is_allowed" in refused(by_ed)
    assert judged(by_ed.text, algorithms=frozenset({Algorithm.ES256, Algorithm.EDDSA})).holder


def test_attack_N12_for_another_verifier_or_request():
    for aud in ("https://other.example", AUDIENCE + " ", "", None, [AUDIENCE], [AUDIENCE, "x"], 1):
        assert "presented_to_this_verifier" in refused(GOOD.but(kb={"aud": aud})), aud
    for nonce in ("other", NONCE.lower(), "", None, [NONCE], 1):
        assert "presented_for_this_request" in refused(GOOD.but(kb={"nonce": nonce})), nonce
    assert "presented_to_this_verifier" in refused(GOOD, key_binding=KeyBindingDemand("https://me.example", NONCE))
    assert "presented_for_this_request" in refused(GOOD, key_binding=KeyBindingDemand(AUDIENCE, "next"))
    for audience, nonce in (("", NONCE), (AUDIENCE, "")):
        assert "are not empty" in refused_by(lambda a=audience, n=nonce: KeyBindingDemand(a, n))


def test_attack_N12_cut_anew_after_the_holder_signed():
    assert judged(TWO.text).claims["family_name"] == "Mustermann"
    issuer_jwt, kb = TWO.parts.issuer_jwt, TWO.text.rsplit("~", 1)[1]
    for shown in ((NAME,), (OTHER, NAME), ()):
        recut = CompactSdJwt(issuer_jwt, shown, kb)
        assert "all_that_was_sent_is_signed" in refused(str(recut)), shown
    for sd_hash in (None, "", TWO.parts.sd_hash() + "=", 1, GOOD.parts.sd_hash()):
        assert "all_that_was_sent_is_signed" in refused(TWO.but(kb={"sd_hash": sd_hash}))
    # another credential of the same holder, of an issuer trusted as well
    other = Presented(payload(iss="https://other.example"), issuer=STRANGER)
    moved = CompactSdJwt(other.parts.issuer_jwt, (), GOOD.text.rsplit("~", 1)[1])
    both = IssuerTrust((*trusting().keys, *trusting(STRANGER.public, issuer="https://other.example").keys))
    assert judged(other.text, trust=both)
    assert "all_that_was_sent_is_signed" in refused(str(moved), trust=both)


def test_attack_N13_times_of_the_holder():
    for age_s in (0, 1, 299, 300):
        assert judged(GOOD.but(kb={"iat": NOW_S - age_s}).text)
    for age_s in (301, DAY_S, YEAR_S):
        assert "presented_just_now" in refused(GOOD.but(kb={"iat": NOW_S - age_s}))
    assert judged(GOOD.but(kb={"iat": NOW_S + 60}).text)
    for ahead_s in (61, DAY_S, YEAR_S):
        assert "not_issued_in_the_future" in refused(GOOD.but(kb={"iat": NOW_S + ahead_s}))
    assert "presented_just_now" in refused(GOOD.but(kb={"iat": None}))
    for value in ("1800000000", True, [NOW_S], {}):
        assert "is not a number of seconds" in refused(GOOD.but(kb={"iat": value}))
    assert "not_expired" in refused(GOOD.but(kb={"exp": NOW_S - 60}))
    assert "already_valid" in refused(GOOD.but(kb={"nbf": NOW_S + 61}))
    assert judged(GOOD.but(kb={"exp": NOW_S + 1, "nbf": NOW_S - 1}).text)
    assert judged(GOOD.but(kb={"iat": NOW_S - 0.5}).text)


def test_attack_N13_times_of_the_credential():
    for exp in (NOW_S + 1, NOW_S, NOW_S - 59, NOW_S - 59.5):
        assert judged(GOOD.but(payload=payload(exp=exp)).text)
    for exp in (NOW_S - 60, NOW_S - YEAR_S, 0, -1):
        assert "not_expired" in refused(GOOD.but(payload=payload(exp=exp)))
    assert judged(GOOD.but(payload=payload(nbf=NOW_S + 60)).text)
    assert "already_valid" in refused(GOOD.but(payload=payload(nbf=NOW_S + 61)))
    assert "not_issued_in_the_future" in refused(GOOD.but(payload=payload(iat=NOW_S + 61)))
    for name in ("exp", "nbf", "iat"):
        for value in ("1900000000", True, [], {}):
            assert "is not a number of seconds" in refused(GOOD.but(payload=payload(**{name: value})))
        assert "is not a number of seconds" in refused(GOOD.but(payload={**payload(), name: None}))
    hidden = disclosure("salt-salt-salt-salt-salt", "iat", NOW_S + YEAR_S)
    later = Presented(payload(_sd=[digest_of(hidden)], iat=None), [hidden])
    assert "not_issued_in_the_future" in refused(later)


def test_attack_N2_times_that_are_no_numbers():
    """NaN compares false with everything, so a window that is computed with it is always open."""
    good = raw(payload())
    for text in (b"NaN", b"Infinity", b"-Infinity", b"1e400", b"1e-400", b"-0", b"9007199254740992"):
        assert "is not JSON" in refused(GOOD.but(payload=good[:-1] + b',"nbf":' + text + b"}"))
    for value in (float("nan"), float("inf"), float("-inf")):
        assert "is no number" in refused(GOOD.but(kb={"iat": value}))


def test_attack_N13_the_policy_has_bounds():
    assert Clock(NOW_S, 0).skew_s == 0
    for skew_s in (-1, DAY_S + 1):
        assert "clock" in refused_by(lambda s=skew_s: Clock(NOW_S, s))
    assert "clock" in refused_by(lambda: Clock(-1))
    for age_s in (-1, DAY_S + 1):
        assert "max_age_s" in refused_by(lambda a=age_s: KeyBindingDemand(AUDIENCE, NONCE, a))


def test_attack_N14_an_issuer_that_is_not_trusted():
    assert "signature_verifies" in refused(GOOD.but(issuer=STRANGER))
    for name in ("https://other.example", ISSUER + "/", ISSUER.upper()):
        assert "issuer_is_trusted" in refused(GOOD.but(payload=payload(iss=name)))
    assert "issuer_is_trusted" in refused(GOOD.but(payload=payload(iss=None)))
    for name in ("", 1, [ISSUER], None, "x" * 2_049):
        assert "payload.iss" in refused(GOOD.but(payload={**payload(), "iss": name}))
    # a key of another issuer that is trusted as well
    both = IssuerTrust((*trusting().keys, *trusting(STRANGER.public, issuer="https://other.example").keys))
    assert judged(GOOD.text, trust=both)
    assert "signature_verifies" in refused(GOOD.but(issuer=STRANGER), trust=both)
    assert "issuer_is_trusted" in refused(GOOD, trust=IssuerTrust())


def test_attack_N14_a_name_that_nothing_binds_is_not_told():
    nameless = trusting(ISSUER_KEY.public, issuer=None)
    found = judged(GOOD.but(payload=payload(iss="https://bank.example")).text, trust=nameless)
    assert found.issuer.name is None and "iss" not in found.claims
    # keys trusted under no name do not stand in for an issuer whose own keys are known
    pinned = IssuerTrust((*trusting().keys, *trusting(STRANGER.public, issuer=None).keys))
    assert "signature_verifies" in refused(GOOD.but(issuer=STRANGER), trust=pinned)
    assert judged(GOOD.but(issuer=STRANGER, payload=payload(iss=None)).text, trust=pinned).issuer.name is None


def test_attack_N14_another_type_than_was_asked_for():
    assert "type_is_accepted" in refused(GOOD.but(payload=payload(vct="https://credentials.example/loyalty")))
    assert judged(GOOD.text, types=None).vct == VCT
    for vct in ("", 1, [VCT], "v" * 2_049, {}):
        assert "payload.vct" in refused(GOOD.but(payload=payload(vct=vct)))
    assert "payload.vct" in refused(GOOD.but(payload=payload(vct=None)))
    aliased = GOOD.but(payload=payload(vct="urn:other", aka_vcts=[VCT]))
    assert "type_is_accepted" in refused(aliased)
    assert judged(GOOD.but(payload=payload(aka_vcts=["urn:other"])).text)
    for others in ([], [VCT], "urn:other", [1], [""], None, ["urn:other"] * 65):
        assert "aka_vcts" in refused(GOOD.but(payload={**payload(), "aka_vcts": others}))


def test_attack_N14_a_credential_for_somebody_else():
    assert judged(GOOD.but(payload=payload(aud=AUDIENCE)).text)
    assert judged(GOOD.but(payload=payload(aud=["x", AUDIENCE])).text)
    for aud in ("x", [], ["x"]):
        assert "credential_is_for_this_audience" in refused(GOOD.but(payload=payload(aud=aud)))
    for aud in (1, {}, [AUDIENCE, 1]):
        assert "payload.aud" in refused(GOOD.but(payload=payload(aud=aud)))
    named = GOOD.but(payload=payload(aud=AUDIENCE)).parts.without_key_binding
    assert "credential_is_for_this_audience" in refused(named, key_binding=None)


def test_attack_N14_a_status_that_nobody_can_read():
    status = {"status_list": {"idx": 5, "uri": "https://issuer.example/1"}}
    assert judged(GOOD.but(payload=payload(status=status)).text).status == status
    for bad in ([], "revoked", 0, {}):
        assert "payload.status" in refused(GOOD.but(payload={**payload(), "status": bad}))
    assert "payload.status" in refused(GOOD.but(payload={**payload(), "status": None}))


def test_attack_N15_other_forms_and_kinds_of_token():
    for kind in ("vc+sd-jwt", "JWT", "kb+jwt", "DC+SD-JWT", "application/dc+sd-jwt", "", None, 1):
        assert "token_type_is" in refused(GOOD.but(header={**ISSUER_HEADER, "typ": kind}))
    untyped = GOOD.but(header={"alg": "ES256"})
    assert "token_type_is" in refused(untyped)
    parts = GOOD.parts
    protected, body, signature = parts.issuer_jwt.split(".")
    flattened = json.dumps({"payload": body, "protected": protected, "signature": signature, "header": {}})
    for text in (flattened, "\n" + flattened):
        assert "unsupported: SD-JWT in a JSON form" in refused(text)
    for claims in ({"@context": ["https://www.w3.org/ns/credentials/v2"]}, {"credentialStatus": {"id": "x"}}):
        assert "unsupported: the W3C data model" in refused(GOOD.but(payload=payload(**claims)))
    # the holder's token in place of the issuer's, and the reverse
    kb = GOOD.text.rsplit("~", 1)[1]
    assert "token_type_is" in refused(f"{kb}~{kb}")
    assert "token_type_is" in refused(f"{parts.issuer_jwt}~{parts.issuer_jwt}")


def test_attack_N15_texts_that_are_cut_otherwise():
    text, issuer_jwt = TWO.text, TWO.parts.issuer_jwt
    assert judged(text)
    for bad in (
        "", "~", "~~", issuer_jwt, f"{issuer_jwt}~~", f"~{text}", text.replace("~", "~~", 1), text + "~",
        text + "\n", " " + text, text.replace("~", "\u223c"), text.replace("~", "%7E"), "\0" + text,
    ):  # fmt: skip
        assert refused(bad), bad[-60:]


def test_attack_N16_texts_that_are_too_large():
    assert "more than 262144 characters" in refused("A" * (1 << 20))
    assert "disclosures" in refused(GOOD.parts.issuer_jwt + "~A" * 600)
    long = GOOD.but(payload=payload(filler="x" * 70_000))
    assert "payload: base64url of more than 65536 bytes" in refused(long)
    big = raw_token(b'{"alg":"ES256","typ":"dc+sd-jwt","x":"' + b"x" * 20_000 + b'"}', b"{}")
    assert "header: base64url of more than 16384 bytes" in refused(big + "~")
    deep = raw_token(b'{"alg":"ES256","typ":"dc+sd-jwt"}', b'{"a":' + b"[" * 20_000)
    assert "nested deeper than 64" in refused(deep + "~")
    holder = GOOD.parts.without_key_binding + token(dict(KB_HEADER), b"[" * 20_000, HOLDER_KEY)
    assert "nested deeper than 64" in refused(holder)
