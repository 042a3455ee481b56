"""Signed append-only logs served as C2SP tlog-tiles: a source of updates and proofs, never a destination."""

from hutong.adapters.tlog.chain import LogForked, LogSource, open_log_source
from hutong.adapters.tlog.settings import LogSettings

__all__ = ["LogForked", "LogSettings", "LogSource", "open_log_source"]
