"""`tests.contracts.evm.Evm` over a real node: the same deploy, call and send, so that a lane runs on anvil unchanged.

Each transaction is a block, a second after the last or at the time that the test has set.
"""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode

from hutong.relay.local.ports import free_port
from tests.contracts.evm import GAS, INTRINSIC_GAS, SENDER, Contract, Reverted, artifact, type_of
from tests.nodes.provision import foundry

START_TIMEOUT_S = 300
CALL_TIMEOUT_S = 300
DEPLOY_GAS = 10_000_000


@dataclass(frozen=True)
class Executed:
    """What `Contract` reads of an execution."""

    output: bytes
    gas_remaining: int
    logs: tuple[tuple[bytes, list[int], bytes], ...] = ()

    def get_gas_remaining(self) -> int:
        return self.gas_remaining

    def get_log_entries(self) -> tuple[tuple[bytes, list[int], bytes], ...]:
        return self.logs


class AnvilEvm:
    """One anvil process; end it with `close`."""

    def __init__(self, hardfork: str, timestamp_s: int) -> None:
        self.timestamp_s = timestamp_s
        self.contracts: dict[bytes, Contract] = {}
        self._port = free_port()
        command = [
            *(str(foundry("anvil")), "--port", str(self._port), "--hardfork", hardfork, "--silent"),
            *("--timestamp", str(timestamp_s - 1), "--base-fee", "0", "--gas-price", "0", "--auto-impersonate"),
            *("--gas-limit", str(10**12), "--code-size-limit", "24576"),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._last_s = timestamp_s - 1
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self.request("eth_chainId")
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.close()
                    raise
                time.sleep(0.05)
            else:
                return

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def chain_id(self) -> int:
        return int(self.request("eth_chainId"), 16)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=START_TIMEOUT_S)

    def request(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call; raises Reverted for a revert."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=CALL_TIMEOUT_S) as response:
            answer = json.load(response)
        error = answer.get("error")
        if error is None:
            return answer["result"]
        data = error.get("data")
        if isinstance(data, str) or error.get("code") == 3 or "revert" in str(error.get("message")).lower():
            raise Reverted.of(bytes.fromhex(data[2:]) if isinstance(data, str) else b"", 0)
        raise RuntimeError(f"{method}: {error}")

    def deploy(self, name: str, *arguments: Any) -> Contract:
        compiled = artifact(name)
        inputs = next((entry["inputs"] for entry in compiled.abi if entry["type"] == "constructor"), [])
        receipt = self._mine(
            compiled.bytecode + encode([type_of(p) for p in inputs], arguments), None, SENDER, DEPLOY_GAS
        )
        if receipt["status"] != "0x1":
            raise Reverted(b"", f"deployment of {name}")
        address = bytes.fromhex(receipt["contractAddress"][2:])
        contract = self.contracts[address] = Contract(self, address, compiled)
        return contract

    def send(self, to: bytes, data: bytes, *, sender: bytes = SENDER, gas: int = GAS, keep: bool = True) -> Executed:
        total = gas + INTRINSIC_GAS + sum(16 if byte else 4 for byte in data)
        call = {"from": f"0x{sender.hex()}", "to": f"0x{to.hex()}", "data": f"0x{data.hex()}", "gas": hex(total)}
        time_s = max(self.timestamp_s, self._last_s + 1)
        output = bytes.fromhex(self.request("eth_call", call, "latest", {}, {"time": hex(time_s)})[2:])
        if not keep:
            return Executed(output, 0)
        receipt = self._mine(data, to, sender, total)
        if receipt["status"] != "0x1":
            raise Reverted(b"", "the transaction reverted where the call did not")
        logs = tuple(
            (
                bytes.fromhex(log["address"][2:]),
                [int(topic, 16) for topic in log["topics"]],
                bytes.fromhex(log["data"][2:]),
            )
            for log in receipt["logs"]
        )
        return Executed(output, total - int(receipt["gasUsed"], 16), logs)

    def _mine(self, data: bytes, to: bytes | None, sender: bytes, gas: int) -> dict[str, Any]:
        self.timestamp_s = self._last_s = max(self.timestamp_s, self._last_s + 1)
        self.request("evm_setNextBlockTimestamp", self._last_s)
        transaction = {"from": f"0x{sender.hex()}", "data": f"0x{data.hex()}", "gas": hex(gas), "gasPrice": "0x0"}
        if to is not None:
            transaction["to"] = f"0x{to.hex()}"
        transaction_hash = self.request("eth_sendTransaction", transaction)
        deadline = time.monotonic() + START_TIMEOUT_S
        while (receipt := self.request("eth_getTransactionReceipt", transaction_hash)) is None:
            if time.monotonic() > deadline:
                raise RuntimeError(f"no receipt of {transaction_hash}")
            time.sleep(0.01)
        return dict(receipt)

    @contextmanager
    def at(self, timestamp_s: int) -> Iterator[None]:
        before, self.timestamp_s = self.timestamp_s, timestamp_s
        yield
        self.timestamp_s = max(before, self._last_s)
