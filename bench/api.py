"""The HTTP API under load: status look-ups beside the bare hello of the same server in the same run, and 1 000 streams.

wrk on loopback, one thread, 32 connections. The two servers take turns, so that both meet the machine as it is; the
ratio is of the medians. `hot`: a hundred messages that many ask for; `cold`: twenty thousand, so that most look-ups read
the ledger. Streams: resident memory of the server with all of them open, after each was told the same changes.
"""

import argparse
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

import trio
from rich.console import Console

from hutong.relay.ledger import App, Ledger, Note, Outcome, PacketFacts, Step
from hutong.relay.local.ports import free_port

HOT = 100
COLD = 20_000
CHANGES = 50
START_LIMIT_S = 60
TOLD_LIMIT_S = 60
_EVENT = b"event: message"

Row = dict[str, object]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=int, default=5, help="of each of wrk's runs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument(
        "--servers", action="store_true", help="hello on every server that was considered, and nothing else"
    )


def main(_: Console, arguments: argparse.Namespace) -> None:
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="hutong-bench-api-") as name:
        home = Path(name)
        if arguments.servers:
            rows = _servers(wrk, arguments.seconds, arguments.rounds)
        else:
            trio.run(_fill, home)
            rows = _figures(wrk, home, arguments)
        print(json.dumps(rows, indent=1))


def _figures(wrk: str, home: Path, arguments: argparse.Namespace) -> Row:
    hot, cold = _paths(home, "hot", HOT), _paths(home, "cold", COLD)
    with _hello("uvicorn") as (hello, _), _api(home, arguments.streams) as (api, process):
        rates: dict[str, list[float]] = {"hello": [], "hot": [], "cold": []}
        for _ in range(arguments.rounds):
            rates["hello"].append(_wrk(wrk, f"{hello}/hello", arguments.seconds))
            rates["hot"].append(_wrk(wrk, api, arguments.seconds, hot))
            rates["cold"].append(_wrk(wrk, api, arguments.seconds, cold))
        medians = {what: statistics.median(found) for what, found in rates.items()}
        streams = _streams(home, api, process, arguments.streams)
    return {
        "requests_per_s": {what: [round(one) for one in found] for what, found in rates.items()},
        "of_hello_percent": {what: round(100 * medians[what] / medians["hello"]) for what in ("hot", "cold")},
        "streams": streams,
    }


def _servers(wrk: str, seconds: int, rounds: int) -> Row:
    rates: dict[str, list[int]] = {}
    for _ in range(rounds):
        for name in ("hypercorn", "uvicorn", "granian"):
            with _hello(name) as (url, _):
                rates.setdefault(name, []).append(round(_wrk(wrk, f"{url}/hello", seconds)))
    return {"hello_per_s": rates, "median": {name: statistics.median(found) for name, found in rates.items()}}


def _wrk(wrk: str, url: str, seconds: int, script: Path | None = None) -> float:
    command = [wrk, "-t1", "-c32", f"-d{seconds}s", *([] if script is None else ["-s", str(script)]), url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"not every answer was good:\n{text}")
    found = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    if found is None:
        sys.exit(f"wrk said nothing of its rate:\n{text}")
    return float(found[1])


def _paths(home: Path, name: str, count: int) -> Path:
    """A script for wrk that asks for `count` messages in turn."""
    script = home / f"{name}.lua"
    script.write_text(
        f"n = 0\nfunction request()\n n = n % {count} + 1\n"
        ' return wrk.format("GET", "/v1/messages/alpha/client-0/" .. n)\nend\n'
    )
    return script


def _note(sequence: int, at_ns: int, *, done: bool) -> list[Note]:
    facts = PacketFacts(
        f"alpha/client-0/{sequence}", "alpha", "client-0", "beta", "client-0", sequence, "gmpport", "gmpport", 5,
        at_ns // 10**9 + 3_600, app=App.MESSAGE.value, sender="0x" + "a1" * 20, receiver="0x" + "b0" * 20,
    )  # fmt: skip

    def note(kind: str, step: Step, chain: str, outcome: Outcome | None = None) -> Note:
        digest = sequence.to_bytes(32, "big")
        return Note(
            facts.packet_id, kind, step, chain, at_ns, facts, height=7, block_time_ns=at_ns, transaction_hash=digest,
            outcome=outcome,
        )  # fmt: skip

    notes = [note("receive", Step.SEEN, "alpha")]
    if done:
        notes.append(note("receive", Step.INCLUDED, "beta"))
        notes.append(note("acknowledge", Step.INCLUDED, "alpha", Outcome.ACKNOWLEDGED))
    return notes


