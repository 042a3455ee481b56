"""Two anvil nodes joined over a hub: attestors, hub and relay as processes of their own, 10⁵ keys in each state."""

import json
import shlex
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_utils.address import to_canonical_address

from bench.direct_lane import (
    ACKNOWLEDGED_TOPIC,
    DELIVERED_TOPIC,
    PAYLOAD,
    SEND_GAS,
    SENDER_KEY,
    Process,
    Rpc,
    command,
    deploy_receiver,
    start,
    until_healthy,
    until_ready,
    write,
)
from bench.hub.filled_state import fill_state, filler
from hutong.adapters.ics26.abi import Function
from hutong.light_clients.proofs.mpt.slots import commitment_slot
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.home.home import DATABASE_DIRECTORY, load_genesis
from hutong.relay.local.config_file import hub_table, path_table
from hutong.relay.local.hub_node import PORT_STEP
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.ports import free_base_port, free_port
from tests.nodes.evm.running_anvil import Anvil, running_anvil

HUB_CHAIN_ID, HUB_EVM_CHAIN_ID = "hutong-1", 47_001
GAS_LIMIT = 60_000_000
"""Of anvil's blocks, as on Ethereum's main network: 120 messages with as many acknowledgements take 40 million a second."""
HUB_BLOCK_GAS = 4 * 2**24
"""Four of the relay's largest transactions; by default a hub's block holds one."""
MARGIN_S = 5
FILL_CHUNK = 2_000
MAP_BYTES = 8 * 1024**3
DRIFT_S = 86_400
LIFETIME_S = 12 * 3_600
SEND_FORWARDED = Function("sendForwarded", ("string", "string", "string", "bytes", "uint64"))


