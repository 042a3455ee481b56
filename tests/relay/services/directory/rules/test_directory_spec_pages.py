"""The pages docs/spec/directory-*.md state what the rules make."""

from hutong.relay.services.directory.rules.log.operations import decode_logged
from hutong.relay.services.directory.rules.records.facets import FacetKind, name_code
from tests.relay.services.directory.rules import spec_vectors


def test_the_page_of_the_log_has_what_its_script_prints():
    stated = spec_vectors.on_page()
    assert stated == spec_vectors.vectors()
    assert stated["code of urn:theme:traffic"] == name_code(FacetKind.THEME, "urn:theme:traffic").hex()
    for raw, leaf in zip(stated["logged"], stated["leaves"], strict=True):
        assert decode_logged(bytes.fromhex(raw)).leaf.hex() == leaf
