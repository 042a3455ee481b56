"""Structured logs: for people on a terminal, as JSON lines otherwise."""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

from hutong.relay.telemetry.redaction import redact

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_FIRST = ("timestamp", "level", "event")

Logger = structlog.typing.FilteringBoundLogger


def _redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return cast(dict[str, Any], redact(event))


def _when_and_what_first(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A person who reads JSON lines looks for these, and a line may be long."""
    return {name: event[name] for name in _FIRST if name in event} | dict(event)


class _NeverRaising:
    """A stream whose lines are lost where it cannot be written: a full disk under the log stops no relay."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure_logs(level: str = "info", stream: TextIO | None = None) -> None:
    """Set the process's log format once, at its start: for people on a terminal, else JSON lines.

    Every line is redacted, and lost without an error if `stream` cannot be written.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        stream: standard error if None.

    Raises:
        KeyError: another level.
    """
    out = stream if stream is not None else sys.stderr
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=True, exception_formatter=structlog.dev.plain_traceback)
        if out.isatty()
        else structlog.processors.JSONRenderer()
    )
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_event,
        _when_and_what_first,
        renderer,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _NeverRaising(out))),
        cache_logger_on_first_use=False,
    )


def get_logger(component: str) -> Logger:
    """A logger whose lines carry `component`."""
    return cast(Logger, structlog.get_logger(component=component))
