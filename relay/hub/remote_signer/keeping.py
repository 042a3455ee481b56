"""Looking for a signer that is away, for as long as it takes."""

from random import Random
from typing import Protocol

import trio

from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.engine.source_signer import SourceSigner
from hutong.relay.hub.network.backoff import dial_delay_s
from hutong.relay.hub.network.due_signatures import DueSignatures
from hutong.relay.telemetry import get_logger

MOST_S = 2.0
"""A validator is silent that much longer than its signer at most."""
BETWEEN_S = 0.5
"""From one connection to the next, so that a signer which answers and does not sign is not asked without end."""

PING_EVERY_S = 2.0
"""Stock signers give up a connection at which nothing was asked for 5 s."""

_log = get_logger("consensus")


class ElsewhereSigner(Protocol):
    """A key that may be away: with a signer of ours, or with what a key source asks."""

    @property
    def name(self) -> str:
        """What logs call it."""

    @property
    def is_connected(self) -> bool:
        """Whether it answered the last request."""

    def connect(self) -> None:
        """Blocking, bounded. Raises SignerAway."""


class Asks(Protocol):
    """The driver."""

    @property
    def signatures_due(self) -> DueSignatures:
        """What waits for the signer, and whether it is lost."""

    def signer_is_back(self) -> None:
        """Let what waits be signed now."""


async def keep_awake(signer: SourceSigner) -> None:
    """Until cancelled."""
    while True:
        await trio.sleep(PING_EVERY_S)
        await signer.source.keep_awake()


async def keep_connected(signer: ElsewhereSigner, driver: Asks, random: Random) -> None:
    """Connect the signer whenever it is lost, until cancelled; waits at most MOST_S between two attempts.

    Each reason is said once, until the signer has been back for a while.
    """
    threads = trio.CapacityLimiter(1)
    said = ""

    def say(reason: str) -> None:
        nonlocal said
        if reason != said:
            said = reason
            _log.warning("the signer is away", peer=signer.name, reason=reason)

    while True:
        await driver.signatures_due.lost.wait()
        failures = 0
        while True:
            try:
                await trio.to_thread.run_sync(signer.connect, limiter=threads)
                break
            except SignerAway as error:
                say(str(error))
                await trio.sleep(min(MOST_S, dial_delay_s(failures, random)))
                failures += 1
        again_at_s = trio.current_time() + BETWEEN_S
        driver.signer_is_back()
        with trio.move_on_at(again_at_s):
            await driver.signatures_due.lost.wait()
        if driver.signatures_due.lost.is_set():
            # It is there, and does not sign.
            say(driver.signatures_due.reason)
            await trio.sleep_until(again_at_s)
        elif said:
            said = ""
            _log.info("the signer is back", peer=signer.name)
