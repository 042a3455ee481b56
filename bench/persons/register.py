"""`python -m bench identity register`: persons registered on a hub of one validator, as it is run, by a registrar.

Keys and signatures of the persons are made before anything is timed, as persons make them. Then the registrar keeps their leaves,
makes batches and sends them; the hub takes them into blocks. The machine may be shared: beside persons a second of wall time
stands what a person costs each side of processor time, and the load. `possible` is what two idle cores would do: the hub on
one, the registrar on the other. Bounds hold of processor time and bytes, so that a busy machine breaks none.
"""

import json
import os
import re
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.direct_lane import children_of, cpu_ms_of
from bench.hub.join import asked, command, run_measured
from bench.persons.registrations import batches
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import accredit_root_action, action_hash, set_identity_action
from hutong.relay.hub.application.genesis import decode_genesis
from hutong.relay.hub.application.identity import interface
from hutong.relay.hub.application.module import CLIENT_MANAGER_ADDRESS, IDENTITY_ADDRESS
from hutong.relay.services.identity.registrar.shards import Executed, Shards, open_shards
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.persons import calls
from hutong.relay.services.identity.rules.persons.registrar import PERSONS_SCHEMA
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose
from hutong.relay.services.identity.rules.records.shard_record import ShardRecord, decode_shard_record
from tests.relay.hub.application.identity.organisations import HUB, key_struct, named, policy, public_key, registered
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.hub.simulated_hub import ADMINS, EVM_CHAIN_ID, SimulatedHub

BLOCK_GAS = 100_000_000
GAS = 2**24
PENDING = 40
"""Batches that wait at the hub at a time."""
LIMIT_S = 7_200
ANSWER_LIMIT_S = 300
IDLE_BLOCKS = 240
LOOK_S = 0.05
Figures = dict[str, float]
POSSIBLE, GREW, IDLE = "possible on two idle cores, persons a second", "hub state grew by, bytes", "after over before"
SYNCED = "second node synced, CPU-s"
LEAST: Figures = {POSSIBLE: 2_000}
MOST: Figures = {GREW: 1_000, IDLE: 1.2, SYNCED: 120}


@dataclass
class Lane:
    """The hub's process and the registrar's account."""

    hub: HubProcess
    nonces: dict[str, int]

    def ask(self, method: str, *params: Any) -> Any:
        """As `HubProcess.rpc`, on a machine that others keep busy."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.hub.eth_url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_S) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def raw(self, to: bytes, data: bytes, account: LocalAccount) -> str:
        """A signed transaction."""
        nonce = self.nonces.get(account.address, 0)
        self.nonces[account.address] = nonce + 1
        fields: dict[str, Any] = {
            "chainId": EVM_CHAIN_ID,
            "nonce": nonce,
            "gas": GAS,
            "gasPrice": 0,
            "value": 0,
            "to": to_checksum_address(to),
            "data": data,
        }
        return "0x" + bytes(account.sign_transaction(fields).raw_transaction).hex()

    def send(self, to: bytes, data: bytes, account: LocalAccount) -> None:
        """Send one and wait for it.

        Raises:
            RuntimeError: it failed.
        """
        sent = self.ask("eth_sendRawTransaction", self.raw(to, data, account))
        deadline = time.monotonic() + LIMIT_S
        while (receipt := self.ask("eth_getTransactionReceipt", sent)) is None:
            if time.monotonic() > deadline:
                raise RuntimeError("the hub takes no transaction")
            time.sleep(LOOK_S)
        if int(receipt["status"], 16) != 1:
            raise RuntimeError(f"refused: {receipt}")

    def decide(self, action: bytes) -> None:
        """By two admins."""
        for admin in ADMINS[:2]:
            self.send(CLIENT_MANAGER_ADDRESS, abi.APPROVE.call(action_hash("hutong-1", action)), admin)
        self.send(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(action), ADMINS[0])

    def record(self, registrar: bytes) -> ShardRecord | None:
        """Of shard 0, by the node's word."""
        key = keys.shard_key(registrar, 0)
        rows = self.ask("hutong_identity", f"0x{key[:-8].hex()}", f"0x{key[:-8].hex()}")
        return decode_shard_record(bytes.fromhex(rows[0]["value"][2:])) if rows else None

    def cpu_ms(self) -> float:
        """Of the hub and its children."""
        assert self.hub.process is not None
        pid = self.hub.process.pid
        return cpu_ms_of(pid) + sum(map(cpu_ms_of, children_of(pid)))


