"""What a key of SM2 cannot do is said by an error, each beside a key that can: credentials, seals, lists of trusted issuers."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import PredicateFailed, UnsupportedOperation
from hutong.relay.services.identity.rules.acceptance.credential import key_signs_credentials, trust_in_key
from hutong.relay.services.identity.rules.dids.did_hutong import parse_hutong_did
from hutong.relay.services.identity.rules.dids.document import Relationship, read_document
from hutong.relay.services.identity.rules.dids.recorded_document import RecordedDid, document_of_records
from hutong.relay.services.identity.rules.dids.representation import write_document
from hutong.relay.services.identity.rules.dids.syntax import parse_did
from hutong.relay.services.identity.rules.exports.listed_issuer import issuer_has_a_signing_key
from hutong.relay.services.identity.rules.jose import Algorithm, encode_base64url, read_jwk
from hutong.relay.services.identity.rules.organisations.key_form import jwk_members, thumbprint
from hutong.relay.services.identity.rules.organisations.resolving import ProvenDid
from hutong.relay.services.identity.rules.records.did_record import Counts, DidRecord, DidState, Document
from hutong.relay.services.identity.rules.records.epoch_record import EpochRecord
from hutong.relay.services.identity.rules.records.key_record import KeyEnd, KeyPurpose, KeyRecord, KeyUse
from hutong.relay.services.identity.rules.seals.accepting import algorithm_is_taken
from tests.relay.services.identity.rules.records.sample_records import (
    AT,
    DID,
    GENERATOR_ACCOUNT,
    P256,
    POLICY,
    SECP256K1,
    SM2,
)

NAME = f"did:hutong:hutong:{DID.hex()}"


def record(key, account=bytes(20)):
    return KeyRecord(key, account, KeyUse(KeyPurpose.SIGNING, AT.time_s), KeyEnd(), 0, AT)


OF_SM2, OF_P256 = record(SM2), record(P256)
OF_SECP256K1 = record(SECP256K1, GENERATOR_ACCOUNT)
HELD = DidRecord(Document(), DidState.ACTIVE, 0, Counts(2, 2), AT, AT)


def proven(*records):
    return ProvenDid(DID, HELD, POLICY, {thumbprint(one.key): one for one in records}, EpochRecord(1, AT))


def test_attack_N44_a_credential_is_not_judged_under_a_key_of_SM2():
    assert key_signs_credentials(OF_P256) is Algorithm.ES256
    with pytest.raises(PredicateFailed, match="signs no credentials"):
        key_signs_credentials(OF_SM2)
    assert trust_in_key(OF_P256)
    with pytest.raises(UnsupportedOperation, match="keys of kind EC SM2"):
        trust_in_key(OF_SM2)
    # nor under another name: the algorithm is the curve's, and its point is on no other one
    with pytest.raises(UnsupportedOperation, match="keys of kind EC SM2"):
        read_jwk({**jwk_members(SM2), "alg": "ES256"}, "jwk")


@pytest.mark.parametrize("takes_p256", [False, True])
def test_attack_N73_a_seal_of_a_key_of_SM2_is_not_taken(takes_p256):
    algorithm_is_taken(OF_SECP256K1, takes_p256)
    with pytest.raises(PredicateFailed, match="a curve that is not taken"):
        algorithm_is_taken(OF_SM2, takes_p256)


def test_a_list_of_trusted_issuers_has_no_key_that_its_readers_cannot_use():
    found = issuer_has_a_signing_key(proven(OF_SM2, OF_P256), AT.time_s)
    assert list(found.values()) == [OF_P256]
    with pytest.raises(PredicateFailed, match="no key signs credentials"):
        issuer_has_a_signing_key(proven(OF_SM2), AT.time_s)


def test_a_document_shows_the_key_and_verifies_nothing_with_it():
    held = {thumbprint(one.key): one for one in (OF_SM2, OF_P256)}
    recorded = RecordedDid(parse_hutong_did(parse_did(NAME)), replace(HELD, counts=Counts(2, 2)), held)
    document = read_document(write_document(document_of_records(recorded)), recorded.did.did)
    ids = {one.key.algorithm.name: f"{NAME}#{encode_base64url(print_of)}" for print_of, one in held.items()}
    assert set(document.relationships[Relationship.ASSERTION]) == set(ids.values())
    assert document.key_for(Relationship.ASSERTION, ids["ES256"]).algorithm is Algorithm.ES256
    with pytest.raises(PredicateFailed, match="has no key that is supported"):
        document.key_for(Relationship.ASSERTION, ids["SM2"])
