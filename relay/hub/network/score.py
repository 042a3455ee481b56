"""How much trouble a peer has made, and for how long it is sent away: pure, times are arguments in seconds."""

from dataclasses import dataclass, replace
from enum import IntEnum

LIMIT = 100
FORGIVEN_PER_S = 1.0
FIRST_BAN_S = 10.0
MAX_BAN_S = 3_600.0
GOOD_FOR_S = 600.0
"""Without a ban for so long, the next one is a first one again."""
FRAMES_PER_S = 2_000.0
BURST_FRAMES = 4_000.0


class Offence(IntEnum):
    """Points. One malformed message is enough: no honest program of any version sends it after the handshake."""

    MALFORMED = 100
    INVALID_SIGNATURE = 50
    INVALID_BLOCK = 100
    NO_ANSWER = 40
    FLOOD = 100


@dataclass(frozen=True, slots=True)
class Score:
    points: float = 0.0
    at_s: float = 0.0
    bans: int = 0
    banned_until_s: float = 0.0

    def now(self, now_s: float) -> float:
        """Points that are left at `now_s`; FORGIVEN_PER_S go each second."""
        return max(0.0, self.points - FORGIVEN_PER_S * max(0.0, now_s - self.at_s))

    def is_banned(self, now_s: float) -> bool:
        """Whether the peer is sent away at `now_s`."""
        return now_s < self.banned_until_s

    def with_offence(self, offence: Offence, now_s: float) -> "Score":
        """The score after one more offence; at LIMIT points the peer is banned, for twice as long as the time before.

        After GOOD_FOR_S without a ban the next one is a first one again.
        """
        points = self.now(now_s) + offence
        if points < LIMIT:
            return replace(self, points=points, at_s=now_s)
        earlier = self.bans if now_s < self.banned_until_s + GOOD_FOR_S else 0
        ban_s = min(MAX_BAN_S, FIRST_BAN_S * 2**earlier)
        return Score(0.0, now_s, earlier + 1, now_s + ban_s)


@dataclass(slots=True)
class FrameAllowance:
    """A token bucket of one connection."""

    left: float = BURST_FRAMES
    at_s: float = 0.0

    def take(self, now_s: float) -> bool:
        """Whether one more frame may be read at `now_s`; False: more frames than any validator sends."""
        self.left = min(BURST_FRAMES, self.left + FRAMES_PER_S * (now_s - self.at_s))
        self.at_s = now_s
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True
