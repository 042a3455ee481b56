"""The operators of the demo: homes, engines, processes. Every second one stores by S3 where versitygw is there, else all by folders."""

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import trio

from hutong.relay.base.child_processes import HUTONG
from hutong.relay.demo.identity.ground import Running
from hutong.relay.demo.storage.programs import Program, run_program
from hutong.relay.local.hub import CHAIN_ID
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import POLL_INTERVAL_S, START_LIMIT_S, DemoFailed
from hutong.relay.services.storage.operator.beginning import NewOperator, begin_operator
from hutong.relay.services.storage.rules.records.members import encode_label

PLACED: Final = 14
"""So many shards a pack has with 10 + 4, each at another operator."""
ORGANISATIONS: Final = 7
BUCKET: Final = "shards"
REGION: Final = "us-east-1"
FOLDER, VERSITYGW = "folder", "versitygw"


@dataclass(slots=True)
class DemoOperator:
    """One operator; the last of them is active only after the others stored."""

    number: int
    home: Path
    operator: bytes
    account: bytes
    engine: str
    program: Program | None = None
    url: str = ""

    @property
    def labels(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Organisation, site, region and engine."""
        place = self.number % ORGANISATIONS
        names = (f"org-{place}", f"site-{place}", "north" if place < 4 else "south", self.engine)
        one, two, three, four = map(encode_label, names)
        return one, two, three, four

    @property
    def config(self) -> Path:
        """Of `hutong storage operator`."""
        return self.home / "operator.toml"


@dataclass(frozen=True, slots=True)
class S3Engine:
    """A versitygw over a folder of the demo, its keys drawn for it."""

    url: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)

    @property
    def environment(self) -> Mapping[str, str]:
        """Under the names that every S3 library reads."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def find_versitygw(given: Path | None) -> Path | None:
    """The program: as it was given, on the PATH, or where `tests/nodes/provision.py versitygw` put it; None where it is nowhere."""
    if given is not None:
        return given
    found = shutil.which(VERSITYGW)
    if found is not None:
        return Path(found)
    base = os.environ.get("HUTONG_NODES")
    cache = Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hutong"
    return next(iter(sorted(cache.glob(f"{VERSITYGW}/*/{VERSITYGW}"), reverse=True)), None)


async def start_engine(nursery: trio.Nursery, home: Path, program: Path) -> S3Engine:
    """A versitygw with one bucket.

    Raises:
        DemoFailed: it does not serve.
    """
    folder = home / "s3"
    for name in ("data", "sidecar"):
        (folder / name).mkdir(parents=True)
    port = free_port()
    engine = S3Engine(f"http://127.0.0.1:{port}", secrets.token_hex(10), secrets.token_hex(20))
    keys = {"ROOT_ACCESS_KEY": engine.access_key, "ROOT_SECRET_KEY": engine.secret_key}
    options = ["--port", f"127.0.0.1:{port}", "--region", REGION, "--quiet"]
    # Attributes of objects beside them: not every file system has extended attributes.
    posix = ["posix", "--sidecar", str(folder / "sidecar"), str(folder / "data")]
    log = home / f"{VERSITYGW}.log"
    await nursery.start(run_program, VERSITYGW, [*options, *posix], log, (str(program),), keys)
    with trio.move_on_after(START_LIMIT_S):
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while True:
                try:
                    await client.get(engine.url)
                except httpx.HTTPError:
                    await trio.sleep(POLL_INTERVAL_S)
                    continue
                await trio.to_thread.run_sync(_make_bucket, engine)
                return engine
    raise DemoFailed(f"{VERSITYGW} does not serve; its log is {log}")


def _make_bucket(engine: S3Engine) -> None:
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=engine.url,
        region_name=REGION,
        aws_access_key_id=engine.access_key,
        aws_secret_access_key=engine.secret_key,
    )
    client.create_bucket(Bucket=BUCKET)


async def begin_operators(
    running: Running, writer: str, repairer: str, count: int, engine: S3Engine | None
) -> list[DemoOperator]:
    """Homes with keys, as `hutong storage operator init` lays them down."""
    found: dict[int, DemoOperator] = {}

    async def begin(number: int) -> None:
        kind = FOLDER if engine is None or number % 2 == 0 else VERSITYGW
        lines = ['folder = "shards"']
        if kind == VERSITYGW:
            lines = [f'bucket = "s3://{BUCKET}/operator-{number}"', 'durable_by = "journal"']
        home = running.home / f"operator-{number}"
        new = NewOperator(
            home, CHAIN_ID, "127.0.0.1:0", lines, running.hub_url, running.consensus_url, (writer,), (repairer,)
        )
        begun = await trio.to_thread.run_sync(begin_operator, new)
        account = bytes.fromhex(begun.account[2:])
        found[number] = DemoOperator(number, home, bytes.fromhex(begun.operator), account, kind)

    async with trio.open_nursery() as nursery:
        for number in range(count):
            nursery.start_soon(begin, number)
    for one in found.values():
        text = one.config.read_text().replace("[hub]\n", "[hub]\ninterval_s = 1\n")
        one.config.write_text(text.replace("[operator]\n", "[operator]\nleast_free_bytes = 0\n"))
    return [found[number] for number in range(count)]


async def serve_operators(nursery: trio.Nursery, operators: Sequence[DemoOperator], engine: S3Engine | None) -> None:
    """Start each as a process; returns when all of them serve.

    Raises:
        DemoFailed: one does not.
    """
    for one in operators:
        environment = engine.environment if engine is not None and one.engine == VERSITYGW else None
        run = ["storage", "operator", "run", "--config", str(one.config)]
        log = one.home.with_suffix(".log")
        one.program = await nursery.start(run_program, one.home.name, run, log, HUTONG, environment)
    for one in operators:
        if one.program is not None:
            one.url = await one.program.url()
