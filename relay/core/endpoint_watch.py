"""Saying in the log when an endpoint fails again and again, and when it answers again: once for each change."""

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
    while True:
        for one in adapter.endpoint_statistics():
            name = one.api, one.name
            if one.strikes >= FAILING_STRIKES and name not in failing:
                failing.add(name)
                log.warning("an endpoint fails", api=one.api, endpoint=one.name, reason=one.last_failure)
            elif one.strikes == 0 and name in failing:
                failing.remove(name)
                log.info("an endpoint answers again", api=one.api, endpoint=one.name)
        await trio.sleep(LOOK_EVERY_S)
