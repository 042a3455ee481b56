"""Type metadata of an issuer's own: the file of a type, judged when the daemon begins, and where which is served."""

import json
from hashlib import sha256

import pytest

from hutong.relay.config import ConfigError
from hutong.relay.services.identity.issuer.type_documents import type_documents
from tests.relay.services.identity.issuer.issuer_world import BASE, CONFIG, write_config

VCT = "https://id.example/types/residence"
DOCUMENT = json.dumps({"vct": VCT, "name": "of the city", "claims": []}).encode()


def served(folder, kind: str = "", text: str = CONFIG) -> dict[str, bytes]:
    return type_documents(BASE, write_config(folder, kind=kind, text=text).issuer)


def test_a_file_is_served_to_the_letter_and_may_have_a_hash(tmp_path):
    (tmp_path / "type.json").write_bytes(DOCUMENT)
    named = 'type_metadata = "type.json"'
    assert served(tmp_path, named)["/types/residence"] == DOCUMENT
    hashed = f'{named}\nschema_hash = "sha256:{sha256(DOCUMENT).hexdigest()}"'
    assert served(tmp_path, hashed)["/types/residence"] == DOCUMENT
    other = f'{named}\nschema_hash = "sha256:{"00" * 32}"'
    with pytest.raises(ConfigError, match=r"credentials\.0\.type_metadata: its SHA-256 is"):
        served(tmp_path, other)


@pytest.mark.parametrize(
    "data",
    [DOCUMENT.replace(b"residence", b"other"), b"[]", b'{"vct":7}', b'{"vct":"a","vct":"b"}', b"{" * 70_000, None],
)
def test_a_file_of_another_type_is_refused(tmp_path, data):
    if data is not None:
        (tmp_path / "type.json").write_bytes(data)
    with pytest.raises(ConfigError, match=r"credentials\.0\.type_metadata"):
        served(tmp_path, 'type_metadata = "type.json"')


def test_what_is_elsewhere_or_hashed_is_not_made_up(tmp_path):
    assert sorted(served(tmp_path)) == ["/types/library", "/types/residence"]
    assert sorted(served(tmp_path, f'schema_hash = "sha256:{"11" * 32}"')) == ["/types/library"]
    for vct in ("urn:types:residence", "https://other.example/types/residence", f"{VCT}?a=1", f"{VCT}/{{x}}"):
        text = CONFIG.replace(VCT, vct.replace("{", "{{").replace("}", "}}"))
        assert sorted(served(tmp_path, text=text)) == ["/types/library"], vct
