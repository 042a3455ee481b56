"""The watch of engines in a hub's node, which halts by it: it may judge otherwise than its peers."""

from collections.abc import Collection
from pathlib import Path

import trio

from hutong.light_clients.crypto.engines import GM_ALGORITHMS
from hutong.relay.acceleration.engine_watch import EVERY_S, EngineWatch, EngineWrong
from hutong.relay.hub.application.genesis import RuntimeRules
from hutong.relay.hub.halting import NodeMustHalt


class HaltedByEngine(NodeMustHalt):
    """An engine of consensus answered otherwise than another author's library."""


def algorithms_of_choice(runtime: RuntimeRules) -> tuple[str, ...]:
    """Names of the bulk algorithms that are of consensus in a hub, since its genesis names their library."""
    return GM_ALGORITHMS if runtime.has_gm else ()


async def watch_engines(home: Path, chosen: Collection[str] = ()) -> None:
    """A round each EVERY_S seconds, until cancelled.

    Args:
        chosen: as of `EngineWatch`.

    Raises:
        HaltedByEngine: an answer differs; the question is kept.
        OSError: it could not be kept.
    """
    watch = EngineWatch(home, chosen)
    while True:
        await trio.sleep(EVERY_S)
        try:
            await trio.to_thread.run_sync(watch.ask)
        except EngineWrong as error:
            raise HaltedByEngine(str(error)) from error
