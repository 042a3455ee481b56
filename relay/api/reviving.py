"""Dead letters tried again, on whichever route they are."""

from relay.api.backend import Revive
from relay.core.paths import Paths
from relay.dispatch import Queue


def reviver(queue: Queue, paths: Paths) -> Revive:
    async def revive(job: str) -> bool:
        return any([await queue.revive(route, job) for route in paths.routes()])

    return revive
