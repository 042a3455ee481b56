"""Which committed blocks to ask of whom. A peer's height is only a claim: whoever claims blocks and sends none is let go."""

from collections.abc import Callable
from dataclasses import dataclass

import trio

from hutong.relay.hub.network.link.codec import MAX_ANSWER_BYTES, MAX_BLOCKS_ASKED
from hutong.relay.hub.network.link.link import Link
from hutong.relay.hub.network.link.messages import BlocksRequest
from hutong.relay.hub.network.score import Offence

ANSWER_LIMIT_S = 8.0
BLOCK_LIMIT_S = 0.5
"""What each block asked for adds. No block that comes prolongs it, or one a while would hold a node back for good."""
LAG_PATIENCE_S = 0.6
"""One height behind for less than this is a node that is about to decide by itself."""


@dataclass(slots=True)
class _Asked:
    link: Link
    next: int
    """The height that comes next."""
    last: int
    deadline_s: float
    came_bytes: int = 0


class BlockSync:
    """One request at a time. `consider` is called whenever a height moved, here or at a peer, and at an interval."""

    def __init__(self, offend: Callable[[Link, Offence, str], None]) -> None:
        self._offend = offend
        self._asked: _Asked | None = None
        self._behind_since_s: float | None = None
        self._last_asked = ""

    def received(self, link: Link, height: int, size: int) -> bool:
        """A block of `size` bytes came over `link`. It is not looked at here.

        Returns:
            False where this peer was not asked for it, or not for it next; then the block is to be dropped.
        """
        asked = self._asked
        if asked is None or asked.link is not link or height != asked.next or height > asked.last:
            return False
        asked.next += 1
        asked.came_bytes += size
        if asked.came_bytes > MAX_ANSWER_BYTES:
            asked.last = height
        return True

    def forget(self, link: Link) -> None:
        """The connection is gone, or what it sent was wrong: its request is over. The next `consider` asks again."""
        if self._asked is not None and self._asked.link is link:
            self._asked = None

    def consider(self, height: int, links: list[Link]) -> None:
        """Ask a peer that is further for blocks, or give up on one that did not send them in time.

        The latter is told as an offence. `height` is the one that this node decides, `links` those that are connected.
        Never waits.
        """
        now_s = trio.current_time()
        asked = self._asked
        if asked is not None and (asked.link not in links or height > asked.last):
            self._asked = asked = None
        if asked is not None:
            if now_s >= asked.deadline_s:
                self._asked = None
                if asked.next <= asked.last:
                    reason = f"it says that it has blocks up to {asked.last} and sends none from {asked.next} on"
                    self._offend(asked.link, Offence.NO_ANSWER, reason)
            return
        ahead = [link for link in links if link.height > height and not link.closing.is_set()]
        if not ahead:
            self._behind_since_s = None
            return
        if self._behind_since_s is None:
            self._behind_since_s = now_s
        # In turns, since who claims most may send least.
        others = [link for link in ahead if link.node_id != self._last_asked]
        furthest = max(others or ahead, key=lambda link: link.height)
        if furthest.height == height + 1 and now_s - self._behind_since_s < LAG_PATIENCE_S:
            return
        count = min(MAX_BLOCKS_ASKED, furthest.height - height)
        self._last_asked = furthest.node_id
        limit_s = ANSWER_LIMIT_S + count * BLOCK_LIMIT_S
        self._asked = _Asked(furthest, height, height + count - 1, now_s + limit_s)
        furthest.send(BlocksRequest(height, count))
