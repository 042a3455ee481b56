"""What all tasks of one relay share."""

from collections.abc import Mapping
from dataclasses import dataclass

from hutong.adapters.interface import ChainAdapter
from hutong.relay.core.history.history import History
from hutong.relay.core.services import Services
from hutong.relay.core.topology.paths import Paths
from hutong.relay.core.watching.waiting import WaitingForApps
from hutong.relay.core.watching.wakeup import Wakeup


@dataclass(frozen=True, slots=True)
class RelayContext:
    """Of one relay in one process. `adapters` are by chain name; all that is here may be used by any task at any time."""

    adapters: Mapping[str, ChainAdapter]
    paths: Paths
    services: Services
    history: History
    wakeup: Wakeup
    waiting: WaitingForApps

    @classmethod
    def of(cls, adapters: Mapping[str, ChainAdapter], paths: Paths, services: Services) -> "RelayContext":
        """Nothing is remembered yet; the history writes to the ledger of `services`."""
        history = History(services.ledger, paths, services.now_ns, services.metrics.backlog, services.complaints)
        return cls(adapters, paths, services, history, Wakeup(), WaitingForApps(paths))
