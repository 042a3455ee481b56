"""One hub with many registered chains, of which some send: hub, relay and sending chains as processes of their own."""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import trio
from eth_abi.abi import decode
from eth_account import Account
from eth_utils.address import to_canonical_address

from bench.direct_lane import (
    ACKNOWLEDGED_TOPIC,
    DELIVERED_TOPIC,
    PAYLOAD,
    SENDER_KEY,
    Process,
    Rpc,
    command,
    start,
    until_ready,
    write,
)
from bench.hub.lane import HUB_BLOCK_GAS, HUB_CHAIN_ID, HUB_EVM_CHAIN_ID, LIFETIME_S, SEND_FORWARDED
from hutong.adapters.evm.administration.deploy import Deployment, deploy, set_forwarded_peer
from hutong.adapters.evm.submit import evm_reverts
from hutong.adapters.ics26.execution import ExecutionRpc, identify_execution
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.rpc import RpcOptions, open_rpc_client
from hutong.contracts.artifacts import load_artifact
from hutong.relay.administration.beginnings import Agreement
from hutong.relay.administration.paths import Member, Trust, create_with_hub
from hutong.relay.cli.common.confirming import AtTerminal
from hutong.relay.config import Config, load_config
from hutong.relay.local.config_file import chain_table, hub_table, path_table
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.ports import free_port

FIRST_CHAIN_ID = 8_001
NETWORK_FILE = "network.json"
GROUP = 20
"""Silent chains of one process."""
ADMINS = 8
"""So many chains are connected at once: each with an admin of its own, since an admin's transactions follow each other."""
MARGIN_S = 5
START_LIMIT_S = 400
DAY_S = 86_400
TRUST = Trust(7 * DAY_S, 21 * DAY_S, 15)
SEND_GAS = 800_000
ORIGIN = "(string,string,string,uint64,bool)"


@dataclass
class Chain:
    """A dev chain and what stands on it. `client` is its client of the hub, `on_hub` the hub's client of it."""

    name: str
    chain_id: int
    port: int
    relayer: Key
    deployment: Deployment | None = None
    client: str = ""
    on_hub: str = ""
    receiver: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def deployed(self) -> Deployment:
        assert self.deployment is not None, self.name
        return self.deployment

    @property
    def table(self) -> str:
        there = self.deployed
        return chain_table(self.name, self.chain_id, self.port, there.router, there.height, self.relayer)

    @property
    def path(self) -> str:
        ends = {"a": {"chain": self.name, "client": self.client}, "b": {"chain": "hub", "client": self.on_hub}}
        return path_table(ends)


@dataclass
class Sender:
    """A chain's user, who sends over the hub to one other chain, and what that chain's contract has been given."""

    chain: Chain
    to: Chain
    process: Process
    sent_at_s: dict[int, float] = field(default_factory=dict)
    """By sequence, which the user's nonce tells: nobody else sends over that client."""
    delivered_at_s: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._here, self._there = Rpc(self.chain.url), Rpc(self.to.url)
        self._account = Account.from_key(SENDER_KEY)
        self._nonce = int(self._here("eth_getTransactionCount", self._account.address, "latest"), 16)
        self._read_to = int(self._there("eth_blockNumber"), 16)

    def send(self) -> None:
        data = SEND_FORWARDED.encode(
            self.chain.client, self.to.on_hub, self.to.receiver.lower(), PAYLOAD, int(time.time()) + LIFETIME_S
        )
        transaction = {
            "chainId": self.chain.chain_id,
            "nonce": self._nonce,
            "gas": SEND_GAS,
            "value": 0,
            "type": 2,
            "to": self.chain.deployed.mailbox,
            "data": data,
            "maxFeePerGas": 10 * 10**9,
            "maxPriorityFeePerGas": 10**9,
        }
        raw = self._account.sign_transaction(transaction).raw_transaction
        self._here("eth_sendRawTransaction", "0x" + raw.hex())
        self._nonce += 1
        self.sent_at_s[self._nonce] = time.monotonic()

    def look(self) -> None:
        """At what was delivered since the last look."""
        head = int(self._there("eth_blockNumber"), 16)
        if head <= self._read_to:
            return
        query = _logs_of(self.to.deployed.mailbox, DELIVERED_TOPIC, self._read_to + 1, head)
        for log in self._there("eth_getLogs", query):
            origin, _ = decode([ORIGIN, "string"], bytes.fromhex(log["data"][2:]))
            if origin[0] == self.chain.name and origin[3] in self.sent_at_s:
                self.delivered_at_s.setdefault(origin[3], time.monotonic())
        self._read_to = head

    def unsettled(self) -> int:
        """Messages ever sent whose acknowledgement has not come home."""
        query = _logs_of(self.chain.deployed.mailbox, ACKNOWLEDGED_TOPIC, 0, None)
        return self._nonce - len(self._here("eth_getLogs", query))

    def waiting(self) -> int:
        return len(self.sent_at_s) - len(self.delivered_at_s)

    def connect_again(self) -> None:
        """After a restart of either chain."""
        self._here, self._there = Rpc(self.chain.url), Rpc(self.to.url)


