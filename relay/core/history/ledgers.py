"""The ledger that a configuration asks for, and its upkeep."""

import os
from collections.abc import Callable, Mapping

import trio

from hutong.relay.config import RelayConfig
from hutong.relay.core.complaints import Complaints
from hutong.relay.ledger import Ledger, LedgerUnavailable
from hutong.relay.telemetry import Metrics, get_logger

FLUSH_EVERY_S = 0.5
"""What is noted is on disk this late: steps, cursors, and ends of transactions. A transaction that is recorded takes along
what was noted before it."""
PRUNE_EVERY_S = 600.0
BOUND_EVERY_S = 60.0
"""So many packets as come in this time may be kept beyond the bound of their bytes."""
DAY_NS = 86_400 * 10**9


def open_ledger(relay: RelayConfig, environment: Mapping[str, str] | None = None) -> Ledger:
    """The relay's ledger, made or brought to the newest schema. Blocks.

    Raises:
        LedgerUnavailable: in one sentence, never with the password.
    """
    if relay.ledger_url is None:
        return Ledger.open_file(relay.home / "ledger.sqlite")
    return Ledger.open_url(relay.ledger_url, password=ledger_password(relay, environment), owner=relay.owner)


def ledger_password(relay: RelayConfig, environment: Mapping[str, str] | None = None) -> str | None:
    """From the environment variable that the configuration names; None where it names none (trust or peer login).

    Args:
        environment: instead of this process's own.

    Raises:
        LedgerUnavailable: the variable is not set, or empty.
    """
    name = relay.ledger_password_env
    if name is None:
        return None
    password = (os.environ if environment is None else environment).get(name)
    if not password:
        raise LedgerUnavailable(f"relay.ledger_password_env: environment variable {name} is not set")
    return password


async def keep_ledger(
    ledger: Ledger,
    now_ns: Callable[[], int],
    retention_days: int | None,
    metrics: Metrics,
    complaints: Complaints,
) -> None:
    """For ever, every FLUSH_EVERY_S: write what is noted, forget what was settled long ago, bound the kept bytes.

    A ledger that does not answer is logged once and tried again; the notes wait in memory.

    Args:
        now_ns: clock by which ages are told, nanoseconds of Unix time.
        retention_days: what was settled longer ago is forgotten; None: nothing is.
    """
    log = get_logger("ledger")
    pruned_at_s = trio.current_time() - PRUNE_EVERY_S
    bounded_at_s = trio.current_time() - BOUND_EVERY_S
    while True:
        try:
            if ledger.notes:
                await ledger.flush()
            if retention_days is not None and trio.current_time() - pruned_at_s >= PRUNE_EVERY_S:
                pruned_at_s = trio.current_time()
                await ledger.prune(now_ns() - retention_days * DAY_NS)
            if trio.current_time() - bounded_at_s >= BOUND_EVERY_S:
                bounded_at_s = trio.current_time()
                await ledger.bound_records()
        except LedgerUnavailable as error:
            if complaints.is_new(str(error)):
                log.warning("the ledger is behind", notes=ledger.notes, reason=str(error))
        metrics.ledger_notes(ledger.notes)
        await trio.sleep(FLUSH_EVERY_S)
