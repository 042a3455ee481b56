"""`hutong directory index`: built, searched, proven and checked, without a network."""

import json

import pytest

from tests.relay.cli.audit.without_network import within_this_process
from tests.relay.services.directory.rules.terms.entries import documents

CATALOGUE = [*documents(40), {"@id": "urn:ds:last", "title": "京 traffic unheard"}]


@pytest.fixture
def run():
    return lambda *words: within_this_process("directory", "index", *words)


@pytest.fixture
def built(run, tmp_path):
    (tmp_path / "entries.json").write_text(json.dumps(CATALOGUE))
    done = run("build", tmp_path / "entries.json", "--into", tmp_path / "index", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_index_is_built_and_searched(run, tmp_path, built):
    assert built["size"] == 41
    shown = json.loads(run("search", tmp_path / "index", "京 TRAFFIC", "--json").stdout)
    assert {"sequence": 40, "entry": "urn:ds:last"} == shown["hits"][0]
    first = json.loads(run("search", tmp_path / "index", "theme:urn:theme:1", "--limit", "2", "--json").stdout)
    rest = json.loads(
        run("search", tmp_path / "index", "theme:urn:theme:1", "--before", first["before"], "--json").stdout
    )
    assert first["total"] == rest["total"] == len(first["hits"]) + len(rest["hits"])
    assert "1 entries match" in run("search", tmp_path / "index", "unheard").stdout
    assert run("search", tmp_path / "index", "nowhere").returncode == 1


def test_a_log_with_withdrawals_is_read(run, tmp_path):
    lines = [
        {"sequence": 0, "entry": "a", "document": {"title": "road"}, "facets": {"publisher": ["did:web:a.example"]}},
        {"sequence": 3, "entry": "b", "document": {"title": "road"}, "facets": {}},
        {"sequence": 5, "entry": "a", "document": None, "facets": {}},
    ]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "6 operations" in run("build", log, "--into", tmp_path / "index").stdout
    assert json.loads(run("search", tmp_path / "index", "road", "--json").stdout)["hits"] == [
        {"sequence": 3, "entry": "b"}
    ]
    assert run("search", tmp_path / "index", "publisher:did:web:a.example").returncode == 1


def test_a_folder_and_a_catalogue_of_the_same_entries_have_one_digest(run, tmp_path, built):
    folder = tmp_path / "documents"
    folder.mkdir()
    for number, document in enumerate(CATALOGUE):
        (folder / f"{number:03}.json").write_text(json.dumps(document))
    assert json.loads(run("build", folder, "--into", tmp_path / "other", "--json").stdout) == built


def test_an_answer_is_proven_and_checked(run, tmp_path, built):
    answer = tmp_path / "answer.json"
    answer.write_text(run("prove", tmp_path / "index", "交通 traffic").stdout)
    checked = run("check", answer, "交通 traffic", "--digest", built["digest"])
    assert checked.returncode == 0 and "none left out" in checked.stdout
    entries = ("--entries", tmp_path / "entries.json")
    answer.write_text(run("prove", tmp_path / "index", '"京 traffic" id:urn:ds:last', *entries).stdout)
    assert json.loads(answer.read_text())["hits"] == [40]
    assert run("check", answer, '"京 traffic" id:urn:ds:last', "--digest", built["digest"], *entries).returncode == 0


def test_attack_R6_an_answer_that_leaves_an_entry_out_is_refused(run, tmp_path, built):
    said = json.loads(run("prove", tmp_path / "index", "traffic").stdout)
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps(said | {"hits": said["hits"][1:]}))
    refused = run("check", answer, "traffic", "--digest", built["digest"], "--json")
    assert refused.returncode == 1 and json.loads(refused.stdout)["complete"] is False
    answer.write_text(json.dumps(said))
    assert "answer_is_of_this_digest" in run("check", answer, "traffic", "--digest", "00" * 32).stdout


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("x.json", "[1]", "is not an object"),
        ("x.jsonl", "{}", "line 1"),
        ("x.jsonl", '{"sequence": 0, "entry": "a", "document": 1, "facets": {}}', "line 1.document"),
        ("x.jsonl", '{"sequence": 0, "entry": "a", "document": null, "facets": {"theme": []}}', "facet of a record"),
        ("x.jsonl", '{"sequence": 1, "entry": "a", "document": null, "facets": {}}\n' * 2, "comes after"),
    ],
)
def test_attack_R4_what_is_no_entry_is_said_and_the_old_index_stays(run, tmp_path, built, name, text, says):
    (tmp_path / name).write_text(text)
    refused = run("build", tmp_path / name, "--into", tmp_path / "index")
    assert refused.returncode == 2 and says in refused.stderr
    assert run("search", tmp_path / "index", "unheard").returncode == 0


def test_what_cannot_be_used_is_said(run, tmp_path, built):
    index = tmp_path / "index"
    for words, says in (
        (("search", tmp_path, "road"), "holds no index"),
        (("search", index, "a*"), "at least 3 letters"),
        (("prove", index, "theme:x"), "has no term"),
        (("build", tmp_path / "none", "--into", index), "no such file"),
        (("check", tmp_path / "entries.json", "road", "--digest", "00" * 32), "answer"),
    ):
        refused = run(*words)
        assert refused.returncode == 2 and says in refused.stderr, (words, refused.stderr)
