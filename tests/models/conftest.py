"""Async tests here run under trio."""

from pytest_trio.enable_trio_mode import *  # noqa: F403