def _logs_of(address: str, topic: bytes, first: int, last: int | None) -> dict[str, Any]:
    to_block = "latest" if last is None else hex(last)
    return {"address": address, "fromBlock": hex(first), "toBlock": to_block, "topics": ["0x" + topic.hex()]}


@dataclass
class ChainsLane:
    """`relay` runs with as many chains as it was last started with."""

    home: Path
    hub: Process
    hub_table: str
    chains: list[Chain]
    senders: list[Sender]
    groups: list[Process]
    owner: Key
    stack: ExitStack
    relay: Process | None = None

    def start_relay(self, registered: int, *, wait: bool = True) -> None:
        """The first `registered` chains are configured; of `wait`, until each of them is watched."""
        chains, port = self.chains[:registered], free_port()
        tables = f'[relay]\nhome = "{self.home / "relay"}"\nhttp = "127.0.0.1:{port}"\nlog_level = "warning"\n'
        tables += "".join(chain.table for chain in chains) + self.hub_table
        config = self.home / "relay.toml"
        write(config, tables + "".join(chain.path for chain in chains))
        self.relay = start(self.stack, "relay", ["relay", "run", "--config", str(config)], self.home)
        if wait:
            until_ready(port, [self.hub, self.relay], START_LIMIT_S)

    def stop_relay(self) -> None:
        assert self.relay is not None
        self.relay.stop()

    def restart(self, sender: Sender) -> None:
        """The process of a chain that was killed."""
        sender.process = _start_chain(self.stack, self.home, sender.chain, funded_addresses(self.owner, [sender.chain]))
        _until_blocks(sender.chain.url, [sender.process])
        for one in self.senders:
            if sender.chain in (one.chain, one.to):
                one.connect_again()


def funded_addresses(owner: Key, chains: Sequence[Chain]) -> list[str]:
    return [owner.address, Account.from_key(SENDER_KEY).address, *(chain.relayer.address for chain in chains)]