async def _fill(home: Path) -> None:
    await _write(home, range(1, COLD + 1), done=True)


async def _write(home: Path, sequences: range, *, done: bool) -> None:
    ledger = Ledger.open_file(home / "ledger.sqlite")
    try:
        for start in range(sequences.start, sequences.stop, 2_000):
            part = range(start, min(start + 2_000, sequences.stop))
            ledger.note([one for sequence in part for one in _note(sequence, time.time_ns(), done=done)])
            await ledger.flush()
    finally:
        ledger.close()


@contextmanager
def _process(command: list[str], port: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"{' '.join(command)} does not serve")
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def _hello(server: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    with _process([sys.executable, "-m", "bench.api_hello", str(port), server], port) as served:
        yield served


@contextmanager
def _api(home: Path, streams: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`hutong api run` over the ledger; its one chain does not answer, which must not matter."""
    port, config = free_port(), home / "relay.toml"
    config.write_text(
        f'[relay]\nhome = "{home}"\nlog_level = "error"\n[api]\nlisten = "127.0.0.1:{port}"\n'
        f'rate_limit_per_s = 1_000_000\nmax_streams = {streams}\ntrusted_proxies = ["127.0.0.1"]\n'
        '[[chains]]\nname = "alpha"\nkind = "evm"\nchain_id = 1\nconsensus = "qbft"\nrpc = ["http://127.0.0.1:1"]\n'
        f'router = "0x{"11" * 20}"\nkey = {{ keystore = "k", password_env = "P" }}\n'
    )
    config.chmod(0o600)
    command = [
        sys.executable,
        "-c",
        "from hutong.relay.cli.main import main; main()",
        "api",
        "run",
        "--config",
        str(config),
    ]
    with _process(command, port) as served:
        yield served


def _memory_mb(process: subprocess.Popen[bytes]) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return 0 if found is None else int(found[1]) // 1024


def _streams(home: Path, api: str, process: subprocess.Popen[bytes], count: int) -> Row:
    host, _, port = api.removeprefix("http://").partition(":")
    before_mb = _memory_mb(process)
    selector, told = DefaultSelector(), {}
    for _ in range(count):
        sock = socket.create_connection((host, int(port)), 10)
        sock.sendall(b"GET /v1/events HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n")
        sock.setblocking(False)
        selector.register(sock, EVENT_READ)
        told[sock] = 0
    deadline = time.monotonic() + TOLD_LIMIT_S
    heads = set()
    while len(heads) < count and time.monotonic() < deadline:
        for key, _ in selector.select(1):
            if b"still here" in key.fileobj.recv(65_536):  # type: ignore[union-attr]
                heads.add(key.fileobj)
    open_mb = _memory_mb(process)
    trio.run(_more, home)
    started, tails = time.monotonic(), {}
    while min(told.values()) < CHANGES and time.monotonic() < deadline + TOLD_LIMIT_S:
        for key, _ in selector.select(1):
            data = tails.get(key.fileobj, b"") + key.fileobj.recv(1 << 20)  # type: ignore[union-attr]
            told[key.fileobj] += data.count(_EVENT)  # type: ignore[index]
            tails[key.fileobj] = data[1 - len(_EVENT) :]
    row = {
        "open": len(heads),
        "told_all": sum(one >= CHANGES for one in told.values()),
        "changes": CHANGES,
        "until_all_were_told_s": round(time.monotonic() - started, 1),
        "memory_mb": {"before": before_mb, "open": open_mb, "after": _memory_mb(process)},
    }
    for sock in told:
        sock.close()
    return row


async def _more(home: Path) -> None:
    await _write(home, range(COLD + 1, COLD + 1 + CHANGES), done=False)
