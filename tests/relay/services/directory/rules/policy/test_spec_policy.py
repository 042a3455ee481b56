"""The vectors of docs/spec/directory-policy.md and directory-documents.md."""

import json
import re
from pathlib import Path

from hutong.relay.services.directory.rules.entries.catalogues import hashes_of, read_catalogue_entries
from hutong.relay.services.directory.rules.entries.pages import head_of, make_page
from tests.relay.services.directory.rules.entries.test_documents import read as read_dataset
from tests.relay.services.directory.rules.policy.policies import policy

PAGES = Path(__file__).parents[6] / "docs" / "spec"


def vectors_of(page):
    (block,) = re.findall(r"```json\n(.*?)```", (PAGES / page).read_text(), re.DOTALL)
    return json.loads(block)


def test_the_page_of_policies_has_the_hashes_that_they_have():
    for vector in vectors_of("directory-policy.md"):
        read = policy(vector["policy"])
        assert (read.canonical.decode(), read.hash.hex()) == (vector["canonical"], vector["hash"])


def test_the_page_of_documents_has_the_hashes_that_they_have():
    vector = vectors_of("directory-documents.md")
    read = read_dataset(vector["document"])
    hashes = {"hash": read.hash.hex(), "policy_hash": read.policy_hash.hex()}
    assert {"canonical": read.canonical.decode()} | hashes == {name: vector[name] for name in ("canonical", *hashes)}


def test_the_page_of_documents_has_the_head_and_the_nodes_of_a_catalogue():
    vector = vectors_of("directory-documents.md")["catalogue"]
    entries = read_catalogue_entries(json.dumps(vector["entries"]).encode())
    head, page = head_of(hashes_of(entries)), vector["page"]
    assert (head.size, head.root.hex()) == (vector["size"], vector["root"])
    proof = make_page(entries, hashes_of(entries), page["first"], page["count"]).proof
    assert [node.hex() for node in proof.nodes] == page["nodes"]
