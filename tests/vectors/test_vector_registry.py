"""The runner itself: what it lets through, and what it must not."""

import json

import pytest

from hutong.light_clients.interface import MalformedInput
from tests.vectors import own_lists, test_vectors
from tests.vectors.own_lists import Area, judge_area, judges_area, listed_areas
from tests.vectors.shapes import SHAPES, shaped_entries
from tests.vectors.unjudged import unjudged_parts, why_unjudged
from tests.vectors.vector_registry import Entry, Manifest, Verification, runs

FORMAT = "self-test"


def refuse():
    raise MalformedInput("file", "is bad")


def wrong():
    raise AssertionError("wrong result")


OUTCOMES = {"ok": lambda: None, "refused": refuse, "wrong": wrong, "crash": lambda: 1 // 0}
UNCHECKED = "no file holds the key"


@runs(FORMAT)
def scripted(entry, group):
    for step in entry.params["steps"]:
        if step == "unreadable":
            refuse()
        unchecked = UNCHECKED if step.startswith("unchecked:") else None
        valid = not step.startswith("bad:")
        yield Verification(step, OUTCOMES[step.rpartition(":")[2]], valid, unchecked=unchecked)


@pytest.fixture
def judge(tmp_path):
    def run(expected, *steps):
        entry = {"file": "f", "area": "a", "format": FORMAT, "expected": expected, "params": {"steps": list(steps)}}
        (tmp_path / "f").write_text("context")
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
    ],
)
def test_files_that_behave_as_expected(judge, expected, steps, count):
    assert judge(expected, *steps).judged == count


@pytest.mark.parametrize("step", ["ok", "refused", "wrong", "crash", "unreadable"])
def test_facts_never_fail_by_a_verification(judge, step):
    verdict = judge("facts", step)
    assert verdict.judged == 0
    assert bool(verdict.notes) == (step != "ok")


def test_facts_that_are_not_there_fail(judge, tmp_path):
    (tmp_path / "manifest.json").write_text(
        json.dumps({"version": 1, "entries": [{"file": "gone", "area": "a", "format": FORMAT, "expected": "facts"}]})
    )
    manifest = Manifest(tmp_path)
    with pytest.raises(FileNotFoundError):
        test_vectors.judge(manifest, manifest.entries[0])


@pytest.mark.parametrize("expected", ["valid", "cases", "invalid"])
def test_what_cannot_be_checked_is_named_and_not_counted(judge, expected):
    verdict = judge(expected, "unchecked:ok")
    assert (verdict.judged, verdict.unchecked) == (0, [f"unchecked:ok: {UNCHECKED}"])
    if expected != "invalid":
        verdict = judge(expected, "ok", "unchecked:ok")
        assert (verdict.judged, len(verdict.unchecked)) == (1, 1)


@pytest.mark.parametrize("outcome", ["refused", "wrong", "crash"])
def test_the_rest_of_it_is_judged_all_the_same(judge, outcome):
    with pytest.raises((pytest.fail.Exception, AssertionError, ZeroDivisionError)):
        judge("valid", f"unchecked:{outcome}")


def test_a_file_of_which_nothing_can_be_checked_is_skipped_by_name(judge, tmp_path):
    judge("valid", "unchecked:ok")
    manifest = Manifest(tmp_path)
    properties = {}
    with pytest.raises(pytest.skip.Exception, match=UNCHECKED):
        test_vectors.test_vector((manifest, manifest.entries[0]), properties.__setitem__)
    assert properties["verifications"] == 0 and UNCHECKED in properties["unchecked"][0]


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