@contextmanager
def chains_lane(home: Path, *, registered: int, active: int) -> Iterator[ChainsLane]:
    """Start hub and chains; each of the first `active` sends to its neighbour. No relay yet.

    A home in which as many chains were deployed and connected before is taken up again; making one takes minutes.
    """
    home.mkdir(parents=True, exist_ok=True)
    network = _load(home) if (home / NETWORK_FILE).exists() else _make(home, registered)
    if len(network.chains) != registered:
        raise SystemExit(f"{home} has {len(network.chains)} chains, not {registered}")
    with ExitStack() as stack:
        chains, owner = network.chains, network.owner
        hub_ports = free_port(), free_port()
        hub = _start_hub(stack, home, hub_ports)
        processes = [_start_chain(stack, home, chain, funded_addresses(owner, [chain])) for chain in chains[:active]]
        silent = chains[active:]
        groups = [
            _start_group(stack, home, number, silent[first : first + GROUP], owner)
            for number, first in enumerate(range(0, len(silent), GROUP))
        ]
        for url in (f"http://127.0.0.1:{hub_ports[0]}", *(chain.url for chain in chains)):
            _until_blocks(url, [hub, *processes, *groups])
        hub_entry = hub_table(HUB_CHAIN_ID, hub_ports[:1], hub_ports[1:], network.relayer)
        if not (home / NETWORK_FILE).exists():
            trio.run(_Connecting(home, chains, owner, network.admins, hub_entry, active).run)
            _save(home, network)
        senders = [
            Sender(chain, chains[(number + 1) % active], processes[number])
            for number, chain in enumerate(chains[:active])
        ]
        yield ChainsLane(home, hub, hub_entry, chains, senders, groups, owner, stack)


@dataclass(frozen=True, slots=True)
class _Network:
    """What a home keeps."""

    chains: list[Chain]
    owner: Key
    relayer: Key
    """The relay's account on the hub."""
    admins: list[Key]


def _make(home: Path, registered: int) -> _Network:
    owner, relayer = make_key(home, "owner"), make_key(home, "relayer-hub")
    admins = [make_key(home, f"admin-{number}") for number in range(ADMINS)]
    named = [part for admin in admins for part in ("--admin", admin.address)]
    genesis = ["--chain-id", HUB_CHAIN_ID, "--evm-chain-id", str(HUB_EVM_CHAIN_ID), "--threshold", "1"]
    command(["hub", "init", "--home", str(home / "hub"), *genesis, "--block-max-gas", str(HUB_BLOCK_GAS), *named])
    chains = [
        Chain(f"c{number}", FIRST_CHAIN_ID + number, free_port(), make_key(home, f"relayer-{number}"))
        for number in range(registered)
    ]
    return _Network(chains, owner, relayer, admins)


def _save(home: Path, network: _Network) -> None:
    rows = [
        [chain.name, chain.chain_id, asdict(chain.deployed), chain.client, chain.on_hub, chain.receiver]
        for chain in network.chains
    ]
    addresses = [key.address for key in (network.owner, network.relayer, *(chain.relayer for chain in network.chains))]
    write(home / NETWORK_FILE, json.dumps({"chains": rows, "addresses": addresses}))


def _load(home: Path) -> _Network:
    kept = json.loads((home / NETWORK_FILE).read_text())

    def key(name: str, address: str) -> Key:
        return Key(home / "keys" / f"{name}.json", home / "keys" / f"{name}.password", address)

    owner, relayer, *relayers = kept["addresses"]
    chains = []
    for number, (name, chain_id, deployment, client, on_hub, receiver) in enumerate(kept["chains"]):
        there = Deployment(**deployment)
        relayer_here = key(f"relayer-{number}", relayers[number])
        chains.append(Chain(name, chain_id, free_port(), relayer_here, there, client, on_hub, receiver))
    return _Network(chains, key("owner", owner), key("relayer-hub", relayer), [])


def _start_hub(stack: ExitStack, home: Path, ports: tuple[int, int]) -> Process:
    hub_home = ["--home", str(home / "hub"), "--port", str(ports[0]), "--cometbft-port", str(ports[1])]
    return start(stack, "hub", ["hub", "start", *hub_home], home)


def _start_chain(stack: ExitStack, home: Path, chain: Chain, funded: Sequence[str]) -> Process:
    arguments = ["devnet", "start", "--home", str(home / chain.name), "--chain-id", str(chain.chain_id)]
    arguments += ["--port", str(chain.port), *(part for address in funded for part in ("--fund", address))]
    return start(stack, chain.name, arguments, home)


def _start_group(stack: ExitStack, home: Path, number: int, chains: Sequence[Chain], owner: Key) -> Process:
    funded = ",".join(address[2:] for address in funded_addresses(owner, chains))
    program = (sys.executable, "-m", "bench.devnet_group")
    named = [f"{chain.port}:{chain.chain_id}" for chain in chains]
    arguments = [str(home), funded, *named]
    return start(stack, f"silent chains {number}", arguments, home, program=program)


