"""Simulators and suites are imported by their full name, `tests.…`, from wherever pytest was started."""

import sys
from pathlib import Path

import pytest
import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


@pytest.fixture(autouse=True)
def _logs_of_their_own():
    """A test that configures logs, as every command does, must not leave its closed stream to the next."""
    yield
    structlog.reset_defaults()
