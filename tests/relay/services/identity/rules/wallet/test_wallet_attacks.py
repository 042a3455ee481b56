"""What a wallet believes of links, offers, metadata and answers: each attack with what it was changed from."""

from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation, VerificationError
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.openid4vp import RequestLink
from hutong.relay.services.identity.rules.sd_jwt import Clock
from hutong.relay.services.identity.rules.wallet.addresses import address_is_safe, issuer_document, server_document
from hutong.relay.services.identity.rules.wallet.authorisation import authorisation_answer_well_formed
from hutong.relay.services.identity.rules.wallet.issuer_answers import (
    CredentialsLater,
    credentials_well_formed,
    nonce_well_formed,
    reason_given,
    token_well_formed,
)
from hutong.relay.services.identity.rules.wallet.issuer_metadata import (
    ServerMetadata,
    issuer_metadata_well_formed,
    server_is_the_issuers,
    server_metadata_well_formed,
)
from hutong.relay.services.identity.rules.wallet.links import MAX_LINK_CHARS, OfferLink, read_link
from hutong.relay.services.identity.rules.wallet.offers import MAX_OFFER_BYTES, offer_well_formed
from hutong.relay.services.identity.rules.wallet.received import AskedFor, batch_is_of_one_kind, judge_received
from tests.relay.services.identity.rules.actors import (
    HOLDER_KEY,
    ISSUER,
    NOW_S,
    STRANGER,
    VCT,
    Presented,
    issued,
    payload,
    raw,
    token,
    trusting,
)

SERVER = "https://as.example"
CONFIGURATION = {
    "format": "dc+sd-jwt", "vct": VCT, "cryptographic_binding_methods_supported": ["jwk"],
    "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256", "ES384"]}},
}  # fmt: skip


def without_none(members):
    return {name: value for name, value in members.items() if value is not None}


def offer(**changes):
    grants = {"urn:ietf:params:oauth:grant-type:pre-authorized_code": {"pre-authorized_code": "c"}}
    every = {"credential_issuer": ISSUER, "credential_configuration_ids": ["licence"], "grants": grants, **changes}
    return raw(without_none(every))


def metadata(configuration=None, **changes):
    every = {
        "credential_issuer": ISSUER, "credential_endpoint": f"{ISSUER}/credential", "nonce_endpoint": f"{ISSUER}/nonce",
        "authorization_servers": [SERVER], "batch_credential_issuance": {"batch_size": 500},
        "credential_configurations_supported": {"licence": {**CONFIGURATION, **(configuration or {})}}, **changes,
    }  # fmt: skip
    return raw(without_none(every))


def server(**changes):
    every = {
        "issuer": SERVER, "token_endpoint": f"{SERVER}/token", "dpop_signing_alg_values_supported": ["ES256"], **changes
    }  # fmt: skip
    return raw(without_none(every))


def repeated(document):
    """With its first member once more: parsers differ in which one counts."""
    name = document.partition(b":")[0]
    return name + b":1," + document.removeprefix(b"{")


def refused_all(cases, read):
    accepted = []
    for case in cases:
        try:
            accepted.append((case, read(case)))
        except VerificationError:
            continue
    assert not accepted


def test_attack_N154_a_link_leads_to_no_address_that_others_can_read_or_change():
    good = "https://issuer.example/offers/1?x=2"
    assert address_is_safe(good, "a") == good
    for local in ("http://127.0.0.1:8080/a", "http://[::1]/a", "http://localhost/a"):
        assert address_is_safe(local, "a") == local
    refused_all(
        (
            "http://issuer.example/", "ftp://issuer.example/", "https://user:word@issuer.example/",
            "https://issuer.example/#part", "https:///path", "https://issuer.example:0/", "https://issuer.example:99999/",
            "https://issuer.example/ a", "https://issuer.example/\u00e9", "http://127.0.0.1.example/", "http://0.0.0.0/",
            "http://localhost.example/", "//issuer.example", "https://[::1", "", None, 7, "https://a/" + "a" * 2_048,
        ),
        lambda address: address_is_safe(address, "a"),
    )  # fmt: skip
    for path in ("", "/", "/x", "/x/"):
        known = "https://a.example:8443/.well-known"
        assert issuer_document(f"https://a.example:8443{path}") == f"{known}/openid-credential-issuer{path}"
        assert (
            server_document(f"https://a.example:8443{path}") == f"{known}/oauth-authorization-server{path.rstrip('/')}"
        )


