"""The runner itself: what it lets through, and what it must not."""

import json

import pytest
import test_vectors
from vector_registry import Entry, Manifest, Verification, runs

from light_clients.interface import MalformedInput

FORMAT = "self-test"


def refuse():
    raise MalformedInput("file", "is bad")


def wrong():
    raise AssertionError("wrong result")


OUTCOMES = {"ok": lambda: None, "refused": refuse, "wrong": wrong, "crash": lambda: 1 // 0}


@runs(FORMAT)
def scripted(entry, group):
    for step in entry.params["steps"]:
        if step == "unreadable":
            refuse()
        yield Verification(step, OUTCOMES[step.removeprefix("bad:")], valid=not step.startswith("bad:"))


@pytest.fixture
def judge(tmp_path):
    def run(expected, *steps):
        entry = {"file": "f", "area": "a", "format": FORMAT, "expected": expected, "params": {"steps": list(steps)}}
        (tmp_path / "manifest.json").write_text(json.dumps({"version": 1, "entries": [entry]}))
        manifest = Manifest(tmp_path)
        return test_vectors.judge(manifest, manifest.entries[0])

    return run


@pytest.mark.parametrize(
    ("expected", "steps", "count"),
    [
        ("valid", ["ok"], 1),
        ("valid", ["ok", "ok", "ok"], 3),
        ("invalid", ["refused"], 1),
        ("invalid", ["ok", "refused"], 2),
        ("invalid", ["unreadable"], 1),
        ("cases", ["ok", "bad:refused", "ok"], 3),
        ("facts", [], 0),
    ],
)
def test_files_that_behave_as_expected(judge, expected, steps, count):
    assert judge(expected, *steps) == count


@pytest.mark.parametrize(
    ("expected", "steps"),
    [
        ("valid", ["ok", "refused"]),
        ("valid", ["unreadable"]),
        ("valid", []),
        ("valid", ["wrong"]),
        ("invalid", ["ok"]),
        ("invalid", []),
        ("invalid", ["wrong"]),
        ("invalid", ["crash"]),
        ("cases", ["bad:ok"]),
        ("cases", ["bad:wrong"]),
        ("cases", ["refused"]),
        ("cases", []),
        ("cases", ["crash"]),
    ],
)
def test_files_that_do_not(judge, expected, steps):
    with pytest.raises((pytest.fail.Exception, AssertionError, ZeroDivisionError)):
        judge(expected, *steps)


def test_a_format_has_one_runner():
    with pytest.raises(ValueError):
        runs(FORMAT)(scripted)


def test_groups_are_applied_in_order(tmp_path):
    raw = [
        {"file": name, "area": "a", "format": FORMAT, "expected": "facts", "group": "g", "role": role, "order": order}
        for name, role, order in (("c", "update", 2), ("b", "update", 1), ("a", "start", 0))
    ]
    raw.append({"file": "d", "area": "a", "format": FORMAT, "expected": "facts", "group": "g", "role": "extra"})
    raw.append({"file": "e", "area": "other", "format": FORMAT, "expected": "facts", "group": "g"})
    (tmp_path / "manifest.json").write_text(json.dumps({"version": 1, "entries": raw}))
    manifest = Manifest(tmp_path)
    last = next(entry for entry in manifest.entries if entry.file == "c")
    group = manifest.group_of(last)
    assert [entry.file for entry in group.entries] == ["a", "b", "c", "d"]
    assert [entry.file for entry in group.before(last)] == ["a", "b"]
    assert group.with_role("extra").file == "d"
    assert group.with_role("missing") is None
    lone = Entry(tmp_path, "x", "a", FORMAT, "facts")
    assert manifest.group_of(lone).entries == (lone,)


def test_another_manifest_version_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text('{"version": 2, "entries": []}')
    with pytest.raises(ValueError, match="version 2"):
        _ = Manifest(tmp_path).entries


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_absent_vectors_fail_in_ci_and_skip_elsewhere(monkeypatch, ci, outcome):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="HUTONG_VECTORS"):
        test_vectors.test_vector(None, None)


def test_an_unsupported_format_is_skipped_by_name(tmp_path):
    entry = Entry(tmp_path, "some/file", "a", "never-heard-of", "valid")
    with pytest.raises(pytest.skip.Exception, match="never-heard-of.*some/file"):
        test_vectors.test_vector((None, entry), lambda *_: None)
