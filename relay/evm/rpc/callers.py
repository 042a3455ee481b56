"""Who asks, for whatever shares something out among those who ask."""

from contextvars import ContextVar
from typing import Final

CALLER: Final[ContextVar[str]] = ContextVar("caller", default="")
"""The network address of the request that this task answers; empty inside the process and in tests."""
