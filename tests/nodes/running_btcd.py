"""btcd on regtest as a plain node on a port: mines on request, judges what is submitted."""

import base64
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.relay.local.ports import free_port
from tests.nodes.provision import btcd

START_TIMEOUT_S = 300
CREDENTIALS = ("test", "test")


class RefusedByNode(Exception):
    """btcd's own sentence."""


@dataclass(frozen=True)
class Btcd:
    url: str

    def request(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call. Raises RefusedByNode."""
        body = json.dumps({"jsonrpc": "1.0", "id": 1, "method": method, "params": params}).encode()
        token = base64.b64encode(":".join(CREDENTIALS).encode()).decode()
        headers = {"Content-Type": "application/json", "Authorization": f"Basic {token}"}
        request = urllib.request.Request(self.url, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=START_TIMEOUT_S) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            answer = json.load(error)
        if answer.get("error"):
            raise RefusedByNode(answer["error"]["message"])
        return answer["result"]

    def header(self, block_hash: str) -> bytes:
        return bytes.fromhex(self.request("getblockheader", block_hash, False))

    def block(self, block_hash: str) -> bytes:
        return bytes.fromhex(self.request("getblock", block_hash, 0))

    def submit(self, block: bytes) -> str | None:
        """None where it was taken, also on a side branch; else why not."""
        try:
            answer: str | None = self.request("submitblock", block.hex())
        except RefusedByNode as error:
            return str(error)
        return answer


@contextmanager
def running_btcd(folder: Path, mining_address: str) -> Iterator[Btcd]:
    port = free_port()
    user, password = CREDENTIALS
    command = [
        *(str(btcd()), "--regtest", "--nolisten", "--notls", "--txindex", "--nodnsseed"),
        *(f"--rpclisten=127.0.0.1:{port}", f"--rpcuser={user}", f"--rpcpass={password}"),
        *(f"--datadir={folder}/data", f"--logdir={folder}/log", f"--configfile={folder}/btcd.conf"),
        f"--miningaddr={mining_address}",
    ]
    (folder / "btcd.conf").write_text("")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    node = Btcd(f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                node.request("getblockcount")
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.05)
        yield node
    finally:
        process.terminate()
        process.wait(timeout=START_TIMEOUT_S)
