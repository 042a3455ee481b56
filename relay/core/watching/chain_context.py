"""What belongs to one chain."""

from collections.abc import Callable
from dataclasses import dataclass

from hutong.adapters.interface import ChainAdapter
from hutong.relay.config import AnyChainConfig, BatchLimits, FeeLimits
from hutong.relay.core.watching.heads import HeadFollower
from hutong.relay.telemetry import Logger, Metrics, get_logger


@dataclass(frozen=True, slots=True)
class ChainContext:
    """A chain as every task that works on it has it.

    `in_flight` bounds the transactions of each of its keys that wait for inclusion at once.
    """

    adapter: ChainAdapter
    heads: HeadFollower
    metrics: Metrics
    fees: FeeLimits
    batch: BatchLimits
    in_flight: int

    @classmethod
    def of(
        cls,
        config: AnyChainConfig,
        adapter: ChainAdapter,
        metrics: Metrics,
        answered: Callable[[str], None] | None = None,
    ) -> "ChainContext":
        """With a follower of its heads that knows none until somebody runs it; `answered` as the follower has it."""
        heads = HeadFollower(adapter, metrics, answered)
        return cls(adapter, heads, metrics, config.fee_limits, config.batch, config.in_flight)

    @property
    def name(self) -> str:
        """The chain's name in the configuration."""
        return self.adapter.name

    def log(self, task: str) -> Logger:
        """The log of a task that works on this chain; every line has the chain's name."""
        return get_logger(task).bind(chain=self.name)
