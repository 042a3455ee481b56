"""Test modules here import their helpers (`suite`, `hostile_server`) by plain name."""

import sys
from pathlib import Path

from pytest_trio.enable_trio_mode import *  # noqa: F403

for folder in ("conformance", "cosmos", "rpc"):
    sys.path.insert(0, str(Path(__file__).parent / folder))
