"""A relay that runs when the disk of its ledger and queue fills up: one line for each, not ready until there is room."""

import io
import json
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest
import structlog
import trio

from hutong.relay.core.readiness import ASK_SERVICE_EVERY_S
from hutong.relay.telemetry import configure_logs
from tests.relay.conftest import Server
from tests.relay.core.world import World, making_blocks
from tests.relay.full_disk import mounted


@pytest.fixture
def disk():
    """Of 8 MiB. Its path is short: a Unix socket stands on it."""
    with tempfile.TemporaryDirectory(prefix="hutong-") as directory, mounted(Path(directory) / "small", "8m") as disk:
        yield disk


@pytest.fixture
def queue_server(disk):
    """It keeps an append-only file, as the embedded one does."""
    directory = disk.path / "queue"
    directory.mkdir()
    server = Server(directory)
    server.start()
    server.client.config_set("appendonly", "yes")
    while server.client.info("persistence")["aof_rewrite_in_progress"]:
        time.sleep(0.01)
    yield server
    server.kill()


@pytest.fixture
def log():
    out = io.StringIO()
    configure_logs("info", out)
    yield out
    structlog.reset_defaults()


def fill_to_the_brim(disk, server) -> None:
    """The queue's file has room in its last block; after that the server refuses."""
    disk.fill()
    for number in range(40):
        try:
            server.client.set(f"brim-{number}", bytes(4096))
        except Exception:  # noqa: BLE001  whatever the client makes of the refusal
            return
    raise AssertionError("the queue can still write")


@pytest.mark.long
@pytest.mark.parametrize("busy", [False, True])
async def test_trial_T7_a_disk_that_fills_up_is_one_line_each_and_not_ready(
    disk, queue_server, log, busy, autojump_clock
):
    world = World(disk.path, queue_server.url)
    async with making_blocks(world), world.relay().running() as process:
        world.send("alpha", 2)
        await world.all_settled(2)
        await world.until(lambda: process.relay.ready()["status"] == "ready")
        log.truncate(0)
        log.seek(0)
        fill_to_the_brim(disk, queue_server)
        if busy:
            world.send("alpha", 20)
        await trio.sleep(ASK_SERVICE_EVERY_S + 2)
        ready = process.relay.ready()
        assert ready["status"] == "not ready"
        reasons = {one["what"]: one["detail"] for one in ready["reasons"]}
        assert str(disk.path / "queue") in reasons["queue"] and "No space left on device" in reasons["queue"]
        assert str(disk.path) in reasons["ledger"] and "ledger's disk" in reasons["ledger"]
        await trio.sleep(60)
        assert process.relay.ready()["status"] == "not ready"
        lines = [json.loads(line) for line in log.getvalue().splitlines()]
        assert not [line for line in lines if "exception" in line or "Traceback" in json.dumps(line)]
        troubles = Counter(line["reason"] for line in lines if line["level"] in ("warning", "error"))
        assert troubles and set(troubles.values()) == {1}, troubles
        assert len(troubles) <= 4, troubles
        disk.free()
        await world.until(lambda: process.relay.ready()["status"] == "ready")
        world.send("alpha", 1)
        await world.all_settled(23 if busy else 3, at_most_s=300)
    assert "answers again" in log.getvalue()
