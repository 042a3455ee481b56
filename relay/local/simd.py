"""A stock ibc-go chain of one validator: `simd` as its users run it, told everything by files and options."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import trio

from hutong.relay.local.config_file import cosmos_table
from hutong.relay.local.keys import Key
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import RunningProcess, run_command, run_daemon

CHAIN_ID = "simd-1"
PREFIX = "cosmos"
FEE_DENOM = "stake"
TOKEN_DENOM = "courtyard"  # noqa: S105  a denomination
GAS_PRICE = f"0.001{FEE_DENOM}"
FUNDS = 10**15
TOKEN_SUPPLY = 10**24
STAKE = 10**9
BLOCK_PAUSE_MS = 700
VOTING_S = 10
_TEST_KEYS = ("--keyring-backend", "test")


@dataclass(frozen=True, slots=True)
class SimdPlan:
    """A chain before it runs."""

    name: str
    binary: Path
    home: Path
    rpc_port: int
    p2p_port: int
    grpc_port: int
    rest_port: int

    @classmethod
    def of(cls, home: Path, binary: Path) -> "SimdPlan":
        """A plan with four free ports; its files are to be in `home`/simd.

        Raises:
            DemoFailed: there are no free ports.
        """
        return cls("simd", binary, home / "simd", free_port(), free_port(), free_port(), free_port())

    def table(self, port: int, relayer: Key) -> str:
        """Its entry of a relay's configuration.

        Args:
            port: at which the relay is to find its CometBFT RPC, perhaps a gate's.
        """
        return cosmos_table(self.name, CHAIN_ID, PREFIX, GAS_PRICE, port, relayer)

    @property
    def rpc_url(self) -> str:
        """CometBFT's RPC, on this host alone."""
        return f"http://127.0.0.1:{self.rpc_port}"

    @property
    def rest_url(self) -> str:
        """The Cosmos SDK's REST, on this host alone."""
        return f"http://127.0.0.1:{self.rest_port}"

    def ask_for_supply(self) -> httpx.Request:
        """The request whose answer `serves` judges."""
        query = {"denom": TOKEN_DENOM}
        return httpx.Request("GET", f"{self.rest_url}/cosmos/bank/v1beta1/supply/by_denom", params=query)

    @staticmethod
    def serves(response: httpx.Response) -> bool:
        """Whether the chain has begun, and its REST with it."""
        return response.status_code == httpx.codes.OK

    async def run(self, *arguments: str) -> str:
        """Run one command of `simd` on this home to its end; returns what it printed.

        Raises:
            DemoFailed: its exit code was not 0.
        """
        return await run_command([*arguments, "--home", str(self.home)], (str(self.binary),))

    async def initialise(self, funded: Mapping[str, Mapping[str, int]]) -> None:
        """Fill the home: a genesis with these balances, and one validator with blocks every BLOCK_PAUSE_MS.

        Args:
            funded: address → denomination → amount.

        Raises:
            DemoFailed: a command of `simd` failed.
        """
        await self.run("init", self.name, "--chain-id", CHAIN_ID)
        await self.run("keys", "add", "validator", *_TEST_KEYS)
        validator = (await self.run("keys", "show", "validator", "--address", *_TEST_KEYS)).strip()
        genesis = self.home / "config" / "genesis.json"
        edited = edit_genesis(json.loads(genesis.read_text()), {validator: {FEE_DENOM: FUNDS}, **funded})
        genesis.write_text(json.dumps(edited, indent=1))
        stake = f"{STAKE}{FEE_DENOM}"
        await self.run("genesis", "gentx", "validator", stake, "--chain-id", CHAIN_ID, *_TEST_KEYS)
        await self.run("genesis", "collect-gentxs")
        config = self.home / "config" / "config.toml"
        config.write_text(_faster(config.read_text()))

    async def start(self, nursery: trio.Nursery, log: Path) -> RunningProcess:
        """Start the node in `nursery`; it need not serve yet when this returns.

        Raises:
            DemoFailed: in `nursery`: the node ended by itself.
        """
        command = self.start_command()
        process: RunningProcess = await nursery.start(run_daemon, self.name, command, log, (str(self.binary),))
        return process

    def start_command(self) -> list[str]:
        """Arguments of `simd` that run the node.

        Every state is kept, for proofs. gRPC is on because simulation needs it, and REST for the chain's users.
        """
        return [
            *("start", "--home", str(self.home), "--log_no_color", "--pruning", "nothing"),
            *("--minimum-gas-prices", GAS_PRICE, "--rpc.laddr", f"tcp://127.0.0.1:{self.rpc_port}"),
            *("--rpc.pprof_laddr", "", "--p2p.laddr", f"tcp://127.0.0.1:{self.p2p_port}"),
            *("--grpc.address", f"127.0.0.1:{self.grpc_port}", "--grpc-web.enable=false"),
            *("--api.enable", "--api.address", f"tcp://127.0.0.1:{self.rest_port}"),
        ]


def edit_genesis(genesis: dict[str, Any], balances: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """The genesis of `simd init` with accounts, without inflation (so that every supply is constant), with short votes.

    Args:
        genesis: changed in place and returned.
        balances: address → denomination → amount; each address is new to the genesis.
    """
    app = genesis["app_state"]
    for address, coins in balances.items():
        app["auth"]["accounts"].append({"@type": "/cosmos.auth.v1beta1.BaseAccount", "address": address})
        amounts = [{"denom": denom, "amount": str(amount)} for denom, amount in sorted(coins.items())]
        app["bank"]["balances"].append({"address": address, "coins": amounts})
    app["mint"]["minter"]["inflation"] = "0.000000000000000000"
    for name in ("inflation_rate_change", "inflation_max", "inflation_min"):
        app["mint"]["params"][name] = "0.000000000000000000"
    governance = app["gov"]["params"]
    governance["voting_period"] = governance["max_deposit_period"] = f"{VOTING_S}s"
    governance["expedited_voting_period"] = f"{VOTING_S // 2}s"
    return genesis


def _faster(config: str) -> str:
    return re.sub(r'(?m)^timeout_commit = ".*"$', f'timeout_commit = "{BLOCK_PAUSE_MS}ms"', config)
