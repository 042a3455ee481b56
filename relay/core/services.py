"""What the core stands on, made by whoever starts it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from random import Random

from hutong.adapters.tlog import LogSource
from hutong.relay.archive import Archive
from hutong.relay.base.threads import Runner, abandoning_thread
from hutong.relay.config.logs import LogConfig
from hutong.relay.core.complaints import Complaints
from hutong.relay.core.topology.logs import open_log
from hutong.relay.dispatch import Queue
from hutong.relay.ledger import Ledger
from hutong.relay.telemetry import Metrics


@dataclass(frozen=True, slots=True)
class Services:
    """What the core stands on. `run` and `run_archive` run blocking calls; `alone`: no other process uses the queue."""

    queue: Queue
    ledger: Ledger
    archive: Archive
    metrics: Metrics
    now_ns: Callable[[], int]
    random: Random
    run: Runner
    alone: bool
    run_archive: Runner = field(default_factory=abandoning_thread)
    """For the archive of bundles: a store that is away takes no thread that verifies, and nobody waits for it at the end."""
    complaints: Complaints = field(default_factory=Complaints)
    open_log: Callable[[LogConfig, Random], AbstractAsyncContextManager[LogSource]] = open_log
    """The adapter of a signed log, for as long as the block lasts."""
