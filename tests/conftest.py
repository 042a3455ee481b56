"""Simulators and suites are imported by their full name, `tests.…`, from wherever pytest was started."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
