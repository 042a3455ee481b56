"""The demo's hub under an unmodified CometBFT: four validators, each a `cometbft node` and a `hutong hub abci` process."""

import shlex
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import trio

from relay.cli.demo.hub import HubProcesses
from relay.cli.demo.member import ask_for_height
from relay.cli.demo.ports import free_base_port
from relay.cli.demo.processes import START_LIMIT_S, Daemon, DemoFailed, last_line, run_command

VALIDATORS = 4
PORT_STEP = 10
PORTS_EACH = 3
CATCH_UP_LIMIT_S = 120
JOIN_LIMIT_S = 240
SNAPSHOT_MAKERS, SNAPSHOT_INTERVAL, SNAPSHOTS_KEPT = 2, 20, 4
TRUSTED_HEIGHT = 2
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Node:
    """A validator or full node of the hub: its application, and the CometBFT that drives it."""

    name: str
    application: Daemon
    engine: Daemon
    base_port: int

    @property
    def cometbft_port(self) -> int:
        """CometBFT's RPC."""
        return self.base_port + 1

    @property
    def ethereum_port(self) -> int:
        """The application's `eth_*` RPC."""
        return self.base_port + 2

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        return self.application, self.engine

    def kill(self) -> None:
        """SIGKILL to both at once, as a power cut; both are started again."""
        self.application.kill()
        self.engine.kill()

    async def ask(self, method: str, **query: str) -> dict[str, Any]:
        """One call of its CometBFT RPC."""
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.get(f"http://127.0.0.1:{self.cometbft_port}/{method}", params=query)
            response.raise_for_status()
            result: dict[str, Any] = response.json()["result"]
            return result

    async def peer_address(self) -> str:
        """For others that connect to it."""
        return f"{(await self.ask('status'))['node_info']['id']}@127.0.0.1:{self.base_port}"

    async def height(self) -> int:
        """Of its newest block."""
        return int((await self.ask("status"))["sync_info"]["latest_block_height"])

    async def app_hash(self, height: int) -> str:
        """The state before the block at `height`, as this node has it."""
        return str((await self.ask("block", height=str(height)))["block"]["header"]["app_hash"])

    async def wait_for(self, height: int) -> None:
        """Until it has the block at `height`. The caller sets the deadline."""
        while True:
            try:
                if await self.height() >= height:
                    return
            except (httpx.HTTPError, KeyError):
                pass  # it is starting
            await trio.sleep(POLL_S)


@dataclass(frozen=True, slots=True)
class Crash:
    """A validator that was killed, with the height that the others had then, and the height at which it was back."""

    validator: str
    height: int
    back_at_height: int


@dataclass(frozen=True, slots=True)
class Joined:
    """A node that joined by CometBFT's state sync: the height of the snapshot, and where it was level with the others."""

    node: str
    snapshot_height: int
    level_at_height: int


@dataclass(frozen=True, slots=True)
class Validators:
    """What became of the hub's nodes. `agreed_height` is None where two nodes differ in their app hash at one height."""

    count: int
    crashes: tuple[Crash, ...]
    joined: Joined | None
    agreed_height: int | None

    @property
    def good(self) -> bool:
        """One was killed and came back, one joined, and all have the same state."""
        return bool(self.crashes) and self.joined is not None and self.agreed_height is not None


