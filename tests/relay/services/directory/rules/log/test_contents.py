"""What an entry says of its document, open and restricted."""

import json
from dataclasses import replace

import pytest

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.directory.rules.entries.document import CONTEXTS, read_document
from hutong.relay.services.directory.rules.log.contents import (
    document_is_of_the_entry,
    open_content,
    restricted_content,
    sealed_hash,
)
from hutong.relay.services.directory.rules.records.facets import FacetKind, name_code

SALT = b"\x05" * 32


def document(title="Traffic"):
    said = {
        "@context": list(CONTEXTS),
        "@id": "urn:uuid:traffic",
        "@type": "Dataset",
        "title": title,
        "theme": ["urn:theme:traffic", "urn:theme:air"],
        "hasPolicy": [{"@id": "urn:o", "@type": "Offer", "permission": [{"action": "use"}]}],
        "distribution": [{"@type": "Distribution", "format": "urn:format:csv"}],
    }
    return read_document(json.dumps(said).encode())


def test_an_open_entry_has_the_hashes_and_codes_of_its_document():
    one = document()
    said = open_content(one, 99)
    assert (said.document, said.policies, said.is_restricted, said.valid_until_s) == (
        one.hash,
        one.policy_hash,
        False,
        99,
    )
    assert set(said.themes) == {name_code(FacetKind.THEME, theme) for theme in one.themes}
    document_is_of_the_entry(one, said, None)


def test_attack_R14_a_restricted_entry_tells_nothing_that_can_be_guessed():
    one = document()
    said = restricted_content(one, SALT, ((), ()))
    assert said.is_restricted and not any(said.policies) and said.document != one.hash
    assert said.document == sealed_hash(one, SALT) != sealed_hash(one, b"\x06" * 32)
    document_is_of_the_entry(one, said, SALT)
    for salt in (bytes(32), b"\x05" * 31):
        with pytest.raises(MalformedInput):
            restricted_content(one, salt, ((), ()))


def test_attack_R11_another_document_is_not_of_the_entry():
    one, other = document(), document("Other")
    opened, sealed = open_content(one), restricted_content(one, SALT, ((), ()))
    for bad in (
        (other, opened, None),
        (other, sealed, SALT),
        (one, sealed, b"\x06" * 32),
        (one, sealed, None),
        (one, opened, SALT),
        (one, replace(opened, policies=b"\x01" * 32), None),
    ):
        with pytest.raises(PredicateFailed, match="document_is_of_the_entry"):
            document_is_of_the_entry(*bad)
