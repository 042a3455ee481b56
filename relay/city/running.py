"""The city's own process: it starts everything, stays while it runs, and ends everything when it is told to end."""

import signal
from collections.abc import Callable
from enum import Enum, auto
from functools import partial

import trio
from web3.exceptions import TimeExhausted

from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.city.errors import CityFailed
from hutong.relay.city.home import CityHome
from hutong.relay.city.keeping import Keeper
from hutong.relay.city.plan import CityPlan
from hutong.relay.city.starting import CityStart
from hutong.relay.local.processes import DemoFailed, DemoStopped

EXPECTED = (DemoFailed, RuntimeError, TimeExhausted, OSError)
UP = "the city is up"
Say = Callable[[str], None]


class Ending(Enum):
    """How a city ended that had come up, or had not."""

    STOPPED = auto()
    STOPPED_WHILE_STARTING = auto()


def run_city(home: CityHome, plan: CityPlan, say: Say) -> Ending:
    """Start the city, and keep it until SIGTERM, SIGINT or SIGHUP. No process of it outlives this.

    The caller holds the home.

    Raises:
        CityFailed: it did not come up; the sentence names the process or command, and its last words.
    """
    up = trio.Event()
    try:
        trio.run(partial(_supervise, home, plan, say, up), strict_exception_groups=True)
    except BaseExceptionGroup as group:
        if group.subgroup(DemoStopped) is not None:
            # What else broke did so because processes end while the rest still asks them.
            return Ending.STOPPED if up.is_set() else Ending.STOPPED_WHILE_STARTING
        raise CityFailed(str(expected_leaves(group, EXPECTED)[0])) from group
    return Ending.STOPPED


async def _supervise(home: CityHome, plan: CityPlan, say: Say, up: trio.Event) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_on_signal)
        keeper = Keeper(nursery, home.processes_file, say)
        await nursery.start(keeper.keep_record)
        begun = trio.current_time()

        def say_when(text: str) -> None:
            say(f"{trio.current_time() - begun:4.0f} s  {text}")

        await CityStart(home, plan, keeper, say_when).run()
        up.set()
        say_when(UP)


async def _stop_on_signal(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """Turn a signal into an ordered end, so that no process outlives the city."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        task_status.started()
        async for number in signals:
            raise DemoStopped(signal.Signals(number).name)
