"""The page prints the scripts that CI runs: letter by letter the files beside it."""

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
NAMES = (
    "pay_and_receive.py",
    "call_contract.py",
    "wait_for_finality.py",
    "notarise.py",
    "sign.py",
    "why_refused.py",
    "refund.py",
)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_prints_the_whole_script_and_runs_it(name):
    page, script = (EXAMPLES / "README.md").read_text(), (EXAMPLES / name).read_text()
    assert f"```sh\ncat > {name} <<'EOF'\n{script}EOF\n" in page
    assert f"\npython3 {name} net/network.json " in page
    assert len(script.splitlines()) <= 60


def test_no_example_is_forgotten():
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == sorted(NAMES)
