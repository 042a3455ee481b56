"""Rule 11 for a governed chain: the recorded one replays to its app hashes, under another hash seed too, over a change of rules."""

import json
import os
import subprocess
import sys

import pytest

from tests.relay.hub.application.governance.recorded_governed_chain import FILE, record_chain
from tests.relay.hub.application.test_hub_determinism import REPLAY
from tests.relay.hub.recorded_chain import replay


@pytest.mark.long
def test_the_governed_record_replays_and_is_what_this_code_makes():
    recorded = json.loads(FILE.read_text())
    ledger = replay(recorded)
    made = record_chain().ledger
    assert (made.tip.app_hash, made.tip.block_id) == (ledger.tip.app_hash, ledger.tip.block_id)
    versions = [ledger.records.block(height).block.header.version_app for height in range(1, ledger.tip.height + 1)]
    assert versions == sorted(versions) and {1, 2} == set(versions)


@pytest.mark.long
def test_the_governed_record_replays_under_another_hash_seed():
    program = REPLAY.format(root=str(FILE.parents[5])).replace(
        "recorded_chain", "application.governance.recorded_governed_chain", 1
    )
    assert "recorded_governed_chain" in program
    tip = replay(json.loads(FILE.read_text())).tip
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "3"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == f"{tip.app_hash.hex()} {tip.block_id.hash.hex()}", done.stderr[-500:]