def main(console: Console, size: int) -> None:
    """Figures of one run, in a table and as JSON, and the bounds that they are held against.

    Raises:
        SystemExit: code 1, a bound does not hold.
    """
    with tempfile.TemporaryDirectory(prefix="hutong-bench-") as folder:
        figures = measure(console, Path(folder), size)
    table = Table(title=f"{size:,} persons registered, one validator", title_justify="left")
    for name in ("what", "is", "at least", "at most"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for name, figure in figures.items():
        bounds = (f"{bound[name]:,}" if name in bound else "" for bound in (LEAST, MOST))
        table.add_row(name, f"{figure:,.3f}" if figure < 10 else f"{figure:,.0f}", *bounds)
    console.print(table)
    console.print_json(json.dumps(figures))
    broken = [name for name, least in LEAST.items() if figures[name] < least]
    broken += [name for name, most in MOST.items() if figures[name] > most]
    if broken:
        raise SystemExit(f"out of their bounds: {', '.join(broken)}")


def measure(console: Console, folder: Path, size: int) -> Figures:
    """Everything, in order.

    Raises:
        AssertionError: what the registrar keeps, the hub holds and the second node verified are not one.
    """
    log_key, controller = named("bench log"), named("bench controller")
    registrar = registered(controller, bytes(32))
    made = list(
        track(batches(HUB, registrar, size), "keys and signatures", -(-size // 760), console=console, transient=True)
    )
    home = new_home(folder / "hub", block_max_gas=BLOCK_GAS)
    lane = Lane(HubProcess(home).start(), {})
    try:
        _prepare(lane, registrar, controller, log_key)
    finally:
        lane.hub.stop()
    shutil.copytree(home, folder / "before")
    before_bytes = _identity_bytes(folder / "before")
    lane.hub.start()
    try:
        with open_shards(folder / "shards", registrar) as shards:
            figures = _register(lane, shards, (registrar, thumbprint(public_key(log_key))), made, log_key)
            record = lane.record(registrar)
            assert record is not None and record.root == shards.files[0].root
        figures |= {"load of the machine": os.getloadavg()[0]}
    finally:
        lane.hub.stop()
    figures[GREW] = _identity_bytes(home) - before_bytes
    figures["block data of a person, bytes"] = sum(map(len, made)) / size
    figures |= _idle(folder, home)
    return figures | _second_node(folder, home)


def _prepare(lane: Lane, registrar: bytes, controller: LocalAccount, log_key: LocalAccount) -> None:
    lane.decide(set_identity_action(1, True, 64, 604_800))
    lane.decide(accredit_root_action(2, registrar, PERSONS_SCHEMA, 0, (0, 2**40)))
    first = [key_struct(public_key(log_key), KeyPurpose.LOG)]
    values = (bytes(32), policy([controller]), bytes(32), first, PERSONS_SCHEMA)
    lane.send(IDENTITY_ADDRESS, interface.REGISTER_ACCREDITED.call(*values), controller)


def _register(
    lane: Lane, shards: Shards, writer: tuple[bytes, bytes], made: Iterable[bytes], log_key: LocalAccount
) -> Figures:
    """The registrar's work, and the hub's beside it."""
    started, hub_ms, own_s = time.monotonic(), lane.cpu_ms(), time.process_time()
    for sent, entries in enumerate(made, 1):
        number, shard = shards.last()
        data = calls.REGISTER_PERSONS.encode(writer, number, shard.edge(), entries)
        shards.apply(Executed(data, 0))
        lane.ask("eth_sendRawTransaction", lane.raw(IDENTITY_ADDRESS, data, log_key))
        while sent - _taken(lane, log_key) > PENDING:
            time.sleep(LOOK_S)
    shards.keep(0)
    count = shards.files[0].count
    deadline = time.monotonic() + LIMIT_S
    while (record := lane.record(shards.registrar)) is None or record.count < count:
        if time.monotonic() > deadline:
            raise RuntimeError("the hub does not take the last batches")
        time.sleep(LOOK_S)
    took_s = time.monotonic() - started
    hub_us = (lane.cpu_ms() - hub_ms) * 1_000 / count
    own_us = (time.process_time() - own_s) * 1_000_000 / count
    return {
        "persons a second, wall time": count / took_s,
        "wall time, s": took_s,
        "processor time of the hub, µs a person": hub_us,
        "processor time of the registrar, µs a person": own_us,
        POSSIBLE: 1_000_000 / max(hub_us, own_us),
    }


def _taken(lane: Lane, account: LocalAccount) -> int:
    return int(lane.ask("eth_getTransactionCount", account.address, "latest"), 16)


def _opened(home: Path) -> tuple[LmdbStore, SimulatedHub]:
    """The chain of a home whose node does not run; blocks are made by the validator's key."""
    store = LmdbStore(home / "data", map_bytes=2**36, sync=False)
    return store, SimulatedHub(store, decode_genesis((home / "genesis.json").read_bytes()))


def _identity_bytes(home: Path) -> int:
    """Keys and values of identity in the newest state."""
    store, hub = _opened(home)
    try:
        return sum(len(key) + len(value) for key, value in hub.view().with_prefix(b"identity/"))
    finally:
        store.close()


def _idle(folder: Path, home: Path) -> Figures:
    """Processor time of an empty block with its app hash, before and after, in turns; the least of each."""
    shutil.copytree(home, folder / "after")
    best = dict.fromkeys(("before", "after"), float("inf"))
    opened = {name: _opened(folder / name) for name in best}
    for _ in range(IDLE_BLOCKS):
        for name, (_, hub) in opened.items():
            began = time.process_time()
            hub.advance()
            best[name] = min(best[name], (time.process_time() - began) * 1_000)
    for store, _ in opened.values():
        store.close()
    return {
        "an empty block before, CPU-ms": best["before"],
        "an empty block after, CPU-ms": best["after"],
        IDLE: best["after"] / best["before"],
    }


def _second_node(folder: Path, home: Path) -> Figures:
    """A node that joins by state sync, as a person does it."""
    hub = HubProcess(home).start()
    height = hub.height
    hub.stop()
    snapshot = run_measured(command("snapshot", "make", "--home", str(home), "--height", str(height - 2)))
    hub = HubProcess(home).start()
    try:
        hub.wait_for_height(height + 1, 60)
        commit: Any = asked(f"{hub.cometbft_url}/commit?height={height}")["signed_header"]["commit"]
        words = ("join", "--home", str(folder / "second"), "--genesis", str(home / "genesis.json"))
        trust = ("--trust-height", str(height), "--trust-hash", commit["block_id"]["hash"])
        joined = run_measured(command(*words, "--from", hub.cometbft_url, *trust))
        found = re.search(r"at block (\d+): (\d+) blocks verified, app hash ([0-9a-f]{64})", joined[3])
        assert found is not None, joined[3]
        header = asked(f"{hub.cometbft_url}/header?height={found[1]}")["header"]
        assert header["app_hash"] == found[3].upper()
    finally:
        hub.stop()
    return {
        "snapshot made, s": snapshot[0],
        "second node synced, s": joined[0],
        SYNCED: joined[1],
    }