def test_attack_N154_a_link_says_one_thing_once():
    by_address = f"openid-credential-offer://?credential_offer_uri={quote(ISSUER + '/o', safe='')}"
    assert read_link(by_address) == OfferLink(None, f"{ISSUER}/o")
    assert read_link(by_address.replace("openid-credential-offer", "haip-vci")) == OfferLink(None, f"{ISSUER}/o")
    assert read_link("openid-credential-offer://?credential_offer=%7B%7D") == OfferLink("{}", None)
    host = {"client_id": "x509_san_dns:verifier.example", "request_uri": "https://verifier.example/r"}
    request = f"openid4vp://?{urlencode(host)}"
    assert read_link(request) == RequestLink(host["client_id"], host["request_uri"])
    assert read_link(request.replace("openid4vp", "haip-vp"))
    refused_all(
        (
            by_address + "&credential_offer=%7B%7D", by_address + "&credential_offer_uri=https%3A%2F%2Fx.example",
            "openid-credential-offer://", "openid-credential-offer://?credential_offer_uri=http%3A%2F%2Fx.example",
            by_address.replace("openid-credential-offer", "mailto"), by_address + "\n", by_address + "a" * MAX_LINK_CHARS,
            request + "&response_uri=https%3A%2F%2Fx.example", request + "&client_id=x509_hash%3Aabc",
            f"openid4vp://?client_id={host['client_id']}&nonce=1&response_type=vp_token", request.replace("https", "http"),
            request + "&request_uri_method=put", "openid4vp://", "https://verifier.example/",
        ),
        read_link,
    )  # fmt: skip


@given(st.text(max_size=200), st.binary(max_size=200))
def test_any_text_is_a_link_or_refused(text, data):
    for scheme in ("", "openid4vp://?", "openid-credential-offer://?credential_offer="):
        try:
            read_link(scheme + text)
        except VerificationError:
            continue
    for read in (offer_well_formed, nonce_well_formed, lambda body: server_metadata_well_formed(body, SERVER)):
        with pytest.raises(VerificationError):
            read(data)
    reason_given(data)


def test_attack_N155_an_offer_is_of_one_meaning():
    found = offer_well_formed(offer())
    assert found.issuer == ISSUER and found.pre_authorised.code == "c" and found.by_authorisation is None
    assert offer_well_formed(offer(grants=None)).by_authorisation is not None
    grant = {"pre-authorized_code": "c", "tx_code": {"length": 0}}
    refused_all(
        (
            repeated(offer()), offer(credential_issuer="http://issuer.example"), offer(credential_issuer=f"{ISSUER}?a=b"),
            offer(credential_configuration_ids=[]), offer(credential_configuration_ids=["a", "a"]), offer(grants={}),
            offer(grants={"urn:ietf:params:oauth:grant-type:pre-authorized_code": grant}), offer() + b" {}",
            offer(x="a" * MAX_OFFER_BYTES), b'{"a":' * 100 + b"1" + b"}" * 100, offer(x="\ud800"), b"[]", b"\xff",
        ),
        offer_well_formed,
    )  # fmt: skip


