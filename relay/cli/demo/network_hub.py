"""The demo's hub as a network of `hutong hub start`: validators that are each other's peers."""

import shlex
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

from relay.cli.demo.cometbft_hub import CATCH_UP_LIMIT_S, PORT_STEP, PORTS_EACH, Crash, Node, Validators
from relay.cli.demo.hub import HubProcesses
from relay.cli.demo.member import ask_for_height
from relay.cli.demo.ports import free_base_port
from relay.cli.demo.processes import START_LIMIT_S, Daemon, DemoFailed, run_command


class ValidatorNode(Node):
    """One process is application and engine."""

    @property
    def cometbft_port(self) -> int:
        return self.base_port + 2

    @property
    def ethereum_port(self) -> int:
        return self.base_port + 1

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        return (self.application,)

    def kill(self) -> None:
        """SIGKILL; it is started again."""
        self.application.kill()


@dataclass(frozen=True, slots=True)
class NetworkValidators(Validators):
    """Nobody joins here."""

    @property
    def good(self) -> bool:
        return bool(self.crashes) and self.agreed_height is not None


class NetworkEngine:
    """Starts the validators; one of them is killed on the way."""

    def __init__(self, validators: int) -> None:
        self._count = validators
        self._crashes: list[Crash] = []
        self.nodes: list[ValidatorNode] = []

    async def start(self, nursery: trio.Nursery, home: Path, genesis: Sequence[str]) -> HubProcesses:
        """See HubEngine."""
        base = free_base_port([PORT_STEP * index + part for index in range(self._count) for part in range(PORTS_EACH)])
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
            daemon = Daemon(name, command, home / f"{name}.log", alive, START_LIMIT_S)
            self.nodes.append(ValidatorNode(name, daemon, daemon, port))
        async with trio.open_nursery() as starting:
            for node in self.nodes:
                starting.start_soon(nursery.start, node.application.run)
        return HubProcesses(
            tuple(node.application for node in self.nodes),
            tuple(node.ethereum_port for node in self.nodes),
            tuple(node.cometbft_port for node in self.nodes),
        )

    def disturbances(self, nursery: trio.Nursery, say: Callable[[str], None]) -> list[Callable[[], Awaitable[None]]]:
        """For the first slice of the traffic: a crash, where the others are enough without it."""

        async def crash() -> None:
            say(f"{self.nodes[-1].name}, one of {self._count} validators, is killed and comes back")
            await self._crash()

        return [crash]

    async def _crash(self) -> None:
        first, *_, victim = self.nodes
        height = await first.height()
        victim.kill()
        with trio.move_on_after(CATCH_UP_LIMIT_S) as scope:
            await first.wait_for(height + 2)
            await victim.application.wait_until_up()
            back_at = await first.height()
            await victim.wait_for(back_at)
        if scope.cancelled_caught:
            raise DemoFailed(f"{victim.name} was killed at height {height} and did not come back")
        self._crashes.append(Crash(victim.name, height, back_at))

    async def outcome(self) -> Validators:
        """At the end."""
        height = min([await node.height() for node in self.nodes])
        hashes = {await node.app_hash(height) for node in self.nodes}
        return NetworkValidators(self._count, tuple(self._crashes), None, height if len(hashes) == 1 else None)
