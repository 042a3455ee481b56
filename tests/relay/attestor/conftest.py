"""The scripted server is the adapters' tests'."""

import sys
from pathlib import Path

from pytest_trio.enable_trio_mode import *  # noqa: F403

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "adapters" / "rpc"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
