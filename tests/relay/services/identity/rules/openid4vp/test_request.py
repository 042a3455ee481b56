"""Request objects: what a verifier signs is what a wallet reads, and a wallet believes no other."""

from dataclasses import replace
from typing import Any

from hutong.light_clients.interface.judge import VERIFY, audit
from hutong.relay.services.identity.rules.jose import JsonObject, read_jws, write_json
from hutong.relay.services.identity.rules.openid4vp import (
    AuthorizationRequest,
    ClientIdPrefix,
    RequestDemand,
    RequestLink,
    ResponseMode,
    judge_request,
    link_well_formed,
    request_well_formed,
    write_request,
)
from hutong.relay.services.identity.rules.openid4vp.request import REQUEST_TYPE
from hutong.relay.services.identity.rules.sd_jwt import Clock
from tests.relay.services.identity.rules.actors import NOW_S, Signer, token
from tests.relay.services.identity.rules.jose.test_certificate_attacks import x5c
from tests.relay.services.identity.rules.openid4vp.verifiers import (
    OTHER_VERIFIER_KEY,
    VERIFIER_KEY,
    client_id,
    request,
    signed,
    verifier_anchors,
    verifier_certificate,
)
from tests.relay.services.identity.rules.refusals import refused_by


def demand(**changes: Any) -> RequestDemand:
    return replace(RequestDemand(client_id(), verifier_anchors(), Clock(NOW_S)), **changes)


def refusal(text: str, **changes: Any) -> str:
    return refused_by(lambda: judge_request(VERIFY, text, demand(**changes)))


def forged(key: Signer = VERIFIER_KEY, header: JsonObject | None = None, **claims: Any) -> str:
    """A request with other claims, signed by whoever has `key`. A claim of None leaves it out."""
    every = {**write_request(request()), **claims}
    head: JsonObject = {
        "alg": "ES256",
        "typ": REQUEST_TYPE,
        "x5c": list(x5c(verifier_certificate(key))),
        **(header or {}),
    }
    return token(head, write_json({name: value for name, value in every.items() if value is not None}), key)


def test_a_wallet_reads_what_the_verifier_signed():
    for mode in ResponseMode:
        found, certified = judge_request(VERIFY, signed(request(mode)), demand())
        assert found == request(mode) and certified.key == VERIFIER_KEY.public
    posted = request(wallet_nonce="of-the-wallet")
    assert judge_request(VERIFY, signed(posted), demand(wallet_nonce="of-the-wallet"))[0] == posted
    by_host = client_id(ClientIdPrefix.X509_SAN_DNS)
    assert by_host == "x509_san_dns:verifier.example"
    assert judge_request(VERIFY, signed(replace(request(), client_id=by_host)), demand(client_id=by_host))
    assert all(verdict.held and verdict.source for verdict in audit(judge_request, signed(request()), demand()))


def test_a_request_claims_only_what_the_suite_expects():
    claims = read_jws(signed(request()), "request").claims()
    assert set(claims) == {"response_type", "response_mode", "client_id", "response_uri", "aud", "nonce", "state",
                           "dcql_query", "client_metadata", "iat", "exp"}  # fmt: skip
    metadata: Any = claims["client_metadata"]
    assert set(metadata) == {"jwks", "vp_formats_supported", "encrypted_response_enc_values_supported"}
    assert metadata["encrypted_response_enc_values_supported"] == ["A128GCM", "A256GCM"]
    (key,) = metadata["jwks"]["keys"]
    assert (key["alg"], key["crv"], key["use"]) == ("ECDH-ES", "P-256", "enc") and key["kid"] and "d" not in key


def test_attack_N139_a_request_of_somebody_else():
    assert "host of the certificate" in refusal(
        signed(replace(request(), client_id="x509_san_dns:other.example")), client_id="x509_san_dns:other.example"
    )
    stolen = refusal(signed(request(), OTHER_VERIFIER_KEY))
    assert "hash of the certificate" in stolen
    assert "client_id of the request object" in refusal(signed(request()), client_id=client_id(key=OTHER_VERIFIER_KEY))
    chained = {"x5c": list(x5c(verifier_certificate()))}
    assert "signature_verifies" in refusal(forged(OTHER_VERIFIER_KEY, chained))
    assert "x5c" in refusal(token({"alg": "ES256", "typ": REQUEST_TYPE}, b"{}", VERIFIER_KEY))
    assert "alg of" in refusal(forged(header={"alg": "none"}))
    assert "typ of" in refusal(forged(header={"typ": "JWT"}))
    assert "no trust anchor" in refusal(signed(request()), anchors=replace(verifier_anchors(), certificates=()))
    assert judge_request(VERIFY, forged(), demand())[0] == request()


