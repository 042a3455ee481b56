"""Ending a city: its keeper in order, then whatever a killed keeper left."""

import signal
from collections.abc import Callable, Sequence

import trio

from hutong.relay.city.errors import CityFailed, CityUnusable
from hutong.relay.city.home import CityHome
from hutong.relay.city.process_identity import ProcessIdentity, running
from hutong.relay.city.record import read_record

KEEPER_LIMIT_S = 120
"""For an orderly end of everything; each process has STOP_GRACE_S of `hutong.relay.local.processes`."""
LEFT_LIMIT_S = 15
POLL_S = 0.1

Say = Callable[[str], None]


async def stop_city(home: CityHome, say: Say) -> None:
    """End every process of the city in this home. Nothing of it runs when this returns.

    Raises:
        CityUnusable: there is no city here, or its record cannot be read.
        CityFailed: a process outlived SIGKILL.
    """
    record = read_record(home.processes_file)
    if record is None:
        if home.is_held():
            raise CityUnusable(f"a city is starting in {home.path} and has no process yet; try again in a second")
        raise CityUnusable(f"there is no city in {home.path}; --home names its folder")
    if record.keeper.runs:
        say(f"stopping {len(record.processes)} processes")
        record.keeper.signal(signal.SIGTERM)
        await _gone([record.keeper], KEEPER_LIMIT_S)
        record.keeper.signal(signal.SIGKILL)
        await _gone([record.keeper], LEFT_LIMIT_S)
    # What was started between the last record and the keeper's end stands in the record that it wrote last.
    newest = read_record(home.processes_file) or record
    storage = read_record(home.storage_processes_file)
    left = [] if storage is None else storage.identities()
    await _end_all([record.keeper, *newest.identities(), *left], say)


async def _end_all(processes: Sequence[ProcessIdentity], say: Say) -> None:
    left = running(processes)
    if left:
        say(f"{len(left)} processes outlived their keeper; ending them")
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in left:
            process.signal(number)
        await _gone(left, LEFT_LIMIT_S)
        left = running(left)
    if left:
        raise CityFailed(f"process {left[0].pid} does not end; see `ps -fp {left[0].pid}`")


async def _gone(processes: Sequence[ProcessIdentity], limit_s: float) -> None:
    """Until none of them runs, or the limit has passed."""
    with trio.move_on_after(limit_s):
        while running(processes):  # noqa: ASYNC110  the end of another's child raises no event
            await trio.sleep(POLL_S)
