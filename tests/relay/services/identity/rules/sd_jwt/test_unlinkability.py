"""What two presentations have in common: of one-time credentials issuer, type and list; of one credential all that links it."""

from itertools import count

from hutong.light_clients.crypto import sha256
from hutong.relay.services.identity.rules.jose import decode_base64url, encode_base64url, read_jws
from hutong.relay.services.identity.rules.sd_jwt import (
    CredentialDraft,
    Hidden,
    bind_to_holder,
    issue_credential,
    read_compact,
    read_disclosure,
    select_disclosures,
)
from tests.relay.services.identity.rules.actors import AUDIENCE, DAY_S, ISSUER, ISSUER_KEY, NOW_S, VCT, Signer

LIST = "https://issuer.example/status/1"
MEMBERS = {ISSUER, VCT, LIST, "dc+sd-jwt", AUDIENCE, "over_eighteen", "family_name"}
"""What the issuer's schema, its list and the verifier's own request say to everybody."""
LEAST_BYTES = 8


def one_time(number: int, salted_by: int | None = None):
    """One of a batch: the same claims under a key, salts and an index of its own."""
    seed = number if salted_by is None else salted_by
    salts = (encode_base64url(sha256(b"salt %d %d" % (seed, each))[:16]) for each in count())
    holder = Signer(int.from_bytes(sha256(b"holder %d" % number), "big") >> 1)
    claims = {
        "iss": ISSUER,
        "vct": VCT,
        "exp": NOW_S + DAY_S,
        "cnf": {"jwk": holder.jwk},
        "status": {"status_list": {"idx": 1_000 + 7_919 * number, "uri": LIST}},
        "over_eighteen": Hidden(True),
        "family_name": Hidden("Mustermann"),
    }
    return issue_credential(CredentialDraft(claims), salts, ISSUER_KEY.sign), holder


def presented(credential, holder, nonce: str) -> str:
    shown = select_disclosures(credential, (("over_eighteen",),))
    return str(bind_to_holder(shown, AUDIENCE, nonce, NOW_S, holder.sign))


def values_of(text: str) -> set[bytes]:
    """Everything of at least 8 bytes that a verifier sees, as it was sent and as it is read."""
    parts = read_compact(text)
    found: set[bytes] = set()

    def collect(value) -> None:
        if isinstance(value, dict):
            for name, member in value.items():
                collect(name)
                collect(member)
        elif isinstance(value, list):
            for member in value:
                collect(member)
        elif isinstance(value, str):
            found.add(value.encode())
        elif not isinstance(value, bool):
            found.add(str(value).encode())

    for token in (parts.issuer_jwt, parts.key_binding_jwt):
        jws = read_jws(token, "token")
        collect(dict(jws.header))
        collect(jws.claims())
        found |= {token.encode(), jws.payload, jws.signature}
    for encoded in parts.disclosures:
        disclosure = read_disclosure(encoded, "disclosure")
        collect([encoded, disclosure.digest, disclosure.salt, disclosure.name, disclosure.value])
        found.add(decode_base64url(encoded, "disclosure", 1 << 16))
    allowed = {one.encode() for one in MEMBERS} | {str(NOW_S).encode(), str(NOW_S + DAY_S).encode()}
    return {one for one in found if len(one) >= LEAST_BYTES and one not in allowed}


def names(shared: set[bytes]) -> set[bytes]:
    """Names of members that every token has."""
    return shared - {b"status_list"}


def test_attack_N184_two_one_time_presentations_share_no_value():
    seen = [values_of(presented(*one_time(number), f"nonce of request {number}")) for number in range(12)]
    for index, first in enumerate(seen):
        for second in seen[index + 1 :]:
            assert names(first & second) == set()


def test_attack_N184_one_credential_shown_twice_or_salted_alike_is_linkable():
    credential, holder = one_time(1)
    first, again = (values_of(presented(credential, holder, f"nonce of request {each}")) for each in range(2))
    shared = names(first & again)
    key = holder.public.public_jwk()
    assert {key["x"].encode(), key["y"].encode(), read_jws(credential.issuer_jwt, "credential").signature} <= shared
    alike = [values_of(presented(*one_time(number, salted_by=3), f"nonce of request {number}")) for number in (1, 2)]
    assert names(alike[0] & alike[1])


def test_attack_N184_a_value_that_is_hidden_is_in_no_presentation():
    text = presented(*one_time(5), "nonce")
    hashed = sha256(b"Mustermann")
    forms = {b"Mustermann", encode_base64url(b"Mustermann").encode(), hashed, hashed.hex().encode()}
    seen = values_of(text) | {text.encode()}
    assert not [form for form in forms for value in seen if form in value]
    disclosures = [decode_base64url(one, "disclosure", 1 << 16) for one in one_time(5)[0].disclosures]
    assert any(b"Mustermann" in one for one in disclosures)