def _until_blocks(url: str, processes: Sequence[Process]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        try:
            if int(Rpc(url)("eth_blockNumber"), 16) > 0:
                return
        except OSError:
            pass
        ended = [process for process in processes if process.process.poll() is not None]
        if ended or time.monotonic() > deadline:
            raise SystemExit(f"no blocks at {url}; ended: {[process.log.read_text()[-500:] for process in ended]}")
        time.sleep(0.1)


@dataclass(frozen=True, slots=True)
class _Connecting:
    """What members do once, by the functions behind `hutong deploy`, `path create` and `peer add`, in one process."""

    home: Path
    chains: Sequence[Chain]
    owner: Key
    admins: Sequence[Key]
    hub_entry: str
    active: int

    async def run(self) -> None:
        await self._each(self._deploy, [(chain,) for chain in self.chains])
        file = self.home / "administration.toml"
        tables = f'[relay]\nhome = "{self.home / "administration"}"\n'
        write(file, tables + "".join(chain.table for chain in self.chains) + self.hub_entry)
        config = load_config(file)
        free: list[Key] = list(self.admins)
        await self._each(partial(self._connect, config, free), [(chain,) for chain in self.chains])
        senders = self.chains[: self.active]
        await self._each(partial(self._equip, senders), list(enumerate(senders)))

    @staticmethod
    async def _each(step: Any, arguments: Sequence[Any]) -> None:
        """Side by side, as many as there are admins."""
        limit = trio.CapacityLimiter(ADMINS)

        async def one(given: Any) -> None:
            async with limit:
                await step(*given)

        async with trio.open_nursery() as nursery:
            for given in arguments:
                nursery.start_soon(one, given)

    def _transactor(self, execution: ExecutionRpc, chain: Chain) -> Transactor:
        return Transactor(execution, chain.chain_id, self.owner.signer())

    async def _deploy(self, chain: Chain) -> None:
        identify = partial(identify_execution, chain_id=chain.chain_id)
        async with open_rpc_client(chain.name, (chain.url,), _random(), RpcOptions(), identify) as client:
            transactor = self._transactor(ExecutionRpc(client, evm_reverts()), chain)
            chain.deployment = await deploy(transactor, forward_margin_s=MARGIN_S, open_relaying=True)

    async def _connect(self, config: Config, free: list[Key], chain: Chain) -> None:
        evm, hub, admin = config.chain(chain.name), config.chain("hub"), free.pop()
        member = Member(evm, self.owner.signer(), chain.deployed.mailbox, None)  # type: ignore[arg-type]
        created = await create_with_hub(
            member, hub, [admin.signer()], TRUST, Agreement(AtTerminal(yes=True).confirm), _random()
        )  # type: ignore[arg-type]
        chain.client, chain.on_hub = created.a[1], created.b[1]
        free.append(admin)

    async def _equip(self, senders: Sequence[Chain], number: int, chain: Chain) -> None:
        """Neighbours on both sides are its peers."""
        identify = partial(identify_execution, chain_id=chain.chain_id)
        mailbox = to_canonical_address(chain.deployed.mailbox)
        async with open_rpc_client(chain.name, (chain.url,), _random(), RpcOptions(), identify) as client:
            transactor = self._transactor(ExecutionRpc(client, evm_reverts()), chain)
            for peer in (senders[number - 1], senders[(number + 1) % len(senders)]):
                await set_forwarded_peer(transactor, mailbox, peer.on_hub, peer.name)
            code = load_artifact("ExampleReceiver").bytecode + bytes(12) + mailbox
            receipt = await transactor.send(None, code)
            assert receipt.contract_address is not None
            chain.receiver = "0x" + receipt.contract_address.hex()


def _random() -> Random:
    return Random(os.urandom(16))
