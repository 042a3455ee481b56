"""The demo's hub: one validator that drives itself, validators that are each other's peers (`network_hub`), or
validators under an unmodified CometBFT (`cometbft_hub`)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import trio

from hutong.relay.hub.home.home import VALIDATOR_KEY_FILE
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.member import ask_for_height, has_a_block
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import (
    Daemon,
    RunDaemon,
    RunningProcess,
    require_serving,
    run_command,
)
from hutong.relay.local.validators import Validators

Disturbance = Callable[[], Awaitable[None]]

CHAIN_ID = "hutong-1"
EVM_CHAIN_ID = 47_001
ROUTER = "0x0000000000000000000000000000000000001000"
ADMINS = 3
THRESHOLD = 2


@dataclass(frozen=True, slots=True)
class HubProcesses:
    """What an engine started, and the ports at which each of its validators serves: Ethereum RPC, CometBFT RPC.

    `key_files` are the validators' keys.
    """

    processes: tuple[RunningProcess | Daemon, ...]
    ethereum_ports: tuple[int, ...]
    cometbft_ports: tuple[int, ...]
    key_files: tuple[Path, ...]


class HubEngine(Protocol):
    """What brings the hub's validators to agreement."""

    async def start(self, nursery: trio.Nursery, home: Path, genesis: Sequence[str]) -> HubProcesses:
        """Initialise with `genesis` (options of `hutong hub init`) and start every process; they need not serve yet.

        Args:
            nursery: owns the processes until the demo ends.
            home: of the demo; the hub's own is a folder in it.

        Raises:
            DemoFailed: a command failed, or there are no free ports.
        """

    def disturbances(self, nursery: trio.Nursery, say: Callable[[str], None]) -> list[Disturbance]:
        """What happens to the validators while the first packets are on their way, one after another.

        Called once, when the network is up; whatever a disturbance goes on with runs in `nursery`.
        """

    async def outcome(self) -> Validators | None:
        """What became of the validators, asked once at the end; None where nothing happens to validators."""


class EmbeddedEngine:
    """`hutong hub start`: one process, one validator.

    Args:
        ports: for Ethereum RPC and CometBFT RPC; None takes free ones.
        run: what owns the process: unless given, its end is the end of all.
    """

    def __init__(self, ports: tuple[int, int] | None = None, run: RunDaemon = Daemon.run) -> None:
        self._ports = ports
        self._run = run

    async def start(self, nursery: trio.Nursery, home: Path, genesis: Sequence[str]) -> HubProcesses:
        """As `HubEngine.start`; returns when the one process serves.

        Raises:
            DemoFailed: `hutong hub init` failed, there are no free ports, or the process ended or did not serve in time.
        """
        await run_command(["hub", "init", "--home", str(home / "hub"), *genesis])
        ports = self._ports or (free_port(), free_port())
        start = ["hub", "start", "--home", str(home / "hub"), "--port", str(ports[0]), "--cometbft-port", str(ports[1])]
        process = Daemon("hub", start, home / "hub.log", ask_for_height(f"http://127.0.0.1:{ports[0]}"))
        await nursery.start(self._run, process)
        return HubProcesses((process,), ports[:1], ports[1:], (home / "hub" / VALIDATOR_KEY_FILE,))

    def disturbances(self, nursery: trio.Nursery, say: Callable[[str], None]) -> list[Disturbance]:
        """None: without its only validator the hub stands still."""
        return []

    async def outcome(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Hub:
    """The hub, running. `admins` are as many as its threshold asks for."""

    chain: DemoChain
    admins: tuple[Key, ...]
    relayer: Key
    running: HubProcesses


async def start_hub(nursery: trio.Nursery, home: Path, engine: HubEngine, observed_keys: int = 0) -> Hub:
    """Make keys of admins and relayer, start the hub, and return when it has made a block.

    The hub lets anyone deploy contracts, since a person who tries things out deploys what they like.

    Args:
        observed_keys: how many keys of observations the relayer may open, by its name in the genesis.

    Raises:
        DemoFailed: as `HubEngine.start`, or its first validator made no block within START_LIMIT_S.
    """
    admins = [make_key(home, f"hub-admin-{number}") for number in range(ADMINS)]
    relayer = make_key(home, "relayer-hub")
    genesis = [
        *("--chain-id", CHAIN_ID, "--evm-chain-id", str(EVM_CHAIN_ID), "--threshold", str(THRESHOLD)),
        *(part for admin in admins for part in ("--admin", admin.address)),
        "--open-code",  # a person who tries things out deploys what they like
        *(("--writer", f"{relayer.address}={observed_keys}") if observed_keys else ()),
    ]
    running = await engine.start(nursery, home, genesis)
    chain = DemoChain("hub", f"http://127.0.0.1:{running.ethereum_ports[0]}", EVM_CHAIN_ID, ROUTER)
    await require_serving(running.processes[0], has_a_block, ask_for_height(chain.rpc_url))
    return Hub(chain, tuple(admins[:THRESHOLD]), relayer, running)
