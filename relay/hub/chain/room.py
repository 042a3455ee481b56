"""How full the database is: an alarm long before the edge, where a node can only halt."""

import shutil
from dataclasses import dataclass
from enum import Enum

import trio

from hutong.relay.evm.rpc.json_params import Method, Params
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.telemetry import get_logger

_log = get_logger("database")

ALARM_SHARE = 0.8
ASK_EVERY_S = 60.0
REPEAT_EVERY = 60
"""Questions: the alarm is repeated once an hour while it holds."""


class Said(Enum):
    """What the alarm has to say."""

    FILLS_UP = "the database fills up"
    ROOM_AGAIN = "the database has room again"


@dataclass(frozen=True, slots=True)
class Room:
    """`most_bytes` is the database's bound, or what its pages and the free disk make together where that is less."""

    used_bytes: int
    most_bytes: int

    @property
    def share(self) -> float:
        """Between 0 and 1 what is used of `most_bytes`; 1 where there is no room at all."""
        return self.used_bytes / self.most_bytes if self.most_bytes else 1.0


def room_of(store: LmdbStore) -> Room:
    """How full the database is now; blocking. Free pages inside the file count as room.

    Raises:
        OSError: the database's file is gone.
    """
    used = store.used_bytes()
    on_disk = (store.path / "data.mdb").stat().st_size
    return Room(used, min(store.map_bytes, on_disk + shutil.disk_usage(store.path).free))


class RoomAlarm:
    """What is to be said after each question: the alarm when it begins and once an hour, and its end."""

    def __init__(self) -> None:
        self._asked = 0

    def said_of(self, room: Room) -> Said | None:
        """What is to be said after one more question, None for nothing. Called once each ASK_EVERY_S."""
        if room.share < ALARM_SHARE:
            ended, self._asked = self._asked > 0, 0
            return Said.ROOM_AGAIN if ended else None
        self._asked += 1
        return Said.FILLS_UP if self._asked % REPEAT_EVERY == 1 else None


async def watch_room(store: LmdbStore) -> None:
    """Ask each ASK_EVERY_S seconds and log what the alarm says, until cancelled.

    Raises:
        OSError: as `room_of`.
    """
    alarm = RoomAlarm()
    while True:
        room = await trio.to_thread.run_sync(room_of, store)
        said = alarm.said_of(room)
        if said is Said.FILLS_UP:
            _log.warning(
                "the database fills up",
                reason=f"{room.share:.0%} of what it may take is used",
                used_bytes=room.used_bytes,
                most_bytes=room.most_bytes,
            )
        elif said is Said.ROOM_AGAIN:
            _log.info("the database has room again", used_bytes=room.used_bytes, most_bytes=room.most_bytes)
        await trio.sleep(ASK_EVERY_S)


def room_methods(store: LmdbStore) -> dict[str, Method]:
    """`hutong_database`, which takes no parameters and answers bytes in hex and whether the alarm holds."""

    async def database(params: Params) -> dict[str, object]:
        params.at_most(0)
        room = await trio.to_thread.run_sync(room_of, store)
        return {
            "usedBytes": hex(room.used_bytes),
            "mostBytes": hex(room.most_bytes),
            "alarm": room.share >= ALARM_SHARE,
        }

    return {"hutong_database": database}
