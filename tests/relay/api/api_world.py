"""A ledger of some messages, simulated chains, and the API over both: under trio, or under uvicorn in a thread."""

import asyncio
import socket
import threading
import time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import trio
import uvicorn

from hutong.adapters.simulated import Faults, SimulatedAdapter, SimulatedChain
from hutong.relay.api.reading.backend import Chains, ThreadBackend, TrioBackend
from hutong.relay.api.reading.chain_views import ChainViews
from hutong.relay.api.service import Service
from hutong.relay.api.serving.app import create_app
from hutong.relay.api.serving.standalone import serve, server_config
from hutong.relay.archive import Archive
from hutong.relay.config import Config
from hutong.relay.core.history.letters import Chosen, check_job
from hutong.relay.core.topology.paths import Paths
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.ledger import App, Cause, Ledger, Note, Outcome, PacketFacts, RouteNote, Step

NOW_NS = time.time_ns()
MINUTE_NS = 60 * 10**9
ALICE = "0x" + "a1" * 20
BOB = "0x" + "b0" * 20
TOKEN = "0x" + "70" * 20
MESSAGE_ID = "0x" + "1d" * 32
SENT_HASH = "0x" + "5e" * 32
DELIVERED_HASH = bytes.fromhex("de" * 32)
CLIENT = "bft-evm-0"


def chain_table(name: str, chain_id: int) -> dict:
    return {
        "name": name, "kind": "evm", "chain_id": chain_id, "consensus": "qbft", "rpc": ["http://127.0.0.1:1"],
        "router": "0x" + "11" * 20, "key": {"keystore": "k", "password_env": "P"},
    }  # fmt: skip


def hub_table() -> dict:
    return {
        "name": "hub", "kind": "hub", "chain_id": "hutong-1", "rpc": ["http://127.0.0.1:1"],
        "consensus_rpc": ["http://127.0.0.1:1"], "key": {"keystore": "k", "password_env": "P"},
    }  # fmt: skip


def config_of(home: Path, **api) -> Config:
    """alpha and beta: a direct path, and one each to the hub."""
    ends = [
        ({"chain": "alpha", "client": CLIENT}, {"chain": "beta", "client": CLIENT}),
        ({"chain": "alpha", "client": "client-0"}, {"chain": "hub", "client": "bft-evm-1"}),
        ({"chain": "beta", "client": "client-0"}, {"chain": "hub", "client": "bft-evm-2"}),
    ]
    return Config.model_validate(
        {
            "relay": {"home": str(home)},
            "chains": [chain_table("alpha", 1001), chain_table("beta", 1002), hub_table()],
            "paths": [{"a": a, "b": b} for a, b in ends],
            "api": {"listen": "127.0.0.1:0", "rate_limit_per_s": 1_000_000, **api},
        }
    )


def facts(sequence: int, **fields) -> PacketFacts:
    """A direct message from alpha to beta."""
    defaults = {
        "packet_id": f"alpha/{CLIENT}/{sequence}",
        "source_chain": "alpha", "source_client": CLIENT, "destination_chain": "beta", "destination_client": CLIENT,
        "sequence": sequence, "source_port": "gmpport", "destination_port": "gmpport", "payload_bytes": 5,
        "timeout_timestamp_s": NOW_NS // 10**9 + 3_600, "app": App.MESSAGE.value, "sender": ALICE, "receiver": BOB,
    }  # fmt: skip
    return PacketFacts(**(defaults | fields))


def sent(one: PacketFacts, at_ns: int, transaction: str | None = None, **fields) -> Note:
    return Note(
        one.packet_id, "receive", Step.SEEN, one.source_chain, at_ns, facts=one, height=7, block_time_ns=at_ns,
        transaction_hash=None if transaction is None else bytes.fromhex(transaction[2:]), **fields,
    )  # fmt: skip


def received(one: PacketFacts, at_ns: int) -> Note:
    return Note(
        one.packet_id, "receive", Step.INCLUDED, one.destination_chain, at_ns, facts=one, height=9,
        block_time_ns=at_ns, transaction_hash=DELIVERED_HASH,
    )  # fmt: skip


def acknowledged(one: PacketFacts, at_ns: int) -> Note:
    return Note(
        one.packet_id, "acknowledge", Step.INCLUDED, one.source_chain, at_ns, facts=one, height=11,
        block_time_ns=at_ns, transaction_hash=DELIVERED_HASH, outcome=Outcome.ACKNOWLEDGED,
    )  # fmt: skip


