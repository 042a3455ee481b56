"""Tests here may be trio tasks; they share helpers with the adapters' conformance suite."""

import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def short_path():
    """A directory whose path leaves room for the name of a unix socket, which pytest's own does not."""
    directory = Path(tempfile.mkdtemp(dir="/tmp"))
    yield directory / "hub"
    shutil.rmtree(directory)
