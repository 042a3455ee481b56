"""A gate before an endpoint: shut, it cuts the relay, and the relay alone, off from a chain that goes on."""

from functools import partial

import trio


class Gate:
    """TCP on the loopback address, passed on byte by byte to `port` while it is open."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._connections: set[trio.CancelScope] = set()
        self._is_open = True
        self.port = 0

    async def serve(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; `port` is where it listens, once it has started, open."""
        async with trio.open_nursery() as nursery:
            listeners = await nursery.start(partial(trio.serve_tcp, self._connected, 0, host="127.0.0.1"))
            self.port = listeners[0].socket.getsockname()[1]
            task_status.started()

    def shut(self) -> None:
        """Break off every connection, and each new one at once."""
        self._is_open = False
        for scope in self._connections:
            scope.cancel()

    def open(self) -> None:
        """Let new connections through again; those that were broken off stay so."""
        self._is_open = True

    async def _connected(self, client: trio.SocketStream) -> None:
        if not self._is_open:
            return
        with trio.CancelScope() as scope:
            self._connections.add(scope)
            try:
                async with (
                    client,
                    await trio.open_tcp_stream("127.0.0.1", self._upstream) as upstream,
                    trio.open_nursery() as nursery,
                ):
                    nursery.start_soon(_pass_on, client, upstream)
                    await _pass_on(upstream, client)
                    nursery.cancel_scope.cancel()
            except* (OSError, trio.BrokenResourceError):
                pass  # either end is gone, or nobody listens behind the gate; the other end sees the same
            finally:
                self._connections.discard(scope)


async def _pass_on(source: trio.SocketStream, sink: trio.SocketStream) -> None:
    """Until the source ends."""
    async for chunk in source:
        await sink.send_all(chunk)
    await sink.send_eof()
