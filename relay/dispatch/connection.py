"""Commands to the queue server from trio: in worker threads, with reconnection."""

import math
from collections.abc import Callable
from random import Random
from typing import TypeVar

import redis
import trio

from hutong.relay.base.threads import Runner, thread_runner
from hutong.relay.dispatch.backoff import Backoff
from hutong.relay.dispatch.errors import QueueUnavailable
from hutong.relay.telemetry import get_logger

T = TypeVar("T")

MAX_THREADS = 8
SOCKET_TIMEOUT_S = 5.0
_RECONNECT = Backoff(base_s=0.05, cap_s=2.0)
_LOST = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, redis.exceptions.BusyLoadingError)

_CANNOT_WRITE = "MISCONF "
"""What a server says to every write, and to PING, while it cannot keep its data on its disk."""
MAX_DETAIL_CHARS = 200


class _Outage:
    """Of the server, which all tasks notice at about the same time: said once, and once when it ends."""

    def __init__(self) -> None:
        self._log = get_logger("queue")
        self._began_s: float | None = None
        self._ended_s = -math.inf
        self._failures = 0

    def lost(self, asked_s: float, reason: str) -> None:
        """A command that was begun at `asked_s`, on trio's clock, came to nothing."""
        if self._began_s is None:
            if asked_s < self._ended_s:
                return  # lost in the outage that is over
            self._began_s, self._failures = trio.current_time(), 0
        self._failures += 1
        if self._failures in (1, 10) or self._failures % 100 == 0:
            self._log.warning("queue server does not answer", failures=self._failures, reason=reason)

    def answered(self, asked_s: float) -> None:
        """A command that was begun at `asked_s` was answered, which ends an outage that began before it was."""
        if self._began_s is not None and asked_s >= self._began_s:
            self._began_s, self._ended_s = None, trio.current_time()
            self._log.info("queue server answers again", failures=self._failures)


class Connection:
    """One server, named by URL. Safe to share by tasks."""

    def __init__(
        self, url: str, password: str | None = None, run: Runner | None = None, seed: int | None = None
    ) -> None:
        self._client = redis.Redis.from_url(
            url,
            password=password,
            socket_timeout=SOCKET_TIMEOUT_S,
            socket_connect_timeout=SOCKET_TIMEOUT_S,
            max_connections=MAX_THREADS * 4,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        )
        self._run = run if run is not None else thread_runner(MAX_THREADS)
        self._random = Random(seed)  # noqa: S311  jitter, not a secret
        self._outage = _Outage()
        self.losses = 0
        """How often a command was lost to a broken connection: what it did is then unknown."""

    async def __call__(self, command: Callable[["redis.Redis"], T]) -> T:
        """Run `command` with the client; while the server is away, again and again. `command` must be idempotent.

        Raises:
            QueueUnavailable: the server answers with an error of its own (wrong password, out of memory, its disk is full, …).
            redis.exceptions.ResponseError: the command itself was refused.
        """
        failures = 0
        while True:
            asked_s = trio.current_time()
            try:
                result: T = await self._run(lambda: command(self._client))
            except redis.exceptions.AuthenticationError:  # redis counts it among the lost connections
                raise QueueUnavailable("the server refuses the password; see relay.redis_password_env") from None
            except _LOST as error:
                failures += 1
                self.losses += 1
                # The library's sentence names host and port, never the credentials of the URL.
                self._outage.lost(asked_s, str(error))
                await trio.sleep(_RECONNECT.delay_s(failures, self._random))
            except (redis.exceptions.OutOfMemoryError, redis.exceptions.ReadOnlyError) as error:
                raise QueueUnavailable(str(error)) from None
            except redis.exceptions.ResponseError as error:
                if not str(error).startswith(_CANNOT_WRITE):
                    raise
                folder = await self._run(lambda: _folder_of(self._client))
                raise QueueUnavailable(_cannot_write(str(error), folder)) from None
            else:
                self._outage.answered(asked_s)
                return result

    def close(self) -> None:
        """Drop the sockets. To be called after the last command: another one would open new ones."""
        self._client.close()


def _folder_of(client: "redis.Redis") -> str:
    """Where the server keeps its data; empty where it does not tell."""
    try:
        folder = client.config_get("dir").get("dir", "")
    except redis.exceptions.RedisError:
        return ""
    return folder.decode(errors="replace") if isinstance(folder, bytes) else str(folder)


def _cannot_write(said: str, folder: str) -> str:
    # A script's error goes on with the script's digest and line, which tell an operator nothing.
    detail = said.removeprefix(_CANNOT_WRITE).partition(" script: ")[0][:MAX_DETAIL_CHARS]
    where = f" in {folder}" if folder else ""
    return f"the server cannot write on its disk{where} ({detail}); free some space there, nothing is lost"
