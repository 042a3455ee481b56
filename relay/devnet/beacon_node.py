"""A development chain under a simulated beacon chain, as one running node: `eth_*`, and the Beacon API's light client half."""

import json
import math
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import trio

from hutong.light_clients.ethereum import Fork, ForkActivation, Network, Preset
from hutong.relay.base.http import respond
from hutong.relay.devnet.beacon import FINAL_AFTER_EPOCHS, BeaconChain
from hutong.relay.devnet.beacon_json import bootstrap_object, genesis_object, spec_object, update_object
from hutong.relay.devnet.chain import DevnetChain
from hutong.relay.devnet.node import CALL_DEADLINE_S, Devnet, innermost
from hutong.relay.devnet.settings import DevnetError, Genesis
from hutong.relay.evm.rpc.call_executor import CallThreads
from hutong.relay.evm.rpc.json_rpc import JsonRpcService
from hutong.relay.evm.rpc.server import JsonRpcApp, serve
from hutong.relay.evm.store.database import MemoryStore

API_PREFIX = "/eth/v1/"
MAX_UPDATES = 128
COMMITTEE_SIZE = 32
_FORK_VERSION_SUFFIX = b"\x00\x00\x68"


@dataclass(frozen=True, slots=True)
class BeaconPace:
    """`slot_interval_ms` is between slots while the chain's clock is behind the host's: it begins `head_start_s` in the past,
    so that tests need not wait for slots. Once it has caught up, slots come when they are due."""

    seconds_per_slot: int = 2
    slots_per_epoch: int = 4
    epochs_per_period: int = 8
    slot_interval_ms: int = 2_000
    head_start_s: int = 60

    def __post_init__(self) -> None:
        if not 1 <= self.seconds_per_slot <= 60 or not 1 <= self.slots_per_epoch <= 64 or self.slot_interval_ms < 10:
            raise DevnetError("a slot takes 1 to 60 seconds and 10 ms at least, an epoch has 1 to 64 slots")
        if not 4 <= self.epochs_per_period <= 1_024:
            raise DevnetError(f"a sync committee period has 4 to 1024 epochs, not {self.epochs_per_period}")
        if self.head_start_s < self.first_slots * self.seconds_per_slot:
            needed_s = self.first_slots * self.seconds_per_slot
            raise DevnetError(f"the first final block needs {needed_s} s of the past, not {self.head_start_s}")

    @classmethod
    def of(cls, seconds_per_slot: int, slots_per_epoch: int, epochs_per_period: int) -> "BeaconPace":
        """A pace by the clock, with no more past than the first final block needs.

        Raises:
            DevnetError: a length is out of its bounds (see `BeaconPace`).
        """
        first_slots = (FINAL_AFTER_EPOCHS + 1) * slots_per_epoch + 1
        return cls(
            seconds_per_slot,
            slots_per_epoch,
            epochs_per_period,
            1_000 * seconds_per_slot,
            first_slots * seconds_per_slot,
        )

    @property
    def first_slots(self) -> int:
        """How many slots pass until a block after genesis is final and signed for."""
        return (FINAL_AFTER_EPOCHS + 1) * self.slots_per_epoch + 1


def new_network(pace: BeaconPace, now_s: int, root: bytes) -> Network:
    """A network with every fork up to Electra from genesis on, and a committee of the minimal preset's size.

    Args:
        now_s: Unix time of this host; genesis is `head_start_s` before it.
        root: the genesis validators root, 32 bytes, which tells this network from others.
    """
    return Network(
        Preset(pace.slots_per_epoch, pace.epochs_per_period, COMMITTEE_SIZE),
        root,
        now_s - pace.head_start_s,
        pace.seconds_per_slot,
        tuple(
            ForkActivation(fork, bytes([fork + 1]) + _FORK_VERSION_SUFFIX, 0) for fork in Fork if fork <= Fork.ELECTRA
        ),
    )


