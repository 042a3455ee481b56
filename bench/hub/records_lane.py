"""A value of one chain that the relay keeps readable on another: two QBFT dev chains, a hub, the relay, each a process."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_canonical_address

from bench.direct_lane import BenchFailed, Process, Rpc, command, start, until_ready, write
from hutong.adapters.evm.hub_reader import Answer, decode_answers
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.records import ObservationKey, SlotPlace
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.config_file import chain_table, hub_table, path_table
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.ports import free_port

HUB_CHAIN_ID, HUB_EVM_CHAIN_ID = "hutong-1", 47_001
FIRST_CHAIN_ID = 7_101
BLOCK_MS = 1_000
INTERVAL_S = 5
"""How old a record may become before it is renewed: a reader's 15 s are three times that."""
MARGIN_S = 5
START_LIMIT_S = 180
LOOK_S = 0.05
HOLDER = keccak256(b"bench records holder")[:20]
"""Whose balance is observed: each change gives it one more."""
BALANCES_SLOT = 0
"""Of OpenZeppelin's ERC20."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A read that the reader reverted: the selector of its error."""

    selector: bytes


@dataclass(frozen=True, slots=True)
class Chain:
    """A dev chain with contracts; `client` is its client of the hub, `on_hub` the hub's client of it."""

    name: str
    process: Process
    seen: DemoChain
    rpc: Rpc
    owner: Key
    account: LocalAccount
    """Of `owner`."""
    relayer: Key
    table: str

    def head(self) -> int:
        return int(self.rpc("eth_blockNumber"), 16)

    def time_s(self, height: int) -> int:
        return int(self.rpc("eth_getBlockByNumber", hex(height), False)["timestamp"], 16)


@dataclass
class RecordsLane:
    """`a` has the value, `b` the reader."""

    home: Path
    a: Chain
    b: Chain
    hub_url: str
    admin: Key
    relayer: Key
    """On the hub."""
    token: str
    reader: str
    tables: str
    """Of the relay's configuration, without `[relay]`."""
    stack: ExitStack
    balance: int = 0
    processes: list[Process] = field(default_factory=list)
    relay: Process | None = None

    def __post_init__(self) -> None:
        self.hub_rpc = Rpc(self.hub_url)

    @property
    def config(self) -> Path:
        return self.home / "relay.toml"

    @property
    def slot(self) -> bytes:
        return keccak256(encode(["address", "uint256"], [HOLDER, BALANCES_SLOT]))

    @property
    def key(self) -> bytes:
        """Of the record."""
        place = SlotPlace(to_canonical_address(self.token), self.slot)
        return ObservationKey.of(self.a.seen.client_on_hub, place).to_bytes()

    def start_relay(self) -> None:
        """Returns when it says that it is ready."""
        port = free_port()
        head = f'[relay]\nhome = "{self.home / "relay"}"\nhttp = "127.0.0.1:{port}"\nlog_level = "info"\n'
        write(self.config, head + self.tables)
        self.relay = start(self.stack, "relay", ["relay", "run", "--config", str(self.config)], self.home)
        until_ready(port, [*self.processes, self.relay], START_LIMIT_S)

    def kill_relay(self) -> None:
        """SIGKILL: it says nothing to anybody."""
        if self.relay is None:
            raise BenchFailed("no relay runs")
        self.relay.process.kill()
        self.relay.process.wait()

    def change(self) -> tuple[float, int]:
        """Give the holder one more; when the block with it was seen (`time.monotonic`), and its height."""
        token = self.a.seen.token(self.token)
        data = token.encode_abi("transfer", (HOLDER, 1))
        account = self.a.account
        fields = {"to": token.address, "data": data, "value": 0}
        digest = self.a.seen.transact(account, self.a.seen.next_nonce(account.address), fields)
        deadline = time.monotonic() + START_LIMIT_S
        while (receipt := self.a.rpc("eth_getTransactionReceipt", f"0x{digest.hex()}")) is None:
            if time.monotonic() > deadline:
                raise BenchFailed("A takes no transaction")
            time.sleep(LOOK_S)
        seen_s = time.monotonic()
        if int(receipt["status"], 16) != 1:
            raise BenchFailed("the transfer reverted")
        self.balance += 1
        return seen_s, int(receipt["blockNumber"], 16)

    def read(self, data: bytes, height: int | None = None) -> Answer | Refused:
        """A call of the reader in the state and at the time of a block of B; without one, of the newest."""
        call = {"to": self.reader, "data": f"0x{data.hex()}"}
        answer = self.b.rpc.answer("eth_call", call, "latest" if height is None else hex(height))
        error = answer.get("error")
        if error is None:
            (read,) = decode_answers(bytes.fromhex(answer["result"][2:]))
            return read
        reverted = error.get("data")
        if not isinstance(reverted, str) or len(reverted) < 10:
            raise BenchFailed(f"eth_call: {error}")
        return Refused(bytes.fromhex(reverted[2:10]))


