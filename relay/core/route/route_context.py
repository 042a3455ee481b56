"""What belongs to one route."""

from dataclasses import dataclass

from hutong.relay.config import RetriesConfig
from hutong.relay.core.account.accounts import Accounts
from hutong.relay.core.route.catching_up import CatchingUp
from hutong.relay.core.watching.chain_context import ChainContext
from hutong.relay.core.watching.relay_context import RelayContext
from hutong.relay.core.watching.turns import Turns
from hutong.relay.dispatch import Route
from hutong.relay.telemetry import Logger, get_logger


@dataclass(frozen=True, slots=True)
class RouteContext:
    """A route as its worker, prober, keeper and fork watch have it. `accounts` and `turns` are the destination's."""

    route: Route
    source: ChainContext
    destination: ChainContext
    accounts: Accounts
    turns: Turns
    retries: RetriesConfig
    catching_up: CatchingUp
    relay: RelayContext

    def jobs_log(self, task: str) -> Logger:
        """The log of a task that works off the route's jobs: every line names destination and route."""
        return get_logger(task).bind(chain=self.route.destination, route=self.route.name)

    def client_log(self, task: str) -> Logger:
        """The log of a task that looks after the route's client: every line names its chain and the one it follows."""
        return get_logger(task).bind(chain=self.route.destination, client=self.route.name, follows=self.route.source)