class BeaconDevnet:
    """The two chains together: one execution block a slot, with the slot's time."""

    def __init__(
        self,
        genesis: Genesis,
        pace: BeaconPace | None = None,
        *,
        seed: bytes | None = None,
        absent_members: int = 0,
        wall_clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._pace = pace or BeaconPace()
        self._wall_clock_s = wall_clock_s
        seed = secrets.token_bytes(32) if seed is None else seed
        self.network = new_network(self._pace, math.floor(wall_clock_s()), seed)
        self._slot = 0
        self.execution = DevnetChain(MemoryStore(), genesis, validators=1, wall_clock_s=self._slot_time_s)
        self.beacon = BeaconChain(self.network, seed, absent_members)
        self.beacon.propose(0, self.execution.head)

    def _slot_time_s(self) -> float:
        return float(self.network.slot_time_s(self._slot))

    async def add_slots(self, count: int = 1, *, missed: int = 0) -> int:
        """Make `count` blocks in as many slots, after `missed` slots without one. The clock is not waited for.

        Returns:
            The newest slot.
        """
        self._slot += missed
        for _ in range(count):
            self._slot += 1
            self.beacon.propose(self._slot, await self.execution.add_block())
        return self._slot

    async def begin(self) -> None:
        """Make the slots that it takes until something is final, all at once. Does nothing where something is."""
        while self.beacon.finality_update is None:
            await self.add_slots()

    async def run(self) -> None:
        """Make slots until cancelled, at the pace's interval and not before they are due by the clock.

        Slots that the host was too slow for are missed, as by a proposer.
        """
        interval_s = self._pace.slot_interval_ms / 1000
        due_s = trio.current_time()
        while True:
            due_s = max(due_s + interval_s, trio.current_time())
            ahead_s = self.network.slot_time_s(self._slot + 1) - self._wall_clock_s()
            await trio.sleep(max(0.0, ahead_s, due_s - trio.current_time()))
            at_least = math.floor(
                (self._wall_clock_s() - self._pace.head_start_s - self.network.genesis_time_s)
                / self.network.seconds_per_slot
            )
            await self.add_slots(missed=max(0, at_least - self._slot - 1))


class BeaconApp:
    """An ASGI application: the light client half of the Beacon API, genesis and spec."""

    def __init__(self, beacon: BeaconChain) -> None:
        self._beacon = beacon

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, answer = self._answer(scope["method"], scope["path"], scope["query_string"].decode("latin-1"))
        await respond(send, status, json.dumps(answer, separators=(",", ":")).encode())

    def _answer(self, method: str, path: str, query: str) -> tuple[int, Any]:
        if method != "GET":
            return _refusal(405, "the API is read by GET")
        network = self._beacon.network
        if path == "/eth/v1/beacon/genesis":
            return 200, {"data": genesis_object(network)}
        if path == "/eth/v1/config/spec":
            return 200, {"data": spec_object(network)}
        name = path.removeprefix("/eth/v1/beacon/light_client/")
        if name == "finality_update":
            update = self._beacon.finality_update
            return _refusal(404, "nothing is final yet") if update is None else (200, self._served(update))
        if name == "updates":
            return self._updates(query)
        if name.startswith("bootstrap/"):
            return self._bootstrap(name.removeprefix("bootstrap/"))
        return _refusal(404, "this simulated node serves genesis, spec and light_client alone")

    def _updates(self, query: str) -> tuple[int, Any]:
        asked = parse_qs(query)
        try:
            first, count = (int(asked[name][0]) for name in ("start_period", "count"))
        except (KeyError, ValueError):
            return _refusal(400, "start_period and count are numbers")
        served = []
        for period in range(first, first + min(count, MAX_UPDATES)):
            update = self._beacon.best_update(period)
            if update is None:
                break
            served.append(self._served(update))
        return 200, served

    def _bootstrap(self, block_root: str) -> tuple[int, Any]:
        try:
            bootstrap = self._beacon.bootstrap(bytes.fromhex(block_root.removeprefix("0x")))
        except ValueError:
            return _refusal(400, "a block root is 0x and 64 hex digits")
        if bootstrap is None:
            return _refusal(404, "no bootstrap of this block")
        fork = self._beacon.network.fork_at(bootstrap.header.beacon.slot)
        return 200, {"version": fork.name.lower(), "data": bootstrap_object(bootstrap)}

    def _served(self, update: Any) -> dict[str, Any]:
        return {"version": self._beacon.fork_of(update).name.lower(), "data": update_object(update)}


def _refusal(code: int, message: str) -> tuple[int, Any]:
    return code, {"code": code, "message": message}


@dataclass(frozen=True, slots=True)
class BeaconNode:
    """A node that is serving both chains on one port."""

    chains: BeaconDevnet
    devnet: Devnet

    @property
    def url(self) -> str:
        """Of the execution API and, below `/eth/v1/`, of the Beacon API."""
        return self.devnet.url


async def serve_beacon_devnet(
    chains: BeaconDevnet,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    task_status: trio.TaskStatus[BeaconNode] = trio.TASK_STATUS_IGNORED,
    make_slots: bool = True,
) -> None:
    """Make slots and answer until cancelled; started when it answers.

    Args:
        port: 0 lets the system choose.
        make_slots: False where a test makes them (`BeaconDevnet.add_slots`).

    Raises:
        DevnetError: the address cannot be used; maybe inside an exception group.
    """
    calls = CallThreads(chains.execution, CALL_DEADLINE_S)
    service = JsonRpcService(chains.execution, executor=calls)
    app = JsonRpcApp(service, {API_PREFIX: BeaconApp(chains.beacon)})
    refusal: BaseException | None = None
    await chains.begin()
    async with trio.open_nursery() as nursery:
        try:
            bound = await nursery.start(serve, app, host, port)
        except* OSError as errors:
            refusal = innermost(errors)
        if refusal is not None:
            raise DevnetError(f"cannot listen on {host}:{port}: {refusal}")
        if make_slots:
            nursery.start_soon(chains.run)
        task_status.started(BeaconNode(chains, Devnet(chains.execution, bound, host)))


@asynccontextmanager
async def running_beacon_devnet(
    chains: BeaconDevnet, *, port: int = 0, make_slots: bool = True
) -> AsyncIterator[BeaconNode]:
    """A node inside the caller's trio run, for tests and tools; it ends with the block.

    Raises:
        DevnetError: as `serve_beacon_devnet`.
    """
    async with trio.open_nursery() as nursery:
        yield await nursery.start(
            lambda task_status: serve_beacon_devnet(chains, port=port, make_slots=make_slots, task_status=task_status)
        )
        nursery.cancel_scope.cancel()