class CometbftEngine:
    """Starts the validators, and does to them what happens to validators."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        self._home = Path()
        self._crashes: list[Crash] = []
        self._joined: Joined | None = None
        self._join_has_ended = trio.Event()
        self.nodes: list[Node] = []

    async def start(self, nursery: trio.Nursery, home: Path, genesis: Sequence[str]) -> HubProcesses:
        """See HubEngine."""
        self._home = home
        base = _free_base_port(VALIDATORS)
        printed = await run_command(
            [
                *("hub", "init", "--home", str(home / "hub"), *genesis, "--engine", "cometbft"),
                *("--validators", str(VALIDATORS), "--base-port", str(base)),
            ]
        )
        for index, (application, engine) in enumerate(_printed_commands(printed)):
            if index < SNAPSHOT_MAKERS:
                application += ["--snapshot-interval", str(SNAPSHOT_INTERVAL), "--keep-snapshots", str(SNAPSHOTS_KEPT)]
            self.nodes.append(self._node(application, engine, base + PORT_STEP * index))
        async with trio.open_nursery() as starting:
            for node in self.nodes:
                starting.start_soon(_start, nursery, node)
        return HubProcesses(
            tuple(daemon for node in self.nodes for daemon in node.daemons),
            tuple(node.ethereum_port for node in self.nodes),
            tuple(node.cometbft_port for node in self.nodes),
        )

    def _node(self, application: Sequence[str], engine: Sequence[str], base_port: int) -> Node:
        """With the ports that `hutong hub init` deals out from `base_port` on."""
        name = f"hub-{len(self.nodes) + 1}"
        alive = ask_for_height(f"http://127.0.0.1:{base_port + 2}")
        status = httpx.Request("GET", f"http://127.0.0.1:{base_port + 1}/status")
        first = Daemon(name, application, self._home / f"{name}.log", alive, START_LIMIT_S)
        second = Daemon(
            *(f"{name}-cometbft", engine, self._home / f"{name}-cometbft.log", status, START_LIMIT_S),
            program=(str(self._binary),),
            after=first,
        )
        return Node(name, first, second, base_port)

    def disturbances(self, nursery: trio.Nursery, say: Callable[[str], None]) -> list[Callable[[], Awaitable[None]]]:
        """For the first slices of the traffic: a crash, and a newcomer, who takes the time that it needs."""

        async def crash() -> None:
            say(f"{self.nodes[VALIDATORS - 1].name}, one of {VALIDATORS} validators, is killed and comes back")
            await self._crash()

        async def join() -> None:
            say("a fifth node joins the hub by state sync")
            nursery.start_soon(self._join, nursery)

        return [crash, join]

    async def _crash(self) -> None:
        """Kill the last validator, see the others go on without it, and wait until it is level with them again."""
        *others, victim = self.nodes[:VALIDATORS]
        height = await others[0].height()
        victim.kill()
        with trio.move_on_after(CATCH_UP_LIMIT_S) as scope:
            await others[0].wait_for(height + 2)
            for daemon in victim.daemons:
                await daemon.wait_until_up()
            back_at = await others[0].height()
            await victim.wait_for(back_at)
        if scope.cancelled_caught:
            raise DemoFailed(f"{victim.name} was killed at height {height} and did not come back")
        self._crashes.append(Crash(victim.name, height, back_at))

    async def _join(self, nursery: trio.Nursery) -> None:
        """A node without power takes a snapshot of two others, whose headers it checks from one that it trusts."""
        first, second = self.nodes[:SNAPSHOT_MAKERS]
        await first.wait_for(SNAPSHOT_INTERVAL + 2)
        trusted = (await first.ask("commit", height=str(TRUSTED_HEIGHT)))["signed_header"]["commit"]["block_id"]["hash"]
        peers = [await node.peer_address() for node in self.nodes]
        base = _free_base_port(1)
        printed = await run_command(
            [
                *("hub", "join", "--home", str(self._home / "hub" / "joined"), "--base-port", str(base)),
                *("--genesis", str(self._home / "hub" / "validator-1" / "genesis.json")),
                *(part for address in peers for part in ("--peer", address)),
                *(part for node in (first, second) for part in ("--trust-rpc", f"127.0.0.1:{node.cometbft_port}")),
                *("--trust-height", str(TRUSTED_HEIGHT), "--trust-hash", trusted),
            ]
        )
        ((application, engine),) = _printed_commands(printed)
        node = self._node(application, engine, base)
        await _start(nursery, node)
        with trio.move_on_after(JOIN_LIMIT_S) as scope:
            await node.wait_for(1)
            level_at = await first.height()
            await node.wait_for(level_at)
        if scope.cancelled_caught:
            raise DemoFailed(f"{node.name} did not join within {JOIN_LIMIT_S} s: {last_line(node.engine.log)}")
        self.nodes.append(node)
        first_block = int((await node.ask("status"))["sync_info"]["earliest_block_height"])
        self._joined = Joined(node.name, first_block - 1, level_at)
        self._join_has_ended.set()

    async def outcome(self) -> Validators:
        """At the end; waits for the newcomer."""
        await self._join_has_ended.wait()
        return Validators(VALIDATORS, tuple(self._crashes), self._joined, await self._agreed_height())

    async def _agreed_height(self) -> int | None:
        height = min([await node.height() for node in self.nodes])
        hashes = {await node.app_hash(height) for node in self.nodes}
        return height if len(hashes) == 1 else None


async def _start(nursery: trio.Nursery, node: Node) -> None:
    """Application first; returns when both serve."""
    for daemon in node.daemons:
        await nursery.start(daemon.run)


def _printed_commands(printed: str) -> list[tuple[list[str], list[str]]]:
    """Of each node: arguments of `hutong` and of `cometbft`, from what `hub init` or `hub join` told the operator to run."""
    commands = [shlex.split(line) for line in printed.splitlines()]
    applications = [command[1:] for command in commands if command[:3] == ["hutong", "hub", "abci"]]
    engines = [command[1:] for command in commands if command[:2] == ["cometbft", "node"]]
    return list(zip(applications, engines, strict=True))


def _free_base_port(nodes: int) -> int:
    return free_base_port([PORT_STEP * index + part for index in range(nodes) for part in range(PORTS_EACH)])
