"""A TCP proxy between two peers: delay, loss, cuts.

It stands below TLS, so nothing in it can be taken out of the stream: a lost segment is what TCP makes of it, a stall of
that direction until the retransmission, during which everything after it waits.
"""

from collections import deque
from random import Random

import trio

RETRANSMISSION_S = 0.3
MAX_SEGMENT_BYTES = 64 * 1024


class DelayingProxy:
    def __init__(self, target_port: int, random: Random, delay_s: float, loss: float) -> None:
        self.port = 0
        self.cut = False
        self.lost = self.carried = 0
        self._target_port = target_port
        self._random = random
        self._delay_s = delay_s
        self._loss = loss
        self._scopes: set[trio.CancelScope] = set()

    async def run(self, task_status=trio.TASK_STATUS_IGNORED) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        await trio.serve_listeners(self._accept, listeners, task_status=task_status)

    def separate(self) -> None:
        """End what is open and accept nothing until `join`."""
        self.cut = True
        for scope in self._scopes:
            scope.cancel()

    def join(self) -> None:
        self.cut = False

    async def _accept(self, near) -> None:
        try:
            if self.cut:
                return
            with trio.CancelScope() as scope:
                self._scopes.add(scope)
                far = await trio.open_tcp_stream("127.0.0.1", self._target_port)
                async with far, trio.open_nursery() as nursery:
                    nursery.start_soon(self._carry, near, far, scope)
                    nursery.start_soon(self._carry, far, near, scope)
            self._scopes.discard(scope)
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            await trio.aclose_forcefully(near)

    async def _carry(self, source, sink, scope) -> None:
        """Each segment leaves a delay after it came, never before an earlier one."""
        waiting: deque[tuple[float, bytes]] = deque()
        arrived = trio.Event()
        async with trio.open_nursery() as nursery:

            async def send() -> None:
                nonlocal arrived
                while True:
                    while not waiting:
                        arrived = trio.Event()
                        await arrived.wait()
                    due, data = waiting.popleft()
                    await trio.sleep_until(due)
                    await sink.send_all(data)

            nursery.start_soon(send)
            last = 0.0
            while data := await source.receive_some(MAX_SEGMENT_BYTES):
                self.carried += 1
                due = trio.current_time() + self._delay_s
                if self._random.random() < self._loss:
                    self.lost += 1
                    due += RETRANSMISSION_S
                last = max(last, due)
                waiting.append((last, data))
                arrived.set()
            scope.cancel()
