"""One of several nodes of the demo's hub: its processes, what it says of its chain, its death and return."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import trio

from hutong.relay.local.hub import HubProcesses
from hutong.relay.local.ports import free_base_port
from hutong.relay.local.processes import Daemon, DemoFailed, RunDaemon
from hutong.relay.local.validators import Crash

PORT_STEP = 10
PORTS_EACH = 3
CATCH_UP_LIMIT_S = 120
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Node:
    """A validator or full node. Of its `daemons` each starts after the one before; a killed one is started again."""

    name: str
    daemons: tuple[Daemon, ...]
    peer_port: int
    ethereum_port: int
    cometbft_port: int
    key_file: Path
    """Its validator key; a full node's has no power."""

    def kill(self) -> None:
        """SIGKILL to all at once, as a power cut. Their `run` starts them again."""
        for daemon in self.daemons:
            daemon.kill()

    async def wait_until_up(self) -> None:
        """Returns when every process of the node serves; the caller sets the deadline."""
        for daemon in self.daemons:
            await daemon.wait_until_up()

    async def ask(self, method: str, **query: str) -> dict[str, Any]:
        """One call of its CometBFT RPC by GET; returns the answer's `result`.

        Raises:
            httpx.HTTPError: no answer, or another status than success.
            KeyError: the answer has no result, as while the node starts.
        """
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.get(f"http://127.0.0.1:{self.cometbft_port}/{method}", params=query)
            response.raise_for_status()
            result: dict[str, Any] = response.json()["result"]
            return result

    async def height(self) -> int:
        """The height of its newest block; 0 before the first.

        Raises:
            httpx.HTTPError, KeyError: as `ask`.
        """
        return int((await self.ask("status"))["sync_info"]["latest_block_height"])

    async def app_hash(self, height: int) -> str:
        """The state before the block at `height`, as this node has it: hex.

        Raises:
            httpx.HTTPError, KeyError: as `ask`, also where the node does not have the block.
        """
        return str((await self.ask("block", height=str(height)))["block"]["header"]["app_hash"])

    async def wait_for(self, height: int) -> None:
        """Until it has the block at `height`, also through a restart. The caller sets the deadline."""
        while True:
            try:
                if await self.height() >= height:
                    return
            except (httpx.HTTPError, KeyError):
                pass  # it is starting
            await trio.sleep(POLL_S)


async def start_nodes(nursery: trio.Nursery, nodes: Sequence[Node], run: RunDaemon = Daemon.run) -> HubProcesses:
    """Start all at once; returns when every process serves.

    Args:
        nursery: owns the processes from then on.
        run: what is started for each of them in it.

    Raises:
        DemoFailed: a process ended, or did not serve in time.
    """

    async def start(node: Node) -> None:
        for daemon in node.daemons:
            await nursery.start(run, daemon)

    async with trio.open_nursery() as starting:
        for node in nodes:
            starting.start_soon(start, node)
    return HubProcesses(
        tuple(daemon for node in nodes for daemon in node.daemons),
        tuple(node.ethereum_port for node in nodes),
        tuple(node.cometbft_port for node in nodes),
        tuple(node.key_file for node in nodes),
    )


async def crash_and_return(victim: Node, other: Node) -> Crash:
    """Kill a validator, see the others go on without it, and wait until it is level with them again.

    Args:
        other: a node that goes on; it must make two blocks meanwhile.

    Raises:
        DemoFailed: that took longer than CATCH_UP_LIMIT_S.
        httpx.HTTPError: `other` does not answer.
    """
    height = await other.height()
    victim.kill()
    with trio.move_on_after(CATCH_UP_LIMIT_S) as scope:
        await other.wait_for(height + 2)
        await victim.wait_until_up()
        back_at = await other.height()
        await victim.wait_for(back_at)
    if scope.cancelled_caught:
        raise DemoFailed(f"{victim.name} was killed at height {height} and did not come back")
    return Crash(victim.name, height, back_at)


async def agreed_height(nodes: Sequence[Node]) -> int | None:
    """The least of the nodes' heights, if all have one app hash there; None where two differ.

    Raises:
        httpx.HTTPError, KeyError: a node does not answer.
    """
    height = min([await node.height() for node in nodes])
    hashes = {await node.app_hash(height) for node in nodes}
    return height if len(hashes) == 1 else None


def free_node_ports(nodes: int) -> int:
    """The base port that `hutong hub init` or `hub join` deals out the ports of so many nodes from.

    Raises:
        DemoFailed: there are no free ports.
    """
    return free_base_port([PORT_STEP * index + part for index in range(nodes) for part in range(PORTS_EACH)])
