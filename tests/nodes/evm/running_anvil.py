"""anvil as a plain node on a port: for tests and figures that talk to it as to any chain."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hutong.relay.local.ports import free_port
from tests.nodes.provision import foundry

START_TIMEOUT_S = 120
"""Beside much else that runs on the machine; also of one answer."""


@dataclass(frozen=True)
class Anvil:
    """A running node with its ten funded development accounts."""

    url: str
    ws: str
    chain_id: int
    pid: int

    def request(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=START_TIMEOUT_S) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def fund(self, address: str, amount_wei: int = 10**22) -> None:
        self.request("anvil_setBalance", address, hex(amount_wei))

    def mine(self, blocks: int = 1) -> None:
        self.request("anvil_mine", hex(blocks))


@contextmanager
def running_anvil(
    chain_id: int, *, block_time_s: float = 0, hardfork: str = "cancun", gas_limit: int | None = None
) -> Iterator[Anvil]:
    """`block_time_s` 0: each transaction makes its block."""
    port = free_port()
    command = [
        *(str(foundry("anvil")), "--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id)),
        *("--silent", "--hardfork", hardfork),
    ]
    if gas_limit is not None:
        command += ["--gas-limit", str(gas_limit)]
    if block_time_s:
        command += ["--block-time", str(block_time_s)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    anvil = Anvil(f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}", chain_id, process.pid)
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                anvil.request("eth_chainId")
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.05)
        yield anvil
    finally:
        process.terminate()
        process.wait(timeout=START_TIMEOUT_S)
