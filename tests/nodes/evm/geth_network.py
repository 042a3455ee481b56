"""Nodes of geth's line (geth itself, GoQuorum) that seal a chain of their own: on the loopback address, told their peers.

Blocking calls; the processes belong to a trio nursery.
"""

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio
from eth_keys import keys

from hutong.light_clients.evm_header import ExecutionHeader, header_from_rpc
from hutong.relay.keys import create_keystore
from hutong.relay.local.chain import until
from hutong.relay.local.member import ask_for_height, has_a_block
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import RunningProcess, run_daemon, wait_until_serving

REQUEST_TIMEOUT_S = 120
INIT_TIMEOUT_S = 300
START_LIMIT_S = 300
VOTE_LIMIT_S = 300
POLL_S = 0.2
GAS_LIMIT = 30_000_000
FUNDS_WEI = 10**24
PASSWORD = b"of a chain that lives for minutes"
FORKS_TO_ISTANBUL = (
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
)


@dataclass(frozen=True)
class GethNode:
    """One node's place: its key names it among its peers and seals its blocks. `http` also serves WebSocket."""

    folder: Path
    secret: bytes
    p2p: int
    http: int

    @property
    def key(self) -> keys.PrivateKey:
        return keys.PrivateKey(self.secret)

    @property
    def address(self) -> str:
        return self.key.public_key.to_checksum_address()

    @property
    def enode(self) -> str:
        return f"enode://{self.key.public_key.to_bytes().hex()}@127.0.0.1:{self.p2p}?discport=0"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    def request(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]


@dataclass(frozen=True)
class GethNetwork:
    """`sealers` seal from the genesis block on, `candidate` seals when it is voted in. `namespace` is that of the votes."""

    program: Path
    nodes: tuple[GethNode, ...]
    genesis: Mapping[str, Any]
    namespace: str
    flags: Callable[[GethNode], Sequence[str]]
    list_method: str
    processes: dict[GethNode, RunningProcess] = field(default_factory=dict)

    @property
    def sealers(self) -> tuple[GethNode, ...]:
        return self.nodes[:-1]

    @property
    def candidate(self) -> GethNode:
        return self.nodes[-1]

    def initialise(self) -> None:
        """Each node's folder: genesis block, key, peers, and the key once more as a keystore that can be unlocked."""
        for node in self.nodes:
            node.folder.mkdir(parents=True)
            (node.folder / "genesis.json").write_text(json.dumps(self.genesis))
            (node.folder / "geth").mkdir()
            (node.folder / "geth" / "nodekey").write_text(node.secret.hex())
            (node.folder / "keystore").mkdir()
            create_keystore(node.folder / "keystore" / "sealer.json", node.secret, PASSWORD, 4096)
            (node.folder / "password").write_bytes(PASSWORD)
            peers = json.dumps([peer.enode for peer in self.nodes if peer is not node])
            # the flag --port would listen on every address
            (node.folder / "config.toml").write_text(
                f'[Node.P2P]\nListenAddr = "127.0.0.1:{node.p2p}"\nNoDiscovery = true\nStaticNodes = {peers}\n'
            )
            subprocess.run(
                [self.program, "--datadir", node.folder, "init", node.folder / "genesis.json"],
                check=True,
                capture_output=True,
                timeout=INIT_TIMEOUT_S,
                env=environment(),
            )

    def command(self, node: GethNode) -> list[str]:
        modules = f"eth,net,web3,{self.namespace}"
        return [
            *("--datadir", str(node.folder), "--config", str(node.folder / "config.toml"), "--nodiscover"),
            *("--netrestrict", "127.0.0.0/8", "--nat", "none", "--networkid", str(self.genesis["config"]["chainId"])),
            *("--http", "--http.addr", "127.0.0.1", "--http.port", str(node.http), "--http.api", modules),
            *("--ws", "--ws.addr", "127.0.0.1", "--ws.port", str(node.http), "--ws.api", modules, "--ws.origins", "*"),
            *("--syncmode", "full", "--ipcdisable", "--verbosity", "3", "--mine", *self.flags(node)),
        ]

    async def start(self, nursery: trio.Nursery) -> None:
        """Returns when the first node has a block; ends with the nursery."""
        await trio.to_thread.run_sync(self.initialise)
        program = ["/usr/bin/env", "PRIVATE_CONFIG=ignore", str(self.program)]
        for node in self.nodes:
            log = node.folder.with_suffix(".log")
            self.processes[node] = await nursery.start(run_daemon, node.folder.name, self.command(node), log, program)
        with trio.fail_after(START_LIMIT_S):
            await wait_until_serving(has_a_block, ask_for_height(self.nodes[0].url))

    @contextmanager
    def standing_still(self, node: GethNode) -> Iterator[None]:
        """The node keeps its connections and answers nobody: the others wait for its turn in vain."""
        process = self.processes[node].process
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def height(self) -> int:
        return int(self.nodes[0].request("eth_blockNumber"), 16)

    def headers(self, first: int, last: int) -> list[ExecutionHeader]:
        """Of the blocks from `first` to `last`."""
        return [
            header_from_rpc(self.nodes[0].request("eth_getBlockByNumber", hex(number), False))
            for number in range(first, last + 1)
        ]

    def listed(self) -> frozenset[str]:
        """Who may seal the next block, as the first node says; lower case."""
        answer = self.nodes[0].request(f"{self.namespace}_{self.list_method}", "latest")
        return frozenset(address.lower() for address in answer)

    def propose(self, subject: GethNode, *, add: bool) -> None:
        """Every sealer but the subject votes."""
        listed = self.listed()
        for node in self.nodes:
            if node is not subject and node.address.lower() in listed:
                node.request(f"{self.namespace}_propose", subject.address, add)

    async def vote(self, subject: GethNode, *, add: bool) -> int:
        """Returns a height at which the list has changed."""
        await trio.to_thread.run_sync(lambda: self.propose(subject, add=add))
        with trio.fail_after(VOTE_LIMIT_S):
            await until(lambda: (subject.address.lower() in self.listed()) == add, POLL_S)
        return await trio.to_thread.run_sync(self.height)


def environment() -> dict[str, str]:
    """GoQuorum runs without its private transactions only where it is told so."""
    return {**os.environ, "PRIVATE_CONFIG": "ignore"}


def place_nodes(home: Path, name: str, count: int, first_port: int) -> tuple[GethNode, ...]:
    """With new keys; the first one serves at `first_port`."""
    ports = [first_port, *(free_port() for _ in range(count - 1))]
    return tuple(
        GethNode(home / f"{name}-{number}", os.urandom(32), free_port(), port) for number, port in enumerate(ports)
    )


def genesis(
    chain_id: int, funded: Sequence[str], rules: Mapping[str, Any], fields: Mapping[str, str]
) -> dict[str, Any]:
    """Every fork through Istanbul from the start; `rules` go into its config, `fields` into the block."""
    return {
        "config": {"chainId": chain_id, **dict.fromkeys(FORKS_TO_ISTANBUL, 0), **rules},
        "difficulty": "0x1",
        "gasLimit": hex(GAS_LIMIT),
        "alloc": {address.removeprefix("0x"): {"balance": str(FUNDS_WEI)} for address in funded},
        **fields,
    }
