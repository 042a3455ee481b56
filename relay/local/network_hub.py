"""The demo's hub as a network of `hutong hub start`: validators that are each other's peers."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import trio

from hutong.relay.hub.home.home import VALIDATOR_KEY_FILE
from hutong.relay.local.hub import Disturbance, HubProcesses
from hutong.relay.local.hub_node import PORT_STEP, Node, agreed_height, crash_and_return, free_node_ports, start_nodes
from hutong.relay.local.member import ask_for_height
from hutong.relay.local.processes import Daemon, RunDaemon, run_command
from hutong.relay.local.validators import Crash, Validators


class NetworkEngine:
    """Starts the validators; one of them is killed on the way.

    Args:
        base_port: of the first validator's ports, PORT_STEP for each; None takes free ones.
        run: what owns each process: unless given, the end of one is the end of all.
    """

    def __init__(self, validators: int, base_port: int | None = None, run: RunDaemon = Daemon.run) -> None:
        self._count = validators
        self._base_port = base_port
        self._run = run
        self._crashes: list[Crash] = []
        self.nodes: list[Node] = []

    async def start(self, nursery: trio.Nursery, home: Path, genesis: Sequence[str]) -> HubProcesses:
        """As `HubEngine.start`; returns when every validator serves. One process is application and engine.

        Raises:
            DemoFailed: no free ports, `hutong hub init` failed, or a process ended or did not serve in time.
        """
        base = free_node_ports(self._count) if self._base_port is None else self._base_port
        printed = await run_command(
            [
                *("hub", "init", "--home", str(home / "hub"), *genesis),
                *("--validators", str(self._count), "--base-port", str(base)),
            ]
        )
        commands = [shlex.split(line)[1:] for line in printed.splitlines() if line.startswith("hutong hub start")]
        for index, command in enumerate(commands):
            name, port = f"hub-{index + 1}", base + PORT_STEP * index
            alive = ask_for_height(f"http://127.0.0.1:{port + 1}")
            daemon = Daemon(name, command, home / f"{name}.log", alive)
            key_file = home / "hub" / f"validator-{index + 1}" / VALIDATOR_KEY_FILE
            self.nodes.append(Node(name, (daemon,), port, port + 1, port + 2, key_file))
        return await start_nodes(nursery, self.nodes, self._run)

    def disturbances(self, nursery: trio.Nursery, say: Callable[[str], None]) -> list[Disturbance]:
        """A crash, where the others are enough without it.

        Raises:
            DemoFailed: when awaited: the killed validator did not come back.
        """

        async def crash() -> None:
            first, *_, victim = self.nodes
            say(f"{victim.name}, one of {self._count} validators, is killed and comes back")
            self._crashes.append(await crash_and_return(victim, first))

        return [crash]

    async def outcome(self) -> Validators:
        """As `HubEngine.outcome`. Nobody joins here."""
        return Validators(self._count, tuple(self._crashes), None, await agreed_height(self.nodes))
