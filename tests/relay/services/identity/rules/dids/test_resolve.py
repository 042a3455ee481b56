"""The result of resolving, as DID Resolution has it: a document with its metadata, or an error by its code."""

import json

from hutong.relay.services.identity.rules.dids.did_jwk import did_jwk_of
from hutong.relay.services.identity.rules.dids.document import Relationship, read_document
from hutong.relay.services.identity.rules.dids.multikey import parse_multikey
from hutong.relay.services.identity.rules.dids.resolution import ResolutionOptions
from hutong.relay.services.identity.rules.dids.resolve import resolve
from hutong.relay.services.identity.rules.dids.webvh.resolution import Material
from tests.relay.services.identity.rules.dids.webvh.log_maker import NOW_S, LogMaker, multikey

KEY = "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"
LD_JSON = "application/did+ld+json"


def answer(did, log=None, **options):
    found = resolve(str(did), Material(log), NOW_S, ResolutionOptions(**options))
    return json.loads(json.dumps(found.as_json()))


def code(result):
    assert result["didDocument"] is None and result["didDocumentMetadata"] == {}
    return result["didResolutionMetadata"]["error"]["type"].removeprefix("https://www.w3.org/ns/did#")


def test_keys_that_are_their_own_identifiers():
    for did in (f"did:key:{KEY}", str(did_jwk_of(parse_multikey(KEY, "key")))):
        result = answer(did)
        assert result["didResolutionMetadata"] == {"contentType": "application/did"}
        document = read_document(result["didDocument"])
        assert document.key_for(Relationship.ASSERTION, document.methods[0].id) == parse_multikey(KEY, "key")
        assert answer(did, accept=LD_JSON)["didDocument"]["@context"][0] == "https://www.w3.org/ns/did/v1"


def test_errors_have_the_codes_of_the_specification():
    cases = [
        ("did:key", {}, "INVALID_DID"),
        (f"did:key:{KEY}#{KEY}", {}, "INVALID_DID"),
        ("did:key:z6Mk", {}, "INVALID_DID"),
        ("did:web:example.com", {}, "METHOD_NOT_SUPPORTED"),
        (f"did:key:{KEY}", {"version_id": "1"}, "FEATURE_NOT_SUPPORTED"),
        (f"did:key:{KEY}", {"version_id": "1", "version_time": "2020-01-01T00:00:00Z"}, "INVALID_OPTIONS"),
        (f"did:key:{KEY}", {"accept": "text"}, "INVALID_OPTIONS"),
        (f"did:key:{KEY}", {"accept": "application/did;q=2"}, "INVALID_OPTIONS"),
        (f"did:key:{KEY}", {"accept": "application/did+cbor, text/html"}, "REPRESENTATION_NOT_SUPPORTED"),
        (f"did:key:{KEY}", {"accept": "*/*;q=0"}, "REPRESENTATION_NOT_SUPPORTED"),
        (LogMaker().did.did, {}, "NOT_FOUND"),
    ]
    assert [code(answer(did, **options)) for did, options, _ in cases] == [expected for _, _, expected in cases]


def test_the_representation_of_most_weight_is_taken():
    cases = [
        ("*/*", "application/did"),
        ("application/*;q=0.5, application/did;q=0", "application/did+json"),
        ("application/did+json;q=0.1, application/did+ld+json ; q=0.2", LD_JSON),
        ("APPLICATION/DID", "application/did"),
    ]
    for accept, taken in cases:
        assert answer(f"did:key:{KEY}", accept=accept)["didResolutionMetadata"]["contentType"] == taken