async def write_ledger(home: Path) -> None:
    """1 done with a message id; 2 open; 3 dead; 4 a forwarded transfer on its second leg; 5 to 12 done."""
    ledger = Ledger.open_file(home / "ledger.sqlite")
    start_ns = NOW_NS - 50 * MINUTE_NS
    try:
        first = facts(1, message_id=MESSAGE_ID)
        ledger.note(
            [
                sent(first, start_ns, SENT_HASH),
                received(first, start_ns + 10**9),
                acknowledged(first, start_ns + 2 * 10**9),
            ]
        )
        ledger.note([sent(facts(2), start_ns + MINUTE_NS)])
        third = facts(3)
        reason = "alpha: eth_call failed on every endpoint: http://10.1.2.3:8545: refused"
        ledger.note([
            sent(third, start_ns + 2 * MINUTE_NS),
            Note(third.packet_id, "receive", Step.DEAD, "beta", start_ns + 3 * MINUTE_NS, reason=reason, cause=Cause.ENDPOINT),
        ])  # fmt: skip
        token = {
            "source_port": "transfer", "destination_port": "transfer", "app": App.TRANSFER.value, "denom": TOKEN,
            "amount": 10**18, "forward_key": "f" * 64,
        }  # fmt: skip
        leg_1 = facts(
            4, packet_id="alpha/client-0/4", source_client="client-0", destination_chain="hub",
            destination_client="bft-evm-1", next_client="bft-evm-2", final_chain="beta", final_client="client-0", **token,
        )  # fmt: skip
        leg_2 = facts(
            1, packet_id="hub/bft-evm-2/1", source_chain="hub", source_client="bft-evm-2", destination_client="client-0",
            leg_of="alpha/client-0/4", **token | {"denom": f"transfer/bft-evm-1/{TOKEN}"},
        )  # fmt: skip
        at_ns = start_ns + 4 * MINUTE_NS
        ledger.note([sent(leg_1, at_ns), received(leg_1, at_ns + 10**9), sent(leg_2, at_ns + 10**9)])
        ledger.note([RouteNote("beta:client-0", at_ns + 2 * 10**9, "the client is Frozen", Cause.CLIENT_INACTIVE, 3)])
        for sequence in range(5, 13):
            at_ns = start_ns + sequence * MINUTE_NS
            one = facts(sequence)
            ledger.note([sent(one, at_ns), received(one, at_ns + 10**9), acknowledged(one, at_ns + 2 * 10**9)])
        await ledger.flush()
    finally:
        ledger.close()


class FewLetters:
    """Stands for the queue's dead letters: only these jobs are there, of the cause `endpoint`."""

    def __init__(self, *jobs: str) -> None:
        self.jobs = set(jobs)
        self.left_alone: dict[str, str] = {}

    async def retry(self, job: str) -> bool:
        return job in self.jobs

    async def retry_all(self, chosen: Chosen) -> int:
        return len(self.jobs) if chosen.cause in (None, "endpoint") else 0

    async def ignore(self, job: str, reason: str) -> None:
        check_job(job)
        self.left_alone[job] = reason

    async def heed(self, job: str) -> bool:
        return self.left_alone.pop(job, None) is not None


def simulated_adapters() -> dict[str, SimulatedAdapter]:
    chains = {
        name: SimulatedChain(name, chain_id, genesis_time_s=NOW_NS // 10**9 - 60)
        for name, chain_id in (("alpha", 1001), ("beta", 1002), ("hub", 1003))
    }
    for chain in chains.values():
        chain.produce_block(NOW_NS // 10**9 - 30)
    alpha, beta, _ = chains.values()
    for here, there in ((alpha, beta), (beta, alpha)):
        here.create_client("bft-evm", *there.states_at(1, 86_400, 10))
        here.register_counterparty(CLIENT, CLIENT, (b"",))
    for chain in chains.values():
        chain.produce_block(NOW_NS // 10**9 - 20)
    return {name: SimulatedAdapter(chain, Faults()) for name, chain in chains.items()}


def chains_of(config: Config, adapters=None, letters=None) -> tuple[Chains, ChainViews]:
    adapters = adapters or simulated_adapters()
    paths = Paths.of(config.paths)
    chains = Chains(
        config,
        adapters,
        paths,
        Archive(config.relay.home / "evidence"),
        letters or FewLetters(f"receive:alpha/{CLIENT}/3"),
    )
    return chains, ChainViews(config, adapters, paths, time.time_ns)


@asynccontextmanager
async def api_under_trio(config: Config, adapters=None, letters=None, **listening):
    """(URL, service) of the API as it is inside the relay."""
    chains, views = chains_of(config, adapters, letters)
    service = Service.of(config, config.api, TrioBackend(chains, views), inside_relay=True)
    try:
        async with trio.open_nursery() as nursery:
            http = listen_config("127.0.0.1", 0)
            http.h11_max_incomplete_size = 32 * 1024

            async def start(task_status=trio.TASK_STATUS_IGNORED):
                await listen(create_app(service), http, task_status=task_status, **listening)

            port = await nursery.start(start)
            nursery.start_soon(views.run)
            nursery.start_soon(service.changes.run)
            yield f"http://127.0.0.1:{port}", service
            nursery.cancel_scope.cancel()
    finally:
        service.close()


class _ThreadedServer(uvicorn.Server):
    @contextmanager
    def capture_signals(self):
        yield


@contextmanager
def api_under_uvicorn(config: Config, adapters=None):
    """(URL, service) of the API as `hutong api run` serves it."""
    started = threading.Event()
    holder = {}

    async def chains_side():
        chains, views = chains_of(config, adapters)
        with trio.CancelScope() as scope:
            holder["backend"] = ThreadBackend(chains, views, trio.lowlevel.current_trio_token())
            holder["scope"] = scope
            started.set()
            await views.run()

    chains_thread = threading.Thread(target=trio.run, args=(chains_side,), daemon=True)
    chains_thread.start()
    started.wait(60)
    service = Service.of(config, config.api, holder["backend"], inside_relay=False)
    server = _ThreadedServer(server_config(create_app(service), config.api))
    sock = socket.create_server(("127.0.0.1", 0))
    serving = threading.Thread(target=lambda: asyncio.run(serve(server, service, sock)), daemon=True)
    serving.start()
    try:
        deadline = time.monotonic() + 60
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}", service
    finally:
        server.should_exit = server.force_exit = True
        serving.join(60)
        holder["backend"].stop(holder["scope"])
        chains_thread.join(60)
        service.close()
        sock.close()
