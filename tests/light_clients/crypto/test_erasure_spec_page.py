"""The vectors of docs/spec/storage-code.md are what the library makes, and what the text-book arithmetic makes."""

import json
from pathlib import Path

from hutong.light_clients.crypto.erasure import MAX_SHARD_BYTES, MAX_SHARDS, CauchyCode
from tests.light_clients.crypto.erasure_vectors import data_shards, vectors

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "spec" / "storage-code.md").read_text()
CASES = json.loads(PAGE.partition("```json")[2].partition("```")[0])


def test_the_page_has_what_its_script_prints():
    assert CASES == vectors()


def test_the_library_makes_the_parity_of_the_page():
    for case in CASES:
        code = CauchyCode(case["k"], case["m"])
        assert [shard.hex() for shard in code.encode(data_shards(code.data, code.parity, case["length"]))] == case[
            "parity"
        ]


def test_the_bounds_of_the_page_are_the_codes():
    assert f"at most {MAX_SHARDS}" in PAGE and MAX_SHARD_BYTES == 2**30 and "1 to 2^30" in PAGE
