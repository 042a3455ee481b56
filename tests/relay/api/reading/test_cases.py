"""Application cases over HTTP: read strictly from a folder, served only where the configuration names one."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.api.reading.case_reports import (
    MAX_EVIDENCE_BYTES,
    MAX_FILES,
    MAX_REPORT_BYTES,
    decode_report,
    evidence_of,
    read_reports,
)
from hutong.relay.api.requests import answer
from tests.relay.api.api_world import api_under_trio, config_of, simulated_adapters

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def report(name: str = "food-lots", **changed) -> bytes:
    check = {"name": "the recall names the lots", "held": True, "negative": False, "said": "12 lots"}
    document = {
        "format": "hutong-case-report", "version": 1, "number": 22, "name": name, "title": "Food lots and recall",
        "unit": "lots", "size": 50, "checks": [check, check | {"negative": True}], "duration_s": 12.5, "messages": 4,
        "proof_bytes": 9_000, "transactions": 8, "gas": 1_234_567, "failure": "", "audit": {"valid": True}, "good": True,
    }  # fmt: skip
    return json.dumps(document | changed).encode()


def written(tmp_path, name: str, data: bytes):
    (tmp_path / "reports").mkdir(exist_ok=True)
    (tmp_path / "evidence").mkdir(exist_ok=True)
    (tmp_path / "reports" / f"{name}.json").write_bytes(data)


def test_a_report_is_read_whole():
    run = decode_report(report(), "food-lots", NOW, evidence=None)
    assert (run.number, run.size, run.duration_s, run.good, run.judged) == (22, 50, 12.5, True, True)
    assert [check.negative for check in run.checks] == [False, True]


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 2}, {"name": "other"}, {"size": -1}, {"size": True}, {"duration_s": "12"}, {"duration_s": -1},
        {"duration_s": True}, {"good": 1}, {"checks": [{"name": "a"}]}, {"checks": {}}, {"audit": []}, {"more": 1},
        {"gas": 2**63}, {"title": "x" * 8_193},
    ],
)  # fmt: skip
def test_another_document_is_refused(changed):
    with pytest.raises(MalformedInput):
        decode_report(report(**changed), "food-lots", NOW, evidence=None)


@given(data=st.binary(max_size=300) | st.sampled_from([report()[:-1], report() + b"}", report() + report()]))
def test_other_bytes_are_refused_by_one_error(data):
    with pytest.raises(MalformedInput):
        decode_report(data, "food-lots", NOW, evidence=None)


def test_what_is_no_report_is_named_and_the_others_are_listed(tmp_path):
    written(tmp_path, "swaps", report("swaps", number=11))
    written(tmp_path, "food-lots", report())
    written(tmp_path, "large", b" " * (MAX_REPORT_BYTES + 1))
    written(tmp_path, "BAD NAME", report("BAD NAME"))
    (tmp_path / "reports" / "away.json").symlink_to(tmp_path / "reports" / "swaps.json")
    (tmp_path / "reports" / "folder.json").mkdir()
    (tmp_path / "reports" / "notes.txt").write_text("not looked at")
    found = read_reports(tmp_path)
    assert [run.name for run in found.items] == ["swaps", "food-lots"]
    assert sorted(found.unreadable) == ["BAD NAME", "away", "folder", "large"]


def test_a_file_whose_name_is_no_text_is_named_so_that_the_answer_can_be_written(tmp_path):
    """File systems take any bytes for a name, and one such file beside the reports must not take them all away."""
    written(tmp_path, "swaps", report("swaps", number=11))
    Path(os.fsdecode(bytes(tmp_path / "reports") + b"/\xff.json")).write_bytes(b"{}")
    found = read_reports(tmp_path)
    assert [run.name for run in found.items] == ["swaps"]
    assert json.loads(bytes(answer(found).body))["unreadable"] == ["?"]


def test_a_folder_with_many_files_is_read_up_to_a_bound(tmp_path):
    for number in range(MAX_FILES + 1):
        written(tmp_path, f"case-{number:03}", report(f"case-{number:03}"))
    assert len(read_reports(tmp_path).items) == MAX_FILES
    assert read_reports(tmp_path / "nowhere").items == ()


def test_evidence_is_a_plain_file_of_a_case_within_its_bound(tmp_path):
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "swaps.json").write_text("{}")
    (folder / "swaps.trust.json").write_text("{}")
    (folder / "away.json").symlink_to(folder / "swaps.json")
    with (folder / "large.json").open("wb") as file:
        file.truncate(MAX_EVIDENCE_BYTES + 1)
    (tmp_path / "secret.json").write_text("{}")
    assert evidence_of(tmp_path, "swaps") == folder / "swaps.json"
    for name in ("away", "large", "absent", "../secret", "swaps.trust", ""):
        assert evidence_of(tmp_path, name) is None


async def test_cases_are_listed_and_their_evidence_is_downloaded(tmp_path):
    written(tmp_path, "swaps", report("swaps", number=11))
    written(tmp_path, "food-lots", report())
    (tmp_path / "evidence" / "swaps.json").write_text('{"format":"hutong-case-evidence"}\n')
    config = config_of(tmp_path)
    config = config.model_copy(update={"api": config.api.model_copy(update={"cases_folder": tmp_path})})
    async with (
        api_under_trio(config, simulated_adapters()) as (url, _),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http,
    ):
        listed = (await http.get("/v1/cases")).json()
        swaps, lots = listed["items"]
        assert (swaps["name"], swaps["evidence"]) == ("swaps", "/v1/cases/swaps/evidence")
        assert (lots["number"], lots["evidence"], lots["judged"]) == (22, None, True)
        got = await http.get(swaps["evidence"])
        assert got.content == b'{"format":"hutong-case-evidence"}\n'
        assert "attachment" in got.headers["content-disposition"]
        for path in ("/v1/cases/food-lots/evidence", "/v1/cases/absent/evidence"):
            refused = await http.get(path)
            assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
        assert (await http.get("/v1/cases/..%2Fsecret/evidence")).status_code in (404, 422)


async def test_a_relay_without_a_folder_serves_no_cases(tmp_path):
    async with (
        api_under_trio(config_of(tmp_path), simulated_adapters()) as (url, _),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http,
    ):
        for path in ("/v1/cases", "/v1/cases/swaps/evidence"):
            refused = await http.get(path)
            assert refused.status_code == 404 and "cases_folder" in refused.json()["detail"]
