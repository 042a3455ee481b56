"""All cases in a small city by the commands that the documentation prints, and their evidence judged and spoilt."""

import json

import pytest

from hutong.relay.cases.registry import CASES
from hutong.relay.local.processes import DemoFailed, run_command

pytestmark = pytest.mark.long


CREDENTIALS = tuple(case for case in CASES if ".credentials." in case.run.__module__)
STORAGE = tuple(case for case in CASES if ".storage." in case.run.__module__)
OTHERS = tuple(case for case in CASES if case not in (*CREDENTIALS, *STORAGE))


@pytest.mark.parametrize("cases", [OTHERS, CREDENTIALS, STORAGE], ids=["others", "credentials", "storage"])
async def test_every_case_holds_in_a_small_city(tmp_path, cases):
    home = tmp_path / "city"
    at = ("--home", str(home))
    await run_command(["city", "up", *at, "--small", "--keep"])
    try:
        done = json.loads(await run_command(["city", "test", *(case.name for case in cases), *at, "--json"]))
        assert [one["name"] for one in done] == [case.name for case in cases]
        for one in done:
            report = json.loads((home / "reports" / f"{one['name']}.json").read_text())
            assert report["good"] and report["audit"]["valid"], report
            await judged_and_spoilt(home, one["name"])
        assert found_in(home) == [], "what people are called stands in no block, state, log, database or evidence"
        with pytest.raises(DemoFailed, match="exit code 2: no case is called nothing"):
            await run_command(["city", "test", "nothing", *at])
    finally:
        await run_command(["city", "down", *at])


MARKERS = tuple(marker.encode() for marker in ("Dr. Ada", "Grace", "Blue Line", "Red Star Coffee"))
"""Claims of the cases' credentials that no contract is shown."""


def found_in(home):
    """Files of the city in which a marker stands; one that its process has removed meanwhile holds nothing."""

    def says(file) -> bool:
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            return False
        return any(marker in data for marker in MARKERS)

    return [file for file in home.rglob("*") if file.is_file() and not file.is_symlink() and says(file)]


async def judged_and_spoilt(home, name):
    folder = home / "evidence"
    trusted = ("--checkpoint", str(folder / f"{name}.checkpoints"), "--trust", str(folder / f"{name}.trust.json"))
    assert "valid" in await run_command(["audit", "case", str(folder / f"{name}.json"), *trusted])
    data = (folder / f"{name}.json").read_bytes()
    spoilt = folder / f"{name}.spoilt.json"
    for place in range(7, len(data), len(data) // 5):
        spoilt.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(DemoFailed, match="exit code [12]"):
            await run_command(["audit", "case", str(spoilt), *trusted])
