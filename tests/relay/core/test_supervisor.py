"""What a failed task says: a traceback for a defect, one line for what the surroundings refuse."""

import errno
import io
import json
from random import Random

import pytest
import structlog

from hutong.relay.archive import ArchiveUnavailable
from hutong.relay.core.supervisor import supervise
from hutong.relay.dispatch.errors import QueueUnavailable
from hutong.relay.ledger import LedgerUnavailable
from hutong.relay.telemetry import Metrics, configure_logs

NO_SPACE = OSError(errno.ENOSPC, "No space left on device", "/home/relay/evidence")


async def lines_of(error: BaseException) -> list[dict]:
    """The log of a task that fails once."""
    out = io.StringIO()
    configure_logs("info", out)
    failed = []

    async def task():
        if not failed:
            failed.append(True)
            raise error

    try:
        await supervise("watcher:alpha", task, Metrics(["alpha"], {}), Random(1))
    finally:
        structlog.reset_defaults()
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NO_SPACE, "/home/relay/evidence: No space left on device"),
        (ExceptionGroup("tasks", [NO_SPACE, NO_SPACE]), "/home/relay/evidence: No space left on device"),
        (LedgerUnavailable("the ledger cannot be used: full"), "the ledger cannot be used: full"),
        (ArchiveUnavailable("evidence cannot be written"), "evidence cannot be written"),
        (QueueUnavailable("MISCONF disk"), "MISCONF disk"),
    ],
)
async def test_trial_T7_a_full_disk_is_one_line_without_a_traceback(error, said, autojump_clock):
    (line,) = await lines_of(error)
    assert line["level"] == "warning" and said in line["reason"] and "exception" not in line


async def test_a_defect_has_its_traceback(autojump_clock):
    for error in (ValueError("a defect"), ExceptionGroup("tasks", [NO_SPACE, ValueError("a defect")])):
        (line,) = await lines_of(error)
        assert line["level"] == "error" and "a defect" in line["exception"]
