"""What the tasks of the archive of bundles share."""

from dataclasses import dataclass

from hutong.relay.base.threads import Runner
from hutong.relay.telemetry import Metrics


@dataclass(frozen=True, slots=True)
class ArchiveContext:
    """The archive's place, as `archive.location` of the configuration names it; `run` runs the blocking calls to it."""

    location: str
    run: Runner
    metrics: Metrics
