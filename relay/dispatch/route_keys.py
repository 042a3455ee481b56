"""Where a route's jobs stand on the server, and scripts that change several of these places at once."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hutong.relay.dispatch.connection import Connection
from hutong.relay.dispatch.record import Route
from hutong.relay.telemetry import get_logger


class Places(NamedTuple):
    """Keys of one route on the server, in the order in which the scripts take them."""

    jobs: str
    """The stream of what waits and is in work."""
    entries: str
    """Of that stream, by job id."""
    delayed: str
    dead: str
    records: str
    """Letters by job id, of everything that rests or is ignored."""
    asleep: str
    strata: str
    ignored: str


class RouteKeys:
    """All routes of one queue. `now_ms` is the clock of delays; `prefix` begins the name of each key."""

    def __init__(self, connection: Connection, now_ms: Callable[[], int], prefix: str) -> None:
        self.connection = connection
        self._now_ms = now_ms
        self._prefix = prefix
        self._log = get_logger("queue")

    def _places(self, route: Route) -> Places:
        base = f"{self._prefix}:{{{route.name}}}"
        names = ("jobs", "index", "delayed", "dead", "dead-records", "asleep", "strata", "ignored")
        return Places(*(f"{base}:{name}" for name in names))

    async def _script(self, script: str, route: Route, arguments: Sequence[Any]) -> Any:
        places = self._places(route)
        return await self.connection(lambda client: client.eval(script, len(places), *places, *arguments))
