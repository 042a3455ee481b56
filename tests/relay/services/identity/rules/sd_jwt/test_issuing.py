"""Building credentials and presentations: what comes out is what the verifier takes, and hides what it should."""

import json
from collections import Counter
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import decode_base64url, read_jws
from hutong.relay.services.identity.rules.sd_jwt import (
    CompactSdJwt,
    CredentialDraft,
    Hidden,
    digest_of,
    issue_credential,
    judge_sd_jwt,
    pack,
    read_compact,
    salt_of,
    select_disclosures,
)
from tests.relay.services.identity.rules.actors import (
    HOLDER_KEY,
    ISSUER_KEY,
    LICENCE,
    VCT,
    issued,
    judged,
    policy,
    presented,
    raw,
    salts,
    token,
    trusting,
)
from tests.relay.services.identity.rules.refusals import refused_by

PLAIN = {"given_name": "Erika", "family_name": "Mustermann", "locality": "Köln", "country": "DE"}


def body(credential: CompactSdJwt) -> str:
    return decode_base64url(credential.issuer_jwt.split(".")[1], "payload", 1 << 16).decode()


def test_what_is_hidden_is_not_in_the_token():
    whole = issued()
    text = body(whole)
    assert not any(value in text for value in ("Erika", "Mustermann", "Köln", "FR", "given_name", "locality"))
    assert '"EU"' in text and len(whole.disclosures) == 6
    digests = json.loads(text)["_sd"]
    assert digests == sorted(digests) and len(set(digests)) == 3
    assert read_compact(str(whole)) == whole


def test_each_part_can_be_shown_without_the_others():
    whole = issued()
    every = {
        ("given_name",),
        ("family_name",),
        ("address",),
        ("address", "locality"),
        ("nationalities", 0),
        ("nationalities", 1),
    }
    for path in every:
        shown = judged(presented(whole, path)).unpacked.disclosed
        assert {place[:1] for place in shown} == {path[:1]}
        assert shown <= every
    assert judged(presented(whole, *every)).unpacked.disclosed == every
    assert "no disclosure brings" in refused_by(lambda: select_disclosures(whole, [("vct",)]))


def test_decoys_look_like_digests_and_show_nothing():
    decoys = {(): tuple(digest_of(str(n)) for n in range(5)), ("nationalities",): (digest_of("x"), digest_of("y"))}
    with_decoys = issued(LICENCE, decoys=decoys)
    payload = json.loads(body(with_decoys))
    assert len(payload["_sd"]) == 8 and len(payload["nationalities"]) == 5
    shown = judged(presented(with_decoys, ("nationalities", 0), ("nationalities", 1)))
    assert shown.claims["nationalities"] == ["DE", "FR", "EU"]


def test_attack_N18_an_issuer_cannot_hide_what_protects():
    assert issued({**LICENCE, "iat": Hidden(5), "sub": Hidden("x")})
    for name in ("iss", "nbf", "exp", "cnf", "vct#integrity", "aka_vcts", "status"):
        for claim in (Hidden("x"), {"inside": Hidden("x")}, [Hidden("x")]):
            assert "what_protects" in refused_by(lambda n=name, c=claim: issued({**LICENCE, n: c})), name
    assert "payload.vct" in refused_by(lambda: issued({**LICENCE, "vct": Hidden(VCT)}))
    assert "payload.vct" in refused_by(lambda: issued({"iss": "x"}))
    assert "what_protects" in refused_by(lambda: issued(LICENCE, decoys={("status",): (digest_of("x"),)}))
    assert "W3C" in refused_by(lambda: issued({**LICENCE, "@context": []}))
    for name in ("_sd", "...", "_sd_alg"):
        for claim in (1, Hidden(1)):
            assert "a name that SD-JWT keeps" in refused_by(lambda n=name, c=claim: issued({**LICENCE, n: c}))
    assert "hides what is hidden already" in refused_by(lambda: issued({**LICENCE, "a": Hidden(Hidden(1))}))


