"""Logs without secrets and metrics without unbounded labels."""

from hutong.relay.telemetry.backlog import Backlog
from hutong.relay.telemetry.kept import KeptMetrics
from hutong.relay.telemetry.logs import Logger, configure_logs, get_logger
from hutong.relay.telemetry.metrics import Metrics
from hutong.relay.telemetry.redaction import REDACTED, redact

__all__ = ["REDACTED", "Backlog", "KeptMetrics", "Logger", "Metrics", "configure_logs", "get_logger", "redact"]
