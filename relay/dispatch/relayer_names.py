"""Which accounts send for those who share a queue, and whether its server takes writes."""

from collections.abc import Sequence
from typing import cast

import redis

from hutong.relay.dispatch.route_keys import RouteKeys

ASKED_FOR_MS = 60_000
MAX_ANNOUNCED = 4_096


class RelayerNames(RouteKeys):
    """The part of a queue in which relays tell each other their accounts."""

    async def try_to_write(self) -> None:
        """Write a value that nobody reads.

        Raises:
            QueueUnavailable: the server refuses to write, for example because its disk is full.
        """
        key, now_ms = f"{self._prefix}:asked", self._now_ms()
        await self.connection(lambda client: client.set(key, now_ms, px=ASKED_FOR_MS))
        # A server learns that its disk is full from the write, and says so with the command after it.
        await self.connection(lambda client: client.ping())

    async def announce(self, names: Sequence[str]) -> None:
        """Tell whoever shares the queue that we send by these accounts.

        Args:
            names: `chain address`, as `announced` gives them; what is not announced again in time is forgotten.

        Raises:
            QueueUnavailable: the server refuses.
        """
        now_ms = self._now_ms()
        key = f"{self._prefix}:relayers"
        if names:
            await self.connection(lambda client: client.zadd(key, dict.fromkeys(names, now_ms)))

    async def announced(self, within_s: float) -> list[str]:
        """What was announced within the last `within_s`, ours included, MAX_ANNOUNCED names at most.

        Older announcements are deleted on the server, for everybody.

        Raises:
            QueueUnavailable: the server refuses.
        """
        since_ms = self._now_ms() - int(within_s * 1000)
        key = f"{self._prefix}:relayers"

        def read(client: redis.Redis) -> list[bytes]:
            client.zremrangebyscore(key, "-inf", f"({since_ms}")
            return cast(list[bytes], client.zrange(key, 0, MAX_ANNOUNCED - 1))

        return [name.decode(errors="replace") for name in await self.connection(read)]
