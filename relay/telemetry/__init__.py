"""Logs without secrets and metrics without unbounded labels."""

from relay.telemetry.backlog import Backlog
from relay.telemetry.logs import Logger, configure_logs, get_logger
from relay.telemetry.metrics import Metrics
from relay.telemetry.redaction import REDACTED, redact

__all__ = ["REDACTED", "Backlog", "Logger", "Metrics", "configure_logs", "get_logger", "redact"]