def test_names_that_a_type_hides_are_hidden_as_if_each_value_said_so():
    names = frozenset({"given_name", "licensed", "children", "address", "absent"})
    values = {"given_name": "Erika", "licensed": True, "children": None, "address": {"locality": "Köln"}, "n": 1}
    said = {name: Hidden(value) if name in names else value for name, value in values.items()}
    clear = {name: claim for name, claim in LICENCE.items() if not isinstance(claim, Hidden)}  # two elements are hidden
    whole = issued({**clear, **values}, hidden=names)
    assert whole == issued({**clear, **said}) and len(whole.disclosures) == 4 + 2
    assert "hides what is hidden already" in refused_by(lambda: issued({**clear, **said}, hidden=names))


def test_attack_N18_a_type_cannot_hide_what_protects():
    assert issued(LICENCE, hidden={"sub"}) and issued({**LICENCE, "sub": "x"}, hidden={"sub"})
    for name in ("iss", "exp", "cnf", "vct", "status"):
        assert "what_protects" in refused_by(lambda name=name: issued(LICENCE, hidden={name})), name


def test_attack_N18_salts_that_can_be_guessed_or_come_twice():
    draft = CredentialDraft(LICENCE)
    assert issue_credential(draft, islice(salts(), 6), ISSUER_KEY.sign)
    good = list(islice(salts(), 6))
    for bad in (good[:5], [*good[:5], good[0]], [*good[:5], good[5][:21]], []):
        assert "needs another of 22 characters" in refused_by(
            lambda bad=bad: issue_credential(draft, bad, ISSUER_KEY.sign)
        )
    assert len(salt_of(bytes(16))) == 22
    assert "fewer than 128 bits" in refused_by(lambda: salt_of(bytes(15)))
    assert "hides nothing" in refused_by(lambda: issued(LICENCE, decoys={(): ("short",)}))
    used = Counter(json.loads(decode_base64url(text, "d", 1 << 16))[0] for text in issued().disclosures)
    assert max(used.values()) == 1


def test_attack_N18_what_no_verifier_would_take_is_not_signed():
    assert "is not JSON" in refused_by(lambda: issued({**LICENCE, "a": 2**53}))
    assert "more than 512" not in str(issued({**LICENCE, "a": [Hidden(n) for n in range(400)]}))
    assert "hides more than 512" in refused_by(lambda: issued({**LICENCE, "a": [Hidden(n) for n in range(513)]}))
    assert "more than 65536 bytes" in refused_by(lambda: issued({**LICENCE, "a": "x" * 70_000}))


claims = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner | inner.map(Hidden), max_size=3)
        | st.dictionaries(st.sampled_from("abcdef"), inner | inner.map(Hidden), max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


def plain(claim):
    """Everything shown."""
    if isinstance(claim, Hidden):
        return plain(claim.value)
    if isinstance(claim, dict):
        return {name: plain(value) for name, value in claim.items()}
    return [plain(value) for value in claim] if isinstance(claim, list) else claim


@settings(max_examples=40)
@given(tree=st.dictionaries(st.sampled_from("uvwxyz"), claims | claims.map(Hidden), max_size=4))
def test_whatever_is_hidden_comes_back_when_all_is_shown(tree):
    payload, disclosures = pack(CredentialDraft(tree), salts())
    signed = token({"alg": "ES256", "typ": "t"}, raw(payload))
    whole = CompactSdJwt(signed, tuple(each.encoded for each in disclosures), None)
    demand = policy(trust=trusting(issuer=None), key_binding=None)
    assert judge_sd_jwt(VERIFY, whole, demand, "t").unpacked.claims == plain(tree)
    nothing = judge_sd_jwt(VERIFY, CompactSdJwt(signed, (), None), demand, "t").unpacked.claims
    assert nothing.keys() == {name for name, claim in tree.items() if not isinstance(claim, Hidden)}
    assert read_jws(signed, "t").claims() == payload


def test_the_holder_is_the_key_of_cnf():
    assert judged(presented(issued())).holder.key == HOLDER_KEY.public
    assert PLAIN["given_name"] not in presented(issued(), ("family_name",))
