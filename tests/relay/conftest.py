"""A real Valkey for the relay's tests, with commands run in line so that trio's clock may be mocked."""

import itertools
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import redis

from hutong.relay.dispatch import Connection, Queue
from hutong.relay.dispatch.embedded import valkey_binary
from tests.relay.full_disk import mounted


class Server:
    """A Valkey process on a Unix socket that tests may kill, restart and flush."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "s"
        self.directory = directory
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen | None = None

    @property
    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                valkey_binary(), "--port", "0", "--unixsocket", self.socket, "--dir", self.directory, "--save", "",
                "--appendonly", "no", "--logfile", self.directory / "log",
            ],
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.client.ping()
            except redis.exceptions.ConnectionError:
                time.sleep(0.01)
            else:
                return
        raise AssertionError("Valkey did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture(scope="session")
def valkey_process():
    directory = Path(tempfile.mkdtemp(prefix="hutong-test-"))
    server = Server(directory)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(directory)


@pytest.fixture
def valkey(valkey_process):
    if valkey_process.process is None:
        valkey_process.start()
    valkey_process.client.flushall()
    return valkey_process


async def in_line(call):
    return call()


class ManualClock:
    def __init__(self) -> None:
        self.ms = 1_000_000

    def __call__(self) -> int:
        return self.ms


_consumers = itertools.count()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def make_queue(valkey, clock):
    connections = []

    def make(**options) -> Queue:
        connection = Connection(valkey.url, run=in_line, seed=1)
        connections.append(connection)
        return Queue(connection, f"worker-{next(_consumers)}", clock, seed=1, **options)

    yield make
    for connection in connections:
        connection.close()


@pytest.fixture
def full_disk(tmp_path):
    """A file system of 1 MiB."""
    with mounted(tmp_path / "small", "1m") as disk:
        yield disk
