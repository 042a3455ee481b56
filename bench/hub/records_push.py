"""How soon a value that changed on A is readable on B, and that nothing is readable once it is too old or its client frozen.

Two QBFT dev chains with blocks of one second, a hub of one validator, and a relay that observes one balance of A and pushes
it to a reader on B (`bench.hub.records_lane`). Then, in rounds, the relay is killed and somebody else goes on bringing the
hub's headers to B; at last A's validators are shown to have sealed two blocks, so that the hub freezes its client of A.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import trio
from eth_utils.address import to_canonical_address
from rich.console import Console
from rich.table import Table

from bench.direct_lane import BenchFailed, Rpc, command
from bench.hub.records_lane import (
    HUB_EVM_CHAIN_ID,
    INTERVAL_S,
    LOOK_S,
    START_LIMIT_S,
    RecordsLane,
    Refused,
    records_lane,
)
from bench.hub.records_stages import StageClock, p95, stage_table, wait_for
from hutong.adapters.evm.hub_reader import Answer, ShownRecords, encode_read_cached, encode_read_many
from hutong.light_clients.bft_evm import Consensus, decode_extra_data, header_of
from hutong.light_clients.bft_evm.codec import encode_misbehaviour
from hutong.light_clients.bft_evm.types import Misbehaviour
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.evm_header import header_from_rpc
from hutong.light_clients.interface import Height
from hutong.light_clients.records import PROVEN_ALONE
from hutong.relay.administration.clients.updates import bring_to_newest
from hutong.relay.administration.evm.access import Endpoint
from hutong.relay.administration.evm.reader_calls import show_records
from hutong.relay.base.child_processes import HUTONG
from hutong.relay.config import load_config
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.devnet.node import DATABASE_DIRECTORY
from hutong.relay.devnet.record import load_validators
from hutong.relay.evm.store.lmdb_store import LmdbStore

MAX_AGE_S = 15
REQUIRED_S = 5
"""Of the changes, 95 of 100."""
AFTERWARDS_S = 5
"""For so long a round goes on after all has to be refused."""
HEADER_EVERY_S = 3
READABLE_LIMIT_S = 900
"""On a machine that runs much else a record may be older than 15 s for minutes."""
FOR_EVER_S = 10**9
STALE_HEADER = keccak256(b"StaleHeader(uint256,uint256,uint256)")[:4]
STALE_SOURCE = keccak256(b"StaleSource(uint256,uint256,uint256)")[:4]
CLOSED = keccak256(b"ObservedClientClosed(string,uint64)")[:4]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m bench records_push`."""
    parser.add_argument("--changes", type=int, default=60, help="of the value, one after the other")
    parser.add_argument("--rounds", type=int, default=20, help="in which the relay is killed")
    parser.add_argument("--seed", type=int, default=1, help="of the pauses between changes and before a kill")
    parser.add_argument("--home", type=Path, help="an empty directory to keep files and logs in")


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Exits with 1 where something was readable that must not be, or the changes took longer than they may."""
    if arguments.changes < 2 or arguments.rounds < 1:
        raise SystemExit("--changes is 2 or more, --rounds 1 or more")
    with (
        tempfile.TemporaryDirectory(prefix="hutong-bench-") as temporary,
        records_lane(arguments.home or Path(temporary)) as lane,
    ):
        run = _Run(lane, Random(arguments.seed))
        lane.start_relay()
        figures = run.changes(arguments.changes, console)
        rounds = [run.killed() for _ in range(arguments.rounds)]
        figures |= _of_rounds(rounds) | run.frozen()
    table = Table(title="a balance of A, read on B", show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    for name, figure in figures.items():
        table.add_row(name, f"{figure:,.2f}")
    console.print(table)
    print(json.dumps({name: round(figure, 3) for name, figure in figures.items()}))
    wrong = sum(one.late for one in rounds) + figures["readable after the client was frozen"]
    if wrong or figures["readable after a change, s: p95"] > REQUIRED_S:
        raise SystemExit(1)


@dataclass
class _Round:
    """What a reader of 15 s said after a kill, block by block of B. Seconds are of B's block times, from the kill on."""

    accepted: int = 0
    """Reads that were young enough."""
    late: int = 0
    """Reads that were accepted and must not be."""
    refused: int = 0
    under_new_headers: int = 0
    """Of them those under a header of the hub that was itself young enough: only the observation had stopped."""
    kept_ends_s: float = 0.0
    """When what the reader keeps was refused first."""
    proven_ends_s: float = 0.0
    """When it was refused first under a newer header."""
    back_s: float = 0.0
    """From the relay's start until it is readable again."""


