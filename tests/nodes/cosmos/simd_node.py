"""One simd process and its home: configuration, start and kill, CometBFT's RPC."""

import base64
import json
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hutong.relay.local.ports import free_ports
from tests.nodes.provision import simd

START_TIMEOUT_S = 300
STOP_TIMEOUT_S = 20
COMMAND_TIMEOUT_S = 300
RPC_TIMEOUT_S = 120
"""All of them for what never comes: beside much else on the machine an answer took more than 10 s."""
POLL_S = 0.1
LOG_TAIL_BYTES = 4_000


class NodeFailed(Exception):
    """The process ended or answers nothing; the text carries the end of its log."""


def edit_toml(path: Path, changes: Mapping[str, str | bool | int]) -> None:
    """Set `section.key` (or a top-level `key`) in a file that already has it; every other byte stays."""
    wanted = dict(changes)
    section, lines = "", []
    for line in path.read_text().splitlines():
        heading = re.fullmatch(r"\[(.+)\]", line.strip())
        entry = re.match(r"([\w-]+) *=", line)
        if heading:
            section = heading[1]
        elif entry:
            name = f"{section}.{entry[1]}" if section else entry[1]
            if name in wanted:
                line = f"{entry[1]} = {json.dumps(wanted.pop(name))}"
        lines.append(line)
    if wanted:
        raise KeyError(f"{path.name} has no {sorted(wanted)}")
    path.write_text("\n".join(lines) + "\n")


class SimdNode:
    """A validator's home. Ports are chosen once, so that a restarted node is found where it was."""

    def __init__(self, home: Path, chain_id: str, moniker: str, program: Path | None = None) -> None:
        """`program` is the node's command, by default simd on ibc-go v10."""
        self.home, self.chain_id, self.moniker = home, chain_id, moniker
        self._program = simd() if program is None else program
        self.log = home / "node.log"
        self.rpc_port, self.p2p_port, self._proxy_port, self._grpc_port = free_ports(4)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def rpc(self) -> str:
        return f"http://127.0.0.1:{self.rpc_port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.rpc_port}/websocket"

    @property
    def genesis(self) -> Path:
        return self.home / "config" / "genesis.json"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def initialise(self, *, block_time_s: float, gas_price: str, tx_index: bool, peers: Sequence[str] = ()) -> None:
        """`simd init`, then the edits: block time, ports of this machine only, every state kept."""
        self.command("init", self.moniker, "--chain-id", self.chain_id)
        edit_toml(
            self.home / "config" / "config.toml",
            {
                "proxy_app": f"tcp://127.0.0.1:{self._proxy_port}",
                "rpc.laddr": f"tcp://127.0.0.1:{self.rpc_port}",
                "rpc.pprof_laddr": "",
                "p2p.laddr": f"tcp://127.0.0.1:{self.p2p_port}",
                "p2p.persistent_peers": ",".join(peers),
                "p2p.addr_book_strict": False,
                "p2p.allow_duplicate_ip": True,
                "p2p.pex": False,
                "consensus.timeout_propose": "1s",
                "consensus.timeout_commit": f"{int(block_time_s * 1_000)}ms",
                "tx_index.indexer": "kv" if tx_index else "null",
            },
        )
        edit_toml(
            self.home / "config" / "app.toml",
            {
                "minimum-gas-prices": gas_price,
                "pruning": "nothing",
                # a node without gRPC has no transaction simulation over its RPC either
                "grpc.enable": True,
                "grpc.address": f"127.0.0.1:{self._grpc_port}",
                "grpc-web.enable": False,
            },
        )

    def start(self, first_height: int = 1) -> None:
        """Returns when the node has committed `first_height`."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._program), "start", "--home", str(self.home), "--log_no_color"],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        self.wait_for_height(first_height, START_TIMEOUT_S)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut: nothing is flushed that was not."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)
        self._process = None

    def command(self, *arguments: str) -> str:
        """What `simd <arguments>` prints."""
        line = [str(self._program), *arguments, "--home", str(self.home)]
        result = subprocess.run(line, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S)
        if result.returncode:
            # cobra prints its usage before the reason
            reason = (result.stderr or result.stdout).strip().splitlines()[-1:]
            raise NodeFailed(f"simd {' '.join(arguments)}: {' '.join(reason)}")
        return result.stdout

    def request(self, method: str, **params: Any) -> Any:
        """One call of CometBFT's JSON-RPC."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.rpc, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=RPC_TIMEOUT_S) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            answer = json.load(error)
        if "error" in answer:
            raise NodeFailed(f"{method}: {answer['error']}")
        return answer["result"]

    def abci_query(self, path: str, data: bytes) -> bytes:
        """A gRPC query of the application, over CometBFT's RPC."""
        response = self.request("abci_query", path=path, data=data.hex())["response"]
        if response["code"]:
            raise NodeFailed(f"{path}: {response['log']}")
        return base64.b64decode(response["value"] or "")

    def height(self) -> int:
        """The last height that the application has committed: `status` shows a block before its results can be read."""
        return int(self.request("abci_info")["response"].get("last_block_height", 0))

    def wait_for_height(self, height: int, timeout_s: float = START_TIMEOUT_S) -> int:
        """The node's height once it is at least `height`."""
        deadline = time.monotonic() + timeout_s
        while True:
            if not self.running:
                raise NodeFailed(f"{self.moniker} is not running: {self.log_tail()}")
            try:
                reached = self.height()
            except OSError:
                reached = 0
            if reached >= height:
                return reached
            if time.monotonic() > deadline:
                raise NodeFailed(
                    f"{self.moniker} is at {reached}, not {height}, after {timeout_s} s: {self.log_tail()}"
                )
            time.sleep(POLL_S)

    def wait_until_synced(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Until the node follows consensus itself and no longer fetches old blocks."""
        deadline = time.monotonic() + timeout_s
        while self.request("status")["sync_info"]["catching_up"]:
            if time.monotonic() > deadline:
                raise NodeFailed(f"{self.moniker} still catches up after {timeout_s} s: {self.log_tail()}")
            time.sleep(POLL_S)

    def log_tail(self) -> str:
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace") if self.log.exists() else "(no log)"

    def peer_address(self) -> str:
        return f"{self.request('status')['node_info']['id']}@127.0.0.1:{self.p2p_port}"

    def validator_secret(self) -> bytes:
        """The ed25519 seed that signs this validator's votes: for evidence of misbehaviour that is real."""
        return base64.b64decode(self._validator_file()["priv_key"]["value"])[:32]

    def validator_public_key(self) -> str:
        """In base64, as simd's own files and requests have it."""
        return self._validator_file()["pub_key"]["value"]

    def _validator_file(self) -> Any:
        file = json.loads((self.home / "config" / "priv_validator_key.json").read_text())
        if file["priv_key"]["type"] != "tendermint/PrivKeyEd25519":
            raise ValueError(f"validator key is a {file['priv_key']['type']}")
        return file