def test_versions_of_a_log():
    log = LogMaker(ttl=60).update(updateKeys=[multikey(2)]).update(signer=2)
    did, versions = log.did.did, [entry["versionId"] for entry in log.entries]
    newest = answer(did, log.bytes)
    assert newest["didDocument"] == log.entries[2]["state"]
    assert newest["didResolutionMetadata"] == {"contentType": LD_JSON}
    assert newest["didDocumentMetadata"] == {
        "created": "2020-01-01T00:00:00Z",
        "updated": "2020-01-03T00:00:00Z",
        "versionId": versions[2],
        "scid": log.scid,
        "portable": False,
        "ttl": "60",
        "watchers": [],
    }
    first = answer(did, log.bytes, version_time="2020-01-01T23:59:59.9Z")["didDocumentMetadata"]
    assert (first["versionId"], first["nextVersionId"], first["nextUpdate"]) == (
        versions[0],
        versions[1],
        "2020-01-02T00:00:00Z",
    )
    assert "updated" not in first
    assert answer(did, log.bytes, version_id=versions[1])["didDocumentMetadata"]["versionId"] == versions[1]


def test_attack_N39_a_version_that_is_not_there_is_not_another_one():
    log = LogMaker().update()
    did, last = log.did.did, log.entries[1]["versionId"]
    assert answer(did, log.bytes, version_id=last)["didDocument"]
    for version in ("2", last[:-1], "3" + last[1:], ""):
        assert code(answer(did, log.bytes, version_id=version)) == "NOT_FOUND"
    for time in ("2019-12-31T23:59:59Z", "2100-01-01T00:00:00Z"):
        assert code(answer(did, log.bytes, version_time=time)) == "NOT_FOUND"
    for time in ("2020-01-01", "now", "2020-01-01T00:00:00"):
        assert code(answer(did, log.bytes, version_time=time)) == "INVALID_OPTIONS"


def test_attack_N39_the_document_is_of_the_did_that_was_asked_for():
    def move(entry):
        entry["state"]["alsoKnownAs"] = [entry["state"]["id"]]
        entry["state"]["id"] = f"did:webvh:{log.scid}:new.example"

    log = LogMaker(portable=True)
    log.update(change=move)
    old, new = str(log.did.did), f"did:webvh:{log.scid}:new.example"
    assert answer(new, log.bytes)["didDocument"]["id"] == new
    assert code(answer(old, log.bytes)) == "NOT_FOUND"
    assert answer(old, log.bytes, version_id=log.entries[0]["versionId"])["didDocument"]["id"] == old
    assert code(answer(f"did:webvh:{log.scid}:third.example", log.bytes)) == "INVALID_DID"
    assert code(answer(LogMaker(ttl=1).did.did, log.bytes)) == "INVALID_DID"


def test_attack_N39_a_deactivated_did_has_no_document():
    log = LogMaker().update(deactivated=True)
    did = log.did.did
    result = answer(did, log.bytes)
    assert result["didDocument"] is None and result["didDocumentMetadata"]["deactivated"] is True
    assert "error" not in result["didResolutionMetadata"]
    older = answer(did, log.bytes, version_id=log.entries[0]["versionId"])
    assert older["didDocument"] and older["didDocumentMetadata"]["deactivated"] is True


def test_a_log_whose_document_is_none_is_said():
    log = LogMaker(change=lambda entry: entry["state"].update(verificationMethod="key"))
    assert code(answer(log.did.did, log.bytes)) == "INVALID_DID_DOCUMENT"
    linked = LogMaker()
    assert code(answer(linked.did.did, linked.bytes, accept="application/did+json")) == "REPRESENTATION_NOT_SUPPORTED"


def test_relative_ids_are_expanded_where_asked_for():
    def relative(entry):
        entry["state"]["service"] = [{"id": "#files", "type": "Files", "serviceEndpoint": "https://example.com"}]

    log = LogMaker(change=relative)
    did = log.did.did
    assert answer(did, log.bytes)["didDocument"]["service"][0]["id"] == "#files"
    expanded = answer(did, log.bytes, expand_relative_urls=True)["didDocument"]
    assert expanded["service"][0]["id"] == f"{did}#files"
