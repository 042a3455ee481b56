"""Put, get and degraded get through operators' processes, beside bare boto3 with the same coded bytes and the same engine.

One engine serves all operators and the bare client, one after the other. Bare: shards of 8 MiB as a pack has them, so many at once
as there are shards; of a get the data shards alone, as a healthy get reads them. The object goes through the gateway by boto3 too, in
one request. `--killed` operators are killed with the get half done; one more than the code has parity, and the get must end in an error.
"""

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from rich.console import Console
from rich.table import Table

from hutong.relay.keys import Signer, create_keystore
from tests.nodes.s3_server import S3Server, SeaweedServer
from tests.relay.services.storage.gateway.processes import GatewayProcess, begun, invoked
from tests.relay.services.storage.operator.operator_process import FAST_SCRYPT, ForkedOperator

MEGA = 1e6
STEP = 1 << 20
SERVERS = {"versitygw": S3Server, "seaweedfs": SeaweedServer}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m bench storage network`."""
    parser.add_argument("--engine", choices=sorted(SERVERS), default="versitygw")
    parser.add_argument("--durable-by", choices=("answer", "disk", "journal"), default="answer")
    parser.add_argument("--packs", type=int, default=6, help="full packs of the object, each of 84 MB at 10 + 4")
    parser.add_argument("--data", type=int, default=10)
    parser.add_argument("--parity", type=int, default=4)
    parser.add_argument("--killed", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2, help="of bare and gateway by turns; the best of each counts")


@dataclass
class Running:
    """What is asked: a client of the gateway, and one of the engine."""

    gateway: Any
    bare: Any
    operators: list[ForkedOperator]
    process: GatewayProcess

    def spent_s(self) -> dict[str, float]:
        """Processor time so far of the gateway, of its workers, and of all operators."""
        own = self.process.process.pid
        workers = [pid for pid in _children(own) if pid != own]
        operators = [one.process.pid for one in self.operators]
        return {
            "gateway": _spent_s([own]),
            "its workers": _spent_s(workers),
            "operators": _spent_s([pid for pid in operators if pid is not None]),
        }


def _children(pid: int) -> list[int]:
    found = [
        int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()
    ]
    return found + [deeper for one in found for deeper in _children(one)]


def _spent_s(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def s3_client(url: str, access: str, secret: str) -> Any:
    """boto3's client, with checksums where they are asked for alone."""
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path", "payload_signing_enabled": False},
        retries={"max_attempts": 1},
        max_pool_connections=64,
        read_timeout=600,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=access,
        aws_secret_access_key=secret,
        config=config,
    )


def _operator_config(home: Path, number: int, writer: str, engine: str) -> tuple[Path, str, str]:
    """A configuration, and the operator's id and account."""
    key = sha256(b"bench operator %d" % number).digest()
    (home / "keys").mkdir(parents=True)
    create_keystore(home / "keys" / "receipts.json", key, b"password", FAST_SCRYPT)
    (home / "keys" / "password").write_bytes(b"password")
    (home / "keys" / "password").chmod(0o600)
    writer_id, account = writer.split(":")
    operator = sha256(key).hexdigest()
    config = home / "operator.toml"
    config.write_text(
        f'[operator]\nhome = "state"\nlisten = "127.0.0.1:0"\nchain_id = "trial-1"\noperator_id = "{operator}"\n'
        'key = { keystore = "keys/receipts.json", password_file = "keys/password" }\nleast_free_bytes = 0\n'
        f'scrub_bytes_per_s = 0\n[engine]\n{engine}\n[[writers]]\nwriter_id = "{writer_id}"\naccount = "{account}"\n'
    )
    return config, operator, Signer.in_memory(key).address


@contextmanager
def _running(arguments: argparse.Namespace) -> Iterator[Running]:
    code = (arguments.data, arguments.parity)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hutong-bench-")))
        server = SERVERS[arguments.engine]()
        stack.callback(server.close)
        server.start()
        os.environ.update(server.environment)
        said = begun(home / "gateway", code)
        operators = []
        for number in range(sum(code)):
            disk = f'\ndisk = "{server.directory}"' if arguments.durable_by == "disk" else ""
            engine = f'bucket = "s3://{server.new_bucket()}/op"\ndurable_by = "{arguments.durable_by}"{disk}'
            writer = f"{said['writer']}:{said['account']}"
            config, operator, account = _operator_config(home / f"operator-{number}", number, writer, engine)
            operators.append(ForkedOperator(config))
            stack.callback(operators[-1].kill)
            added = invoked("gateway", "add", "--config", said["config"], "--operator", operator, "--url", operators[-1].url,
                            "--account", account, "--organisation", f"o{number}", "--site", f"s{number}")  # fmt: skip
            assert added.exit_code == 0, added.output
        gateway = GatewayProcess(Path(said["config"]))
        stack.callback(gateway.kill)
        keys = server.environment
        bare = s3_client(keys["AWS_ENDPOINT_URL_S3"], keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
        s3 = s3_client(gateway.url, said["s3_access_key"], said["s3_secret_key"])
        s3.create_bucket(Bucket="ward-3")
        yield Running(s3, bare, operators, gateway)


class _Drawn:
    """A body of so many bytes, as a file that is read once; bytes repeat each MiB with their number before them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0
        self._block = os.urandom(STEP)
        self.hashing = sha256()

    def __len__(self) -> int:
        return self._size

    def tell(self) -> int:
        return self._at

    def seek(self, to: int, whence: int = 0) -> int:
        """To the beginning or the end, as boto3 asks for the length."""
        self._at = self._size if whence == 2 else to
        return self._at

    def read(self, most: int = -1) -> bytes:
        """The next bytes."""
        take = min(self._size - self._at, STEP if most < 0 else most)
        number, within = divmod(self._at, STEP)
        take = min(take, STEP - within)
        block = number.to_bytes(8, "big") + self._block[8:]
        self._at += take
        return block[within : within + take]


def _hash_of(body: _Drawn) -> str:
    body.seek(0)
    hashing = sha256()
    while some := body.read(STEP):
        hashing.update(some)
    body.seek(0)
    return hashing.hexdigest()


def _bare_put(running: Running, arguments: argparse.Namespace, bucket: str) -> float:
    shard, count = os.urandom(8 * 2**20), arguments.packs * (arguments.data + arguments.parity)
    began = time.perf_counter()
    with ThreadPoolExecutor(arguments.data + arguments.parity) as pool:
        list(pool.map(lambda n: running.bare.put_object(Bucket=bucket, Key=f"s{n}", Body=shard), range(count)))
    return float(count * len(shard) / (time.perf_counter() - began))


def _bare_get(running: Running, arguments: argparse.Namespace, bucket: str) -> float:
    def get(number: int) -> int:
        octets: bytes = running.bare.get_object(Bucket=bucket, Key=f"s{number}")["Body"].read()
        return len(octets)

    began = time.perf_counter()
    with ThreadPoolExecutor(arguments.data) as pool:
        size = sum(pool.map(get, range(arguments.packs * arguments.data)))
    return float(size / (time.perf_counter() - began))


def _got(running: Running, key: str, size: int, *, kill: int = 0) -> tuple[float, float, str]:
    """(seconds, seconds to the first byte, hash) of a get; operators are killed with half of it read."""
    began = time.perf_counter()
    body = running.gateway.get_object(Bucket="ward-3", Key=key)["Body"]
    first, at, hashing = 0.0, 0, sha256()
    while some := body.read(STEP):
        first = first or time.perf_counter() - began
        hashing.update(some)
        at += len(some)
        if kill and at > size // 2:
            for operator in running.operators[:kill]:
                operator.kill()
            kill = 0
    return time.perf_counter() - began, first, hashing.hexdigest()


def _by_turns(
    running: Running, arguments: argparse.Namespace, body: _Drawn
) -> tuple[Mapping[str, float], Mapping[str, Mapping[str, float]]]:
    """Coded bytes a second, the best of the rounds; and processor seconds of each part for all puts, and for all gets."""
    spent: dict[str, dict[str, float]] = {"put": {}, "get": {}}
    coded = arguments.packs * (arguments.data + arguments.parity) * 8 * 2**20
    best = dict.fromkeys(("bare put", "put", "bare get", "get"), 0.0)
    best["first byte"] = float("inf")
    running.bare.create_bucket(Bucket="bare")
    for number in range(arguments.rounds):
        best["bare put"] = max(best["bare put"], _bare_put(running, arguments, "bare"))
        body.seek(0)
        before, began = running.spent_s(), time.perf_counter()
        running.gateway.put_object(Bucket="ward-3", Key=f"o{number}", Body=body)
        best["put"] = max(best["put"], coded / (time.perf_counter() - began))
        _add(spent["put"], before, running.spent_s())
        best["bare get"] = max(best["bare get"], _bare_get(running, arguments, "bare"))
        before = running.spent_s()
        took, first, _ = _got(running, f"o{number}", len(body))
        _add(spent["get"], before, running.spent_s())
        best["get"] = max(best["get"], len(body) / took)
        best["first byte"] = min(best["first byte"], first)
    return best, spent


def _add(to: dict[str, float], before: Mapping[str, float], after: Mapping[str, float]) -> None:
    for name, value in after.items():
        to[name] = to.get(name, 0.0) + value - before[name]


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Print the rates; exits with 1 where bytes differ, or too few operators give any."""
    with _running(arguments) as running:
        size = arguments.packs * (arguments.data * 8 * 2**20 // 65_552 - 1) * 65_536
        body = _Drawn(size)
        digest = _hash_of(body)
        best, spent = _by_turns(running, arguments, body)
        table = Table(title=f"{arguments.data} + {arguments.parity} over {arguments.engine}", title_justify="left")
        for name in ("", "coded MB/s", "of bare"):
            table.add_column(name, justify="right" if name else "left")
        for name in ("put", "get"):
            table.add_row(f"bare boto3 {name}", f"{best[f'bare {name}'] / MEGA:,.0f}", "")
            table.add_row(name, f"{best[name] / MEGA:,.0f}", f"{best[name] / best[f'bare {name}']:.0%}")
        console.print(table)
        plain = arguments.rounds * size / 1e9
        for name, parts in spent.items():
            said = ", ".join(f"{part} {value / plain:.1f}" for part, value in parts.items())
            console.print(f"processor seconds for a GB of {name}: {said}")
        console.print(
            f"object of {size / MEGA:,.0f} MB, durable by {arguments.durable_by}, load {os.getloadavg()[0]:.1f}"
        )
        took, first, got = _got(running, "o0", size, kill=arguments.killed)
        console.print(
            f"get with {arguments.killed} of {arguments.data + arguments.parity} killed at its half: {size / took / MEGA:,.0f} MB/s,"
            f" {size / took / best['get']:.0%} of the healthy; first byte {first:.2f} s (healthy {best['first byte']:.2f} s)"
        )
        after, first, again = _got(running, "o0", size)
        console.print(
            f"get with them gone: {size / after / MEGA:,.0f} MB/s, {size / after / best['get']:.0%}; first byte {first:.2f} s"
        )
        if (got, again) != (digest, digest):
            raise SystemExit("the bytes differ")
        running.operators[arguments.killed].kill()
        if arguments.killed == arguments.parity:
            _must_fail(console, running, size)


def _must_fail(console: Console, running: Running, size: int) -> None:
    try:
        _got(running, "o0", size)
    except Exception as error:
        console.print(f"one more killed: {str(error)[:200]}")
        return
    raise SystemExit("one more was killed, and the object was read")
