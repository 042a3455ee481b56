"""What a server's refusals become, asked of a real Valkey."""

import pytest
import redis
import structlog
import trio

from hutong.relay.dispatch.connection import Connection
from hutong.relay.dispatch.errors import QueueUnavailable


async def test_wrong_password_is_said_and_not_waited_out(valkey):
    await Connection(valkey.url)(lambda client: client.config_set("requirepass", "right"))
    opened = redis.Redis.from_url(valkey.url, password="right")
    wrong = Connection(valkey.url, "wrong")
    try:
        with (
            trio.fail_after(60),
            pytest.raises(QueueUnavailable, match="refuses the password; see relay.redis_password"),
        ):
            await wrong(lambda client: client.ping())
    finally:
        opened.config_set("requirepass", "")
        opened.close()
        wrong.close()


async def test_server_that_is_away_is_named_without_its_password():
    connection = Connection("redis://:secret@127.0.0.1:1/0")
    with structlog.testing.capture_logs() as lines, trio.move_on_after(0.5):
        await connection(lambda client: client.ping())
    connection.close()
    assert "127.0.0.1:1" in lines[0]["reason"] and "secret" not in str(lines)


async def test_a_killed_server_is_one_line_for_all_tasks_and_another_when_it_answers_again(valkey):
    connection = Connection(valkey.url, seed=1)
    with structlog.testing.capture_logs() as lines:
        await connection(lambda client: client.ping())
        for _ in range(2):
            valkey.kill()
            before = connection.losses
            async with trio.open_nursery() as nursery:
                for _task in range(8):
                    nursery.start_soon(connection, lambda client: client.ping())
                while connection.losses < before + 8:  # noqa: ASYNC110  nothing else tells of a loss
                    await trio.sleep(0.01)
                await trio.to_thread.run_sync(valkey.start)
    connection.close()
    first = [line["event"] for line in lines if line.get("failures") == 1]
    assert first == ["queue server does not answer"] * 2
    assert [line["event"] for line in lines].count("queue server answers again") == 2
