"""Keeping a task alive: what fails is logged and started again, with a growing delay."""

from collections.abc import Awaitable, Callable
from random import Random

import trio

from hutong.adapters.interface import AdapterError
from hutong.relay.archive import ArchiveUnavailable
from hutong.relay.base.os_errors import os_reason
from hutong.relay.core.complaints import Complaints
from hutong.relay.core.errors import StartRefused
from hutong.relay.dispatch import Backoff, QueueError
from hutong.relay.ledger import LedgerUnavailable
from hutong.relay.telemetry import Metrics, get_logger

RESTART = Backoff(base_s=0.5, cap_s=30.0)
STEADY_AFTER_S = 60.0
"""A task that ran so long before it failed counts as healthy: its delay starts again."""
_SHARED = (ArchiveUnavailable, LedgerUnavailable, OSError, QueueError)


async def supervise(
    name: str,
    task: Callable[[], Awaitable[object]],
    metrics: Metrics,
    random: Random,
    complaints: Complaints | None = None,
) -> None:
    """Run `task` until it returns. What fails is logged, and `task` is called again after a growing delay.

    Args:
        name: `kind:…`, for log and metrics.
        complaints: what it has of the surroundings already (a full disk, a queue that is away) is not logged again.

    Raises:
        StartRefused: from `task`, also from inside an exception group. Nothing else leaves but cancellation.
    """
    log = get_logger("supervisor")
    failures = 0
    while True:
        started_s = trio.current_time()
        kind = name.partition(":")[0]
        metrics.hermes.worker(kind, 1)
        try:
            await task()
        except StartRefused:
            raise
        except Exception as error:
            refused = _refusal_in(error)
            if refused is not None:
                raise refused from None
            if trio.current_time() - started_s > STEADY_AFTER_S:
                failures = 0
            failures += 1
            delay_s = RESTART.delay_s(failures, random)
            metrics.restart(name)
            facts = {"task": name, "failures": failures, "delay_s": round(delay_s, 2)}
            if _is_expected(error):
                reason = _reason(error)
                known = complaints is not None and _is_shared(error) and not complaints.is_new(reason)
                if not known:
                    log.warning("task waits for what it needs; starting it again", reason=reason, **facts)
            else:
                log.exception("task failed; starting it again", **facts)
            await trio.sleep(delay_s)
        else:
            return
        finally:
            metrics.hermes.worker(kind, -1)


def _is_expected(error: BaseException) -> bool:
    """A chain that refuses, lags or is silent, a full disk, a queue or ledger that is away: one line says all, where a defect
    needs its traceback."""
    return _consists_of(error, (AdapterError, *_SHARED))


def _is_shared(error: BaseException) -> bool:
    """Of disk, ledger or queue, which all tasks stand on; what a chain says is each task's own."""
    return _consists_of(error, _SHARED)


def _consists_of(error: BaseException, kinds: tuple[type[Exception], ...]) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_consists_of(inner, kinds) for inner in error.exceptions)
    return isinstance(error, kinds)


def _reason(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(dict.fromkeys(map(_reason, error.exceptions)))
    return os_reason(error) if isinstance(error, OSError) else str(error)


def _refusal_in(error: BaseException) -> StartRefused | None:
    if isinstance(error, StartRefused):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((found for inner in error.exceptions if (found := _refusal_in(inner)) is not None), None)
    return None