def test_folders_with_a_list_of_their_own_are_skipped_by_part_and_by_area(tmp_path):
    files = {
        "w3c-id/MANIFEST.md": "list",
        "w3c-id/manifest.json": json.dumps({"version": 1, "entries": [{"file": "did/a.json", "area": "did-key"}]}),
        "w3c-id/did/a.json": "{}",
        "w3c-id/did/b.json": "{}",
        "gm/MANIFEST.md": "list",
        "gm/listed.txt": "",
        "gm/new.txt": "",
        "plain/file.json": "{}",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    parts = list(unjudged_parts(tmp_path, frozenset({"gm/listed.txt"})))
    assert [(p.folder, p.part, p.files) for p in parts] == [
        ("gm", "txt", ("gm/new.txt",)),
        ("plain", "json", ("plain/file.json",)),
        ("w3c-id", "did", ("w3c-id/did/b.json",)),
        ("w3c-id", "did-key", ("w3c-id/did/a.json",)),
    ]
    with pytest.raises(pytest.skip.Exception, match=r"did-key.*area w3c-id: credentials.*no code judges"):
        test_vectors.test_vector(parts[3], lambda *_: None)


@pytest.mark.parametrize("area", ["w3c-id", "never-heard-of"])
def test_a_reason_names_the_area(area):
    assert f"area {area}" in why_unjudged(area, "some-format")


def test_files_without_a_format_are_known_by_the_fields_of_their_cases(tmp_path):
    case = dict.fromkeys(SHAPES["sm2-verify-json"], "x")
    files = {
        "gm/MANIFEST.md": "list",
        "gm/any-name.json": json.dumps([case, case | {"why": "y"}]),
        "gm/listed.json": json.dumps([case]),
        "gm/other.json": json.dumps([case, {}]),
        "gm/object.json": json.dumps(case),
        "gm/broken.json": "{",
        "gm/deep.json": "[" * 200_000,
        "plain/any-name.json": json.dumps([case]),
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    found = list(shaped_entries(tmp_path, frozenset({"gm/listed.json"})))
    assert [(e.file, e.area, e.format, e.expected) for e in found] == [
        ("gm/any-name.json", "gm", "sm2-verify-json", "cases")
    ]


@pytest.mark.parametrize("own", ["{", "[]", '{"files": []}', '{"entries": [7]}', '{"entries": [{"file": "a"}]}'])
def test_a_folders_own_list_in_another_form_stops_nothing(tmp_path, own):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "manifest.json").write_text(own)
    (tmp_path / "new" / "a").write_text("")
    assert [(p.folder, p.part, p.files) for p in unjudged_parts(tmp_path, frozenset())] == [
        ("new", "files", ("new/a",))
    ]


@pytest.fixture
def own_area(tmp_path, monkeypatch):
    """An area whose files say how each ends; its runner passes over the ones that say `forgotten`."""
    monkeypatch.setattr(own_lists, "AREA_RUNNERS", {})

    @judges_area("scripted")
    def generator(area):
        for entry in area.entries:
            step = entry.text()
            valid = {"valid": True, "invalid": False}.get(entry.expected)
            if step != "forgotten":
                unchecked = UNCHECKED if step == "unchecked" else None
                yield Verification(
                    entry.file, OUTCOMES.get(step, OUTCOMES["wrong"]), valid, unchecked=unchecked, of=(entry,)
                )

    def area(*cases: tuple[str, str]) -> Area:
        folder = tmp_path / "any-folder"
        folder.mkdir(exist_ok=True)
        entries = []
        for number, (step, expected) in enumerate(cases):
            (folder / f"{number}.txt").write_text(step)
            entries.append({"file": f"{number}.txt", "area": "scripted", "expected": expected})
        (folder / "manifest.json").write_text(json.dumps({"version": 1, "entries": entries}))
        return next(listed_areas(tmp_path))

    return area


def test_areas_that_behave_as_listed(own_area):
    area = own_area(
        ("ok", "valid"), ("refused", "invalid"), ("ok", "either"), ("refused", "either"), ("unchecked", "valid")
    )
    verdict = judge_area(area)
    assert (area.folder, verdict.judged, verdict.failures) == ("any-folder", 4, [])
    assert verdict.unchecked == [f"any-folder/4.txt: {UNCHECKED}"]


@pytest.mark.parametrize(
    ("step", "expected"),
    [("refused", "valid"), ("ok", "invalid"), ("wrong", "invalid"), ("crash", "either"), ("forgotten", "valid")],
)
def test_each_entry_that_does_not_is_told_by_name(own_area, step, expected):
    area = own_area((step, expected), ("ok", "valid"), (step, expected))
    assert [failure.partition(":")[0] for failure in judge_area(area).failures] == [
        "any-folder/0.txt",
        "any-folder/2.txt",
    ]
    with pytest.raises(AssertionError, match=r"0\.txt(.|\n)*2\.txt"):
        test_vectors.test_vector(area, lambda *_: None)


def test_an_area_has_one_runner(own_area):
    with pytest.raises(ValueError):
        judges_area("scripted")(lambda area: iter(()))
