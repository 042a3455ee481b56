"""Faults for the demo: the relay killed at the moments that matter, its queue wiped, its endpoints hostile.

Kills are triggered by what passes between relay and chains, so that each hits the window of attack line G3 that it is
for. `record_and_submit` and `submit_and_confirm` stand for that line's "submit and record" and "record and confirm":
this relay records a transaction before it sends it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

import trio
from redis import Redis

from hutong.adapters.ics26.abi import RELAY_BATCH
from hutong.relay.dispatch import EmbeddedValkey
from hutong.relay.local.chain import packets_in_flight, until
from hutong.relay.local.hub import Disturbance
from hutong.relay.local.network import Network
from hutong.relay.local.processes import DemoFailed
from hutong.relay.local.proxy import HostileProxy

ONE_IN = 20
TRIGGER_LIMIT_S = 90
IN_FLIGHT_LIMIT_S = 60
POLL_S = 0.05


class Window(StrEnum):
    """Between which two acts of the relay a kill falls."""

    READ_AND_ENQUEUE = "read_and_enqueue"
    ENQUEUE_AND_SUBMIT = "enqueue_and_submit"
    RECORD_AND_SUBMIT = "record_and_submit"
    SUBMIT_AND_CONFIRM = "submit_and_confirm"
    ANY = "any"


class Tripwire:
    """Kills when the armed window's traffic passes. Every proxy asks it before and after each exchange.

    Both questions answer True if the exchange must be broken off: the relay that asked is dead.
    """

    def __init__(self) -> None:
        self._window = Window.ANY
        self._kill: Callable[[], None] | None = None
        self._events_read = False
        self.tripped = trio.Event()

    def arm(self, window: Window, kill: Callable[[], None]) -> None:
        """Wait for the window's traffic. `kill` is called once, at the first fitting exchange.

        What was armed before and has not come is forgotten.
        """
        self._window, self._kill, self._events_read = window, kill, False
        self.tripped = trio.Event()

    def before(self, request: bytes) -> bool:
        """A request of the relay, not yet passed on: whether it must be broken off."""
        if self._kill is None:
            return False
        match self._window:
            case Window.READ_AND_ENQUEUE:
                return self._events_read and self._trip()
            case Window.ENQUEUE_AND_SUBMIT:
                return RELAY_BATCH.selector.hex().encode() in request and b"eth_sendRaw" not in request and self._trip()
            case Window.RECORD_AND_SUBMIT:
                return b"eth_sendRawTransaction" in request and self._trip()
        return False

    def after(self, request: bytes, answer: bytes) -> bool:
        """The chain's answer, not yet passed back: whether it must be withheld."""
        if self._kill is None:
            return False
        if self._window is Window.READ_AND_ENQUEUE and b"eth_getLogs" in request and b'"topics"' in answer:
            self._events_read = True  # the answer reaches the relay; whatever it asks next, nothing is enqueued yet
        if self._window is Window.SUBMIT_AND_CONFIRM:
            return b"eth_sendRawTransaction" in request and b'"result"' in answer and self._trip()
        return False

    def _trip(self) -> bool:
        assert self._kill is not None
        self._kill()
        self._kill = None
        self.tripped.set()
        return True


@dataclass(frozen=True, slots=True)
class Kill:
    """`in_flight` is how many sent packets were unsettled when it fell, read from the chains."""

    window: Window
    in_flight: int


@dataclass
class Chaos:
    """The proxies before every endpoint, and what was done to the relay so far."""

    seed: int
    tripwire: Tripwire = field(default_factory=Tripwire)
    proxies: dict[int, HostileProxy] = field(default_factory=dict)
    kills: list[Kill] = field(default_factory=list)
    redis_wipes: int = 0
    wiped_keys: int = 0

    @asynccontextmanager
    async def proxying(self) -> AsyncIterator[Callable[[int], Awaitable[int]]]:
        """A function that puts a hostile proxy before a port and returns the proxy's, while the block lasts.

        The same port always gets the same proxy. Seeds count up from `seed`, in the order of the ports that are asked
        for.
        """
        async with trio.open_nursery() as nursery:

            async def through(port: int) -> int:
                if port not in self.proxies:
                    url = f"127.0.0.1:{port}"
                    proxy = HostileProxy(
                        f"http://{url}",
                        upstream_ws=f"ws://{url}",
                        seed=self.seed + len(self.proxies),
                        one_in=ONE_IN,
                        watch=self.tripwire,
                    )
                    await nursery.start(proxy.serve)
                    self.proxies[port] = proxy
                return self.proxies[port].port

            yield through
            nursery.cancel_scope.cancel()

    @property
    def proxy_faults(self) -> dict[str, int]:
        """How many answers were spoilt, by kind, over all proxies; kinds that never came are left out."""
        counts: dict[str, int] = {}
        for proxy in self.proxies.values():
            for kind, count in proxy.counts.items():
                counts[kind.value] = counts.get(kind.value, 0) + count
        return dict(sorted(counts.items()))

    def schedule(self, network: Network) -> list[Disturbance]:
        """One after each slice of the traffic: four windows, two moments of no choice, two wipes.

        Each is awaited by the scenario.

        Raises:
            DemoFailed: when awaited: the relay did not pass between a window's two acts within TRIGGER_LIMIT_S.
        """
        random = Random(self.seed)  # noqa: S311 - a seed, not a secret

        def kill_in(window: Window) -> Disturbance:
            return lambda: self._kill_in(network, window)

        return [
            kill_in(Window.READ_AND_ENQUEUE),
            kill_in(Window.ENQUEUE_AND_SUBMIT),
            lambda: self._wipe(network),
            kill_in(Window.RECORD_AND_SUBMIT),
            kill_in(Window.SUBMIT_AND_CONFIRM),
            lambda: self._kill_at(network, random.uniform(0.2, 2.0)),
            lambda: self._wipe(network),
            lambda: self._kill_at(network, random.uniform(0.2, 2.0)),
        ]

    async def _kill_in(self, network: Network, window: Window) -> None:
        await network.relay.wait_until_up()
        self.tripwire.arm(window, network.relay.kill)
        with trio.move_on_after(TRIGGER_LIMIT_S) as scope:
            await self.tripwire.tripped.wait()
        if scope.cancelled_caught:
            raise DemoFailed(f"the relay did not pass between {window.value} in {TRIGGER_LIMIT_S} s")
        await self._killed(network, window)

    async def _kill_at(self, network: Network, delay_s: float) -> None:
        await network.relay.wait_until_up()
        with trio.move_on_after(IN_FLIGHT_LIMIT_S):
            await until(lambda: packets_in_flight(network.chains) > 0, POLL_S)
        with trio.move_on_after(delay_s):
            await until(lambda: packets_in_flight(network.chains) <= 1, POLL_S)
        network.relay.kill()
        await self._killed(network, Window.ANY)

    async def _killed(self, network: Network, window: Window) -> None:
        self.kills.append(Kill(window, await trio.to_thread.run_sync(packets_in_flight, network.chains)))
        await network.relay.wait_until_up()

    async def _wipe(self, network: Network) -> None:
        """Everything that the queue's server knows is gone, while there is something in it."""
        await network.relay.wait_until_up()
        url = EmbeddedValkey(network.home / "relay" / "queue").url

        def wipe() -> int:
            with Redis.from_url(url) as redis:
                keys = int(redis.dbsize())
                redis.flushall()
                return keys

        self.wiped_keys += await trio.to_thread.run_sync(wipe)
        self.redis_wipes += 1
