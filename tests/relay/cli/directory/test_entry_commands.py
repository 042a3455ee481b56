"""`hutong directory entry check` and `catalogue compare`."""

import json

import pytest

from tests.relay.cli.audit.without_network import within_this_process
from tests.relay.services.directory.rules.entries.test_documents import DATASET, ENTRIES, OFFER, read


@pytest.fixture
def run(tmp_path):
    def command(*words, files):
        paths = []
        for number, document in enumerate(files):
            paths.append(tmp_path / f"{number}.json")
            paths[-1].write_text(json.dumps(document))
        return within_this_process("directory", *words[:2], *paths, *words[2:])

    return command


def test_a_document_is_shown_with_its_hashes(run):
    done = run("entry", "check", files=[DATASET])
    assert done.returncode == 0, done.stdout + done.stderr
    assert read(DATASET).hash.hex() in done.stdout and read(DATASET).policy_hash.hex() in done.stdout
    shown = json.loads(run("entry", "check", "--json", files=[DATASET]).stdout)
    assert shown["themes"] == ["urn:theme:traffic"] and shown["refusal"] is None


def test_a_document_that_nobody_could_use_or_read_is_refused(run):
    foreign = {"action": "use", "constraint": {"leftOperand": "weather", "operator": "eq", "rightOperand": "fine"}}
    unusable = run("entry", "check", files=[DATASET | {"hasPolicy": [OFFER | {"permission": foreign}]}])
    assert unusable.returncode == 1 and "offers_can_be_enforced" in unusable.stdout
    refused = run("entry", "check", files=[DATASET | {"@context": "http://evil.example/context"}])
    assert refused.returncode == 2 and "document.@context" in refused.stderr


def test_attack_R5_a_catalogue_that_leaves_an_entry_out_is_named(run):
    assert run("catalogue", "compare", files=[ENTRIES, ENTRIES[::-1]]).returncode == 0
    done = run("catalogue", "compare", files=[ENTRIES, ENTRIES[1:]])
    assert done.returncode == 1 and "left out urn:ds:0" in done.stdout
    shown = json.loads(run("catalogue", "compare", "--json", files=[ENTRIES[1:], ENTRIES]).stdout)
    assert shown == {"added": ["urn:ds:0"], "removed": [], "changed": []}
    assert run("catalogue", "compare", files=[ENTRIES, {}]).returncode == 2


def test_attack_R5_a_page_is_complete_under_the_head_that_was_anchored(run, tmp_path):
    head = json.loads(run("catalogue", "head", "--json", files=[ENTRIES]).stdout)
    page = json.loads(run("catalogue", "page", "--first", "1", "--count", "3", files=[ENTRIES]).stdout)
    believed = ("--size", str(head["size"]), "--root", head["root"])
    whole = run("catalogue", "check", *believed, files=[page])
    assert whole.returncode == 0 and "entries 1 to 3 of 5, none left out" in whole.stdout
    page["entries"].pop(1)
    done = run("catalogue", "check", *believed, files=[page])
    assert done.returncode == 1 and "refused range_" in done.stdout
    assert not json.loads(run("catalogue", "check", *believed, "--json", files=[page]).stdout)["complete"]
    assert run("catalogue", "check", *believed, files=[ENTRIES]).returncode == 2
    assert run("catalogue", "page", "--first", "5", files=[ENTRIES]).returncode == 2
