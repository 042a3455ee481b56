"""Presentations, honest and broken in one way each, for our verifier and for those of others.

`refused` is what our verifier says of a broken one. `ours_alone` is the row of docs/spec/strictness.md where every other
verifier that was asked accepts it.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hutong.relay.services.identity.rules.jose import Algorithm, encode_base64url
from hutong.relay.services.identity.rules.sd_jwt import CompactSdJwt, digest_of
from tests.relay.services.identity.rules.actors import (
    AUDIENCE,
    DAY_S,
    HOLDER_KEY,
    ISSUER,
    ISSUER_HEADER,
    ISSUER_KEY,
    KB_HEADER,
    LICENCE,
    NONCE,
    NOW_S,
    STRANGER,
    VCT,
    Presented,
    Signer,
    disclosure,
    issued,
    payload,
    presented,
    raw,
    raw_token,
    token,
)

YEAR_S = 365 * DAY_S
SALT = "salt-salt-salt-salt-salt"
NAME = disclosure(SALT, "given_name", "Erika")
OTHER = disclosure(SALT, "family_name", "Mustermann")
ELEMENT = disclosure(SALT, "DE")
GOOD = Presented()


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    refused: str | None = None
    """Part of what our verifier says; None where it accepts."""
    ours_alone: str | None = None


def hiding(*disclosures: str, **claims: Any) -> Presented:
    return Presented(payload(_sd=[digest_of(text) for text in disclosures], **claims), disclosures)


def paying(data: bytes) -> Presented:
    return GOOD.but(payload=data)


def bound(parts: CompactSdJwt) -> str:
    """The holder signs whatever these parts are."""
    claims = {"iat": NOW_S - 5, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": parts.sd_hash()}
    return parts.without_key_binding + token(dict(KB_HEADER), raw(claims), HOLDER_KEY)


def with_issuer_token(text: str) -> str:
    return bound(CompactSdJwt(text, (), None))


def honest() -> Iterator[Case]:
    yield Case("plain", GOOD.text)
    yield Case("everything hidden, nothing shown", presented(issued()))
    yield Case("one shown", presented(issued(), ("given_name",)))
    yield Case("inside what is hidden", presented(issued(), ("address", "locality")))
    yield Case("an element", presented(issued(), ("nationalities", 1)))
    yield Case("all shown", presented(issued(), ("given_name",), ("family_name",), ("address", "locality"), ("nationalities", 0), ("nationalities", 1)))  # fmt: skip
    decoys = {(): (digest_of("a"), digest_of("b")), ("nationalities",): (digest_of("c"),)}
    yield Case("decoys", presented(issued(LICENCE, decoys=decoys), ("given_name",)))
    yield Case("kid and members that nobody knows", GOOD.but(header={**ISSUER_HEADER, "kid": "1", "vctm": []}).text)
    yield Case("confirmation with a kid", GOOD.but(payload=payload(cnf={"jwk": HOLDER_KEY.jwk, "kid": "1"})).text)
    yield Case("fractions of seconds", GOOD.but(payload=payload(exp=NOW_S + 9.5), kb={"iat": NOW_S - 0.5}).text)
    yield Case("no exp", GOOD.but(payload=payload(exp=None)).text)
    yield Case("times of the holder", GOOD.but(kb={"exp": NOW_S + 60, "nbf": NOW_S - 60}).text)
    yield Case("iat hidden", hiding(disclosure(SALT, "iat", NOW_S - 9), iat=None).text)
    inner = disclosure(SALT, "exp", "2031")
    yield Case("exp of a vehicle", Presented(payload(vehicle={"_sd": [digest_of(inner)]}), [inner]).text)
    yield Case("status", GOOD.but(payload=payload(status={"status_list": {"idx": 1, "uri": "https://a.example"}})).text)
    yield Case("other types", GOOD.but(payload=payload(aka_vcts=["urn:other"])).text)
    yield Case("empty _sd", GOOD.but(payload=payload(_sd=[], _sd_alg="sha-256")).text)
    yield Case("names in NFC and NFD", GOOD.but(payload={**payload(), "caf\u00e9": 1, "cafe\u0301": 2}).text)
    yield Case("spaces in a disclosure", hiding(encode_base64url(b'["salt-salt-salt-salt-salt", "a" , 1]')).text)


def json_attacks() -> Iterator[Case]:
    good = raw(payload())
    twice = "repeats the name"
    header = b'{"alg":"ES256","typ":"dc+sd-jwt"'
    yield Case(
        "name twice in the header", with_issuer_token(raw_token(header + b',"typ":"dc+sd-jwt"}', good)), twice, "C1"
    )
    yield Case("exp twice", paying(good[:-1] + b',"exp":9999999999}').text, twice, "C1")
    yield Case("name twice, deep", paying(good[:-1] + b',"a":{"b":[{"c":1,"c":2}]}}').text, twice, "C1")
    yield Case("name twice, escaped", paying(good[:-1] + b',"\\u0065xp":9999999999}').text, twice, "C1")
    yield Case("name twice in a disclosure", hiding(encode_base64url(b'["salt-salt-salt-salt-salt","a",{"b":1,"b":2}]')).text, twice, "C1")  # fmt: skip
    yield Case("iat twice of the holder", twice_by_the_holder(), twice, "C1")
    for text in ("NaN", "Infinity", "-Infinity"):
        yield Case(f"exp {text}", paying(raw(payload(exp=None))[:-1] + f',"exp":{text}}}'.encode()).text, "is not JSON")
        yield Case(f"holder's iat {text}", GOOD.but(kb={"iat": float(text)}).text, "is not JSON")
    yield Case("exp 1e400", paying(raw(payload(exp=None))[:-1] + b',"exp":1e400}').text, "too large")
    for text in ("-0", "-0.0", "9007199254740993", "1e-400"):
        yield Case(f"a claim {text}", paying(good[:-1] + f',"a":{text}}}'.encode()).text, "is not JSON", "C2")
    yield Case("half a surrogate", paying(good[:-1] + b',"a":"\\ud800"}').text, "half a surrogate", "C2")
    yield Case("depth 70", paying(good[:-1] + b',"a":' + b"[" * 70 + b"]" * 70 + b"}").text, "nested deeper")
    yield Case(
        "depth 20 000", paying(good[:-1] + b',"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}").text, "nested deeper"
    )
    yield Case("a list as payload", paying(b"[]").text, "is not a JSON object")


def twice_by_the_holder() -> str:
    claims = raw({"aud": AUDIENCE, "nonce": NONCE, "sd_hash": GOOD.parts.sd_hash(), "iat": NOW_S - YEAR_S})
    return GOOD.parts.without_key_binding + raw_token(
        raw(KB_HEADER), claims[:-1] + f',"iat":{NOW_S}}}'.encode(), HOLDER_KEY.sign
    )


def algorithm_attacks() -> Iterator[Case]:
    body = raw(payload())
    yield Case("none", with_issuer_token(raw_token(b'{"alg":"none","typ":"dc+sd-jwt"}', body, lambda _: b"")), "algorithm_is_allowed")  # fmt: skip
    for label, secret in (("JWK", raw(ISSUER_KEY.jwk)), ("point", b"\x04" + ISSUER_KEY.public.coordinates)):
        forged = raw_token(
            b'{"alg":"HS256","typ":"dc+sd-jwt"}', body, lambda m, s=secret: hmac.digest(s, m, hashlib.sha256)
        )
        yield Case(f"HS256 over the public key ({label})", with_issuer_token(forged), "algorithm_is_allowed")
    for algorithm in (Algorithm.ES256K, Algorithm.EDDSA):
        signer = Signer(0xA11CE, algorithm)
        yield Case(f"by {algorithm.value}, said", GOOD.but(issuer=signer, header={**ISSUER_HEADER, "alg": algorithm.value}).text, "algorithm_is_allowed")  # fmt: skip
        yield Case(f"by {algorithm.value}, as ES256", GOOD.but(issuer=signer).text, "signature_verifies")
    yield Case("jwk of the attacker", GOOD.but(issuer=STRANGER, header={**ISSUER_HEADER, "jwk": STRANGER.jwk}).text, "keys_come_from_the_verifier")  # fmt: skip
    yield Case(
        "jwk beside the right key", GOOD.but(header={**ISSUER_HEADER, "jwk": STRANGER.jwk}).text, "keys_come", "C4"
    )
    yield Case(
        "jku beside the right key",
        GOOD.but(header={**ISSUER_HEADER, "jku": "https://e.example"}).text,
        "keys_come",
        "C4",
    )
    yield Case("b64 false", GOOD.but(header={**ISSUER_HEADER, "b64": False}).text, "keys_come", "C4")
    yield Case("crit", GOOD.but(header={**ISSUER_HEADER, "crit": ["exp"]}).text, "no_critical_extension")
    yield Case(
        "x5c with nobody trusted", GOOD.but(header={**ISSUER_HEADER, "x5c": ["AAAA"]}).text, "no anchor is trusted"
    )
    yield Case("kid is a number", GOOD.but(header={**ISSUER_HEADER, "kid": 42}).text, "kid")
    for kind in ("vc+sd-jwt", "JWT", "kb+jwt", "DC+SD-JWT", None):
        yield Case(f"typ {kind}", GOOD.but(header={**ISSUER_HEADER, "typ": kind}).text, "token_type_is")
    yield Case("no typ", GOOD.but(header={"alg": "ES256"}).text, "token_type_is")
    yield Case("other issuer key", GOOD.but(issuer=STRANGER).text, "signature_verifies")
    head, middle, tail = GOOD.parts.issuer_jwt.split(".")
    yield Case("signature cut", with_issuer_token(f"{head}.{middle}."), "signature_verifies")
    yield Case("signature padded", with_issuer_token(f"{head}.{middle}.{tail}=="), "credential.signature")
    yield Case("signature with spare bits", with_issuer_token(f"{head}.{middle}.{tail[:-1]}{chr(ord(tail[-1]) + 1)}"), "credential.signature")  # fmt: skip
    yield Case("payload exchanged", with_issuer_token(f"{head}.{encode_base64url(raw(payload(exp=NOW_S + YEAR_S)))}.{tail}"), "signature_verifies")  # fmt: skip


def disclosure_attacks() -> Iterator[Case]:
    digest = digest_of(NAME)
    hidden = {"...": digest_of(ELEMENT)}
    once = "digests_stand_once"
    yield Case("digest twice, flat", Presented(payload(_sd=[digest, digest]), [NAME]).text, once)
    yield Case("digest twice, not shown", Presented(payload(_sd=[digest, digest])).text, once)
    yield Case("digest twice, nested", Presented(payload(_sd=[digest], a={"_sd": [digest]}), [NAME]).text, once)
    yield Case("digest twice in arrays", Presented(payload(a=[hidden], b=[hidden]), [ELEMENT]).text, once)
    yield Case("digest twice, across", hiding(disclosure(SALT, "a", {"_sd": [digest]}), NAME).text, once)
    yield Case("sent twice", hiding(NAME).but(disclosures=[NAME, NAME]).text, "sent twice")
    yield Case("unreferenced", hiding(NAME).but(disclosures=[NAME, OTHER]).text, "no digest")
    yield Case("unreferenced, alone", Presented(disclosures=[NAME]).text, "no digest")
    for name in ("_sd", "...", "_sd_alg"):
        yield Case(f"named {name}", hiding(disclosure(SALT, name, [digest])).text, "reserved name")
    yield Case("over a claim", hiding(NAME, given_name="Max").text, "overwrites")
    yield Case("two of one name", hiding(NAME, disclosure(SALT + "2", "given_name", "Max")).text, "overwrites")
    yield Case("an element for a claim", hiding(ELEMENT).text, "an element stands")
    yield Case("a claim for an element", Presented(payload(a=[{"...": digest}]), [NAME]).text, "a claim stands")
    values = {
        "iss": ISSUER, "nbf": NOW_S - 9, "exp": NOW_S + 9, "vct": VCT, "vct#integrity": "sha256-x",
        "aka_vcts": ["urn:other"], "status": {"status_list": {"idx": 1, "uri": "https://a.example"}},
    }  # fmt: skip
    for name, value in values.items():
        expected = "what_protects" if name != "iss" else "issuer_is_trusted"
        yield Case(f"{name} hidden", hiding(disclosure(SALT, name, value), **{name: None}).text, expected)
    yield Case(
        "cnf hidden", hiding(disclosure(SALT, "cnf", {"jwk": HOLDER_KEY.jwk}), cnf=None).text, "bound to no holder"
    )
    inside = disclosure(SALT, "status_list", {"idx": 1, "uri": "https://a.example"})
    yield Case("inside status", Presented(payload(status={"_sd": [digest_of(inside)]}), [inside]).text, "what_protects")
    other = disclosure(SALT, "urn:other")
    yield Case(
        "inside aka_vcts", Presented(payload(aka_vcts=[{"...": digest_of(other)}]), [other]).text, "what_protects"
    )
    for name in ("sha-1", "md5", 1, ["sha-256"]):
        yield Case(f"_sd_alg {name}", hiding(NAME, _sd_alg=name).text, "digest_algorithm")
    yield Case("_sd_alg nested", hiding(NAME, a={"_sd_alg": "sha-256"}).text, "digest_algorithm", "C7")
    yield Case("padded disclosure", hiding(NAME + "=" * (-len(NAME) % 4 or 4)).text, "no padding")
    yield Case("name that is a list", hiding(disclosure(SALT, ["a"], 1)).text, "names no claim")
    yield Case("four members", hiding(disclosure(SALT, "a", 1, 2)).text, "is not [salt")
    yield Case("salt that is a number", hiding(disclosure(1, "a", 2)).text, "is not [salt", "C7")
    yield Case("an object as disclosure", hiding(encode_base64url(b"{}")).text, "is not [salt")
    yield Case("_sd is a text", Presented(payload(_sd="abc")).text, "_sd that is no list", "C7")
    yield Case("digest that is a number", Presented(payload(_sd=[1])).text, "no base64url of SHA-256", "C7")
    yield Case("short digest", Presented(payload(_sd=["abc"])).text, "no base64url of SHA-256", "C7")
    yield Case("... beside another member", Presented(payload(a=[{"...": digest, "b": 1}])).text, "outside of an array")
    yield Case("... in an object", Presented(payload(a={"...": digest})).text, "outside of an array")
    yield Case("W3C context", GOOD.but(payload=payload(**{"@context": ["https://www.w3.org/ns/credentials/v2"]})).text, "W3C", "C13")  # fmt: skip


def binding_attacks() -> Iterator[Case]:
    yield Case("no key binding", GOOD.parts.without_key_binding, "the holder's signature is missing")
    yield Case("other holder", GOOD.but(holder=STRANGER).text, "signature_verifies")
    yield Case("issuer as holder", GOOD.but(holder=ISSUER_KEY).text, "signature_verifies")
    yield Case("other aud", GOOD.but(kb={"aud": "https://other.example"}).text, "presented_to_this_verifier")
    yield Case("aud in a list", GOOD.but(kb={"aud": ["x509_hash:verifier"]}).text, "presented_to_this_verifier")
    yield Case("no aud", GOOD.but(kb={"aud": None}).text, "presented_to_this_verifier")
    yield Case("other nonce", GOOD.but(kb={"nonce": "other"}).text, "presented_for_this_request")
    yield Case("no nonce", GOOD.but(kb={"nonce": None}).text, "presented_for_this_request")
    yield Case("no sd_hash", GOOD.but(kb={"sd_hash": None}).text, "all_that_was_sent")
    yield Case("other sd_hash", GOOD.but(kb={"sd_hash": digest_of("x")}).text, "all_that_was_sent")
    two = hiding(NAME, OTHER)
    kb = two.text.rsplit("~", 1)[1]
    yield Case("one disclosure less", str(CompactSdJwt(two.parts.issuer_jwt, (NAME,), kb)), "all_that_was_sent")
    yield Case("disclosures exchanged", str(CompactSdJwt(two.parts.issuer_jwt, (OTHER, NAME), kb)), "all_that_was_sent")
    yield Case("holder a year ago", GOOD.but(kb={"iat": NOW_S - YEAR_S}).text, "presented_just_now")
    yield Case("holder in a year", GOOD.but(kb={"iat": NOW_S + YEAR_S}).text, "not_issued_in_the_future")
    yield Case("holder without iat", GOOD.but(kb={"iat": None}).text, "presented_just_now")
    for value in (True, "1800000000", [NOW_S]):
        yield Case(f"holder's iat {value!r}", GOOD.but(kb={"iat": value}).text, "is not a number of seconds")
    yield Case("holder's exp passed", GOOD.but(kb={"exp": NOW_S - YEAR_S}).text, "not_expired")
    yield Case("holder's nbf ahead", GOOD.but(kb={"nbf": NOW_S + YEAR_S}).text, "already_valid")
    for name, value in (("typ", "JWT"), ("alg", "none"), ("alg", "HS256"), ("crit", ["exp"])):
        rule = {"typ": "token_type_is", "alg": "algorithm_is_allowed", "crit": "no_critical_extension"}[name]
        yield Case(f"holder's {name} {value}", GOOD.but(kb_header={**KB_HEADER, name: value}).text, rule)
    yield Case("holder brings a key", GOOD.but(kb_header={**KB_HEADER, "jwk": HOLDER_KEY.jwk}).text, "keys_come", "C4")
    yield Case("cnf for encryption", GOOD.but(payload=payload(cnf={"jwk": {**HOLDER_KEY.jwk, "use": "enc"}})).text, "key_is_for_signatures")  # fmt: skip
    yield Case("cnf with a private key", GOOD.but(payload=payload(cnf={"jwk": {**HOLDER_KEY.jwk, "d": "AAAA"}})).text, "private", "C14")  # fmt: skip
    yield Case("cnf with a second key", GOOD.but(payload=payload(cnf={"jwk": HOLDER_KEY.jwk, "jku": "https://e.example"})).text, "second key", "C14")  # fmt: skip
    yield Case("cnf without jwk", GOOD.but(payload=payload(cnf={"kid": "1"})).text, "unsupported")


def claim_attacks() -> Iterator[Case]:
    yield Case("expired", GOOD.but(payload=payload(exp=NOW_S - YEAR_S)).text, "not_expired")
    yield Case("not valid yet", GOOD.but(payload=payload(nbf=NOW_S + YEAR_S)).text, "already_valid")
    yield Case("issued in a year", GOOD.but(payload=payload(iat=NOW_S + YEAR_S)).text, "not_issued_in_the_future")
    yield Case("iat hidden, in a year", hiding(disclosure(SALT, "iat", NOW_S + YEAR_S), iat=None).text, "not_issued_in")
    for value in (True, "1900000000", [], {}):
        yield Case(f"exp {value!r}", GOOD.but(payload=payload(exp=value)).text, "is not a number of seconds")
    yield Case("exp null", GOOD.but(payload={**payload(), "exp": None}).text, "is not a number of seconds")
    yield Case("other type", GOOD.but(payload=payload(vct="urn:other")).text, "type_is_accepted")
    yield Case("other type that claims to be this one", GOOD.but(payload=payload(vct="urn:other", aka_vcts=[VCT])).text, "type_is_accepted")  # fmt: skip
    yield Case("no type", GOOD.but(payload=payload(vct=None)).text, "payload.vct")
    yield Case("type that is a number", GOOD.but(payload=payload(vct=1)).text, "payload.vct")
    yield Case("iss that is a number", GOOD.but(payload=payload(iss=1)).text, "payload.iss")
    yield Case("for another audience", GOOD.but(payload=payload(aud="https://other.example")).text, "credential_is_for")
    yield Case("aka_vcts with the type", GOOD.but(payload=payload(aka_vcts=[VCT])).text, "aka_vcts")
    yield Case("status that is a text", GOOD.but(payload=payload(status="valid")).text, "payload.status", "C11")
    yield Case("empty part", GOOD.text.replace("~", "~~"), "empty part")
    yield Case("signed over an empty part", signed_over_an_empty_part(), "empty part")
    yield Case("line end after it", GOOD.text + "\n", "key binding JWT")
    yield Case("a JSON form", json_form(), "unsupported: SD-JWT in a JSON form")
    yield Case("no tilde", GOOD.parts.issuer_jwt, "has no tilde")


def signed_over_an_empty_part() -> str:
    covered = GOOD.parts.issuer_jwt + "~~"
    claims = {"iat": NOW_S - 5, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest_of(covered)}
    return covered + token(dict(KB_HEADER), raw(claims), HOLDER_KEY)


def json_form() -> str:
    head, middle, tail = GOOD.parts.issuer_jwt.split(".")
    kb = GOOD.text.rsplit("~", 1)[1]
    return json.dumps(
        {"payload": middle, "protected": head, "signature": tail, "header": {"disclosures": [], "kb_jwt": kb}}
    )


def attacks() -> Iterator[Case]:
    yield from json_attacks()
    yield from algorithm_attacks()
    yield from disclosure_attacks()
    yield from binding_attacks()
    yield from claim_attacks()
