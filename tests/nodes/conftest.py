"""Tests here may be trio tasks; they share helpers with the adapters' conformance suite."""

import sys
from pathlib import Path

from pytest_trio.enable_trio_mode import *  # noqa: F403

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "adapters" / "conformance"))
