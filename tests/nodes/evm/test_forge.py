"""Forge suites of `contracts/test`, with fuzz and gas, compiled by the pinned npm solc."""

import json
import os
import shutil
import subprocess

import pytest

from tests.nodes.provision import CONTRACTS, foundry, solc

TIMEOUT_S = 900

pytestmark = pytest.mark.nodes


@pytest.fixture(scope="module")
def results():
    if shutil.which("npm") is None:
        pytest.fail("forge comes from npm, and there is none")
    command = [str(foundry("forge")), "test", "--use", str(solc()), "--offline", "--json"]
    # Only what the suites import: every source is compiled by `python -m hutong.contracts.compile --check` already.
    only = {**os.environ, "FOUNDRY_SRC": "test"}
    process = subprocess.run(command, cwd=CONTRACTS, env=only, capture_output=True, text=True, timeout=TIMEOUT_S)
    text = process.stdout
    assert "{" in text, process.stderr
    return json.loads(text[text.index("{") :].splitlines()[0])


def test_every_forge_test_passes(results):
    failed = [
        f"{suite}::{name}: {outcome.get('reason')}"
        for suite, fields in results.items()
        for name, outcome in fields["test_results"].items()
        if outcome["status"] != "Success"
    ]
    assert not failed, "\n".join(failed)


def test_the_suites_are_all_there(results):
    suites = {suite.split(":")[1] for suite in results}
    assert suites >= {"IdentifiersTest", "Ics23SmtTest", "PayloadsTest", "RouterTest", "TendermintCommitTest"}
    count = sum(len(fields["test_results"]) for fields in results.values())
    assert count >= 25


def test_gas_of_the_suites(results):
    for suite, fields in sorted(results.items()):
        for name, outcome in sorted(fields["test_results"].items()):
            kind = outcome["kind"]
            shown = kind.get("Fuzz") or kind.get("Unit") or kind
            print(suite.split(":")[1], name, shown)
