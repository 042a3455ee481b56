"""DID documents: what they give a key for, and what they may not say twice."""

from copy import deepcopy

import pytest

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.identity.rules.dids.base58 import encode_base58
from hutong.relay.services.identity.rules.dids.document import CONTEXT_V1, CONTEXT_V1_1, Relationship, read_document
from hutong.relay.services.identity.rules.dids.multikey import parse_multikey
from hutong.relay.services.identity.rules.dids.representation import with_absolute_ids
from hutong.relay.services.identity.rules.dids.syntax import parse_did

DID = parse_did("did:example:issuer")
KEY = "z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG"
OTHER = "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"


def method(name, key=KEY, controller=str(DID)):
    return {"id": name, "type": "Multikey", "controller": controller, "publicKeyMultibase": key}


def document(**members):
    return {
        "@context": [CONTEXT_V1_1],
        "id": str(DID),
        "verificationMethod": [method("#sign"), method(f"{DID}#login", OTHER)],
        "assertionMethod": ["#sign"],
        "authentication": [f"{DID}#login"],
        "keyAgreement": [method("#agree", OTHER)],
        "service": [{"id": "#files", "type": "Files", "serviceEndpoint": "https://example.com"}],
        **members,
    }


def test_attack_N38_a_key_serves_what_it_is_given_for_alone():
    read = read_document(document(), DID)
    assert read.key_for(Relationship.ASSERTION, f"{DID}#sign") == parse_multikey(KEY, "key")
    assert read.key_for(Relationship.AUTHENTICATION, f"{DID}#login") == parse_multikey(OTHER, "key")
    for relationship, name in (
        (Relationship.ASSERTION, f"{DID}#login"),
        (Relationship.ASSERTION, f"{DID}#agree"),
        (Relationship.AUTHENTICATION, f"{DID}#agree"),
        (Relationship.ASSERTION, "#sign"),
        (Relationship.ASSERTION, f"{DID}#none"),
        (Relationship.CAPABILITY_DELEGATION, f"{DID}#sign"),
    ):
        with pytest.raises(PredicateFailed, match="method_is_given_for"):
            read.key_for(relationship, name)


def test_attack_N38_a_key_of_another_controller_or_document():
    for changed in (method("#sign", controller="did:example:other"), {**method("#sign"), "controller": None}):
        value = document(verificationMethod=[changed, method("#login", OTHER)])
        if changed["controller"] is None:
            del changed["controller"]
        with pytest.raises(PredicateFailed, match="another controller"):
            read_document(value).key_for(Relationship.ASSERTION, f"{DID}#sign")
    foreign = read_document(document(assertionMethod=["did:example:other#sign"]))
    with pytest.raises(PredicateFailed):
        foreign.key_for(Relationship.ASSERTION, "did:example:other#sign")
    with pytest.raises(PredicateFailed, match="another DID"):
        read_document(document(), parse_did("did:example:other"))


def changed(*path, to):
    value = deepcopy(document())
    place = value
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return value


TWO_READINGS = [
    changed("verificationMethod", 1, "id", to="#sign"),
    changed("keyAgreement", 0, "id", to=f"{DID}#sign"),
    changed("service", 0, "id", to="#sign"),
    changed("verificationMethod", 0, "publicKeyJwk", to={"kty": "OKP"}),
    changed("verificationMethod", 0, "privateKeyMultibase", to="z3u2"),
    changed("verificationMethod", 0, "publicKeyMultibase", to="z" + encode_base58(b"\xed\x01" + bytes(32))),
    changed("verificationMethod", 0, "id", to=str(DID)),
    changed("verificationMethod", 0, "type", to=["Multikey"]),
    changed("verificationMethod", 0, "controller", to=[str(DID)]),
    changed("verificationMethod", to={"id": "#sign"}),
    changed("assertionMethod", to="#sign"),
    changed("assertionMethod", to=["key"]),
    changed("controller", to=["did:example"]),
    changed("alsoKnownAs", to=[1]),
    changed("service", 0, "type", to=[]),
    changed("service", 0, "serviceEndpoint", to=""),
    changed("service", 0, "serviceEndpoint", to=[1]),
    changed("@context", to=["https://attacker.example/v1", CONTEXT_V1]),
    changed("@context", to=[]),
    changed("id", to="did:example:issuer#x"),
    changed("verificationMethod", to=[method(f"#{number}") for number in range(65)]),
    [],
]


def test_attack_N38_documents_with_two_readings():
    taken = []
    for value in [*TWO_READINGS, document()]:
        try:
            taken.append(read_document(value))
        except MalformedInput:
            continue
    assert taken == [read_document(document())]


def test_kinds_that_are_not_supported_are_read_and_verify_nothing():
    value = document(verificationMethod=[{**method("#sign"), "type": "Ed25519VerificationKey2018"}, method("#login")])
    with pytest.raises(PredicateFailed, match="no key that is supported"):
        read_document(value).key_for(Relationship.ASSERTION, f"{DID}#sign")


def test_relative_ids_are_expanded():
    expanded = with_absolute_ids(document())
    assert expanded["assertionMethod"] == [f"{DID}#sign"]
    assert expanded["service"][0]["id"] == f"{DID}#files"
    assert read_document(expanded).relationships == read_document(document()).relationships
