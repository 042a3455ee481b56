"""The scripted server is the adapters' tests'."""

from pytest_trio.enable_trio_mode import *  # noqa: F403
