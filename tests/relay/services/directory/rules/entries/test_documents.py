"""Documents of data sets: one hash for one meaning, nothing fetched, and every way to mean two things."""

import json
import socket
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.directory.rules.entries.catalogues import catalogue_changes, read_catalogue
from hutong.relay.services.directory.rules.entries.document import (
    CONTEXTS,
    offers_can_be_enforced,
    read_document,
)

OFFER = {"@id": "urn:o:1", "@type": "Offer", "permission": [{"action": "use"}]}
SERVICE = {"@id": "urn:s:1", "@type": "DataService", "endpointURL": "https://traffic.example/dsp"}
DATASET = {
    "@context": list(CONTEXTS),
    "@id": "urn:ds:1",
    "@type": "Dataset",
    "title": "交通流量 <b>traffic</b>",
    "keyword": ["road", "bus"],
    "theme": ["urn:theme:traffic"],
    "hasPolicy": [OFFER],
    "distribution": [{"@type": "Distribution", "format": "HttpData-PULL", "accessService": SERVICE}],
}


def dataset(**changes):
    return deepcopy(DATASET) | changes


def read(document):
    return read_document((document if isinstance(document, str) else json.dumps(document)).encode())


def test_a_document_has_its_facets_and_offers():
    document = read(dataset())
    assert (document.id, document.themes, document.formats) == ("urn:ds:1", ("urn:theme:traffic",), ("HttpData-PULL",))
    (offer,) = document.offers
    assert offer.target == document.id
    offers_can_be_enforced(document)


@pytest.mark.parametrize(
    "same",
    [
        {"@context": CONTEXTS[0]},
        {"keyword": ["bus", "road"]},
        {"theme": "urn:theme:traffic"},
        {"hasPolicy": OFFER},
        {"hasPolicy": [OFFER | {"permission": {"action": {"@id": "odrl:use"}}}]},
        {"hasPolicy": [OFFER | {"profile": "urn:hutong:odrl:1", "target": "urn:ds:1"}]},
        {"distribution": DATASET["distribution"][0]},
    ],
)
def test_one_meaning_has_one_hash_whatever_the_spelling(same):
    spelled = dict(reversed(list(dataset(**same).items())))
    document = read(json.dumps(spelled, indent=3))
    assert (document.hash, document.policy_hash) == (read(dataset()).hash, read(dataset()).policy_hash)


@pytest.mark.parametrize("change", [{"title": "other"}, {"@id": "urn:ds:2"}, {"keyword": ["road"]}, {"more": 1}])
def test_attack_R4_another_meaning_has_another_hash(change):
    assert read(dataset(**change)).hash != read(dataset()).hash


def test_attack_R4_another_offer_changes_both_hashes():
    other = read(dataset(hasPolicy=[OFFER | {"permission": [{"action": "read"}]}]))
    assert other.hash != read(dataset()).hash and other.policy_hash != read(dataset()).policy_hash


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"@context": [*CONTEXTS, "http://127.0.0.1:9/evil.jsonld"]}, "document.@context"),
        ({"@context": [*CONTEXTS, {"prohibition": "http://www.w3.org/ns/odrl/2/permission"}]}, "document.@context"),
        ({"@context": [*CONTEXTS, None]}, "document.@context"),
        ({"@context": None}, "document.@context"),
        ({"@graph": []}, "document.@graph"),
        ({"publisher": {"@context": {}}}, "document.publisher.@context"),
        ({"publisher": [{"deep": {"@reverse": {}}}]}, "document.publisher.deep.@reverse"),
        ({"@type": "Catalog"}, "document.@type"),
        ({"@id": 7}, "document.@id"),
        ({"hasPolicy": []}, "document.hasPolicy"),
        ({"hasPolicy": [OFFER] * 17}, "document.hasPolicy"),
        ({"hasPolicy": [{"@type": "Offer"}]}, "document.hasPolicy[0]"),
        ({"hasPolicy": [OFFER | {"target": "urn:other"}]}, "document.hasPolicy[0]"),
        ({"hasPolicy": [OFFER | {"@type": "Set"}]}, "document.hasPolicy[0]"),
        ({"hasPolicy": [OFFER | {"profile": "urn:other"}]}, "policy.profile"),
        ({"distribution": []}, "document.distribution"),
        ({"distribution": ["urn:d"]}, "document.distribution[0]"),
        ({"distribution": [{"format": 1}]}, "document.distribution[0].format"),
        ({"theme": [f"urn:{i}" for i in range(17)]}, "document.theme"),
        ({"keyword": ["a"] * 4_097}, "document.keyword"),
    ],
)
def test_attack_R4_documents_that_mean_two_things_are_refused(change, field):
    with pytest.raises(MalformedInput) as refused:
        read(dataset(**change))
    assert refused.value.field == field


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", 7])
@pytest.mark.parametrize("place", ["accessService", "downloadURL"])
def test_attack_R4_addresses_that_run_or_read_are_refused(place, address):
    service = [{"@id": "urn:s", "endpointURL": address}] if place == "accessService" else address
    with pytest.raises(MalformedInput, match="is not an address of the web"):
        read(dataset(distribution=[{"format": "csv", place: service}]))


