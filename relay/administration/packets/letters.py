"""Dead letters of a relay that runs, reached over its queue."""

import os
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from hutong.relay.administration.errors import Unusable
from hutong.relay.base.locked_home import is_home_held
from hutong.relay.config import Config
from hutong.relay.core.history.letters import Letters, NotAJob
from hutong.relay.core.home import HOME
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import Connection, EmbeddedValkey, Queue, QueueError
from hutong.relay.ledger import LedgerUnavailable
from hutong.relay.telemetry import configure_logs

ANSWER_LIMIT_S = 30
"""For the queue's server, which runs while the relay does."""

Result = TypeVar("Result")


def with_letters(config: Config, work: Callable[[Letters], Awaitable[Result]]) -> Result:
    """Run `work` with the letters of the configured relay.

    Raises:
        Unusable: no relay runs in the home whose queue it would be, the queue's server does not answer within ANSWER_LIMIT_S, queue or ledger fail, or a job is not one.
    """
    configure_logs("error")
    # A killed relay's own queue server lives on and would answer of what nobody works at. Of a shared one any host asks.
    if config.relay.redis_url is None and not is_home_held(config.relay.home, HOME):
        raise Unusable(
            f"no relay runs in the home {config.relay.home}: start it with hutong relay run, then run this command again"
        )

    async def ask() -> Result:
        url = config.relay.redis_url or EmbeddedValkey(config.relay.home / "queue").url
        password_env = config.relay.redis_password_env
        connection = Connection(url, None if password_env is None else os.environ.get(password_env))
        try:
            with trio.fail_after(ANSWER_LIMIT_S):
                queue = Queue(
                    connection, "operator", lambda: time.time_ns() // 1_000_000, prefix=config.relay.redis_prefix
                )
                return await work(Letters(queue, Paths.of(config.paths), config.relay))
        finally:
            connection.close()

    try:
        return trio.run(ask)
    except trio.TooSlowError:
        raise Unusable("the queue's server does not answer: is the relay running?") from None
    except (NotAJob, QueueError, LedgerUnavailable) as error:
        raise Unusable(str(error)) from None