def test_attack_N139_an_answer_led_astray_or_a_request_replayed():
    elsewhere = forged(client_id="x509_san_dns:verifier.example", response_uri="https://thief.example/answers")
    assert "host of response_uri" in refusal(elsewhere, client_id="x509_san_dns:verifier.example")
    assert "expected https" in str(refusal_of(forged(response_uri="http://verifier.example/answers")))
    assert "wallet_nonce" in refusal(signed(request(wallet_nonce="another")), wallet_nonce="of-the-wallet")
    assert "wallet_nonce" in refusal(signed(request()), wallet_nonce="of-the-wallet")
    assert "wallet_nonce" in refusal(signed(request(wallet_nonce="unasked")))
    assert "aud of" in refusal(forged(aud="https://other.example"))
    for now_s in (NOW_S + 1_000, NOW_S - 1_000):
        assert "request_is_in_time" in refusal(signed(request()), clock=Clock(now_s))


def refusal_of(text: str) -> Exception:
    try:
        judge_request(VERIFY, text, demand())
    except Exception as error:
        return error
    raise AssertionError("nothing was refused")


def test_parameters_out_of_their_rules_are_named():
    for changes, said in (
        ({"transaction_data": ["e30"]}, "unsupported: transaction_data"),
        ({"presentation_definition": {}}, "unsupported: presentation_definition"),
        ({"scope": "openid"}, "unsupported: scope"),
        ({"response_type": "code"}, "unsupported: response_type"),
        ({"response_mode": "fragment"}, "unsupported: response_mode"),
        ({"redirect_uri": "https://verifier.example"}, "redirect_uri: does not belong"),
        ({"request_uri": "https://verifier.example"}, "request_uri: does not belong"),
        ({"nonce": None}, "nonce: is not a text"),
        ({"nonce": "line\nbreak"}, "nonce: is not a text"),
        ({"state": 7}, "state: is not a text"),
        ({"response_uri": "https://verifier.example/#a"}, "response_uri: has a fragment"),
        ({"dcql_query": None}, "dcql_query: is not an object"),
        ({"client_metadata": None}, "client_metadata: is not an object"),
        ({"client_metadata": {"vp_formats_supported": {"mso_mdoc": {}}}}, "format that the verifier takes"),
        ({"client_metadata": {"vp_formats_supported": {"dc+sd-jwt": {}}}}, "client_metadata.jwks: has no key"),
        ({"exp": True}, "exp: is not a time"),
    ):
        claims = {name: value for name, value in {**write_request(request()), **changes}.items() if value is not None}
        assert said in refused_by(lambda claims=claims: request_well_formed(claims)), changes
    assert isinstance(request_well_formed(write_request(request())), AuthorizationRequest)


def test_links_name_the_verifier_and_the_object_alone():
    link = RequestLink(client_id(), "https://verifier.example/v1/verifier/objects/7", is_post=True)
    assert link_well_formed(link.written()) == link
    assert link_well_formed(replace(link, is_post=False).written("https://wallet.example/open")).is_post is False
    for text, said in (
        (link.written() + "&client_id=x509_hash%3Aother", "has a parameter twice"),
        (link.written() + "&nonce=abc", "has a parameter that is not signed"),
        (link.written().replace("https", "http"), "request_uri: is not an https address"),
        ("openid4vp://?client_id=verifier&request_uri=https%3A%2F%2Fv.example", "unsupported: client ids"),
        (f"openid4vp://?client_id={client_id()}&request=eyJ", "unsupported: a request by value"),
        ("openid4vp://?request_uri", "link: has no query"),
        ("x" * 5_000, "link: is not ASCII of at most"),
    ):
        assert said in refused_by(lambda text=text: link_well_formed(text)), text