@pytest.mark.parametrize(
    "text",
    [
        '{"x":' + "[" * 5_000 + "]" * 5_000 + "}",
        json.dumps(DATASET)[:-1] + ',"title":"another"}',
        json.dumps(DATASET)[:-1] + ',"x":NaN}',
        json.dumps(DATASET)[:-1] + ',"x":1' + "0" * 5_000 + "}",
        json.dumps(DATASET)[:-1] + ',"x":"\\ud800"}',
        json.dumps(dataset(title="a" * 262_144)),
        "",
    ],
    ids=["deep", "repeated", "NaN", "huge", "surrogate", "long", "empty"],
)
def test_attack_R4_json_that_parsers_read_differently_is_refused(text):
    with pytest.raises(MalformedInput):
        read(text)


def test_attack_R4_nothing_is_fetched_to_read_a_document(monkeypatch):
    def opened(*_):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", opened)
    read(dataset())
    with pytest.raises(MalformedInput):
        read(dataset(**{"@context": "http://169.254.169.254/latest/meta-data"}))


def test_attack_R2_an_offer_that_nobody_could_use_is_named():
    foreign = {"leftOperand": "weather", "operator": "eq", "rightOperand": "fine"}
    unusable = read(dataset(hasPolicy=[OFFER | {"permission": [{"action": "use", "constraint": [foreign]}]}]))
    with pytest.raises(PredicateFailed, match="offers_can_be_enforced: offer urn:o:1"):
        offers_can_be_enforced(unusable)


@given(
    st.binary(max_size=64) | st.sampled_from(sorted(DATASET)).map(lambda name: json.dumps(DATASET | {name: 0}).encode())
)
@settings(max_examples=25, deadline=None)
def test_attack_R4_bytes_are_a_document_or_are_refused(data):
    try:
        assert read_document(data).id == "urn:ds:1"
    except MalformedInput:
        pass


ENTRIES = [{"@id": f"urn:ds:{number}", "title": f"set {number}"} for number in range(5)]


def changes(published, served):
    return catalogue_changes(*(read_catalogue(json.dumps(one).encode()) for one in (published, served)))


def test_order_and_bytes_of_a_catalogue_make_no_difference():
    turned = [dict(reversed(list(entry.items()))) for entry in reversed(ENTRIES)]
    assert changes(ENTRIES, {"@type": "Catalog", "dataset": turned}).are_none


def test_attack_R5_a_hidden_an_invented_and_a_changed_entry_are_named():
    served = [ENTRIES[0], ENTRIES[1] | {"title": "other"}, *ENTRIES[3:], {"identifier": "urn:ds:9"}]
    found = changes(ENTRIES, served)
    assert (found.added, found.removed, found.changed) == (("urn:ds:9",), ("urn:ds:2",), ("urn:ds:1",))
    assert not found.are_none


@pytest.mark.parametrize("catalogue", [{}, {"dataset": "x"}, ["x"], [{}], [ENTRIES[0], ENTRIES[0]]])
def test_attack_R5_what_is_no_catalogue_is_refused(catalogue):
    with pytest.raises(MalformedInput):
        changes(catalogue, catalogue)