def _of_rounds(rounds: list[_Round]) -> dict[str, float]:
    return {
        "rounds with the relay killed": len(rounds),
        "reads accepted within 15 s": sum(one.accepted for one in rounds),
        "reads accepted after them": sum(one.late for one in rounds),
        "reads refused": sum(one.refused for one in rounds),
        "of them under a header younger than 15 s": sum(one.under_new_headers for one in rounds),
        "kept record refused after the kill, s: most": max(one.kept_ends_s for one in rounds),
        "record under new headers refused after the kill, s: most": max(one.proven_ends_s for one in rounds),
        "readable again after the relay's start, s: p50": statistics.median(one.back_s for one in rounds),
        "readable again after the relay's start, s: most": max(one.back_s for one in rounds),
    }


@dataclass
class _Run:
    lane: RecordsLane
    random: Random

    def changes(self, count: int, console: Console) -> dict[str, float]:
        """How long after the block with a change it is readable, with a table of the stages; and how old the record is then."""
        self._until_readable(time.monotonic())
        waits, ages, stages = [], [], []
        load = os.getloadavg()[0]
        for _ in range(count):
            time.sleep(self.random.uniform(0, 2))
            begun_s, block = self.lane.change()
            clock = StageClock.begin(self.lane, block, self.lane.balance.to_bytes(32, "big"), begun_s)
            wait_s, age_s = self._until_readable(begun_s, FOR_EVER_S, clock)
            waits.append(wait_s)
            ages.append(age_s)
            stages.append(clock.end(wait_s))
        console.print(stage_table(stages))
        return {
            "changes": count,
            "load average before the changes": load,
            "and after them": os.getloadavg()[0],
            "readable after a change, s: p50": statistics.median(waits),
            "readable after a change, s: p95": p95(waits),
            "readable after a change, s: most": max(waits),
            "age of the record then, by block times, s: p50": statistics.median(ages),
        }

    def killed(self) -> _Round:
        """A fresh record, a kill at a random time, and every block of B until well after the record is too old."""
        lane, found = self.lane, _Round()
        self._until_readable(lane.change()[0])
        time.sleep(self.random.uniform(0, INTERVAL_S))
        lane.kill_relay()
        killed_s = time.time()
        newest_s = killed_s
        next_header_s, seen = 0.0, lane.b.head()
        shown: _Shown | None = None
        while newest_s < killed_s + MAX_AGE_S + AFTERWARDS_S:
            if time.monotonic() >= next_header_s:
                shown = trio.run(self._newest_header)
                next_header_s = time.monotonic() + HEADER_EVERY_S
            for height in range(seen + 1, lane.b.head() + 1):
                newest_s = lane.b.time_s(height)
                self._look(found, height, newest_s, newest_s - killed_s, shown)
                seen = height
            time.sleep(LOOK_S)
        started_s = time.monotonic()
        lane.start_relay()
        self._until_readable(started_s)
        found.back_s = time.monotonic() - started_s
        print(f"round: {found}", flush=True)
        return found

    def _look(self, found: _Round, height: int, now_s: int, after_s: float, shown: "_Shown | None") -> None:
        kept = self.lane.read(encode_read_cached([self.lane.key], MAX_AGE_S, PROVEN_ALONE), height)
        if _is_refused(found, kept, now_s):
            found.kept_ends_s = found.kept_ends_s or after_s
        if shown is None or height < shown.since:
            return
        proven = self.lane.read(encode_read_many(shown.records, MAX_AGE_S, PROVEN_ALONE), height)
        if _is_refused(found, proven, now_s):
            found.proven_ends_s = found.proven_ends_s or after_s
            if proven == Refused(STALE_SOURCE):
                found.under_new_headers += now_s < shown.header_time_s + MAX_AGE_S

    def frozen(self) -> dict[str, float]:
        """A's validators sealed two blocks: what the reader keeps, old proofs, new proofs and the auditor all say no."""
        lane = self.lane
        self._until_readable(lane.change()[0])
        before = trio.run(self._newest_header)
        cached = encode_read_cached([lane.key], FOR_EVER_S, PROVEN_ALONE)
        said_before = [lane.read(cached), lane.read(encode_read_many(before.records, FOR_EVER_S, PROVEN_ALONE))]
        if any(isinstance(one, Refused) for one in said_before) or not self._is_shown_offline():
            raise BenchFailed(f"not readable before the freeze: {said_before}")
        evidence = lane.home / "evidence.bin"
        evidence.write_bytes(self._evidence())
        options = ["--config", str(lane.config), "--chain", "hub", "--client", lane.a.seen.client_on_hub]
        command(["client", "misbehaviour", *options, "--evidence", str(evidence), *lane.admin.options])
        frozen_s = time.monotonic()
        while lane.read(cached) != Refused(CLOSED):
            if time.monotonic() > frozen_s + START_LIMIT_S:
                raise BenchFailed("the freeze does not come to the reader")
            time.sleep(LOOK_S)
        kept_s = time.monotonic() - frozen_s
        after = trio.run(self._newest_header)
        reads = [cached, *(encode_read_many(one.records, FOR_EVER_S, PROVEN_ALONE) for one in (before, after))]
        readable = sum(lane.read(data) != Refused(CLOSED) for data in reads)
        return {
            "kept record refused after the freeze, s": kept_s,
            "readable after the client was frozen": readable + self._is_shown_offline(),
        }

    def _evidence(self) -> bytes:
        """Two blocks of one height, both sealed by A's validators, whose keys a dev chain keeps in the clear."""
        a = self.lane.a
        with_keys = LmdbStore(self.lane.home / a.name / DATABASE_DIRECTORY, read_only=True)
        validators = load_validators(with_keys)
        with_keys.close()
        trusted = Height(0, trio.run(self._height_of_a))
        header = header_from_rpc(a.rpc("eth_getBlockByNumber", hex(trusted.revision_height + 1), False))
        extra = decode_extra_data(header.extra_data, Consensus.QBFT)
        forked, _ = validators.seal(replace(header, gas_used=header.gas_used + 1), extra)
        evidence = Misbehaviour(*(header_of(trusted, one, (), Consensus.QBFT) for one in (header, forked)))
        return encode_misbehaviour(evidence)

    async def _height_of_a(self) -> int:
        """What the hub's client of A has."""
        config = load_config(self.lane.config)
        async with open_chain(config.chain("hub"), Random()) as hub:
            return (await hub.client(self.lane.a.seen.client_on_hub)).latest_height.revision_height

    def _is_shown_offline(self) -> bool:
        """Whether `hutong prove` writes a bundle of what the hub says now, and `hutong audit record` takes it."""
        lane = self.lane
        checkpoint, bundle = lane.home / "hub.checkpoint.json", lane.home / "balance.record.json"
        config = ["--config", str(lane.config)]
        if not checkpoint.exists():
            command(["audit", "checkpoint", *config, "--chain", "hub", "-o", str(checkpoint)])
        bundle.unlink(missing_ok=True)
        what = f"{lane.a.seen.client_on_hub}:{lane.token}:0x{lane.slot.hex()}"
        made = _command("prove", "hub", what, *config, "--checkpoint", checkpoint, "--out", bundle)
        if not bundle.exists():
            if "client_is_readable" not in made.stderr:
                raise BenchFailed(f"hutong prove: {made.stderr or made.stdout}")
            return False
        return _command("audit", "record", bundle, "--checkpoint", checkpoint).returncode == 0

    def _until_readable(
        self, since_s: float, max_age_s: int = MAX_AGE_S, clock: StageClock | None = None
    ) -> tuple[float, float]:
        """Until the reader says the newest value: seconds since `since_s`, and how old the record is there."""
        lane, wanted = self.lane, self.lane.balance.to_bytes(32, "big")
        data = encode_read_cached([lane.key], max_age_s, PROVEN_ALONE)

        def newest() -> Answer | None:
            read = lane.read(data)
            return None if isinstance(read, Refused) or read.value != wanted else read

        read = wait_for(newest, clock, since_s + READABLE_LIMIT_S)
        if read is None:
            raise BenchFailed(f"not readable within {READABLE_LIMIT_S} s: {lane.read(data)}")
        return time.monotonic() - since_s, lane.b.time_s(lane.b.head()) - read.source_time_s

    async def _newest_header(self) -> "_Shown":
        """Bring the hub's newest header to B, with B's owner's key, and show the record under it."""
        lane, config = self.lane, load_config(self.lane.config)
        b, signer = lane.b.seen, lane.b.owner.signer()
        await bring_to_newest(config.chain("b"), b.hub_client, config.chain("hub"), signer, Random())
        since = lane.b.head()
        records = await show_records(
            Endpoint(b.rpc_url, b.chain_id),
            to_canonical_address(lane.reader),
            Endpoint(lane.hub_url, HUB_EVM_CHAIN_ID),
            (lane.key,),
            Random(),
        )
        hub_time_s = int(
            Rpc(lane.hub_url)("eth_getBlockByNumber", hex(records.height.revision_height), False)["timestamp"], 16
        )
        return _Shown(records, since, hub_time_s)


@dataclass(frozen=True, slots=True)
class _Shown:
    """The record under a header of the hub that B has from its block `since` on."""

    records: ShownRecords
    since: int
    header_time_s: int


def _command(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [*HUTONG, *map(str, arguments)]
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=START_LIMIT_S)


def _is_refused(found: _Round, read: Answer | Refused, now_s: int) -> bool:
    """Whether a read was refused for its age; counts it, and whether one that was accepted should have been refused."""
    if isinstance(read, Refused):
        if read.selector not in (STALE_HEADER, STALE_SOURCE):
            raise BenchFailed(f"refused by 0x{read.selector.hex()}, not for its age")
        found.refused += 1
        return True
    if min(read.source_time_s, read.header_time_s) + MAX_AGE_S <= now_s:
        found.late += 1
    else:
        found.accepted += 1
    return False
