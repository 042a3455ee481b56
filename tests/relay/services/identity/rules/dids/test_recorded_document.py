"""The document of a did:hutong: what records say, and a supplement only as it was recorded."""

from types import MappingProxyType

import pytest

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.identity.rules.dids.did_hutong import HutongDid, parse_hutong_did
from hutong.relay.services.identity.rules.dids.document import CONTEXT_V1, Relationship, read_document
from hutong.relay.services.identity.rules.dids.multikey import parse_multikey
from hutong.relay.services.identity.rules.dids.recorded_document import (
    RecordedDid,
    document_of_records,
    resolution_of_records,
)
from hutong.relay.services.identity.rules.dids.representation import MediaType, write_document
from hutong.relay.services.identity.rules.dids.syntax import Did
from hutong.relay.services.identity.rules.jose.base64url import encode_base64url
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records.did_record import Counts, DidRecord, DidState, Document, Moment
from hutong.relay.services.identity.rules.records.key_record import (
    NO_ACCOUNT,
    KeyAlgorithm,
    KeyEnd,
    KeyPurpose,
    KeyRecord,
    KeyUse,
    PublicKey,
)

HUTONG = HutongDid("city", bytes(range(32)))
P256 = parse_multikey("zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", "key")
ED25519 = parse_multikey("z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG", "key")
SUPPLEMENT = b'{"alsoKnownAs":["https://issuer.example"],"service":[{"id":"#site","serviceEndpoint":"https://issuer.example","type":"LinkedDomains"}]}'


def key(algorithm, coordinates, purposes):
    public = PublicKey(algorithm, coordinates[:32], coordinates[32:] or bytes(32))
    return KeyRecord(public, NO_ACCOUNT, KeyUse(purposes, 1_700_000_000), KeyEnd(), 0, Moment(5, 1_700_000_000))


def record(state=DidState.ACTIVE, supplement=b"", changed=9):
    document = Document(sha256(supplement) if supplement else bytes(32))
    return DidRecord(
        document, state, 1, Counts(keys=3, active_keys=3), Moment(5, 1_700_000_000), Moment(changed, 1_700_000_300)
    )


def recorded(of=None, supplement=None):
    keys = (
        key(KeyAlgorithm.ES256, P256.coordinates, KeyPurpose.SIGNING),
        key(KeyAlgorithm.EDDSA, ED25519.coordinates, KeyPurpose.SIGNING | KeyPurpose.PRESENTATION),
        key(KeyAlgorithm.X25519, bytes([9]) + bytes(31), KeyPurpose.SEAL),
    )
    by_thumbprint = MappingProxyType({thumbprint(one.key): one for one in keys})
    return RecordedDid(HUTONG, record() if of is None else of, by_thumbprint, supplement)


def method_id(algorithm):
    (name,) = (name for name, one in recorded().keys.items() if one.key.algorithm is algorithm)
    return f"{HUTONG.did}#{encode_base64url(name)}"


def test_keys_serve_what_they_are_recorded_for_in_both_versions():
    made = document_of_records(recorded())
    plain, linked = write_document(made), write_document(made, MediaType.DID_LD_JSON)
    assert plain == write_document(made, MediaType.DID_JSON) and "@context" not in plain
    assert linked["@context"] == [CONTEXT_V1, "https://w3id.org/security/jwk/v1"]
    for value in (plain, linked):
        read = read_document(value, HUTONG.did)
        assert read.key_for(Relationship.ASSERTION, method_id(KeyAlgorithm.ES256)) == P256
        assert read.key_for(Relationship.AUTHENTICATION, method_id(KeyAlgorithm.EDDSA)) == ED25519
        assert read.relationships[Relationship.KEY_AGREEMENT] == (method_id(KeyAlgorithm.X25519),)
        with pytest.raises(PredicateFailed):
            read.key_for(Relationship.AUTHENTICATION, method_id(KeyAlgorithm.ES256))
        with pytest.raises(PredicateFailed):
            read.key_for(Relationship.KEY_AGREEMENT, method_id(KeyAlgorithm.X25519))


def test_the_result_says_when_and_which_version():
    found = resolution_of_records(recorded(), MediaType.DID)
    assert found.metadata.as_json() == {
        "created": "2023-11-14T22:13:20Z",
        "updated": "2023-11-14T22:18:20Z",
        "versionId": "9",
    }
    assert "updated" not in resolution_of_records(recorded(record(changed=5)), MediaType.DID).metadata.as_json()
    ended = resolution_of_records(recorded(record(DidState.DEACTIVATED)), MediaType.DID).as_json()
    assert ended["didDocument"] is None and ended["didDocumentMetadata"]["deactivated"] is True


def test_attack_N38_a_supplement_that_is_not_the_recorded_one():
    said = document_of_records(recorded(record(supplement=SUPPLEMENT), SUPPLEMENT))
    assert said.services[0].id == f"{HUTONG.did}#site" and said.also_known_as == ("https://issuer.example",)
    for of, supplement in (
        (record(supplement=SUPPLEMENT), None),
        (record(supplement=SUPPLEMENT), SUPPLEMENT.replace(b"issuer", b"others")),
        (record(), SUPPLEMENT),
    ):
        with pytest.raises(PredicateFailed, match="supplement_is_the_recorded_one"):
            document_of_records(recorded(of, supplement))
    method = b'{"assertionMethod":["did:example:other#key"]}'
    for bad in (
        method,
        SUPPLEMENT.replace(b":", b": ", 1),
        b"[]",
        b"{",
        b'{"id":"did:example:other"}',
        b'{"service":1}',
    ):
        with pytest.raises(MalformedInput):
            document_of_records(recorded(record(supplement=bad), bad))


def test_attack_N37_a_did_hutong_has_one_spelling():
    assert parse_hutong_did(HUTONG.did) == HUTONG
    text = HUTONG.id.hex()
    for identifier in ("city", f"city:{text.upper()}", f"city:{text}0", f"city:{text}:x", f":{text}", f"a%20b:{text}"):
        with pytest.raises(MalformedInput):
            parse_hutong_did(Did("hutong", identifier))
