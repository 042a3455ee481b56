"""Data Integrity proofs over canonical JSON: what they cover, whose key, for what, and when."""

import pytest

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.dids.base58 import encode_base58
from hutong.relay.services.identity.rules.jose import Algorithm
from hutong.relay.services.identity.rules.vc2 import date_time_ns, judge_integrity, signed_bytes
from tests.relay.services.identity.rules.actors import ISSUER_KEY, STRANGER, Signer
from tests.relay.services.identity.rules.vc2.documents import CREDENTIAL, ISSUER

METHOD = f"{ISSUER}#key-1"
EDWARDS = Signer(0xED25519, Algorithm.EDDSA)
NOW_NS = date_time_ns("2025-06-01T12:00:00Z", "now")
OPTIONS = {
    "type": "DataIntegrityProof",
    "cryptosuite": "ecdsa-jcs-2019",
    "created": "2025-01-01T00:00:00Z",
    "verificationMethod": METHOD,
    "proofPurpose": "assertionMethod",
    "@context": CREDENTIAL["@context"],
}


def proof(signer=ISSUER_KEY, document=CREDENTIAL, **changes):
    options = {name: value for name, value in {**OPTIONS, **changes}.items() if value is not None}
    signed = signer.sign(signed_bytes(document, options, signer.algorithm))
    return {**options, "proofValue": "z" + encode_base58(signed)}


def judged(made, document=CREDENTIAL, key=ISSUER_KEY):
    return judge_integrity(VERIFY, {**document, "proof": made}, {METHOD: key.public}, NOW_NS)


def refused(rule, *args, **named):
    with pytest.raises(PredicateFailed) as error:
        judged(*args, **named)
    assert error.value.predicate == rule, error.value


def test_each_suite_by_its_own_kind_of_key():
    edwards = proof(EDWARDS, cryptosuite="eddsa-jcs-2022")
    assert judged(proof()) == judged(edwards, key=EDWARDS) == 1
    refused("proof_verifies", edwards, key=ISSUER_KEY)
    refused("proof_verifies", proof(EDWARDS), key=EDWARDS)


def test_every_proof_of_a_set_must_hold():
    assert judged([proof(), proof(created="2025-02-01T00:00:00Z")]) == 2
    refused("proof_verifies", [proof(), proof(STRANGER)])
    with pytest.raises(MalformedInput):
        judged([])


def test_a_proof_covers_the_document_and_its_own_options():
    made = proof()
    refused("proof_verifies", made, document={**CREDENTIAL, "issuer": "https://other.example"})
    refused("proof_verifies", made, document={**CREDENTIAL, "more": 1})
    refused("proof_verifies", {**made, "created": "2025-01-01T00:00:01Z"})
    refused("proof_verifies", {**made, "domain": "https://other.example"})
    refused("proof_verifies", proof(STRANGER))


def test_a_document_keeps_the_contexts_that_were_signed():
    more = {**CREDENTIAL, "@context": [*CREDENTIAL["@context"], "https://other.example/v1"]}
    refused("contexts_are_the_proofs", proof(), document=more)
    refused("contexts_are_the_proofs", proof(), document={**CREDENTIAL, "@context": more["@context"][::-1]})
    without = {name: value for name, value in CREDENTIAL.items() if name != "@context"}
    refused("contexts_are_the_proofs", proof(), document=without)
    assert judged(proof(**{"@context": None})) == 1


def test_only_keys_that_the_issuer_names_and_only_to_assert():
    refused("proof_verifies", proof(verificationMethod=METHOD + "0"))
    refused("proof_is_for_assertion", proof(proofPurpose="authentication"))
    refused("proof_is_for_assertion", proof(proofPurpose=None))


def test_a_proof_that_has_expired():
    assert judged(proof(expires="2025-06-01T12:00:00.000000001Z")) == 1
    refused("proof_is_in_time", proof(expires="2025-06-01T12:00:00Z"))
    with pytest.raises(MalformedInput, match="created"):
        judged(proof(created="yesterday"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", "Ed25519Signature2020"),
        ("cryptosuite", "ecdsa-rdfc-2019"),
        ("cryptosuite", "eddsa-jcs-2023"),
        ("cryptosuite", ["ecdsa-jcs-2019"]),
        ("previousProof", "urn:proof:1"),
    ],
)
def test_what_is_not_supported_is_named(name, value):
    with pytest.raises(UnsupportedOperation):
        judged(proof(**{name: value}))


def test_a_signature_in_another_spelling():
    made = proof()
    for value in (made["proofValue"][1:], "u" + made["proofValue"][1:], made["proofValue"] + "0", "z" * 161, None, ""):
        with pytest.raises(MalformedInput):
            judged({**made, "proofValue": value})
    refused("proof_verifies", {**made, "proofValue": "z1" + made["proofValue"][1:]})
