"""What waits to be sent to one peer: bounded, urgent before the rest, never a reason to wait."""

from collections import deque

import trio

MAX_URGENT_BYTES = 16 * 1024 * 1024
MAX_GOSSIP_BYTES = 16 * 1024 * 1024
MAX_WRITE_BYTES = 64 * 1024


class Outbox:
    """`put` drops where a peer is too slow for it: status exchange heals what was dropped."""

    def __init__(self) -> None:
        self._urgent: deque[bytes] = deque()
        self._gossip: deque[bytes] = deque()
        self._urgent_bytes = self._gossip_bytes = 0
        self._lot = trio.lowlevel.ParkingLot()
        self.dropped = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to be sent."""
        return not self._urgent and not self._gossip

    def put(self, frame: bytes, *, urgent: bool) -> bool:
        """Let a frame wait; never waits itself.

        Returns:
            False where it was dropped, which happens to gossip alone: of what is urgent the oldest goes for the newest.
        """
        self._lot.unpark()
        if not urgent:
            if self._gossip_bytes + len(frame) > MAX_GOSSIP_BYTES:
                self.dropped += 1
                return False
            self._gossip.append(frame)
            self._gossip_bytes += len(frame)
            return True
        while self._urgent and self._urgent_bytes + len(frame) > MAX_URGENT_BYTES:
            self._urgent_bytes -= len(self._urgent.popleft())
            self.dropped += 1
        self._urgent.append(frame)
        self._urgent_bytes += len(frame)
        return True

    async def take(self) -> bytes:
        """Whole frames for one write, urgent ones first, until they pass MAX_WRITE_BYTES; waits for the first."""
        while self.is_idle:
            await self._lot.park()
        parts, size = [], 0
        while self._urgent and size < MAX_WRITE_BYTES:
            frame = self._urgent.popleft()
            self._urgent_bytes -= len(frame)
            parts.append(frame)
            size += len(frame)
        while self._gossip and size < MAX_WRITE_BYTES:
            frame = self._gossip.popleft()
            self._gossip_bytes -= len(frame)
            parts.append(frame)
            size += len(frame)
        return b"".join(parts)