def fill_router(url: str, router: bytes, keys: int) -> None:
    """Write receipts into an anvil's router, a JSON-RPC batch at a time."""
    for first in range(0, keys, FILL_CHUNK):
        calls = []
        for number in range(first, min(first + FILL_CHUNK, keys)):
            key, value = filler(number)
            params = [f"0x{router.hex()}", f"0x{commitment_slot(key).hex()}", f"0x{value.hex()}"]
            calls.append({"jsonrpc": "2.0", "id": number, "method": "anvil_setStorageAt", "params": params})
        request = urllib.request.Request(url, json.dumps(calls).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as response:
            if any("error" in answer for answer in json.load(response)):
                raise RuntimeError("anvil does not set storage")


def fill_hub(home: Path, keys: int) -> None:
    """Make the genesis state of an initialised home with as many receipts more: what years of traffic leave behind."""
    store = LmdbStore(home / DATABASE_DIRECTORY, map_bytes=MAP_BYTES)
    try:
        run_with_evm_stack(lambda: fill_state(store, lambda: HubLedger(store, load_genesis(home)), keys))
    finally:
        store.close()


@dataclass
class _Count:
    """Events of one topic. Only blocks that were not looked at before are asked for, so that looking costs little."""

    address: str
    topic: bytes
    found: int = 0
    next_height: int = 0

    def look(self, rpc: Rpc) -> int:
        newest = int(rpc("eth_blockNumber"), 16)
        if newest >= self.next_height:
            query = {"address": self.address, "fromBlock": hex(self.next_height), "toBlock": hex(newest)}
            self.found += len(rpc("eth_getLogs", query | {"topics": ["0x" + self.topic.hex()]}))
            self.next_height = newest + 1
        return self.found


@dataclass
class HubLane:
    """Messages from A over the hub to B."""

    a: Anvil
    b: Anvil
    clients: dict[str, dict[str, str]]
    """By anvil: `own` is its client of the hub, `hub` the hub's client of it."""
    deployments: dict[str, Any]
    receiver: str
    processes: list[Process]
    hub_url: str
    """The eth_* port of the first validator."""
    hub_home: Path
    metrics_url: str
    """Of the relay."""
    owners: dict[str, Key]
    """By anvil: who deployed its contracts, and as on every development chain holds every role there."""
    relayers: dict[str, Key]

    def __post_init__(self) -> None:
        self._send, self._watch = Rpc(self.a.url), Rpc(self.b.url)
        self._sender = Account.from_key(SENDER_KEY)
        self._signed: list[str] = []
        self._delivered = _Count(self.deployments["b"]["mailbox"], DELIVERED_TOPIC)
        self._settled = _Count(self.deployments["a"]["mailbox"], ACKNOWLEDGED_TOPIC)

    def dispatch(self, count: int) -> None:
        """One transaction a message, one after the other; what `sign` has prepared goes first."""
        self.sign(count - len(self._signed))
        self.send_signed(count)

    def send_signed(self, count: int) -> str:
        """Send what `sign` has prepared; the last one's hash."""
        sent = [self._send("eth_sendRawTransaction", raw) for raw in self._signed[:count]]
        del self._signed[:count]
        return str(sent[-1])

    def sign(self, count: int, receiver: str | None = None) -> None:
        """Prepare `count` messages, so that signing is no part of what is measured; to the lane's receiver unless told."""
        nonce = int(self._send("eth_getTransactionCount", self._sender.address, "pending"), 16) + len(self._signed)
        timeout_s = int(self._send("eth_getBlockByNumber", "latest", False)["timestamp"], 16) + LIFETIME_S
        data = SEND_FORWARDED.encode(
            self.clients["a"]["own"], self.clients["b"]["hub"], (receiver or self.receiver).lower(), PAYLOAD, timeout_s
        )
        for number in range(count):
            transaction = {
                "chainId": self.a.chain_id,
                "nonce": nonce + number,
                "gas": SEND_GAS,
                "value": 0,
                "type": 2,
                "to": self.deployments["a"]["mailbox"],
                "data": data,
                "maxFeePerGas": 10 * 10**9,
                "maxPriorityFeePerGas": 10**9,
            }
            self._signed.append("0x" + self._sender.sign_transaction(transaction).raw_transaction.hex())

    def delivered(self) -> int:
        """Messages that B's receiver has handled."""
        return self._delivered.look(self._watch)

    def delivered_by_height(self, first: int) -> list[int]:
        """Heights of B at and above `first` at which messages were delivered, one a message."""
        if self.height_of_b() < first:
            return []
        query = {"address": self.deployments["b"]["mailbox"], "fromBlock": hex(first), "toBlock": "latest"}
        query["topics"] = ["0x" + DELIVERED_TOPIC.hex()]
        return [int(log["blockNumber"], 16) for log in self._watch("eth_getLogs", query)]

    def mined_height(self, digest: str) -> int | None:
        receipt = self._send("eth_getTransactionReceipt", digest)
        return None if receipt is None else int(receipt["blockNumber"], 16)

    def height_of_b(self) -> int:
        return int(self._watch("eth_blockNumber"), 16)

    def hub_database_bytes(self) -> int:
        """Of the first validator, on disk."""
        return (self.hub_home / DATABASE_DIRECTORY / "data.mdb").stat().st_size

    def settled(self) -> int:
        """Messages whose acknowledgement has come home."""
        return self._settled.look(self._send)


@contextmanager
def hub_lane(
    home: Path,
    *,
    keys: int,
    validators: int = 1,
    poll_ms: int = 200,
    block_s: float = 1,
    profiles: Path | None = None,
) -> Iterator[HubLane]:
    """Deploy, connect, start; both anvils make a block every `block_s`, no confirmations, one attestor of each.

    Several validators are each other's peers, a process each, and the relay knows them all.
    """
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        anvils = {
            "a": stack.enter_context(running_anvil(31351, block_time_s=block_s, gas_limit=GAS_LIMIT)),
            "b": stack.enter_context(running_anvil(31352, block_time_s=block_s, gas_limit=GAS_LIMIT)),
        }
        roles = Roles.made(home, anvils)
        hub = start_hub(stack, home, roles.admin, keys, validators, profiles)
        deployments = {name: deploy_contracts(anvil, roles.owners[name]) for name, anvil in anvils.items()}
        ends = {
            name: End(name, anvil, deployments[name], roles.attestors[name], free_port(), poll_ms)
            for name, anvil in anvils.items()
        }
        http_port = free_port()
        tables = f'[relay]\nhome = "{home / "relay"}"\nhttp = "127.0.0.1:{http_port}"\nlog_level = "warning"\n'
        tables += "".join(end.chain_table(roles.relayers[name]) for name, end in ends.items())
        tables += hub_table(HUB_CHAIN_ID, hub.ethereum_ports, hub.cometbft_ports, roles.hub_relayer)
        config = home / "relay.toml"
        write(config, tables)
        paths = {name: connect_path(config, end, roles) for name, end in ends.items()}
        write(config, tables + "".join(map(path_table, paths.values())))
        clients = {name: {"own": path["a"]["client"], "hub": path["b"]["client"]} for name, path in paths.items()}
        _introduce(config, clients, roles.owners, deployments)
        processes = list(hub.processes)
        for name, end in ends.items():
            fill_router(end.anvil.url, to_canonical_address(deployments[name]["router"]), keys)
            processes.append(end.start_attestor(stack, home, paths[name], profiles))
        processes.append(start(stack, "relay", ["relay", "run", "--config", str(config)], home, profiles))
        for end in ends.values():
            until_healthy(end.attestor_port, processes)
        until_ready(http_port, processes)
        yield HubLane(
            *anvils.values(),
            clients,
            deployments,
            deploy_receiver(anvils["b"], deployments["b"]["mailbox"]),
            processes,
            f"http://127.0.0.1:{hub.ethereum_ports[0]}",
            home / "hub",
            f"http://127.0.0.1:{http_port}/metrics",
            roles.owners,
            roles.relayers,
        )


@dataclass(frozen=True, slots=True)
class Roles:
    """Keys; `owners`, `relayers` and `attestors` are by anvil."""

    owners: dict[str, Key]
    relayers: dict[str, Key]
    attestors: dict[str, Key]
    admin: Key
    hub_relayer: Key

    @classmethod
    def made(cls, home: Path, anvils: dict[str, Anvil]) -> "Roles":
        """New ones, with ether for those who send transactions there."""
        by_role = [
            {name: make_key(home, f"{role}-{name}") for name in anvils} for role in ("owner", "relayer", "attestor")
        ]
        roles = cls(*by_role, make_key(home, "admin"), make_key(home, "relayer-hub"))
        next(iter(anvils.values())).fund(Account.from_key(SENDER_KEY).address)
        for name, anvil in anvils.items():
            anvil.fund(roles.owners[name].address)
            anvil.fund(roles.relayers[name].address)
        return roles


@dataclass(frozen=True, slots=True)
class End:
    """An anvil with contracts, and the attestor that speaks for it."""

    name: str
    anvil: Anvil
    deployment: dict[str, Any]
    attestor: Key
    attestor_port: int
    poll_ms: int

    def chain_table(self, relayer: Key) -> str:
        """For the relay's configuration."""
        return (
            f'\n[[chains]]\nname = "{self.name}"\nkind = "evm"\nchain_id = {self.anvil.chain_id}\nconsensus = "attested"\n'
            f'attestors = ["http://127.0.0.1:{self.attestor_port}"]\nconfirmations = 0\nrpc = ["{self.anvil.url}"]\n'
            f'router = "{self.deployment["router"]}"\nstart_height = {self.deployment["height"]}\n'
            f"poll_interval_ms = {self.poll_ms}\nrequests_per_s = 100000\nkey = {relayer.toml}\n"
        )

    def start_attestor(self, stack: ExitStack, home: Path, path: dict[str, Any], profiles: Path | None) -> Process:
        """It attests for the destination of `path`."""
        (destination,) = path["destinations"]
        file = home / f"attestor-{self.name}.toml"
        write(
            file,
            f'[attestor]\nhome = "{home / f"attestor-{self.name}"}"\nhttp = "127.0.0.1:{self.attestor_port}"\n'
            f'key = {self.attestor.toml}\nlog_level = "warning"\nrequests_per_s = 10000\n'
            f'\n[source]\nchain_id = {self.anvil.chain_id}\nrpc = ["{self.anvil.url}"]\n'
            f'router = "{self.deployment["router"]}"\nconfirmations = 0\npoll_interval_ms = {self.poll_ms}\n'
            f'\n[[destinations]]\nchain_id = "{destination["chain_id"]}"\nrouter = "{destination["router"]}"\n'
            f'client = "{destination["client"]}"\n',
        )
        return start(stack, f"attestor {self.name}", ["attest", "run", "--config", str(file)], home, profiles)


@dataclass(frozen=True, slots=True)
class HubProcesses:
    """Its validators' processes and ports, in the same order."""

    processes: tuple[Process, ...]
    ethereum_ports: tuple[int, ...]
    cometbft_ports: tuple[int, ...]


def start_hub(
    stack: ExitStack, home: Path, admin: Key, keys: int, validators: int, profiles: Path | None
) -> HubProcesses:
    """Initialise and start validators in `home`; returns when each makes blocks.

    Args:
        keys: that the genesis state has beforehand.
        profiles: see `bench.direct_lane.start`.
    """
    base = free_base_port([PORT_STEP * index + part for index in range(validators) for part in range(PORT_STEP)])
    arguments = [
        *("hub", "init", "--home", str(home / "hub"), "--chain-id", HUB_CHAIN_ID),
        *("--evm-chain-id", str(HUB_EVM_CHAIN_ID), "--admin", admin.address),
        *("--block-max-gas", str(HUB_BLOCK_GAS)),
    ]
    if validators == 1:
        command(arguments)
        ports = ["--port", str(base + 1), "--cometbft-port", str(base + 2)]
        starts = [["hub", "start", "--home", str(home / "hub"), *ports]]
    else:
        printed = command([*arguments, "--validators", str(validators), "--base-port", str(base)])
        starts = [shlex.split(line)[1:] for line in printed.splitlines() if line.startswith("hutong hub start")]
    names = ["hub"] if validators == 1 else [f"hub {number}" for number in range(1, validators + 1)]
    for arguments in starts:
        fill_hub(Path(arguments[arguments.index("--home") + 1]), keys)
    processes = [start(stack, name, arguments, home, profiles) for name, arguments in zip(names, starts, strict=True)]
    ethereum_ports = tuple(base + PORT_STEP * index + 1 for index in range(validators))
    for port, process in zip(ethereum_ports, processes, strict=True):
        _until_blocks(port, process)
    return HubProcesses(tuple(processes), ethereum_ports, tuple(port + 1 for port in ethereum_ports))


def _until_blocks(port: int, hub: Process) -> None:
    deadline = time.monotonic() + 300
    while True:
        try:
            if int(Rpc(f"http://127.0.0.1:{port}")("eth_blockNumber"), 16) > 0:
                return
        except OSError:
            pass
        if time.monotonic() > deadline or hub.process.poll() is not None:
            raise RuntimeError(f"{hub.name} does not start: {hub.log.read_text()[-1000:]}")
        time.sleep(0.1)


def deploy_contracts(anvil: Anvil, owner: Key) -> dict[str, Any]:
    """What `hutong deploy --json` says."""
    arguments = [
        "deploy",
        "--rpc",
        anvil.url,
        "--chain-id",
        str(anvil.chain_id),
        *owner.options,
        "--json",
        "--development",
    ]
    return dict(json.loads(command([*arguments, "--forward-margin-s", str(MARGIN_S)])))


def connect_path(config: Path, end: End, roles: Roles) -> dict[str, Any]:
    """What `hutong path create --json` says."""
    arguments = ["path", "create", "--config", str(config), "--chain", end.name, *roles.owners[end.name].options]
    arguments += ["--hub-admin", str(roles.admin.keystore), "--hub-admin-password-file", str(roles.admin.password_file)]
    arguments += ["--attestor", end.attestor.address, "--max-clock-drift-s", str(DRIFT_S)]
    arguments += ["--mailbox", end.deployment["mailbox"], "--transfer", end.deployment["transfer"]]
    return dict(json.loads(command([*arguments, "--yes", "--json"])))


def _introduce(
    config: Path, clients: dict[str, dict[str, str]], owners: dict[str, Key], deployments: dict[str, Any]
) -> None:
    for here, there in (("a", "b"), ("b", "a")):
        arguments = ["peer", "add", "--config", str(config), "--chain", here, "--mailbox", deployments[here]["mailbox"]]
        command([*arguments, "--hub-client", clients[there]["hub"], "--name", there, *owners[here].options])