def test_attack_N155_metadata_is_of_the_issuer_and_server_that_were_asked():
    found = issuer_metadata_well_formed(metadata(), ISSUER, "licence")
    assert found.batch_size == 100 and found.servers == (SERVER,) and found.configuration.vct == VCT
    assert server_is_the_issuers(found, None) == SERVER == server_is_the_issuers(found, SERVER)
    with pytest.raises(PredicateFailed):
        server_is_the_issuers(found, "https://as.attacker.example")
    known = server_metadata_well_formed(server(), SERVER)
    assert known.takes_dpop and known.token_endpoint == f"{SERVER}/token"
    refused_all(
        (
            metadata(credential_issuer="https://issuer.attacker.example"), metadata(credential_issuer=f"{ISSUER}/"),
            repeated(metadata()), metadata(credential_endpoint="http://issuer.example/credential"),
            metadata(nonce_endpoint="javascript:alert(1)"), metadata(authorization_servers=[]),
            metadata(batch_credential_issuance={"batch_size": 0}), metadata(credential_configurations_supported={}),
            metadata({"format": "mso_mdoc"}), metadata({"proof_types_supported": {"di_vp": {}}}),
            metadata({"proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["EdDSA"]}}}),
            metadata({"proof_types_supported": {"attestation": {}}}), metadata({"vct": ""}),
            metadata(credential_response_encryption={"encryption_required": True}),
        ),
        lambda body: issuer_metadata_well_formed(body, ISSUER, "licence"),
    )  # fmt: skip
    refused_all(
        (
            server(issuer=f"{SERVER}/"), server(issuer=None), repeated(server()), server(token_endpoint="http://as.example/t"),
            server(authorization_response_iss_parameter_supported="yes"), server(token_endpoint=None),
        ),
        lambda body: server_metadata_well_formed(body, SERVER),
    )  # fmt: skip


def test_attack_N156_a_token_is_bound_where_the_server_can_bind_it():
    bearer, bound = raw({"access_token": "t", "token_type": "Bearer"}), raw({"access_token": "t", "token_type": "DPoP"})
    assert token_well_formed(bound, "licence", must_be_bound=True).is_bound
    assert token_well_formed(bound.replace(b"DPoP", b"dpOp"), "licence", must_be_bound=True).is_bound
    assert not token_well_formed(bearer, "licence", must_be_bound=False).is_bound
    with pytest.raises(PredicateFailed):
        token_well_formed(bearer, "licence", must_be_bound=True)
    detail = {"credential_configuration_id": "licence", "credential_identifiers": ["licence-1"]}
    granted = {"access_token": "t", "token_type": "DPoP", "authorization_details": [detail]}
    assert token_well_formed(raw(granted), "licence", must_be_bound=True).identifier == "licence-1"
    with pytest.raises(UnsupportedOperation):
        token_well_formed(raw(granted), "passport", must_be_bound=True)
    with pytest.raises(MalformedInput) as refused:
        token_well_formed(raw({"access_token": "s\u00e9cret", "token_type": "DPoP"}), "licence", must_be_bound=True)
    assert "cret" not in str(refused.value)


def test_attack_N156_a_code_of_another_request_or_server_is_not_used():
    asked = ServerMetadata(SERVER, f"{SERVER}/token", None, None, takes_dpop=True, names_itself=True)
    good = {"code": "c", "state": "s", "iss": SERVER}
    assert authorisation_answer_well_formed(urlencode(good), "s", asked) == "c"
    silent = replace(asked, names_itself=False)
    assert authorisation_answer_well_formed("code=c&state=s", "s", silent) == "c"
    refused_all(
        (
            {**good, "state": "other"}, {**good, "iss": "https://as.attacker.example"}, {"code": "c", "state": "s"},
            {"state": "s", "iss": SERVER}, {**good, "error": "access_denied"}, {**good, "code": ""},
        ),
        lambda fields: authorisation_answer_well_formed(urlencode(fields), "s", asked),
    )  # fmt: skip
    with pytest.raises(PredicateFailed):
        authorisation_answer_well_formed(urlencode({**good, "iss": "https://as.attacker.example"}), "s", silent)


ASKED = AskedFor(VCT, trusting(), Clock(NOW_S))
KEYS = {HOLDER_KEY.public.thumbprint(): None}


def test_attack_N157_a_credential_is_judged_before_it_is_kept():
    good = str(issued())
    judged = judge_received(VERIFY, good, ASKED, KEYS)
    assert judged.thumbprint == HOLDER_KEY.public.thumbprint() and judged.verified.claims["given_name"] == "Erika"
    plain = Presented()
    refused_all(
        (
            str(plain.but(payload=payload(cnf={"jwk": STRANGER.jwk})).parts), str(plain.but(issuer=STRANGER).parts),
            str(plain.but(payload=payload(cnf=None)).parts), str(plain.but(payload=payload(exp=NOW_S - 90)).parts),
            str(plain.but(payload=payload(vct="https://credentials.example/other")).parts), plain.text,
            str(plain.but(payload=repeated(raw(payload()))).parts), good[:-1], good + good.split("~")[1] + "~",
            str(plain.but(header={"alg": "none", "typ": "dc+sd-jwt"}).parts), token({"alg": "ES256"}, b"{}") + "~",
        ),
        lambda text: judge_received(VERIFY, text, ASKED, KEYS),
    )  # fmt: skip


def test_attack_N157_credentials_of_a_batch_cannot_be_told_apart_or_share_a_key():
    judged = judge_received(VERIFY, str(issued()), ASKED, KEYS)
    other = replace(judged, thumbprint=b"another")
    batch_is_of_one_kind([judged, other])
    marked = replace(other, verified=other.verified._replace(claims={**other.verified.claims, "number": 2}))
    refused_all(([judged, judged], [judged, marked]), batch_is_of_one_kind)


def test_attack_N157_an_answer_brings_no_more_than_was_asked_for():
    two = {"credentials": [{"credential": "a~", "seal": {}}, {"credential": "b~"}]}
    found = credentials_well_formed(raw(two), 2)
    assert [each.text for each in found.credentials] == ["a~", "b~"] and found.credentials[0].beside == {"seal": {}}
    later = {"transaction_id": "t", "interval": 5}
    assert credentials_well_formed(raw(later), 2) == CredentialsLater("t", 5)
    refused_all(
        (raw(two) + b"x", repeated(raw(two)), raw({"credentials": []}), raw({"transaction_id": "t"}),
         raw({**later, "interval": 0}), raw({**later, "transaction_id": ""}), raw({**later, **two}), raw({"credential": "a~"}),
         raw({"credentials": [*two["credentials"], {"credential": "c~"}]}), raw({"credentials": [{"credential": 7}]})),
        lambda body: credentials_well_formed(body, 2),
    )  # fmt: skip


def test_words_of_a_refusal_steer_no_terminal():
    said = reason_given(raw({"error": "invalid\u001b[2J", "error_description": "a" * 500}))
    assert said.startswith("invalid?[2J: aaa") and len(said) == 200
    assert reason_given(b"<html>") == "" == reason_given(b"\xff" * 20)