@contextmanager
def records_lane(home: Path) -> Iterator[RecordsLane]:
    """Everything but the relay, made by the commands that the pages print."""
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        admin, relayer = make_key(home, "admin"), make_key(home, "relayer-hub")
        hub_ports = free_port(), free_port()
        genesis = ["--chain-id", HUB_CHAIN_ID, "--evm-chain-id", str(HUB_EVM_CHAIN_ID), "--admin", admin.address]
        command(["hub", "init", "--home", str(home / "hub"), *genesis, "--writer", f"{relayer.address}=8"])
        ports = ["--port", str(hub_ports[0]), "--cometbft-port", str(hub_ports[1])]
        hub = start(stack, "hub", ["hub", "start", "--home", str(home / "hub"), *ports], home)
        hub_url = f"http://127.0.0.1:{hub_ports[0]}"
        made = [_Made.start(stack, home, name, FIRST_CHAIN_ID + number) for number, name in enumerate("ab")]
        processes = [hub, *(one.process for one in made)]
        for url in (hub_url, *(one.url for one in made)):
            _until_blocks(url, processes)
        for one in made:
            one.deploy()
        tables = "".join(one.table for one in made) + hub_table(HUB_CHAIN_ID, hub_ports[:1], hub_ports[1:], relayer)
        config = home / "relay.toml"
        write(config, f'[relay]\nhome = "{home / "relay"}"\n{tables}')
        for one in made:
            tables += path_table(one.connect(config, admin))
        a, b = (one.chain() for one in made)
        token = a.seen.deploy(a.account, "ExampleToken", "bench token", "BENCH", 10**24)
        reader = _deploy_reader(b)
        lane = RecordsLane(home, a, b, hub_url, admin, relayer, token, reader, tables, stack, processes=processes)
        lane.tables += _observation(lane)
        lane.change()
        found = int(a.rpc("eth_getStorageAt", token, f"0x{lane.slot.hex()}", "latest"), 16)
        if found != lane.balance:
            raise BenchFailed(f"the holder's slot says {found}, not {lane.balance}")
        yield lane


def _observation(lane: RecordsLane) -> str:
    return (
        f'\n[[observations]]\nname = "balance"\nchain = "a"\ncontract = "{lane.token}"\nslot = "0x{lane.slot.hex()}"\n'
        f"on_change = true\ninterval_s = {INTERVAL_S}\n"
        f'push_to = [{{ chain = "b", reader = "{lane.reader}" }}]\n'
    )


def _deploy_reader(b: Chain) -> str:
    options = ["--rpc", b.seen.rpc_url, "--chain-id", str(b.seen.chain_id), "--router", b.seen.router_address]
    printed = command(["reader", "deploy", *options, "--client", b.seen.hub_client, *b.owner.options, "--json"])
    return str(json.loads(printed)["reader"])


@dataclass
class _Made:
    """A dev chain while it is being connected."""

    name: str
    chain_id: int
    url: str
    process: Process
    owner: Key
    relayer: Key
    deployment: dict[str, Any] = field(default_factory=dict)
    path: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def start(cls, stack: ExitStack, home: Path, name: str, chain_id: int) -> "_Made":
        owner, relayer, port = make_key(home, f"owner-{name}"), make_key(home, f"relayer-{name}"), free_port()
        arguments = ["devnet", "start", "--home", str(home / name), "--chain-id", str(chain_id), "--port", str(port)]
        arguments += ["--period-ms", str(BLOCK_MS), "--proof-block-ms", str(BLOCK_MS)]
        arguments += ["--fund", owner.address, "--fund", relayer.address]
        url = f"http://127.0.0.1:{port}"
        return cls(name, chain_id, url, start(stack, f"chain {name}", arguments, home), owner, relayer)

    def deploy(self) -> None:
        options = ["--rpc", self.url, "--chain-id", str(self.chain_id), *self.owner.options]
        self.deployment = json.loads(
            command(["deploy", *options, "--json", "--development", "--forward-margin-s", str(MARGIN_S)])
        )

    @property
    def table(self) -> str:
        port, there = int(self.url.rpartition(":")[2]), self.deployment
        return chain_table(self.name, self.chain_id, port, there["router"], int(there["height"]), self.relayer)

    def connect(self, config: Path, admin: Key) -> dict[str, Any]:
        arguments = ["path", "create", "--config", str(config), "--chain", self.name, *self.owner.options]
        arguments += ["--hub-admin", str(admin.keystore), "--hub-admin-password-file", str(admin.password_file)]
        self.path = json.loads(command([*arguments, "--yes", "--json"]))
        return self.path

    def chain(self) -> Chain:
        seen = DemoChain(
            self.name,
            self.url,
            self.chain_id,
            self.deployment["router"],
            hub_client=self.path["a"]["client"],
            client_on_hub=self.path["b"]["client"],
        )
        return Chain(
            self.name, self.process, seen, Rpc(self.url), self.owner, self.owner.account(), self.relayer, self.table
        )


def _until_blocks(url: str, processes: list[Process]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        try:
            if int(Rpc(url)("eth_blockNumber"), 16) > 0:
                return
        except OSError:
            pass
        for process in processes:
            if process.process.poll() is not None:
                raise BenchFailed(f"{process.name} ended: {process.log.read_text()[-1000:]}")
        if time.monotonic() > deadline:
            raise BenchFailed(f"{url} makes no block within {START_LIMIT_S} s")
        time.sleep(LOOK_S)
