"""What every part of an adapter has: names, endpoints, and what is final."""

from typing import Protocol

from hutong.adapters.interface.endpoints import EndpointStatistics
from hutong.adapters.interface.events import Head


class Chain(Protocol):
    """One chain through its endpoints.

    Every call may raise `AdapterError`, and blocks as long as its caller allows (`trio.fail_after`); a cancelled call
    leaves nothing behind. Nothing here is proof: events are hints, and the caller re-reads state at a final height
    and verifies proofs with the light client before it acts. Instances may be shared by tasks.
    """

    @property
    def name(self) -> str:
        """The name in the relay's configuration."""

    @property
    def kind(self) -> str:
        """`evm`, `hub`, `cosmos` or `simulated`."""

    @property
    def chain_id(self) -> str:
        """As configured: decimal EIP-155 id of an EVM chain, `name-N` of a hub or Cosmos chain."""

    def endpoint_statistics(self) -> tuple[EndpointStatistics, ...]:
        """Of every endpoint, by API and in configured order; asks nobody. Empty where there are no endpoints."""

    async def check_identity(self) -> None:
        """The endpoints serve the configured chain, and the router is there.

        Raises:
            EndpointMismatch: they serve another chain, contradict each other, or there is no router.
        """

    def distrust(self, reason: str) -> None:
        """What the endpoint in use served failed verification: leave it for another, if there is one.

        Args:
            reason: for people; it is kept as the endpoint's last failure.
        """

    async def head(self) -> Head:
        """The newest final block. Never goes back within one adapter's life."""

    async def wait_for_height(self, height: int) -> Head:
        """Return the head as soon as it is at `height` or above. Waits without a limit: the caller sets one."""

    async def block_time_ns(self, height: int) -> int:
        """Time of a final block, nanoseconds of Unix time by the chain's own clock.

        Raises:
            HeightUnavailable: the block is not final, or no endpoint keeps it.
        """
