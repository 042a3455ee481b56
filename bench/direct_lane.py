"""Two anvil nodes joined without a hub, as an operator would join them: attestors and relay as processes of their own."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_account import Account

from hutong.adapters.ics26.abi import Function
from hutong.contracts.artifacts import load_artifact
from hutong.light_clients.crypto import keccak256
from hutong.relay.base.child_processes import HUTONG
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import last_line
from tests.nodes.evm.running_anvil import Anvil, running_anvil

START_LIMIT_S = 90
COMMAND_LIMIT_S = 120
STOP_LIMIT_S = 40
DRIFT_S = 86_400
"""anvil's blocks run ahead of the clock: each is at least a second after the one before."""
SENDER_KEY = keccak256(b"bench relay sender")
SEND_GAS = 400_000
PAYLOAD = b"\x11" * 32
SEND_MESSAGE = Function("sendMessage", ("string", "string", "bytes", "uint64"))
DELIVERED_TOPIC = keccak256(b"MessageDelivered(bytes32,address,(string,string,string,uint64,bool),string)")
ACKNOWLEDGED_TOPIC = keccak256(b"MessageAcknowledged(bytes32,address,bool,bytes)")


class BenchFailed(Exception):
    """A step did not do what it should."""


class Rpc:
    """One kept connection, for a harness that must cost little."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=60)

    def __call__(self, method: str, *params: Any) -> Any:
        answer = self.answer(method, *params)
        if "error" in answer:
            raise BenchFailed(f"{method}: {answer['error']}")
        return answer["result"]

    def answer(self, method: str, *params: Any) -> dict[str, Any]:
        """The whole answer, with its `result` or its `error`."""
        return dict(self._asked({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))

    def named(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a method that takes its parameters by name, as CometBFT's do."""
        answer = self._asked({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        if "error" in answer:
            raise BenchFailed(f"{method}: {answer['error']}")
        return answer["result"]

    def each(self, method: str, params: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """Whole answers of one method in one exchange, in the order of `params`."""
        calls = [{"jsonrpc": "2.0", "id": number, "method": method, "params": one} for number, one in enumerate(params)]
        return sorted(self._asked(calls), key=lambda answer: answer["id"]) if calls else []

    def _asked(self, question: Any) -> Any:
        body = json.dumps(question)
        try:
            return json.loads(self._exchange(body))
        except (ConnectionError, http.client.HTTPException):  # closed while nothing was asked
            self._connection.close()
            return json.loads(self._exchange(body))

    def _exchange(self, body: str) -> bytes:
        self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
        return self._connection.getresponse().read()

    def close(self) -> None:
        self._connection.close()


@dataclass
class Process:
    """A daemon of ours, measured from outside."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def peak_mb(self) -> float:
        """Most resident memory of it and its children (the relay's queue server)."""
        return sum(_peak_kb(pid) for pid in (self.process.pid, *children_of(self.process.pid))) / 1024

    def cpu_ms(self) -> float:
        return sum(cpu_ms_of(pid) for pid in (self.process.pid, *children_of(self.process.pid)))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class DirectLane:
    """Messages from A to B. Sequences of transactions are signed before the clock starts."""

    a: Anvil
    b: Anvil
    client: str
    mailboxes: tuple[str, str]
    receiver: str
    processes: list[Process]
    sent: int = 0
    last_hash: str = ""
    _signed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._send, self._watch, self._watch_a = Rpc(self.a.url), Rpc(self.b.url), Rpc(self.a.url)
        self._sender = Account.from_key(SENDER_KEY)

    def close(self) -> None:
        for rpc in (self._send, self._watch, self._watch_a):
            rpc.close()

    def sign(self, count: int) -> None:
        """Prepare `count` messages, each in its own transaction."""
        nonce = self.sent + len(self._signed)
        timeout_s = int(self._send("eth_getBlockByNumber", "latest", False)["timestamp"], 16) + 12 * 3600
        data = SEND_MESSAGE.encode(self.client, self.receiver.lower(), PAYLOAD, timeout_s)
        for index in range(count):
            transaction = {
                "chainId": self.a.chain_id,
                "nonce": nonce + index,
                "gas": SEND_GAS,
                "value": 0,
                "type": 2,
                "to": self.mailboxes[0],
                "data": data,
                "maxFeePerGas": 10 * 10**9,
                "maxPriorityFeePerGas": 10**9,
            }
            self._signed.append("0x" + self._sender.sign_transaction(transaction).raw_transaction.hex())

    def dispatch(self, count: int) -> None:
        """Send prepared messages, one transaction after the other."""
        for raw in self._signed[:count]:
            self.last_hash = self._send("eth_sendRawTransaction", raw)
        del self._signed[:count]
        self.sent += count

    def delivered(self) -> int:
        """Messages that B's receiver has handled."""
        return len(self._logs(self._watch, self.mailboxes[1], DELIVERED_TOPIC))

    def most_a_block(self) -> int:
        """Messages that fit one block of A."""
        gas = int(self._watch_a("eth_getTransactionReceipt", self.last_hash)["gasUsed"], 16)
        return int(self._watch_a("eth_getBlockByNumber", "latest", False)["gasLimit"], 16) // gas

    def settled(self) -> int:
        """Messages whose acknowledgement has come home."""
        return len(self._logs(self._watch_a, self.mailboxes[0], ACKNOWLEDGED_TOPIC))

    @staticmethod
    def _logs(rpc: Rpc, address: str, topic: bytes) -> Any:
        query = {"address": address, "fromBlock": "0x0", "toBlock": "latest", "topics": ["0x" + topic.hex()]}
        return rpc("eth_getLogs", query)

    def count_by_blocks(self, first: int) -> tuple[int, int]:
        """(messages delivered in blocks from `first`, next block to ask)."""
        newest = int(self._watch("eth_blockNumber"), 16)
        if newest < first:
            return 0, first
        topic = "0x" + DELIVERED_TOPIC.hex()
        query = {"address": self.mailboxes[1], "fromBlock": hex(first), "toBlock": hex(newest), "topics": [topic]}
        return len(self._watch("eth_getLogs", query)), newest + 1


@contextmanager
def direct_lane(
    home: Path, *, origin_block_s: float, poll_ms: int, origin_gas_limit: int | None = None
) -> Iterator[DirectLane]:
    """Deploy, connect, start: B makes a block for each transaction; no confirmations; one attestor of each chain."""
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        a = stack.enter_context(running_anvil(31341, block_time_s=origin_block_s, gas_limit=origin_gas_limit))
        b = stack.enter_context(running_anvil(31342))
        chains = {"a": a, "b": b}
        owners = {name: make_key(home, f"owner-{name}") for name in chains}
        relayers = {name: make_key(home, f"relayer-{name}") for name in chains}
        attestors = {name: make_key(home, f"attestor-{name}") for name in chains}
        a.fund(Account.from_key(SENDER_KEY).address)
        for name, chain in chains.items():
            for key in (owners[name], relayers[name]):
                chain.fund(key.address)
        deployments = {name: _deploy(chain, owners[name]) for name, chain in chains.items()}
        ports = {name: free_port() for name in chains}
        http_port = free_port()
        tables = f'[relay]\nhome = "{home / "relay"}"\nhttp = "127.0.0.1:{http_port}"\nlog_level = "warning"\n'
        for name, chain in chains.items():
            tables += (
                f'\n[[chains]]\nname = "{name}"\nkind = "evm"\nchain_id = {chain.chain_id}\nconsensus = "attested"\n'
                f'attestors = ["http://127.0.0.1:{ports[name]}"]\nconfirmations = 0\nrpc = ["{chain.url}"]\n'
                f'router = "{deployments[name]["router"]}"\nstart_height = {deployments[name]["height"]}\n'
                f"poll_interval_ms = {poll_ms}\nrequests_per_s = 100000\nkey = {relayers[name].toml}\n"
            )
        config = home / "relay.toml"
        write(config, tables)
        path = _connect(config, owners, attestors, deployments)
        write(config, tables + _path_table(path))
        processes = []
        for name, chain in chains.items():
            file = home / f"attestor-{name}.toml"
            write(file, _attestor_table(home, name, chain, attestors[name], ports[name], deployments, path, poll_ms))
            processes.append(start(stack, f"attestor {name}", ["attest", "run", "--config", str(file)], home))
        processes.append(start(stack, "relay", ["relay", "run", "--config", str(config)], home))
        for port in ports.values():
            until_healthy(port, processes)
        until_ready(http_port, processes)
        receiver = deploy_receiver(b, deployments["b"]["mailbox"])
        lane = DirectLane(
            a,
            b,
            path["a"]["client"],
            (deployments["a"]["mailbox"], deployments["b"]["mailbox"]),
            receiver,
            processes,
        )
        stack.callback(lane.close)
        yield lane


def _deploy(chain: Anvil, owner: Key) -> dict[str, Any]:
    arguments = [
        "deploy",
        "--rpc",
        chain.url,
        "--chain-id",
        str(chain.chain_id),
        *owner.options,
        "--json",
        "--development",
    ]
    return dict(json.loads(command([*arguments, "--forward-margin-s", "5"])))


def _connect(config: Path, owners: dict[str, Key], attestors: dict[str, Key], deployments: Any) -> dict[str, Any]:
    arguments = ["path", "direct", "--config", str(config), "--max-clock-drift-s", str(DRIFT_S), "--json"]
    for name, owner in owners.items():
        arguments += [f"--{name}", name, f"--{name}-keystore", str(owner.keystore)]
        arguments += [f"--{name}-password-file", str(owner.password_file)]
        arguments += [f"--{name}-mailbox", deployments[name]["mailbox"], f"--{name}-attestor", attestors[name].address]
    return dict(json.loads(command(arguments)))


def _attestor_table(
    home: Path,
    name: str,
    chain: Anvil,
    key: Key,
    port: int,
    deployments: Any,
    path: dict[str, Any],
    poll_ms: int,
) -> str:
    (destination,) = [entry for entry in path["destinations"] if entry["source"] == name]
    return (
        f'[attestor]\nhome = "{home / f"attestor-{name}"}"\nhttp = "127.0.0.1:{port}"\nkey = {key.toml}\n'
        f'log_level = "warning"\nrequests_per_s = 10000\n'
        f'\n[source]\nchain_id = {chain.chain_id}\nrpc = ["{chain.url}"]\nrouter = "{deployments[name]["router"]}"\n'
        f"confirmations = 0\npoll_interval_ms = {poll_ms}\n"
        f'\n[[destinations]]\nchain_id = "{destination["chain_id"]}"\nrouter = "{destination["router"]}"\n'
        f'client = "{destination["client"]}"\n'
    )


def _path_table(path: dict[str, Any]) -> str:
    ends = "".join(
        f'{side} = {{ chain = "{path[side]["chain"]}", client = "{path[side]["client"]}" }}\n' for side in "ab"
    )
    return f"\n[[paths]]\n{ends}"


def write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def command(arguments: Sequence[str]) -> str:
    command = [*HUTONG, *arguments]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=COMMAND_LIMIT_S, env=_environment()
    )
    if result.returncode != 0:
        raise BenchFailed(f"hutong {' '.join(arguments[:2])}: {result.stderr or result.stdout}")
    return result.stdout


def start(
    stack: ExitStack,
    name: str,
    arguments: Sequence[str],
    home: Path,
    profiles: Path | None = None,
    program: Sequence[str] = HUTONG,
) -> Process:
    """With `profiles`, under the sampler of `bench.sampling`, which writes its figures into that directory."""
    plain_name = name.replace(" ", "-")
    log = home / f"{plain_name}.log"
    if profiles is not None:
        program = (sys.executable, "-m", "bench.sampling", str(profiles / f"{plain_name}.json"))
    with log.open("wb") as output:
        process = subprocess.Popen([*program, *arguments], stdout=output, stderr=output, env=_environment())
        started = Process(name, process, log)
    stack.callback(started.stop)
    return started


def _environment() -> dict[str, str]:
    """Ours, with compiled modules kept: compiling thousands of files anew is no work of a relay."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def until_healthy(port: int, processes: Sequence[Process]) -> None:
    """An attestor, which is ready when it serves."""
    _until(f"http://127.0.0.1:{port}/healthz", "ok", processes, START_LIMIT_S)


def until_ready(port: int, processes: Sequence[Process], limit_s: float = START_LIMIT_S) -> None:
    """A relay, which is alive long before it can do its work."""
    _until(f"http://127.0.0.1:{port}/readyz", "ready", processes, limit_s)


def _until(url: str, status: str, processes: Sequence[Process], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                if json.load(response)["status"] == status:
                    return
        except OSError:
            pass
        for process in processes:
            if process.process.poll() is not None:
                raise BenchFailed(f"{process.name} ended: {last_line(process.log)}")
        if time.monotonic() > deadline:
            raise BenchFailed(f"{url} does not say {status} within {limit_s:g} s")
        time.sleep(0.05)


def deploy_receiver(chain: Anvil, mailbox: str) -> str:
    (account, *_) = chain.request("eth_accounts")
    data = load_artifact("ExampleReceiver").bytecode + encode(["address"], [mailbox])
    digest = chain.request("eth_sendTransaction", {"from": account, "data": "0x" + data.hex(), "gas": hex(3_000_000)})
    while (receipt := chain.request("eth_getTransactionReceipt", digest)) is None:
        time.sleep(0.02)
    return str(receipt["contractAddress"])


def _peak_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM:")), 0)


def cpu_ms_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


assert sys.platform == "linux", "memory and processor time are read from /proc"
