"""Saying in the log when an endpoint fails again and again or serves another chain, and when it answers again: once for
each change.
"""

import trio

from hutong.adapters.interface import Chain
from hutong.relay.telemetry import get_logger

LOOK_EVERY_S = 20.0
FAILING_STRIKES = 3
"""Failures in a row: one may be chance."""


async def watch_endpoints(adapter: Chain) -> None:
    """For ever, every LOOK_EVERY_S. Asks no endpoint: what the adapter noted of each is read."""
    log = get_logger("endpoints").bind(chain=adapter.name)
    failing: set[tuple[str, str]] = set()
    foreign: set[tuple[str, str]] = set()
    while True:
        for one in adapter.endpoint_statistics():
            name = one.api, one.name
            if one.foreign is None:
                foreign.discard(name)
            elif name not in foreign:
                foreign.add(name)
                failing.add(name)
                log.warning("an endpoint serves another chain", api=one.api, endpoint=one.name, reason=one.foreign)
            if one.strikes >= FAILING_STRIKES and name not in failing:
                failing.add(name)
                log.warning("an endpoint fails", api=one.api, endpoint=one.name, reason=one.last_failure)
            elif one.strikes == 0 and one.foreign is None and name in failing:
                failing.remove(name)
                log.info("an endpoint answers again", api=one.api, endpoint=one.name)
        await trio.sleep(LOOK_EVERY_S)


def another_chain(adapter: Chain) -> str | None:
    """What the endpoints of one API say they serve where each of them serves another chain; None where none is such.

    Asks no endpoint.
    """
    said: dict[str, list[str | None]] = {}
    for one in adapter.endpoint_statistics():
        said.setdefault(one.api, []).append(one.foreign)
    for foreign in said.values():
        named = [reason for reason in foreign if reason is not None]
        if len(named) == len(foreign):
            return "serves another chain: " + "; ".join(named)
    return None
