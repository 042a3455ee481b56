"""The demo's hub under an unmodified CometBFT: four validators, each a `cometbft node` and a `hutong hub abci`
process."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import trio

from hutong.relay.hub.abci.cometbft_home import VALIDATOR_KEY_FILE
from hutong.relay.local.hub import Disturbance, HubProcesses
from hutong.relay.local.hub_node import PORT_STEP, Node, agreed_height, crash_and_return, free_node_ports, start_nodes
from hutong.relay.local.member import ask_for_height
from hutong.relay.local.processes import Daemon, DemoFailed, last_line, run_command
from hutong.relay.local.validators import Crash, Joined, Validators

VALIDATORS = 4
JOIN_LIMIT_S = 240
SNAPSHOT_MAKERS, SNAPSHOT_INTERVAL, SNAPSHOTS_KEPT = 2, 20, 4
TRUSTED_HEIGHT = 2


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
        """As `HubEngine.start`: VALIDATORS pairs of application and CometBFT. Returns when every process serves.

        The first SNAPSHOT_MAKERS make snapshots, which the newcomer takes.

        Raises:
            DemoFailed: no free ports, `hutong hub init` failed, or a process ended or did not serve in time.
        """
        self._home = home
        base = free_node_ports(VALIDATORS)
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
        return await start_nodes(nursery, self.nodes)

    def _node(self, application: Sequence[str], engine: Sequence[str], base_port: int) -> Node:
        """With the ports that `hutong hub init` deals out from `base_port` on."""
        name = f"hub-{len(self.nodes) + 1}"
        alive = ask_for_height(f"http://127.0.0.1:{base_port + 2}")
        status = httpx.Request("GET", f"http://127.0.0.1:{base_port + 1}/status")
        first = Daemon(name, application, self._home / f"{name}.log", alive)
        second = Daemon(
            *(f"{name}-cometbft", engine, self._home / f"{name}-cometbft.log", status),
            program=(str(self._binary),),
            after=first,
        )
        key_file = Path(engine[engine.index("--home") + 1]) / VALIDATOR_KEY_FILE
        return Node(name, (first, second), base_port, base_port + 2, base_port + 1, key_file)

    def disturbances(self, nursery: trio.Nursery, say: Callable[[str], None]) -> list[Disturbance]:
        """A crash, and a newcomer, who takes the time that it needs: it joins in `nursery` while the demo goes on.

        Raises:
            DemoFailed: when awaited: the killed validator did not come back. In `nursery`: the newcomer did not join
                within JOIN_LIMIT_S.
        """

        async def crash() -> None:
            first, *_, victim = self.nodes[:VALIDATORS]
            say(f"{victim.name}, one of {VALIDATORS} validators, is killed and comes back")
            self._crashes.append(await crash_and_return(victim, first))

        async def join() -> None:
            say("a fifth node joins the hub by state sync")
            nursery.start_soon(self._join, nursery)

        return [crash, join]

    async def _join(self, nursery: trio.Nursery) -> None:
        """A node without power takes a snapshot of two others, whose headers it checks from one that it trusts."""
        first, second = self.nodes[:SNAPSHOT_MAKERS]
        await first.wait_for(SNAPSHOT_INTERVAL + 2)
        trusted = (await first.ask("commit", height=str(TRUSTED_HEIGHT)))["signed_header"]["commit"]["block_id"]["hash"]
        peers = [await _peer_address(node) for node in self.nodes]
        base = free_node_ports(1)
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
        await start_nodes(nursery, [node])
        with trio.move_on_after(JOIN_LIMIT_S) as scope:
            await node.wait_for(1)
            level_at = await first.height()
            await node.wait_for(level_at)
        if scope.cancelled_caught:
            raise DemoFailed(f"{node.name} did not join within {JOIN_LIMIT_S} s: {last_line(node.daemons[-1].log)}")
        self.nodes.append(node)
        first_block = int((await node.ask("status"))["sync_info"]["earliest_block_height"])
        self._joined = Joined(node.name, first_block - 1, level_at)
        self._join_has_ended.set()

    async def outcome(self) -> Validators:
        """As `HubEngine.outcome`. Waits for the newcomer, so the second disturbance must have been awaited."""
        await self._join_has_ended.wait()
        return Validators(VALIDATORS, tuple(self._crashes), self._joined, await agreed_height(self.nodes))


async def _peer_address(node: Node) -> str:
    """For others that connect to it."""
    return f"{(await node.ask('status'))['node_info']['id']}@127.0.0.1:{node.peer_port}"


def _printed_commands(printed: str) -> list[tuple[list[str], list[str]]]:
    """Of each node: arguments of `hutong` and of `cometbft`, from what `hub init` or `hub join` told the operator to
    run."""
    commands = [shlex.split(line) for line in printed.splitlines()]
    applications = [command[1:] for command in commands if command[:3] == ["hutong", "hub", "abci"]]
    engines = [command[1:] for command in commands if command[:2] == ["cometbft", "node"]]
    return list(zip(applications, engines, strict=True))
