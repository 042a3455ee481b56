"""The vectors of docs/spec/feeds.md are what the code makes and reads."""

import json
import re
from pathlib import Path

import pytest

from hutong.light_clients.feeds import (
    Report,
    Round,
    decode_round,
    description_document,
    encode_round,
    feed_id,
    judge_round,
    parse_description,
    parse_report,
    report_digest,
    report_document,
    round_slot,
    sign_report,
)
from hutong.light_clients.interface import VERIFY

PAGE = Path(__file__).resolve().parents[3] / "docs" / "spec" / "feeds.md"


def unhex(text):
    return bytes.fromhex(text[2:])


@pytest.fixture(scope="module")
def vectors():
    (block,) = re.findall(r"```json\n(.*?)\n```", PAGE.read_text(), re.DOTALL)
    return json.loads(block)


def test_description_id_and_slot(vectors):
    feed = parse_description(json.dumps(vectors["description"]).encode())
    assert description_document(feed) == vectors["description"]
    assert feed_id(feed) == unhex(vectors["id"])
    assert round_slot(feed_id(feed)) == unhex(vectors["slot"])


def test_reports_and_the_round_that_they_make(vectors):
    feed = parse_description(json.dumps(vectors["description"]).encode())
    reports = []
    for vector in vectors["reports"]:
        read = parse_report(json.dumps(vector["document"]).encode())
        assert report_digest(read.feed, read.time_s, read.report.value) == unhex(vector["digest"])
        signature = sign_report(unhex(vector["key"]), feed_id(feed), read.time_s, read.report.value)
        assert report_document(feed, read.time_s, Report(read.report.value, signature)) == vector["document"]
        reports.append(read.report)
    said = vectors["round"]
    stands = Round(int(said["value"]), said["time_s"], said["count"])
    assert judge_round(VERIFY, feed, stands.time_s, reports) == stands
    assert (encode_round(stands), decode_round(unhex(said["word"]))) == (unhex(said["word"]), stands)
