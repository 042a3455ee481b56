"""The city's own process in the background: started, followed until the city is up, then left alone."""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import trio

from hutong.relay.base.child_processes import HUTONG
from hutong.relay.base.trio_processes import open_child
from hutong.relay.city.errors import CityFailed
from hutong.relay.city.home import CityHome
from hutong.relay.local.processes import last_line

POLL_S = 0.2
END_LIMIT_S = 60
Say = Callable[[str], None]


async def start_detached(home: CityHome, arguments: Sequence[str], say: Say) -> None:
    """Start `hutong city up --foreground` in a session of its own, say what it says, and return when the city is up.

    An interrupt while it starts ends it in order.

    Args:
        arguments: the options of `up` beside `--foreground`.

    Raises:
        CityFailed: it ended before; its last line is in the sentence.
        OSError: it cannot be started.
    """
    home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    with home.log.open("wb") as output:
        process = await open_child([*HUTONG, "city", "up", "--foreground", *arguments], output=output, new_session=True)
    said = _Follower(home.log, say)
    try:
        while process.poll() is None and not home.city_file.exists():
            said.go_on()
            await trio.sleep(POLL_S)
    except BaseException:
        with trio.CancelScope(shield=True):
            await _end(process)
        raise
    said.go_on()
    if process.poll() is not None:
        raise CityFailed(f"the city did not come up: {last_line(home.log)}")


async def _end(process: trio.Process) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    with trio.move_on_after(END_LIMIT_S):
        await process.wait()


class _Follower:
    """Says each whole line that is new in a file."""

    def __init__(self, path: Path, say: Say) -> None:
        self._path = path
        self._say = say
        self._at = 0

    def go_on(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._at)
            new = file.read()
        whole = new.rpartition(b"\n")[0]
        if whole:
            self._at += len(whole) + 1
            for line in whole.decode(errors="replace").splitlines():
                self._say(line)
