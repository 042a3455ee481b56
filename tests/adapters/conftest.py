"""Test modules here import their helpers (`suite`, `hostile_server`) by plain name."""

from pytest_trio.enable_trio_mode import *  # noqa: F403
