"""What an issuer offers or demands beside the plain flow: encryption, proofs and attested keys; and what a wallet answers."""

import pytest

from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, VerificationError
from hutong.light_clients.interface.document import Document
from hutong.relay.services.identity.rules.jose.jwe import Encryption
from hutong.relay.services.identity.rules.wallet.encryption_offered import encryption_offered
from hutong.relay.services.identity.rules.wallet.issuer_answers import challenge_well_formed
from hutong.relay.services.identity.rules.wallet.issuer_metadata import server_metadata_well_formed
from hutong.relay.services.identity.rules.wallet.offers import asked_without_an_offer
from hutong.relay.services.identity.rules.wallet.proof_demands import KeyLevels, ProofKind, proofs_demanded
from tests.relay.services.identity.rules.actors import HOLDER_KEY, raw

KEY = {**HOLDER_KEY.jwk, "kid": "k", "use": "enc", "alg": "ECDH-ES"}
GCM = ["A256GCM", "A128GCM"]
SERVER = "https://as.example"


def request(required=False, keys=(KEY,), ways=GCM):
    return {"jwks": {"keys": list(keys)}, "enc_values_supported": ways, "encryption_required": required}


def response(required=False, algorithms=("ECDH-ES",), ways=GCM):
    return {"alg_values_supported": list(algorithms), "enc_values_supported": ways, "encryption_required": required}


def offered(asked=None, answered=None):
    said = {"credential_request_encryption": asked, "credential_response_encryption": answered}
    found = {name: value for name, value in said.items() if value is not None}
    return encryption_offered(Document(found, "metadata").members())


def test_encryption_is_used_where_it_is_offered_in_a_way_that_is_known():
    both = offered(request(), response(ways=["A128CBC-HS256", "A128GCM"]))
    assert (both.key.kid, both.request, both.response) == ("k", Encryption.A256GCM, Encryption.A128GCM)
    assert offered(request(), None).response is None and offered() is None
    other = {**KEY, "kty": "OKP", "crv": "X25519"}
    assert offered(request(keys=({"kty": "AKP", "alg": "ML-KEM", "use": "enc"}, KEY))).key.kid == "k"
    for left in (request(keys=({**KEY, "alg": "RSA-OAEP"},)), request(ways=["A128CBC-HS256"])):
        assert offered(left, response()) is None, "a response is asked for by an encrypted request alone"
    assert offered(request(), response(algorithms=["RSA-OAEP"])).response is None
    assert other["crv"] == "X25519"


def test_attack_N208_encryption_that_is_demanded_is_not_left_out():
    for asked, answered in (
        (request(True, ways=["A128CBC-HS256"]), None), (request(True, keys=({**KEY, "alg": "RSA-OAEP"},)), response()),
        (None, response(True)), (request(), response(True, algorithms=["RSA-OAEP"])), (request(), response(True, ways=["X"])),
    ):  # fmt: skip
        with pytest.raises(UnsupportedOperation):
            offered(asked, answered)
    for asked in (
        {},
        request(keys=()),
        {**request(), "jwks": []},
        request(keys=({**KEY, "kid": None},)),
        request(ways=[]),
    ):
        with pytest.raises(MalformedInput):
            offered(asked)


def kinds(**supported):
    every = {name: {"proof_signing_alg_values_supported": ["ES256"], **more} for name, more in supported.items()}
    return proofs_demanded(Document(every, "proofs")).kinds


def test_the_proof_that_needs_nobody_comes_first():
    wanted = {"key_attestations_required": {"key_storage": ["iso_18045_high"]}}
    levels = KeyLevels(("iso_18045_high",), ())
    assert kinds(attestation={}, jwt={}) == ((ProofKind.SIGNED, None), (ProofKind.ATTESTED, KeyLevels((), ())))
    assert kinds(jwt=wanted, attestation=wanted) == ((ProofKind.ATTESTED, levels), (ProofKind.SIGNED, levels))
    assert kinds(jwt={}, di_vp={}) == ((ProofKind.SIGNED, None),)
    for supported in ({"di_vp": {}}, {}, {"jwt": {"proof_signing_alg_values_supported": ["ES384"]}}):
        with pytest.raises(UnsupportedOperation):
            kinds(**supported)
    with pytest.raises(UnsupportedOperation):
        proofs_demanded(None)
    with pytest.raises(MalformedInput):
        kinds(jwt={"key_attestations_required": {"key_storage": "high"}})


@pytest.mark.parametrize(
    ("methods", "attested", "others"),
    [(None, False, True), (["none"], False, True), (["attest_jwt_client_auth"], True, False),
     (["attest_jwt_client_auth", "none"], True, True)],
)  # fmt: skip
def test_whom_a_server_takes(methods, attested, others):
    said = {"issuer": SERVER, "token_endpoint": f"{SERVER}/token"}
    said |= {} if methods is None else {"token_endpoint_auth_methods_supported": methods}
    found = server_metadata_well_formed(raw({**said, "challenge_endpoint": f"{SERVER}/challenge"}), SERVER)
    assert (found.takes_attested, found.takes_others) == (attested, others)
    assert found.challenge_endpoint == f"{SERVER}/challenge"
    with pytest.raises(VerificationError):
        server_metadata_well_formed(raw({**said, "challenge_endpoint": "http://as.example/challenge"}), SERVER)


def test_a_challenge_is_a_text_and_an_issuer_an_address():
    assert challenge_well_formed(raw({"attestation_challenge": "c"})) == "c"
    for wrong in ({}, {"attestation_challenge": ""}, {"attestation_challenge": "é"}, {"attestation_challenge": 1}, []):
        with pytest.raises(MalformedInput):
            challenge_well_formed(raw(wrong))
    assert asked_without_an_offer("https://a.example/x/", "pid").configurations == ("pid",)
    for issuer, name in (
        ("http://a.example", "pid"),
        ("https://a.example?x=1", "pid"),
        ("https://a.example", ""),
        ("a", "b"),
    ):
        with pytest.raises(VerificationError):
            asked_without_an_offer(issuer, name)
