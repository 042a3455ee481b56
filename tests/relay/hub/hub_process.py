"""A hub as an operator runs it: a process with a home, two ports, and nothing shared but files."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from eth_account import Account

from hutong.relay.hub.home.home import GENESIS_FILE
from hutong.relay.hub.home.initialise import initialise_home
from tests.relay.hub.simulated_hub import DAPP, VALIDATOR, hub_genesis


def new_home(home: Path, **params) -> Path:
    """A home with fixed keys and a genesis time in the past."""
    from hutong.relay.hub.home.initialise import NewHub

    genesis = hub_genesis(**params)
    hub = NewHub(
        genesis.chain_id,
        genesis.evm_chain_id,
        genesis.genesis_time_ns,
        genesis.admins,
        genesis.params,
        genesis.allocations,
        genesis.rules_version,
        fees=genesis.fees,
        code=genesis.code,
    )
    initialise_home(home, hub, VALIDATOR.private_key)
    assert (home / GENESIS_FILE).exists()
    return home


class HubProcess:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen | None = None
        self.eth_url = self.cometbft_url = ""

    def start(self, *options: str) -> "HubProcess":
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "hutong.relay.cli",
                "hub",
                "start",
                "--home",
                str(self.home),
                "--port",
                "0",
                "--cometbft-port",
                "0",
                *options,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        if "ready" not in line:
            raise AssertionError(f"no ready line: {line!r} {self.process.communicate(timeout=60)}")
        words = line.replace(",", " ").split()
        self.eth_url, self.cometbft_url = [word for word in words if word.startswith("http://")]
        return self

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=120)
        self.process.stdout.close()
        self.process.stderr.close()

    def stop(self) -> tuple[int, str]:
        """SIGTERM; exit code and what was written to stderr."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=120)
        return self.process.returncode, errors

    def rpc(self, method: str, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
        request = urllib.request.Request(self.eth_url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def cometbft(self, path: str):
        with urllib.request.urlopen(f"{self.cometbft_url}/{path}", timeout=120) as response:
            return json.load(response)["result"]

    @property
    def height(self) -> int:
        return int(self.rpc("eth_blockNumber"), 16)

    def wait_for_height(self, height: int, timeout_s: float = 20.0) -> int:
        deadline = time.monotonic() + timeout_s
        while (reached := self.height) < height:
            assert time.monotonic() < deadline, f"still at {reached}, waited for {height}"
            time.sleep(0.05)
        return reached


def transfer(nonce: int, chain_id: int, account=DAPP) -> str:
    fields = {
        "chainId": chain_id,
        "nonce": nonce,
        "gas": 21_000,
        "gasPrice": 0,
        "value": 1,
        "to": Account.from_key(b"\x77" * 32).address,
    }
    return "0x" + bytes(account.sign_transaction(fields).raw_transaction).hex()
