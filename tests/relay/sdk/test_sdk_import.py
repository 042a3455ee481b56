"""What an import of the SDK brings into a dapp's process: no server, no store, no other part of this distribution."""

import subprocess
import sys

import pytest


@pytest.mark.long
def test_the_import_is_light():
    program = "import sys, hutong.relay.sdk; print(*sorted(name for name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    own = ("hutong.relay.sdk", "hutong.relay.schemas")
    parts = {name for name in loaded if name.startswith("hutong.") and not name.startswith(own)}
    assert parts == {"hutong.relay"}, "no other part of this distribution"
    heavy = {"eth_account", "eth_utils", "fastapi", "redis", "sqlalchemy", "web3"}
    assert heavy.isdisjoint(name.partition(".")[0] for name in loaded)
